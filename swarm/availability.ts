import { type Bitmap, bitmapHas, bitmapNewest } from '../protocol/bitmap.ts';
import { BLOCKS_PER_PART_MAX } from '../protocol/limits.ts';

/** Parts of which single blocks are remembered: those that are on their way right now. */
const PARTIAL_MAX = 32;
/** Parts of tracks that are remembered between two bitmaps. */
const SINCE_MAX = 1_024;

/** The newest part that any of many have begun: found again only when one of them may have had it alone. */
export class NewestPart {
  stale = false;
  private value = -1;

  get(all: readonly { readonly availability: Availability }[]): number {
    if (this.stale) {
      this.stale = false;
      this.value = -1;
      for (const { availability } of all) this.add(Math.max(availability.newest, availability.newestBegun));
    }
    return this.value;
  }

  add(part: number): void {
    if (part > this.value) this.value = part;
  }
}

/** What a neighbour says it can give: its last bitmaps and the parts it announced since. */
export class Availability {
  /** Newest part it has in any track; -1 when none. */
  newest = -1;
  /** Newest part of which it has at least a block; -1 when none. */
  newestBegun = -1;
  private bitmaps: readonly Bitmap[] = [];
  /** Parts of tracks: see {@link placeOf}. */
  private readonly since = new Set<number>();
  /** The blocks of parts of tracks. */
  private readonly partial = new Map<number, Set<number>>();
  private readonly ofAll: NewestPart | undefined;

  /** @param ofAll - Kept up to date with the others'. */
  constructor(ofAll?: NewestPart) {
    this.ofAll = ofAll;
  }

  /** A whole new picture. */
  replace(bitmaps: readonly Bitmap[]): void {
    this.bitmaps = bitmaps;
    if (this.since.size > 0) this.since.clear();
    const before = this.newest;
    this.newest = -1;
    for (const bitmap of bitmaps) this.newest = Math.max(this.newest, bitmapNewest(bitmap));
    if (this.ofAll === undefined) return;
    this.ofAll.add(this.newest);
    if (this.newest < before) this.ofAll.stale = true;
  }

  add(track: number, part: number): void {
    // Bitmaps come every few seconds and clear this; a neighbour that never sends one is cut short.
    if (this.since.size < SINCE_MAX) this.since.add(placeOf(track, part));
    if (part <= this.newest) return;
    this.newest = part;
    this.ofAll?.add(part);
  }

  /** A single block of a part that is not whole yet. */
  addBlock(track: number, part: number, index: number): void {
    const place = placeOf(track, part);
    let indices = this.partial.get(place);
    if (indices === undefined) {
      indices = new Set<number>();
      this.partial.set(place, indices);
    }
    if (index < BLOCKS_PER_PART_MAX) indices.add(index);
    if (part > this.newestBegun) {
      this.newestBegun = part;
      this.ofAll?.add(part);
    }
    if (this.partial.size <= PARTIAL_MAX) return;
    for (const oldest of this.partial.keys()) {
      this.partial.delete(oldest);
      return;
    }
  }

  hasBlock(track: number, part: number, index: number): boolean {
    return this.has(track, part) || this.partial.get(placeOf(track, part))?.has(index) === true;
  }

  /** The first block of a part that was announced by itself. */
  firstBlock(track: number, part: number): number | undefined {
    const indices = this.partial.get(placeOf(track, part));
    if (indices !== undefined) for (const index of indices) return index;
    return undefined;
  }

  /** Whether it has at least a block of the part. */
  hasSome(track: number, part: number): boolean {
    return this.has(track, part) || (part <= this.newestBegun && this.firstBlock(track, part) !== undefined);
  }

  has(track: number, part: number): boolean {
    if (part > this.newest) return false;
    for (const bitmap of this.bitmaps) if (bitmap.track === track && bitmapHas(bitmap, part)) return true;
    return this.since.has(placeOf(track, part));
  }
}

/** A part of a track as one number: cheaper to look up than any text. Tracks have eight bits on the wire. */
function placeOf(track: number, part: number): number {
  return part * 0x100 + track;
}
