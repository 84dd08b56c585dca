import { type Bitmap, bitmapHas, bitmapNewest } from '../protocol/bitmap.ts';

/** What a neighbour says it can give: its last bitmaps and the parts it announced since. */
export class Availability {
  /** Newest part it has in any track; -1 when none. */
  newest = -1;
  private bitmaps = new Map<number, Bitmap>();
  private since = new Map<number, Set<number>>();

  /** A whole new picture. */
  replace(bitmaps: readonly Bitmap[]): void {
    this.bitmaps = new Map(bitmaps.map((bitmap) => [bitmap.track, bitmap]));
    this.since.clear();
    this.newest = bitmaps.reduce((newest, bitmap) => Math.max(newest, bitmapNewest(bitmap)), -1);
  }

  add(track: number, part: number): void {
    const parts = this.since.get(track) ?? new Set<number>();
    this.since.set(track, parts);
    // Bitmaps come every few seconds and clear this; a neighbour that never sends one is cut short.
    if (parts.size < 512) parts.add(part);
    if (part > this.newest) this.newest = part;
  }

  has(track: number, part: number): boolean {
    if (this.since.get(track)?.has(part)) return true;
    const bitmap = this.bitmaps.get(track);
    return bitmap !== undefined && bitmapHas(bitmap, part);
  }
}
