import type { Choice } from './captions.ts';
import type { ControlIconName } from './control-icons.ts';
import { el, setAttribute } from './dom.ts';
import { type MoreIconName, moreIcon } from './more-icons.ts';

/** One line of the menu: something to choose from, or something to do. */
export type Entry =
  | { readonly kind: 'choices'; readonly name: string; readonly icon: MenuIcon; readonly choices: readonly Choice[] }
  | { readonly kind: 'action'; readonly name: string; readonly icon: MenuIcon; act(): void };

type MenuIcon = ControlIconName | MoreIconName;

/** A menu of two levels: what can be chosen, and the choices of one of them. */
export class Menu {
  private readonly place: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly list = el('div', { class: 'menu', role: 'menu', 'aria-label': 'Settings' });
  private readonly entries: () => readonly Entry[];
  /** The entry whose choices are shown; undefined is the first level. */
  private inside: string | undefined;
  private shown = '';

  /** @param place - Holds the button, and the menu with it. */
  constructor(place: HTMLElement, button: HTMLButtonElement, entries: () => readonly Entry[]) {
    this.place = place;
    this.button = button;
    this.entries = entries;
    this.list.hidden = true;
    place.append(this.list);
    place.addEventListener('keydown', (event) => this.key(event));
    place.addEventListener('focusout', ({ relatedTarget }) => {
      // The focus may be lost because the lines were drawn anew.
      if (relatedTarget !== null && !this.place.contains(relatedTarget as Node)) this.open(false);
    });
  }

  get isOpen(): boolean {
    return !this.list.hidden;
  }

  open(open: boolean): void {
    if (open === this.isOpen) return;
    this.list.hidden = !open;
    this.inside = undefined;
    this.shown = '';
    setAttribute(this.button, 'aria-expanded', String(open));
    if (open) this.draw();
  }

  update(): void {
    if (this.isOpen) this.draw();
  }

  /** Draws the lines when they have changed, and keeps the focus on the one it was on. */
  private draw(): void {
    const entries = this.entries();
    const chosen = entries.find((entry) => entry.kind === 'choices' && entry.name === this.inside);
    const key = JSON.stringify([this.inside, entries]);
    if (key === this.shown) return;
    const wasFocused = this.items.indexOf(this.focused as HTMLElement);
    const isFirst = this.shown === '';
    this.shown = key;
    if (chosen?.kind === 'choices') {
      setAttribute(this.list, 'aria-label', chosen.name);
      this.list.replaceChildren(
        this.backLine(chosen.name),
        ...chosen.choices.map((choice) => this.choiceLine(chosen.name, choice)),
      );
    } else {
      this.inside = undefined;
      setAttribute(this.list, 'aria-label', 'Settings');
      this.list.replaceChildren(...entries.map((entry) => this.entryLine(entry)));
    }
    const { items } = this;
    const checked = items.findIndex((item) => item.getAttribute('aria-checked') === 'true');
    const at = isFirst || wasFocused < 0 ? Math.max(0, checked) : Math.min(wasFocused, items.length - 1);
    items[at]?.focus();
  }

  private entryLine(entry: Entry): HTMLElement {
    const name = el('span', { class: 'menu-name' }, entry.name);
    if (entry.kind === 'action') {
      const item = menuItem('menuitem', moreIcon(entry.icon), name);
      item.addEventListener('click', () => {
        this.open(false);
        this.button.focus();
        entry.act();
      });
      return item;
    }
    const now = entry.choices.find(({ isChosen }) => isChosen)?.name ?? '';
    const item = menuItem(
      'menuitem',
      moreIcon(entry.icon),
      name,
      el('span', { class: 'menu-now' }, now),
      moreIcon('next'),
    );
    setAttribute(item, 'aria-haspopup', 'menu');
    item.addEventListener('click', () => this.enter(entry.name));
    return item;
  }

  private backLine(name: string): HTMLElement {
    const item = menuItem('menuitem', moreIcon('previous'), el('span', { class: 'menu-name' }, name));
    item.classList.add('menu-back');
    setAttribute(item, 'aria-label', `Back from ${name}`);
    item.addEventListener('click', () => this.enter(undefined));
    return item;
  }

  private choiceLine(of: string, { name, isChosen }: Choice): HTMLElement {
    const item = menuItem('menuitemradio', moreIcon('check'), el('span', { class: 'menu-name' }, name));
    setAttribute(item, 'aria-checked', String(isChosen));
    item.addEventListener('click', () => {
      this.choose(of, name);
      this.open(false);
      this.button.focus();
    });
    return item;
  }

  /** As the entry is now: what is played may have been replaced since the line was drawn. */
  private choose(of: string, name: string): void {
    const entry = this.entries().find((one) => one.kind === 'choices' && one.name === of);
    if (entry?.kind === 'choices') entry.choices.find((choice) => choice.name === name)?.choose();
  }

  private enter(name: string | undefined): void {
    const from = this.inside;
    this.inside = name;
    this.shown = '';
    this.draw();
    if (from !== undefined) this.items.find(({ textContent }) => textContent?.startsWith(from))?.focus();
  }

  private get items(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>('[role^=menuitem]')];
  }

  private get focused(): Element | null {
    return (this.list.getRootNode() as Document | ShadowRoot).activeElement;
  }

  private key(event: KeyboardEvent): void {
    if (!this.isOpen) return;
    const { items } = this;
    const at = items.indexOf(this.focused as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[(to + items.length) % items.length]?.focus();
    else if (event.key === 'ArrowRight' && items[at]?.getAttribute('aria-haspopup') === 'menu') items[at].click();
    else if ((event.key === 'ArrowLeft' || event.key === 'Escape') && this.inside !== undefined) this.enter(undefined);
    else if (event.key === 'Escape') {
      this.open(false);
      this.button.focus();
    } else if (event.key === 'Tab') {
      this.open(false);
      return;
    } else if (event.key !== 'Enter' && event.key !== ' ') return;
    else {
      event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

function menuItem(role: string, ...children: readonly Node[]): HTMLButtonElement {
  return el('button', { type: 'button', class: 'menu-item', role, tabindex: '-1' }, ...children);
}
