import { el } from '../../../../web-player/element/dom.ts';
import type { LiveLine } from '../model.ts';
import { LINES_MAX, type Picture } from '../picture.ts';
import { atText } from './figures.ts';
import type { Deeds, View } from './view.ts';

/** What happened, the newest first. */
export function logView(deeds: Deeds): View {
  const list = el('ol', { class: 'log', role: 'log', tabindex: '0', 'aria-label': 'What happened, the newest first' });
  const element = el('section', { class: 'block', 'aria-label': 'Log' }, el('h2', {}, 'What happened'), list);
  let newest: LiveLine | undefined;
  let known: Picture | undefined;
  return {
    element,
    show(picture) {
      // A new connection brings all lines anew.
      if (picture !== known) {
        list.replaceChildren();
        newest = undefined;
      }
      known = picture;
      const { lines } = picture;
      const from = newest === undefined ? 0 : lines.lastIndexOf(newest) + 1;
      if (from === lines.length) return;
      newest = lines.at(-1);
      list.prepend(
        ...lines
          .slice(from)
          .toReversed()
          .map((line) => itemOf(deeds, picture, line)),
      );
      while (list.childElementCount > LINES_MAX) list.lastElementChild?.remove();
    },
  };
}

function itemOf(deeds: Deeds, { session }: Picture, { run, atMs, tone, text, host }: LiveLine): HTMLElement {
  const runs = session?.runs ?? [];
  const at = runs.length > 1 ? `${runs[run]?.label ?? ''} · ${atText(atMs)}` : atText(atMs);
  const words = host === null ? el('span', {}, text) : el('button', { type: 'button', class: 'link' }, text);
  if (host !== null) words.addEventListener('click', () => deeds.choice.show(host));
  return el('li', { 'data-tone': tone }, el('time', {}, at), words);
}
