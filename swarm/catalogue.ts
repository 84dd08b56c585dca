import type { Body } from '../machine/machine.ts';
import { type Bitmap, bitmapOf } from '../protocol/bitmap.ts';
import { PART_NUMBER_MAX, TRACKS_MAX } from '../protocol/limits.ts';
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

/** No part has this number. */
const NO_PART = PART_NUMBER_MAX + 1;

/**
 * The verified records and blocks of a stream that a peer or the source holds, newest window only.
 * Nothing gets in unverified: callers check signatures and names first.
 */
export class Catalogue {
  /** Newest part of which any record is known, and newest part that starts independently; -1 when none. */
  newest = -1;
  newestIndependent = -1;
  private oldest = 0;
  /** A ring: a part is at its number modulo the window. */
  private readonly rows: (Row | undefined)[] = [];
  /** In the same places: the number of the part and, a bit for each track, what is whole of it. It is asked for all the time. */
  private readonly parts: Uint32Array;
  private readonly whole: Uint16Array;
  private readonly windowParts: number;

  /** @param windowParts - Parts behind the newest that are kept; what is older is forgotten. */
  constructor(windowParts: number) {
    this.windowParts = windowParts;
    this.parts = new Uint32Array(windowParts).fill(NO_PART);
    this.whole = new Uint16Array(windowParts);
  }

  /** The oldest part number that may still be held. */
  get oldestPart(): number {
    return this.oldest;
  }

  /** Places for parts that were ever needed. */
  get size(): number {
    return this.rows.length;
  }

  get(track: number, part: number): PartEntry | undefined {
    const row = this.rows[part % this.windowParts];
    return row !== undefined && row.part === part ? row.entries[track] : undefined;
  }

  /** Adds a verified record; the first one for a part of a track stays. */
  addRecord(record: IndexRecord, sealed: Uint8Array): PartEntry | undefined {
    if (record.part < this.oldest) return undefined;
    const known = this.get(record.track, record.part);
    if (known !== undefined) return known;
    const entry: PartEntry = { record, sealed, bodies: record.blocks.map(() => undefined), heldBlocks: 0 };
    if (record.part > this.newest) {
      this.newest = record.part;
      this.evict();
    }
    const place = record.part % this.windowParts;
    const row = this.rows[place] ?? { part: record.part, entries: [] };
    this.rows[place] = row;
    this.parts[place] = record.part;
    row.entries[record.track] = entry;
    this.noteWhole(entry);
    if (record.independent && record.part > this.newestIndependent) this.newestIndependent = record.part;
    return entry;
  }

  /** Adds a verified block; true when it is new. */
  addBlock(entry: PartEntry, index: number, body: Body): boolean {
    if (entry.bodies[index] !== undefined) return false;
    entry.bodies[index] = body;
    entry.heldBlocks++;
    this.noteWhole(entry);
    return true;
  }

  private noteWhole(entry: PartEntry): void {
    const { part, track } = entry.record;
    const place = part % this.windowParts;
    // A block may come for a part that is out of the window by now.
    if (isWhole(entry) && this.parts[place] === part) this.whole[place]! |= 1 << track;
  }

  /** Whether a record of the part is known, of any track. */
  knows(part: number): boolean {
    return this.parts[part % this.windowParts] === part;
  }

  /** Whether a decoder can begin at the part; false too where no record of it is known. */
  isStart(part: number): boolean {
    const row = this.rows[part % this.windowParts];
    return row?.part === part && row.entries.some((entry) => entry?.record.independent === true);
  }

  holds(track: number, part: number): boolean {
    const place = part % this.windowParts;
    return this.parts[place] === part && track < TRACKS_MAX && (this.whole[place]! & (1 << track)) !== 0;
  }

  /** Whether all of `tracks` hold the part. */
  holdsAll(tracks: readonly number[], part: number): boolean {
    for (const track of tracks) if (!this.holds(track, part)) return false;
    return true;
  }

  /** The whole parts of each track, as bitmaps. */
  availability(tracks: readonly number[]): Bitmap[] {
    return tracks.map((track) => bitmapOf(track, this.wholeParts(track)));
  }

  /** Sealed records from `from` on, oldest first. */
  recordsSince(from: number): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (let part = Math.max(from, this.oldest); part <= this.newest; part++) {
      const row = this.rows[part % this.windowParts];
      if (row?.part !== part) continue;
      for (const entry of row.entries) if (entry !== undefined) out.push(entry.sealed);
    }
    return out;
  }

  private wholeParts(track: number): number[] {
    const whole: number[] = [];
    for (let part = this.oldest; part <= this.newest; part++) if (this.holds(track, part)) whole.push(part);
    return whole;
  }

  private evict(): void {
    const oldest = this.newest - this.windowParts + 1;
    if (oldest <= this.oldest) return;
    // Far behind only when a stream is joined late, or goes on elsewhere: then nothing of the window stays.
    const first = Math.max(this.oldest, oldest - this.windowParts);
    for (let part = first; part < oldest; part++) {
      const place = part % this.windowParts;
      this.rows[place] = undefined;
      this.parts[place] = NO_PART;
      this.whole[place] = 0;
    }
    this.oldest = oldest;
  }
}

/** A part: its entries by track. */
interface Row {
  readonly part: number;
  readonly entries: (PartEntry | undefined)[];
}
