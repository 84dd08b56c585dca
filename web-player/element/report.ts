import type { History } from '../playback/history.ts';
import type { SessionStats } from '../playback/session.ts';
import type { LoggedEvent } from './event-log.ts';

/** The form of the text below; another number is another form. */
const REPORT_VERSION = 1;

export interface Surroundings {
  readonly events: readonly LoggedEvent[];
  readonly history: History;
}

/**
 * All that helps to find out what went wrong for one viewer, as JSON: figures, the last minute, what happened. Nobody's address is in
 * it: servers and peers are counted, not named.
 */
export function reportOf(stats: SessionStats, { events, history }: Surroundings): string {
  const { links, ins, ...peer } = stats.peer;
  const report = {
    inswarm: REPORT_VERSION,
    madeAt: new Date().toISOString(),
    ...{ player: { ...stats, peer: { ...peer, usesIns: ins !== null } }, links: links.map(linkWithoutAddress) },
    ...{ lastMinute: history.samples, events, browser: browserOf() },
  };
  return withoutAddresses(JSON.stringify(report, (_, value) => roundedOrSame(value), 1));
}

function linkWithoutAddress({ url: _url, ...link }: SessionStats['peer']['links'][number]) {
  return link;
}

function browserOf() {
  const { userAgent, language, onLine, hardwareConcurrency } = navigator;
  const { innerWidth, innerHeight, devicePixelRatio } = window;
  const { saveData = null, effectiveType = null } =
    (navigator as { readonly connection?: { readonly saveData?: boolean; readonly effectiveType?: string } })
      .connection ?? {};
  return {
    ...{ userAgent, language, onLine, hardwareConcurrency, saveData, effectiveType },
    ...{ window: [innerWidth, innerHeight, devicePixelRatio], visibility: document.visibilityState },
  };
}

/** Other people's words, such as why a connection broke, may name addresses. */
export function withoutAddresses(text: string): string {
  return text
    .replace(/\b(?:wss?|https?|rtmps?|srt):\/\/[^\s"'\\)]+/gi, '(address)')
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g, '(address)')
    .replace(/\[?\b(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4})+\]?(?::\d{1,5})?/gi, (found) =>
      /^\d{2}:\d{2}:\d{2}$/.test(found) ? found : '(address)',
    );
}

function roundedOrSame(value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 100) / 100 : value;
}
