import { el } from '../../../../web-player/element/dom.ts';
import type { HostId, LiveFlow, LiveHost, LiveViewer } from '../model.ts';
import type { Picture } from '../picture.ts';
import { hostButtons } from './buttons.ts';
import { flowText, msText, shareText } from './figures.ts';
import { hostsOf, isViewer, regionName, STANDING_WORDS, standingOf } from './hosts.ts';
import type { Deeds, View } from './view.ts';

const NEIGHBOURS_SHOWN = 5;

/** What there is to tell of one host, beside the map. */
export function cardOf(deeds: Deeds): View {
  const close = el('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close' }, '×');
  close.addEventListener('click', () => deeds.choice.show(null));
  const title = el('h3', {});
  const facts = el('dl', {});
  const buttons = hostButtons(deeds);
  const head = el('div', { class: 'card-head' }, title, close);
  const element = el(
    'aside',
    { class: 'host-card', hidden: '', 'aria-label': 'About a host' },
    head,
    facts,
    buttons.element,
  );
  element.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') deeds.choice.show(null);
  });
  return {
    element,
    show(picture) {
      const { shown } = deeds.choice;
      const host = shown === null ? undefined : hostsOf(picture).get(shown);
      element.hidden = host === undefined;
      if (host === undefined) return;
      title.textContent = host.name;
      facts.replaceChildren(
        ...factsOf(picture, host).flatMap(([name, text]) => [el('dt', {}, name), el('dd', {}, text)]),
      );
      buttons.show(picture, host);
    },
  };
}

type Fact = readonly [name: string, text: string];

function factsOf(picture: Picture, host: LiveHost): Fact[] {
  const standing = STANDING_WORDS[standingOf(picture, host)];
  const head: Fact[] = [
    ['State', standing],
    ['Region', regionName(picture, host)],
  ];
  const viewer = picture.viewers.get(host.id);
  if (!isViewer(host)) head.push(['Sends', flowText(picture.servers.get(host.id)?.sentBps ?? 0)]);
  else if (viewer === undefined) head.push(['Comes at', msText(host.comesAtMs)]);
  else head.push(...viewerFacts(viewer));
  return [...head, ...neighbours(picture, host.id)];
}

function viewerFacts({ bufferMs, latencyMs, startupMs, freezes, frozenMs, upBps, throttledTo }: LiveViewer): Fact[] {
  const facts: Fact[] = [
    ['In hand', msText(bufferMs)],
    ['Behind', msText(latencyMs)],
    ['Startup', msText(startupMs)],
    ['Freezes', freezes === 0 ? 'none' : `${freezes}, ${msText(frozenMs)} in all`],
    ['Sends', `${flowText(upBps.data)}, control ${flowText(upBps.control)}`],
  ];
  return throttledTo < 1 ? [...facts, ['Throttled to', shareText(throttledTo)]] : facts;
}

function neighbours(picture: Picture, id: HostId): Fact[] {
  const all = hostsOf(picture);
  const list = (flows: readonly LiveFlow[], end: 'from' | 'to'): string => {
    const largest = flows.toSorted((a, b) => b.bps - a.bps);
    const named = largest
      .slice(0, NEIGHBOURS_SHOWN)
      .map((flow) => `${all.get(flow[end])?.name ?? '?'} (${flowText(flow.bps)})`);
    const more = largest.length - named.length;
    return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
  };
  const fed = picture.flows.filter(({ to }) => to === id);
  const feeds = picture.flows.filter(({ from }) => from === id);
  return [
    ...(fed.length > 0 ? [['Fed by', list(fed, 'from')] as const] : []),
    ...(feeds.length > 0 ? [['Feeds', list(feeds, 'to')] as const] : []),
  ];
}
