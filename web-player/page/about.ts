import { el, setAttribute, setText } from '../element/dom.ts';
import { STATE_WORDS, streamCard, viewersWord } from './stream-list.ts';
import type { StreamEntry } from './streams.ts';

/** Below the picture: what is on, who else watches, and what else is on air. */
export class About {
  readonly element: HTMLElement;
  private readonly title = el('h1', { class: 'about-title' });
  private readonly badge = el('span', { class: 'badge' });
  private readonly watching = el('span', { class: 'watching' });
  private readonly line: HTMLElement;
  private readonly others = el('ul', { class: 'streams' });
  private readonly also: HTMLElement;
  private shown = '';

  constructor() {
    this.line = el('p', { class: 'about-line' }, this.badge, this.watching);
    this.line.hidden = true;
    this.also = el('section', { class: 'also' }, el('h2', {}, 'Also on air'), this.others);
    this.also.hidden = true;
    this.element = el('div', { class: 'about' }, this.title, this.line, this.also);
  }

  setTitle(title: string): void {
    setText(this.title, title);
  }

  /** @param entry - The stream that is watched, as the tracker lists it; undefined when it does not. */
  update(entry: StreamEntry | undefined, others: readonly StreamEntry[]): void {
    this.line.hidden = entry === undefined;
    if (entry !== undefined) {
      setText(this.badge, STATE_WORDS[entry.state]);
      setAttribute(this.badge, 'data-state', entry.state);
      setText(this.watching, viewersWord(entry.viewers));
    }
    // Drawn again only when it has changed: what has the focus stays.
    const key = JSON.stringify(others);
    if (key === this.shown) return;
    this.shown = key;
    this.also.hidden = others.length === 0;
    this.others.replaceChildren(...others.map(streamCard));
  }
}
