import { el, setAttribute } from './dom.ts';
import { type IconName, icon } from './icons.ts';

/** A button that shows what pressing it does. */
export class IconButton {
  readonly element: HTMLButtonElement;
  private shown: IconName;

  constructor(name: IconName, label: string, className = '') {
    const attributes = { type: 'button', class: `control ${className}`.trim(), 'aria-label': label, title: label };
    this.element = el('button', attributes, icon(name));
    this.shown = name;
  }

  set(name: IconName, label: string): void {
    setAttribute(this.element, 'aria-label', label);
    setAttribute(this.element, 'title', label);
    if (name === this.shown) return;
    this.shown = name;
    this.element.replaceChildren(icon(name));
  }
}
