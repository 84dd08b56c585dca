import type { Quality, Session } from '../playback/session.ts';
import { el, setAttribute } from './dom.ts';
import { icon } from './icons.ts';

/** Renditions to choose from, where there are several. */
export class QualityMenu {
  readonly element: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly list = el('div', { class: 'menu', role: 'menu', 'aria-label': 'Quality' });
  private items: readonly { readonly quality: Quality; readonly item: HTMLButtonElement }[] = [];
  private shown = '';
  private current: Session | undefined;

  constructor() {
    const attributes = { type: 'button', class: 'control', 'aria-label': 'Quality', title: 'Quality' };
    this.button = el('button', { ...attributes, 'aria-haspopup': 'menu', 'aria-expanded': 'false' }, icon('quality'));
    this.list.hidden = true;
    this.element = el('div', { class: 'quality' }, this.button, this.list);
    this.element.hidden = true;
    this.button.addEventListener('click', () => this.open(!this.isOpen));
    this.element.addEventListener('keydown', (event) => this.key(event));
    this.element.addEventListener('focusout', (event) => {
      if (!this.element.contains(event.relatedTarget as Node | null)) this.open(false);
    });
  }

  set session(session: Session) {
    this.current = session;
  }

  get isOpen(): boolean {
    return !this.list.hidden;
  }

  update(): void {
    const qualities = this.current?.qualities() ?? [];
    const key = qualities.map(({ level, name }) => `${level} ${name}`).join();
    if (key !== this.shown) this.fill(qualities, key);
    const chosen = this.current?.quality ?? -1;
    for (const { quality, item } of this.items) setAttribute(item, 'aria-checked', String(quality.level === chosen));
  }

  private fill(qualities: readonly Quality[], key: string): void {
    this.shown = key;
    this.element.hidden = qualities.length === 0;
    this.items = qualities.map((quality) => {
      const item = el('button', { type: 'button', role: 'menuitemradio', tabindex: '-1' }, quality.name);
      item.addEventListener('click', () => {
        if (this.current !== undefined) this.current.quality = quality.level;
        this.open(false);
        this.button.focus();
      });
      return { quality, item };
    });
    this.list.replaceChildren(...this.items.map(({ item }) => item));
  }

  private open(open: boolean): void {
    this.list.hidden = !open;
    setAttribute(this.button, 'aria-expanded', String(open));
    if (open) this.items.find(({ item }) => item.getAttribute('aria-checked') === 'true')?.item.focus();
  }

  private key(event: KeyboardEvent): void {
    if (!this.isOpen) return;
    const at = this.items.findIndex(({ item }) => item === document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') {
      this.open(false);
      this.button.focus();
    } else if (step !== undefined) {
      this.items[(at + step + this.items.length) % this.items.length]?.item.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
