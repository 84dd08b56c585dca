import { type Bitmap, bitmapHas, bitmapNewest } from '../protocol/bitmap.ts';
import { BLOCKS_PER_PART_MAX } from '../protocol/limits.ts';

/** Parts of which single blocks are remembered: those that are on their way right now. */
const PARTIAL_MAX = 32;

/** What a neighbour says it can give: its last bitmaps and the parts it announced since. */
export class Availability {
  /** Newest part it has in any track; -1 when none. */
  newest = -1;
  /** Newest part of which it has at least a block; -1 when none. */
  newestBegun = -1;
  private bitmaps = new Map<number, Bitmap>();
  private since = new Map<number, Set<number>>();
  private readonly partial = new Map<string, Set<number>>();

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

  /** A single block of a part that is not whole yet. */
  addBlock(track: number, part: number, index: number): void {
    const id = `${track}:${part}`;
    const indices = this.partial.get(id) ?? new Set<number>();
    this.partial.set(id, indices);
    if (indices.size < BLOCKS_PER_PART_MAX) indices.add(index);
    if (part > this.newestBegun) this.newestBegun = part;
    for (const oldest of this.partial.keys()) {
      if (this.partial.size <= PARTIAL_MAX) break;
      this.partial.delete(oldest);
    }
  }

  hasBlock(track: number, part: number, index: number): boolean {
    return this.partial.get(`${track}:${part}`)?.has(index) === true || this.has(track, part);
  }

  /** The first block of a part that was announced by itself. */
  firstBlock(track: number, part: number): number | undefined {
    for (const index of this.partial.get(`${track}:${part}`) ?? []) return index;
    return undefined;
  }

  has(track: number, part: number): boolean {
    if (this.since.get(track)?.has(part)) return true;
    const bitmap = this.bitmaps.get(track);
    return bitmap !== undefined && bitmapHas(bitmap, part);
  }

  /** Whether it has so many parts in a row. */
  hasRun(track: number, part: number, count: number): boolean {
    for (let at = part; at < part + count; at++) if (!this.has(track, at)) return false;
    return true;
  }
}
