import type { HostId } from '../model.ts';

/** What somebody at the page has chosen to look at and to act on. */
export class Choice {
  /** Marked in the table: what buttons act on. */
  readonly selected = new Set<HostId>();
  /** Told about in full beside the map. */
  shown: HostId | null = null;
  private readonly changed: () => void;

  constructor(changed: () => void) {
    this.changed = changed;
  }

  select(ids: Iterable<HostId>, isSelected: boolean): void {
    for (const id of ids) {
      if (isSelected) this.selected.add(id);
      else this.selected.delete(id);
    }
    this.changed();
  }

  clear(): void {
    this.selected.clear();
    this.changed();
  }

  show(id: HostId | null): void {
    this.shown = id;
    this.changed();
  }
}
