import { type Bitmap, bitmapOf } from '../../protocol/bitmap.ts';
import { isWhole, type PartEntry } from '../../swarm/catalogue.ts';

/** Which parts the INS server has filed, whole, in our own locker. */
export class PartsKept {
  private readonly blocks = new Map<PartEntry, number>();
  private readonly parts = new Map<number, Set<number>>();
  private forgotBefore = 0;

  /** @returns True when the part is whole in the locker with this block. */
  add(entry: PartEntry): boolean {
    const kept = (this.blocks.get(entry) ?? 0) + 1;
    if (kept < entry.record.blocks.length || !isWhole(entry)) {
      this.blocks.set(entry, kept);
      return false;
    }
    this.blocks.delete(entry);
    const parts = this.parts.get(entry.record.track) ?? new Set<number>();
    this.parts.set(entry.record.track, parts);
    parts.add(entry.record.part);
    return true;
  }

  availability(tracks: readonly number[]): Bitmap[] {
    return tracks.map((track) => bitmapOf(track, this.parts.get(track) ?? []));
  }

  /** Forgets what is older: the server lets it go, too. */
  forgetBefore(part: number): void {
    if (part <= this.forgotBefore) return;
    this.forgotBefore = part;
    for (const parts of this.parts.values()) for (const old of parts) if (old < part) parts.delete(old);
    for (const entry of this.blocks.keys()) if (entry.record.part < part) this.blocks.delete(entry);
  }

  /** Another server, another locker. */
  clear(): void {
    this.blocks.clear();
    this.parts.clear();
  }
}
