import { el, setAttribute } from '../../../../../web-player/element/dom.ts';
import type { HostId } from '../../model.ts';
import type { Picture } from '../../picture.ts';
import type { Deeds, View } from '../view.ts';
import { COLUMNS, type Row, rowsOfRun, type Wanted, wantedRows } from './columns.ts';
import { TableHead } from './head.ts';
import { ROW_PX, RowElement } from './row.ts';
import { Tools } from './tools.ts';

/** Rows above and below those that are to be seen. */
const SPARE_ROWS = 4;
/** The names of the columns, and a bar to scroll sideways. */
const HEAD_PX = 52;

/** All viewers. Only the rows that are to be seen are in the document. */
export function tableView(deeds: Deeds): View {
  return new TableView(deeds);
}

class TableView implements View {
  readonly element: HTMLElement;
  private readonly deeds: Deeds;
  private readonly tools: Tools;
  private readonly head: TableHead;
  private readonly scroller: HTMLElement;
  private readonly table: HTMLTableElement;
  private readonly above = spacer();
  private readonly below = spacer();
  private readonly body = el('tbody');
  private readonly elements: RowElement[] = [];
  private picture: Picture | undefined;
  private all: readonly Row[] = [];
  private rows: readonly Row[] = [];
  private wanted: Wanted = { words: '', state: null, by: 'state', isDown: false };
  /** Where a selection of many begins. */
  private anchor: HostId | null = null;

  constructor(deeds: Deeds) {
    this.deeds = deeds;
    this.tools = new Tools(deeds, {
      filter: (words) => this.want({ words }),
      state: (state) => this.want({ state }),
    });
    this.head = new TableHead({
      sort: (by) =>
        this.want({
          by,
          isDown: this.wanted.by === by ? !this.wanted.isDown : by !== 'name' && by !== 'region' && by !== 'state',
        }),
      selectAll: (isSelected) =>
        deeds.choice.select(
          this.rows.map(({ host }) => host.id),
          isSelected,
        ),
    });
    const columns = el(
      'colgroup',
      {},
      ...['mark', ...COLUMNS.map(({ key }) => key), 'do'].map((key) => el('col', { class: `col-${key}` })),
    );
    this.table = el('table', { 'aria-label': 'Viewers' }, columns, this.head.element, this.body);
    this.scroller = el('div', { class: 'scroller', tabindex: '-1' }, this.table);
    this.scroller.addEventListener('scroll', () => this.draw(), { passive: true });
    this.body.addEventListener('keydown', (event) => this.key(event));
    this.body.addEventListener('pointerleave', () => this.refresh());
    this.body.append(this.above, this.below);
    new ResizeObserver(() => this.draw()).observe(this.scroller);
    this.element = el('section', { class: 'peers block', 'aria-label': 'Viewers' }, this.tools.element, this.scroller);
  }

  show(picture: Picture): void {
    this.picture = picture;
    this.all = rowsOfRun(picture);
    // No higher than all rows, however few of them a filter leaves.
    const height = `min(560px, 72vh, ${HEAD_PX + this.all.length * ROW_PX}px)`;
    if (this.scroller.style.height !== height) this.scroller.style.height = height;
    this.refresh();
  }

  private want(change: Partial<Wanted>): void {
    this.wanted = { ...this.wanted, ...change };
    this.refresh(true);
    this.scroller.scrollTop = 0;
    this.draw();
  }

  /** Rows stay where they are while somebody points at them: nobody is to press a button that has just become another viewer's. */
  private refresh(isAsked = false): void {
    const isHeld = !isAsked && (this.body.matches(':hover') || this.body.contains(document.activeElement));
    this.rows = isHeld ? inOrderOf(this.rows, wantedRows(this.all, this.wanted)) : wantedRows(this.all, this.wanted);
    this.draw();
  }

  private draw(): void {
    const { picture, rows, scroller, deeds } = this;
    if (picture === undefined) return;
    const { scrollTop, clientHeight } = scroller;
    const first = Math.max(0, Math.min(Math.floor(scrollTop / ROW_PX) - SPARE_ROWS, rows.length - 1));
    const count = Math.min(rows.length - first, Math.ceil(clientHeight / ROW_PX) + 2 * SPARE_ROWS);
    while (this.elements.length < count) this.elements.push(new RowElement(deeds, (id, range) => this.mark(id, range)));
    for (const [at, element] of this.elements.entries()) {
      const row = at < count ? rows[first + at] : undefined;
      if (row === undefined) element.element.remove();
      else {
        if (element.element.parentNode === null) this.body.insertBefore(element.element, this.below);
        element.show(picture, row, first + at + 2, deeds.choice.selected.has(row.host.id));
      }
    }
    tall(this.above, first);
    tall(this.below, Math.max(0, rows.length - first - count));
    setAttribute(this.table, 'aria-rowcount', String(rows.length + 1));
    this.head.show(this.wanted, rows, deeds.choice.selected);
    this.tools.show(picture, this.all, rows, this.wanted);
  }

  private mark(id: HostId, isRange: boolean): void {
    const { choice } = this.deeds;
    const isSelected = !choice.selected.has(id);
    const ids = this.rows.map(({ host }) => host.id);
    const [from, to] = [this.anchor === null ? -1 : ids.indexOf(this.anchor), ids.indexOf(id)];
    this.anchor = id;
    choice.select(isRange && from >= 0 ? ids.slice(Math.min(from, to), Math.max(from, to) + 1) : [id], isSelected);
  }

  /** Up and down from row to row, also to those that are not in the document yet. */
  private key(event: KeyboardEvent): void {
    const at = this.elements.findIndex(({ element }) => element.contains(event.target as Node));
    const element = this.elements[at];
    const index = this.rows.findIndex(({ host }) => host.id === element?.id);
    if (element === undefined || index < 0) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / ROW_PX) - 2);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -index,
      End: this.rows.length,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(this.rows.length - 1, index + step));
    const part = element.partOf(event.target as Node);
    const seen = this.scroller.clientHeight - 2 * ROW_PX;
    if (to * ROW_PX < this.scroller.scrollTop) this.scroller.scrollTop = to * ROW_PX;
    else if (to * ROW_PX > this.scroller.scrollTop + seen) this.scroller.scrollTop = to * ROW_PX - seen;
    this.draw();
    this.elements.find(({ id }) => id === this.rows[to]?.host.id)?.focus(part);
  }
}

/** The rows that are wanted now, those that were there before in their old order. */
function inOrderOf(before: readonly Row[], wanted: readonly Row[]): Row[] {
  const now = new Map(wanted.map((row) => [row.host.id, row]));
  const kept = before.flatMap(({ host }) => now.get(host.id) ?? []);
  const known = new Set(kept.map(({ host }) => host.id));
  return [...kept, ...wanted.filter(({ host }) => !known.has(host.id))];
}

function spacer(): HTMLTableRowElement {
  return el('tr', { class: 'spacer', 'aria-hidden': 'true' }, el('td', { colspan: String(COLUMNS.length + 2) }));
}

function tall(row: HTMLTableRowElement, rows: number): void {
  const height = `${rows * ROW_PX}px`;
  if (row.style.height !== height) row.style.height = height;
  row.hidden = rows === 0;
}
