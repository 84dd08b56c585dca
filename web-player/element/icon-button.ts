import { type ControlIconName, controlIcon } from './control-icons.ts';
import { el, setAttribute } from './dom.ts';

/** A button that shows what pressing it does. */
export class IconButton {
  readonly element: HTMLButtonElement;
  private shown: ControlIconName;

  constructor(name: ControlIconName, label: string, className = '') {
    const attributes = { type: 'button', class: `control ${className}`.trim(), 'aria-label': label, title: label };
    this.element = el('button', attributes, controlIcon(name));
    this.shown = name;
  }

  set(name: ControlIconName, label: string): void {
    setAttribute(this.element, 'aria-label', label);
    setAttribute(this.element, 'title', label);
    if (name === this.shown) return;
    this.shown = name;
    this.element.replaceChildren(controlIcon(name));
  }
}
