import type { Body } from '../machine/machine.ts';
import { type Bitmap, bitmapOf } from '../protocol/bitmap.ts';
import type { IndexRecord } from '../protocol/media.ts';

/** One part of one track: what its record says, and the blocks that are there. */
export interface PartEntry {
  readonly record: IndexRecord;
  /** The record as it travels, with its signature. */
  readonly sealed: Uint8Array;
  readonly bodies: (Body | undefined)[];
  heldBlocks: number;
}

export function isWhole(entry: PartEntry): boolean {
  return entry.heldBlocks === entry.record.blocks.length;
}

/**
 * The verified records and blocks of a stream that a peer or the source holds, newest window only.
 * Nothing gets in unverified: callers check signatures and names first.
 */
export class Catalogue {
  /** Newest part of which any record is known, and newest part that starts independently; -1 when none. */
  newest = -1;
  newestIndependent = -1;
  private oldest = 0;
  private readonly parts = new Map<number, Map<number, PartEntry>>();
  private readonly windowParts: number;

  /** @param windowParts - Parts behind the newest that are kept; what is older is forgotten. */
  constructor(windowParts: number) {
    this.windowParts = windowParts;
  }

  /** The oldest part number that may still be held. */
  get oldestPart(): number {
    return this.oldest;
  }

  get(track: number, part: number): PartEntry | undefined {
    return this.parts.get(part)?.get(track);
  }

  /** Adds a verified record; the first one for a part of a track stays. */
  addRecord(record: IndexRecord, sealed: Uint8Array): PartEntry | undefined {
    if (record.part < this.oldest) return undefined;
    const tracks = this.parts.get(record.part) ?? new Map<number, PartEntry>();
    this.parts.set(record.part, tracks);
    const known = tracks.get(record.track);
    if (known !== undefined) return known;
    const entry: PartEntry = { record, sealed, bodies: record.blocks.map(() => undefined), heldBlocks: 0 };
    tracks.set(record.track, entry);
    if (record.part > this.newest) this.newest = record.part;
    if (record.independent && record.part > this.newestIndependent) this.newestIndependent = record.part;
    this.evict();
    return entry;
  }

  /** Adds a verified block; true when it is new. */
  addBlock(entry: PartEntry, index: number, body: Body): boolean {
    if (entry.bodies[index] !== undefined) return false;
    entry.bodies[index] = body;
    entry.heldBlocks++;
    return true;
  }

  holds(track: number, part: number): boolean {
    const entry = this.get(track, part);
    return entry !== undefined && isWhole(entry);
  }

  /** Whether all of `tracks` hold the part. */
  holdsAll(tracks: readonly number[], part: number): boolean {
    return tracks.every((track) => this.holds(track, part));
  }

  /** The whole parts of each track, as bitmaps. */
  availability(tracks: readonly number[]): Bitmap[] {
    return tracks.map((track) => bitmapOf(track, this.wholeParts(track)));
  }

  /** Sealed records from `from` on, oldest first. */
  recordsSince(from: number): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (let part = Math.max(from, this.oldest); part <= this.newest; part++) {
      for (const entry of this.parts.get(part)?.values() ?? []) out.push(entry.sealed);
    }
    return out;
  }

  private *wholeParts(track: number): Generator<number> {
    for (const [part, tracks] of this.parts) {
      const entry = tracks.get(track);
      if (entry !== undefined && isWhole(entry)) yield part;
    }
  }

  private evict(): void {
    const oldest = this.newest - this.windowParts + 1;
    if (oldest <= this.oldest) return;
    // Far behind only when a stream is joined late; then the numbers between were never held.
    if (oldest - this.oldest < this.windowParts)
      for (let part = this.oldest; part < oldest; part++) this.parts.delete(part);
    else for (const part of this.parts.keys()) if (part < oldest) this.parts.delete(part);
    this.oldest = oldest;
  }
}
