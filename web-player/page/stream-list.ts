import { el } from '../element/dom.ts';
import { icon } from '../element/icons.ts';
import { moreIcon } from '../element/more-icons.ts';
import { pageOf, type StreamEntry } from './streams.ts';

export const STATE_WORDS = { live: 'Live', interrupted: 'Interrupted', ended: 'Over' } as const;

/** Several streams to choose from. */
export function streamList(streams: readonly StreamEntry[]): HTMLElement {
  const cards = streams.map(streamCard);
  return el(
    'main',
    { class: 'choose' },
    el('h1', {}, 'What do you want to watch?'),
    el('ul', { class: 'streams' }, ...cards),
  );
}

export function viewersWord(viewers: number): string {
  return viewers === 1 ? '1 viewer' : `${viewers} viewers`;
}

/** A link to one of them. */
export function streamCard({ id, title, state, viewers }: StreamEntry): HTMLElement {
  const badge = el('span', { class: 'badge', 'data-state': state }, STATE_WORDS[state]);
  const watching = el('span', { class: 'watching' }, moreIcon('viewers'), viewersWord(viewers));
  const picture = el('span', { class: 'thumb', 'aria-hidden': 'true' }, icon('play'));
  picture.style.setProperty('--hue', String(hueOf(id)));
  const link = el(
    'a',
    { href: pageOf(id), class: 'stream' },
    picture,
    el('span', { class: 'stream-title' }, title || 'Untitled stream'),
    el('span', { class: 'stream-line' }, badge, watching),
    el('code', {}, `${id.slice(0, 10)}…`),
  );
  return el('li', {}, link);
}

/** A colour of its own for each stream, always the same. */
function hueOf(stream: string): number {
  let sum = 0;
  for (const char of stream) sum = (sum * 31 + char.charCodeAt(0)) % 360;
  return sum;
}

/** Nothing to watch: says so, and that the page goes on looking. */
export function nothingOnAir(): HTMLElement {
  return el(
    'main',
    { class: 'empty' },
    el('div', { class: 'beacon', 'aria-hidden': 'true' }, ring(), ring(), ring()),
    el('h1', {}, 'Nothing is on air'),
    el('p', { role: 'status' }, 'This page keeps looking, and begins by itself when a stream starts.'),
  );
}

function ring(): HTMLElement {
  return el('i', { class: 'ring' });
}

export function trackerAway(): HTMLElement {
  return el(
    'main',
    { class: 'empty' },
    el('h1', {}, 'The tracker does not answer'),
    el('p', { role: 'status' }, 'It says which streams there are. This page asks it again every few seconds.'),
  );
}

export function wrongAddress(why: string): HTMLElement {
  return el(
    'main',
    { class: 'empty' },
    el('h1', {}, 'This address is not right'),
    el('p', {}, why),
    el('p', {}, el('a', { href: './', class: 'button' }, 'See what is on air')),
  );
}
