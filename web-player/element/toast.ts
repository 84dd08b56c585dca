import { type ControlIconName, controlIcon } from './control-icons.ts';
import { el, setText } from './dom.ts';

const SHOWN_MS = 900;

/** A word over the picture, for a moment: what a key or a finger has just done. */
export class Toast {
  readonly element = el('div', { class: 'toast', 'aria-hidden': 'true' });
  private readonly text = el('span', {});
  private timer = 0;

  say(text: string, name: ControlIconName): void {
    setText(this.text, text);
    this.element.replaceChildren(controlIcon(name), this.text);
    this.element.classList.add('shown');
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.element.classList.remove('shown'), SHOWN_MS);
  }

  stop(): void {
    window.clearTimeout(this.timer);
    this.element.classList.remove('shown');
  }
}
