import type Hls from 'hls.js';
import { type ErrorData, Events, type HlsConfig } from 'hls.js';
import { CAPTIONS } from '../loader/player-config.ts';

const ANSWER_WITHIN_MS = 5_000;
/** The first media has to be there within this. */
const READY_WITHIN_MS = 6_000;

/** The options of hls.js for a source's own playlists: near the edge, and with the first media before there is a video element. */
export const PLAIN_CONFIG: Partial<HlsConfig> = {
  lowLatencyMode: true,
  startFragPrefetch: true,
  // Speed is KeepLive's.
  maxLiveSyncPlaybackRate: 1,
  liveSyncOnStallIncrease: 0,
  backBufferLength: 30,
  ...CAPTIONS,
};

/**
 * Asks a tracker where the stream is to be had as plain HLS.
 *
 * @param tracker - Its WebSocket address.
 * @returns Null when it is nowhere, as the tracker has it; undefined when that did not answer.
 */
export async function findHlsUrl(tracker: string, stream: string): Promise<string | null | undefined> {
  try {
    const url = new URL('api/streams', tracker.replace(/^ws/, 'http'));
    const response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const list: unknown = response.ok ? await response.json() : null;
    if (!Array.isArray(list)) return null;
    const entry = list.find((one: { id?: unknown } | null) => one?.id === stream) as { hlsUrl?: unknown } | undefined;
    const hlsUrl = entry?.hlsUrl;
    return typeof hlsUrl === 'string' && /^https?:\/\//.test(hlsUrl) ? hlsUrl : null;
  } catch {
    return undefined;
  }
}

/** Whether there is anything at an address. */
export async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })).ok;
  } catch {
    return false;
  }
}

/** Waits for the first media of an hls.js that has no video element yet; false when it cannot have any. */
export function firstMedia(hls: Hls): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (isThere: boolean): void => {
      window.clearTimeout(timer);
      hls.off(Events.FRAG_LOADED, loaded);
      hls.off(Events.ERROR, failed);
      resolve(isThere);
    };
    const loaded = (): void => done(true);
    const failed = (_: unknown, { fatal }: ErrorData): void => {
      if (fatal) done(false);
    };
    const timer = window.setTimeout(() => done(false), READY_WITHIN_MS);
    hls.on(Events.FRAG_LOADED, loaded);
    hls.on(Events.ERROR, failed);
  });
}
