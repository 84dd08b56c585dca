import type { Labelled } from '../../../protocol/frames.ts';
import type { StoredBlock } from '../io.ts';
import type { Locker } from './locker.ts';

/** A block in the store: its bytes are there once, however many labels refer to it. */
export interface Block extends StoredBlock {
  references: number;
  /** The store has it. */
  ready: boolean;
}

/** A block under a label, as its owner has put it. Whoever keeps it refers to this one. */
export interface Entry {
  readonly shelf: Shelf;
  /** Its number on the shelf, never used twice. */
  readonly slot: number;
  readonly labelled: Labelled;
  readonly block: Block;
  expiresAtMs: number;
  /** Still on its shelf. */
  alive: boolean;
  /** Somebody's locker refers to it. */
  kept: boolean;
  /** Attributes (RFC 7069 6.2.3): a media type, empty for none, and how often it was read here. */
  mediaType: string;
  reads: number;
}

/** A place in the order of a collection: part, then track, then index. */
export interface Place {
  readonly part: number;
  /** Track and index as one number; see {@link placeOf}. */
  readonly place: number;
}

/** Indexes have 16 bits. */
export function placeOf(track: number, index: number): number {
  return track * 65_536 + index;
}

/** Slots are grouped, so that lockers can note what they keep as bits. */
export const CHUNK_SLOTS = 1_024;

/** Entries with one name that a lookup goes through at most. */
const NAMESAKES_MAX = 64;

/** The blocks of one collection as one owner has put them: by label in order, and by name. */
export class Shelf {
  readonly owner: Locker;
  readonly collection: Uint8Array;
  readonly collectionKey: string;
  /** Groups of slots with the number of entries still there. */
  readonly chunks = new Map<number, number>();
  size = 0;
  private nextSlot = 0;
  /** Ascending. */
  private readonly parts: number[] = [];
  /** The entries of a part, ascending by place. */
  private readonly byPart = new Map<number, Entry[]>();
  private readonly byName = new Map<string, Entry | Set<Entry>>();

  constructor(owner: Locker, collection: Uint8Array, collectionKey: string) {
    this.owner = owner;
    this.collection = collection;
    this.collectionKey = collectionKey;
  }

  /** The label must be free. */
  add(labelled: Labelled, block: Block, expiresAtMs: number, mediaType: string): Entry {
    const slot = this.nextSlot++;
    const entry: Entry = {
      shelf: this,
      slot,
      labelled,
      block,
      expiresAtMs,
      alive: true,
      kept: false,
      mediaType,
      reads: 0,
    };
    const { part } = labelled;
    let entries = this.byPart.get(part);
    if (entries === undefined) {
      entries = [];
      this.byPart.set(part, entries);
      this.parts.splice(firstAtLeast(this.parts, part), 0, part);
    }
    entries.splice(placeIn(entries, place(entry)), 0, entry);
    const namesake = this.byName.get(block.key);
    if (namesake === undefined) this.byName.set(block.key, entry);
    else if (namesake instanceof Set) namesake.add(entry);
    else this.byName.set(block.key, new Set([namesake, entry]));
    const chunk = Math.floor(slot / CHUNK_SLOTS);
    this.chunks.set(chunk, (this.chunks.get(chunk) ?? 0) + 1);
    this.size++;
    return entry;
  }

  remove(entry: Entry): void {
    if (!entry.alive) return;
    entry.alive = false;
    const { part } = entry.labelled;
    const entries = this.byPart.get(part)!;
    entries.splice(placeIn(entries, place(entry)), 1);
    if (entries.length === 0) {
      this.byPart.delete(part);
      this.parts.splice(firstAtLeast(this.parts, part), 1);
    }
    const namesake = this.byName.get(entry.block.key);
    if (namesake instanceof Set && namesake.size > 1) namesake.delete(entry);
    else this.byName.delete(entry.block.key);
    const chunk = Math.floor(entry.slot / CHUNK_SLOTS);
    const left = this.chunks.get(chunk)! - 1;
    if (left === 0) this.chunks.delete(chunk);
    else this.chunks.set(chunk, left);
    this.size--;
  }

  at(track: number, part: number, index: number): Entry | undefined {
    const entries = this.byPart.get(part);
    if (entries === undefined) return undefined;
    const wanted = placeOf(track, index);
    const entry = entries[placeIn(entries, wanted)];
    return entry !== undefined && place(entry) === wanted ? entry : undefined;
  }

  /** An entry of this name that `accepts` takes. */
  named(key: string, accepts: (entry: Entry) => boolean): Entry | undefined {
    const found = this.byName.get(key);
    if (!(found instanceof Set)) return found !== undefined && accepts(found) ? found : undefined;
    let tries = 0;
    for (const entry of found) {
      if (accepts(entry)) return entry;
      if (++tries === NAMESAKES_MAX) break;
    }
    return undefined;
  }

  /** The first entry behind `after` that `accepts` takes. */
  next(after: Place, accepts: (entry: Entry) => boolean): Entry | undefined {
    for (let at = firstAtLeast(this.parts, after.part); at < this.parts.length; at++) {
      const part = this.parts[at]!;
      const entries = this.byPart.get(part)!;
      for (let n = part === after.part ? placeIn(entries, after.place + 1) : 0; n < entries.length; n++) {
        if (accepts(entries[n]!)) return entries[n]!;
      }
    }
    return undefined;
  }

  /** The newest part with an entry that `accepts` takes. */
  newestPart(accepts: (entry: Entry) => boolean): number | undefined {
    for (let at = this.parts.length - 1; at >= 0; at--) {
      if (this.byPart.get(this.parts[at]!)!.some(accepts)) return this.parts[at]!;
    }
    return undefined;
  }

  /** Oldest and newest part; `undefined` when the shelf is empty. */
  span(): { readonly oldest: number; readonly newest: number } | undefined {
    const { parts } = this;
    return parts.length === 0 ? undefined : { oldest: parts[0]!, newest: parts[parts.length - 1]! };
  }

  /** All entries, newest part first. */
  *newestFirst(): Generator<Entry> {
    for (let at = this.parts.length - 1; at >= 0; at--) yield* this.byPart.get(this.parts[at]!)!;
  }
}

function place(entry: Entry): number {
  return placeOf(entry.labelled.track, entry.labelled.index);
}

/** Where in ascending `values` the first one >= `value` stands. */
function firstAtLeast(values: readonly number[], value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function placeIn(entries: readonly Entry[], wanted: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (place(entries[middle]!) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
