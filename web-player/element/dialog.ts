import { el } from './dom.ts';
import { moreIcon } from './more-icons.ts';

/** A sheet over everything, with a title and a way out: Escape, the cross, or a press beside it. */
export class Dialog {
  readonly element: HTMLDialogElement;

  constructor(title: string, className: string, ...children: readonly Node[]) {
    const close = el(
      'button',
      { type: 'button', class: 'control dialog-close', 'aria-label': 'Close' },
      moreIcon('close'),
    );
    const body = el('div', { class: 'dialog-body' }, el('h2', {}, title), ...children, close);
    this.element = el('dialog', { class: `dialog ${className}`, 'aria-label': title }, body);
    close.addEventListener('click', () => this.element.close());
    this.element.addEventListener('click', ({ target }) => {
      if (target === this.element) this.element.close();
    });
    // Its keys are its own; once it is closed, the focus may be in it for a moment yet.
    this.element.addEventListener('keydown', (event) => {
      if (this.isOpen) event.stopPropagation();
    });
  }

  get isOpen(): boolean {
    return this.element.open;
  }

  open(): void {
    // A player that was taken out of its page meanwhile opens nothing.
    if (this.element.isConnected && !this.isOpen) this.element.showModal();
  }
}
