import { el, setAttribute, setText } from '../../../../web-player/element/dom.ts';
import type { LiveHost } from '../model.ts';
import type { Picture, RunPicture } from '../picture.ts';
import { hostButtons } from './buttons.ts';
import { flowText } from './figures.ts';
import { isViewer, regionName, STANDING_WORDS, standingOf } from './hosts.ts';
import type { Deeds, View } from './view.ts';

interface Item {
  readonly host: LiveHost;
  readonly element: HTMLElement;
  show(picture: Picture): void;
}

/** Source, tracker and INS servers: how they are, what they send, and what can be done to them. */
export function serversView(deeds: Deeds): View {
  const list = el('ul', { class: 'servers' });
  const element = el('section', { class: 'block', 'aria-label': 'Servers' }, el('h2', {}, 'Servers'), list);
  let shown: RunPicture | undefined;
  let items: readonly Item[] = [];
  return {
    element,
    show(picture) {
      if (picture.run !== shown) {
        shown = picture.run;
        items = (shown?.hosts ?? []).filter((host) => !isViewer(host)).map((host) => itemOf(deeds, host));
        list.replaceChildren(...items.map((item) => item.element));
      }
      for (const item of items) item.show(picture);
    },
  };
}

function itemOf(deeds: Deeds, host: LiveHost): Item {
  const name = el('button', { type: 'button', class: 'link' }, host.name);
  name.addEventListener('click', () => deeds.choice.show(host.id));
  const [region, state, sent] = [
    el('span', { class: 'region' }),
    el('span', { class: 'state' }),
    el('span', { class: 'sent' }),
  ];
  const buttons = hostButtons(deeds);
  const element = el('li', { 'data-kind': host.kind }, name, region, state, sent, buttons.element);
  return {
    host,
    element,
    show(picture) {
      const standing = standingOf(picture, host);
      setText(region, regionName(picture, host));
      setText(state, STANDING_WORDS[standing]);
      setAttribute(state, 'data-state', standing);
      setText(sent, host.kind === 'tracker' ? '' : flowText(picture.servers.get(host.id)?.sentBps ?? 0));
      buttons.show(picture, host);
    },
  };
}
