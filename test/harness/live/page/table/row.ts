import { el, setAttribute, setText } from '../../../../../web-player/element/dom.ts';
import type { HostId } from '../../model.ts';
import type { Picture } from '../../picture.ts';
import { deedButtons, possible } from '../buttons.ts';
import { shareText } from '../figures.ts';
import type { Deeds } from '../view.ts';
import { COLUMNS, gets, type Row } from './columns.ts';

/** As the style has it: where a row is follows from its number. */
export const ROW_PX = 36;

const ORIGINS = ['ins', 'peers', 'source'] as const;

/** One row in the document, of one viewer after the other. */
export class RowElement {
  readonly element: HTMLTableRowElement;
  id: HostId = -1;
  private readonly mark = el('input', { type: 'checkbox' });
  private readonly name = el('button', { type: 'button', class: 'link' });
  private readonly note = el('span', { class: 'note' });
  private readonly state = el('span', { class: 'state' });
  private readonly amount = el('span', { class: 'amount' });
  private readonly origins = ORIGINS.map((origin) => el('i', { class: `o-${origin}` }));
  private readonly texts: ReadonlyMap<string, HTMLElement>;
  private readonly buttons;

  /** @param marked - Somebody marks the row, or all from the last one on. */
  constructor(deeds: Deeds, marked: (id: HostId, isRange: boolean) => void) {
    this.mark.addEventListener('click', (event) => {
      // What is marked is shown by whoever keeps the selection.
      event.preventDefault();
      marked(this.id, event.shiftKey);
    });
    this.name.addEventListener('click', () => deeds.choice.show(this.id));
    this.buttons = deedButtons(
      deeds,
      () => [this.id],
      () => this.name.textContent ?? '',
    );
    const bar = el('span', { class: 'bar', 'aria-hidden': 'true' }, ...this.origins);
    const cells = COLUMNS.map(({ key }) => {
      const cell = el(key === 'name' ? 'th' : 'td', { class: `cell-${key}` });
      if (key === 'name') cell.append(this.name, this.note);
      if (key === 'state') cell.append(this.state);
      if (key === 'down') cell.append(this.amount, bar);
      return [key, cell] as const;
    });
    cells[0]![1].setAttribute('scope', 'row');
    this.texts = new Map(cells)
      .set('state', this.state as HTMLTableCellElement)
      .set('down', this.amount as HTMLTableCellElement)
      .set('name', this.name as unknown as HTMLTableCellElement);
    const deedsCell = el('td', { class: 'cell-do' }, el('div', { class: 'row-deeds' }, ...Object.values(this.buttons)));
    this.element = el(
      'tr',
      {},
      el('td', { class: 'cell-mark' }, this.mark),
      ...cells.map(([, cell]) => cell),
      deedsCell,
    );
  }

  show(picture: Picture, row: Row, index: number, isSelected: boolean): void {
    const { host, viewer } = row;
    if (this.id !== host.id) this.rename(row);
    for (const { key, text } of COLUMNS) setText(this.texts.get(key)!, text(row));
    setAttribute(this.state, 'data-state', viewer.state);
    setAttribute(this.element, 'aria-rowindex', String(index));
    setAttribute(this.element, 'aria-selected', String(isSelected));
    setText(this.note, viewer.throttledTo < 1 ? `at ${shareText(viewer.throttledTo)}` : '');
    if (this.mark.checked !== isSelected) this.mark.checked = isSelected;
    const total = gets(viewer);
    for (const [at, origin] of ORIGINS.entries()) {
      const share = total === 0 ? '0' : String(Math.round((viewer.downBps[origin] / total) * 100));
      const { style } = this.origins[at]!;
      if (style.flexGrow !== share) style.flexGrow = share;
    }
    const can = possible(picture, host);
    for (const deed of ['start', 'stop', 'kill', 'throttle'] as const) {
      const button = this.buttons[deed];
      if (button.disabled === can.has(deed)) button.disabled = !can.has(deed);
    }
  }

  /** What of the row has the focus, to give it to the same of another row. */
  partOf(node: Node): number {
    return this.focusable().indexOf(node as HTMLElement);
  }

  focus(part: number): void {
    const parts = this.focusable();
    const wanted = parts[part];
    (wanted === undefined || (wanted as HTMLButtonElement).disabled ? parts[0]! : wanted).focus();
  }

  private focusable(): HTMLElement[] {
    return [this.mark, this.name, ...Object.values(this.buttons)];
  }

  private rename({ host, region: _ }: Row): void {
    this.id = host.id;
    setAttribute(this.element, 'data-kind', host.kind);
    setAttribute(this.mark, 'aria-label', `Select ${host.name}`);
    for (const [deed, button] of Object.entries(this.buttons))
      setAttribute(button, 'aria-label', `${deed} ${host.name}`);
  }
}
