import type { Mode } from '../../protocol/swarm-fields.ts';
import { el, setText } from '../element/dom.ts';
import { mark } from '../element/icons.ts';
import { MODES } from '../element/settings.ts';
import { pageOf } from './streams.ts';

const MODE_NAMES: Readonly<Record<Mode, readonly [name: string, meaning: string]>> = {
  ins: ['INS', 'From in-network storage only: no video byte from or to other viewers'],
  hybrid: ['Hybrid', 'From in-network storage, from peers when it fails'],
  native: ['Native', 'From peers only'],
};

/** The line above everything: whose page this is, what is on, and in which mode. */
export class Header {
  readonly element: HTMLElement;
  private readonly title = el('p', { class: 'title' });
  private readonly modes = el('nav', { class: 'modes', 'aria-label': 'Mode' });

  constructor() {
    const home = el('a', { href: './', class: 'home' }, mark(), el('span', {}, 'inswarm'));
    this.element = el('header', {}, home, this.title, this.modes);
  }

  setTitle(title: string): void {
    setText(this.title, title);
    document.title = title === '' ? 'inswarm' : `${title} · inswarm`;
  }

  setMode(stream: string, mode: Mode): void {
    const links = MODES.map((other) => {
      const [name, meaning] = MODE_NAMES[other];
      const current = other === mode ? ({ 'aria-current': 'true' } as const) : {};
      return el('a', { href: pageOf(stream, other), title: meaning, ...current }, name);
    });
    this.modes.replaceChildren(...links);
  }
}
