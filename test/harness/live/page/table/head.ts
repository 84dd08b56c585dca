import { el, setAttribute } from '../../../../../web-player/element/dom.ts';
import type { HostId } from '../../model.ts';
import { COLUMNS, type ColumnKey, type Row, type Wanted } from './columns.ts';

export interface HeadDeeds {
  readonly sort: (by: ColumnKey) => void;
  readonly selectAll: (isSelected: boolean) => void;
}

/** The names of the columns, which sort, and the mark for all that are shown. */
export class TableHead {
  readonly element: HTMLElement;
  private readonly mark = el('input', { type: 'checkbox', 'aria-label': 'Select all that are shown' });
  private readonly columns: ReadonlyMap<ColumnKey, HTMLElement>;

  constructor({ sort, selectAll }: HeadDeeds) {
    this.mark.addEventListener('change', () => selectAll(this.mark.checked));
    this.columns = new Map(
      COLUMNS.map(({ key, label, what }) => {
        const button = el('button', { type: 'button', title: what }, label);
        button.addEventListener('click', () => sort(key));
        return [key, el('th', { scope: 'col', class: `cell-${key}` }, button)];
      }),
    );
    const deeds = el('th', { scope: 'col', class: 'cell-do' }, el('span', { class: 'unseen' }, 'What to do'));
    const marks = el('th', { scope: 'col', class: 'cell-mark' }, this.mark);
    this.element = el('thead', {}, el('tr', { 'aria-rowindex': '1' }, marks, ...this.columns.values(), deeds));
  }

  show({ by, isDown }: Wanted, rows: readonly Row[], selected: ReadonlySet<HostId>): void {
    for (const [key, cell] of this.columns) {
      setAttribute(cell, 'aria-sort', key !== by ? 'none' : isDown ? 'descending' : 'ascending');
    }
    const marked = selected.size === 0 ? 0 : rows.filter(({ host }) => selected.has(host.id)).length;
    this.mark.checked = marked > 0 && marked === rows.length;
    this.mark.indeterminate = marked > 0 && marked < rows.length;
  }
}
