import { el, setAttribute, setText } from './dom.ts';
import type { Message } from './first-messages.ts';

/** A message over the picture; read out when it comes. */
export class Notice {
  readonly element: HTMLElement;
  private readonly title = el('strong', { class: 'notice-title' });
  private readonly text = el('span', { class: 'notice-text' });
  private readonly offer = el('a', { class: 'button' });
  private readonly again = el('button', { type: 'button', class: 'button' }, 'Try again');

  /** @param retry - What a press on "Try again" does. */
  constructor(place: Message['place'], retry: () => void) {
    const spinner = el('i', { class: 'spinner', 'aria-hidden': 'true' });
    const words = el('div', { role: 'status' }, this.title, this.text);
    this.offer.hidden = true;
    this.again.hidden = true;
    this.again.addEventListener('click', retry);
    this.element = el('div', { class: `notice ${place}`, 'data-kind': 'none' }, spinner, words, this.offer, this.again);
  }

  set(message: Message | null): void {
    setAttribute(this.element, 'data-kind', message?.kind ?? 'none');
    setText(this.title, message?.title ?? '');
    setText(this.text, message?.text ?? '');
    this.again.hidden = message?.canRetry !== true;
    const offer = message?.offer;
    this.offer.hidden = offer === undefined;
    setText(this.offer, offer?.name ?? '');
    if (offer !== undefined) setAttribute(this.offer, 'href', offer.href);
  }
}
