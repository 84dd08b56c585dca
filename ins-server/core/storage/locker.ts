import { PacedBucket } from '../../../machine/rates.ts';
import type { Grant } from '../admission/registration.ts';
import { FOLDERS_MAX, SOURCES_PER_FOLDER_MAX } from '../limits.ts';
import type { Follow } from '../links.ts';
import type { Waiter } from '../requests/waits.ts';
import { OpenCollections } from '../tokens/open-lockers.ts';
import { AccessLog } from './access-log.ts';
import { CHUNK_SLOTS, type Entry, type Place, Shelf } from './shelf.ts';

/** What one locker keeps of somebody else's shelf: a bit for each entry. Thousands of viewers' lockers cost little so. */
class References {
  readonly shelf: Shelf;
  private readonly chunks = new Map<number, Uint32Array>();

  constructor(shelf: Shelf) {
    this.shelf = shelf;
  }

  has(slot: number): boolean {
    const bits = this.chunks.get(Math.floor(slot / CHUNK_SLOTS));
    const bit = slot % CHUNK_SLOTS;
    return bits !== undefined && (bits[bit >> 5]! & (1 << (bit & 31))) !== 0;
  }

  add(slot: number): void {
    const chunk = Math.floor(slot / CHUNK_SLOTS);
    let bits = this.chunks.get(chunk);
    if (bits === undefined) {
      this.trim();
      bits = new Uint32Array(CHUNK_SLOTS / 32);
      this.chunks.set(chunk, bits);
    }
    bits[(slot % CHUNK_SLOTS) >> 5]! |= 1 << (slot & 31);
  }

  delete(slot: number): void {
    const bits = this.chunks.get(Math.floor(slot / CHUNK_SLOTS));
    if (bits !== undefined) bits[(slot % CHUNK_SLOTS) >> 5]! &= ~(1 << (slot & 31));
  }

  /** Drops the bits of what has left the shelf; false when none are left. */
  trim(): boolean {
    for (const chunk of this.chunks.keys()) if (!this.shelf.chunks.has(chunk)) this.chunks.delete(chunk);
    return this.chunks.size > 0;
  }
}

/** One collection in one locker: what the owner has put, and what was kept of others. */
export class Folder {
  readonly locker: Locker;
  readonly collection: Uint8Array;
  readonly key: string;
  own: Shelf | undefined;
  private readonly kept: References[] = [];
  /** Who wants to hear of what comes in. */
  readonly follows = new Set<Follow>();
  /** Gets that wait for labels in it. */
  readonly waiting = new Map<string, Set<Waiter>>();

  constructor(locker: Locker, collection: Uint8Array, key: string) {
    this.locker = locker;
    this.collection = collection;
    this.key = key;
  }

  /** The shelf for the owner's blocks, made when first needed. */
  ownShelf(): Shelf {
    this.own ??= new Shelf(this.locker, this.collection, this.key);
    return this.own;
  }

  holds(entry: Entry): boolean {
    if (entry.shelf === this.own) return entry.alive;
    return entry.alive && (this.kept.find((kept) => kept.shelf === entry.shelf)?.has(entry.slot) ?? false);
  }

  at(track: number, part: number, index: number): Entry | undefined {
    const own = this.own?.at(track, part, index);
    if (own !== undefined) return own;
    for (const kept of this.kept) {
      const entry = kept.shelf.at(track, part, index);
      if (entry !== undefined && kept.has(entry.slot)) return entry;
    }
    return undefined;
  }

  named(key: string, accepts: (entry: Entry) => boolean): Entry | undefined {
    const own = this.own?.named(key, accepts);
    if (own !== undefined) return own;
    for (const kept of this.kept) {
      const entry = kept.shelf.named(key, (found) => kept.has(found.slot) && accepts(found));
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /** The first entry behind a place, in the order part, track, index. */
  next(after: Place, accepts: (entry: Entry) => boolean): Entry | undefined {
    let first = this.own?.next(after, accepts);
    for (const kept of this.kept) {
      const entry = kept.shelf.next(after, (found) => kept.has(found.slot) && accepts(found));
      if (entry !== undefined && (first === undefined || comesBefore(entry, first))) first = entry;
    }
    return first;
  }

  newestPart(accepts: (entry: Entry) => boolean): number | undefined {
    let newest = this.own?.newestPart(accepts);
    for (const kept of this.kept) {
      const part = kept.shelf.newestPart((entry) => kept.has(entry.slot) && accepts(entry));
      if (part !== undefined && (newest === undefined || part > newest)) newest = part;
    }
    return newest;
  }

  /** Where the parts it may have begin and end. */
  span(): { readonly oldest: number; readonly newest: number } | undefined {
    const spans = [this.own, ...this.kept.map((kept) => kept.shelf)].flatMap((shelf) => shelf?.span() ?? []);
    if (spans.length === 0) return undefined;
    return {
      oldest: Math.min(...spans.map((span) => span.oldest)),
      newest: Math.max(...spans.map((span) => span.newest)),
    };
  }

  /** Notes that somebody else's entry is kept here; false when it comes from too many places. */
  keep(entry: Entry): boolean {
    let kept = this.kept.find((references) => references.shelf === entry.shelf);
    if (kept === undefined) {
      if (this.kept.length >= SOURCES_PER_FOLDER_MAX) this.trim();
      if (this.kept.length >= SOURCES_PER_FOLDER_MAX) return false;
      kept = new References(entry.shelf);
      this.kept.push(kept);
    }
    kept.add(entry.slot);
    return true;
  }

  unkeep(entry: Entry): void {
    this.kept.find((kept) => kept.shelf === entry.shelf)?.delete(entry.slot);
    this.locker.refund(costOf(entry));
  }

  /** All entries, newest part first within each source. */
  *newestFirst(): Generator<Entry> {
    if (this.own !== undefined) yield* this.own.newestFirst();
    for (const kept of this.kept) {
      for (const entry of kept.shelf.newestFirst()) if (kept.has(entry.slot)) yield entry;
    }
  }

  /** Forgets what has left the shelves; false when nothing is left and nobody follows or waits. */
  trim(): boolean {
    for (let at = this.kept.length - 1; at >= 0; at--) if (!this.kept[at]!.trim()) this.kept.splice(at, 1);
    if (this.own?.size === 0) this.own = undefined;
    return this.own !== undefined || this.kept.length > 0 || this.follows.size > 0 || this.waiting.size > 0;
  }
}

/** Ms between two exact counts of a locker: each goes through all that is in it. */
const RECOUNT_MS = 1_000;

/** What one key keeps on this server. Its use is counted upwards at once and downwards when it matters. */
export class Locker {
  /** The owner's key as text. */
  readonly key: string;
  readonly folders = new Map<string, Folder>();
  readonly open = new OpenCollections();
  readonly access = new AccessLog();
  private usedBytes = 0;
  private objects = 0;
  private countedAtMs = Number.NEGATIVE_INFINITY;
  /** Bytes of its own blocks, without what it refers to. */
  ownBytes = 0;
  private grantHeld: Grant;
  private rate: PacedBucket | undefined;

  constructor(key: string, grant: Grant) {
    this.key = key;
    this.grantHeld = grant;
    this.grant = grant;
  }

  /** What its owner may keep and put. */
  get grant(): Grant {
    return this.grantHeld;
  }

  set grant(grant: Grant) {
    const { rateBps } = grant;
    if (rateBps === null) this.rate = undefined;
    else if (this.rate === undefined || this.grantHeld.rateBps !== rateBps) this.rate = new PacedBucket(rateBps);
    this.grantHeld = grant;
  }

  /** Ms until something may be put: 0 is now, infinity never. */
  waitMs(nowMs: number): number {
    return this.rate?.waitMs(nowMs) ?? 0;
  }

  /** Counts bytes that are put against the rate. */
  pace(bytes: number): void {
    this.rate?.take(bytes);
  }

  /** The folder of a collection; `undefined` when there are too many. */
  folder(collection: Uint8Array, key: string): Folder | undefined {
    let folder = this.folders.get(key);
    if (folder === undefined) {
      if (this.folders.size >= FOLDERS_MAX) this.trim();
      if (this.folders.size >= FOLDERS_MAX) return undefined;
      folder = new Folder(this, collection, key);
      this.folders.set(key, folder);
    }
    return folder;
  }

  hasRoom(bytes: number, nowMs: number): boolean {
    if (this.fits(bytes)) return true;
    this.usage(nowMs);
    return this.fits(bytes);
  }

  charge(bytes: number): void {
    this.usedBytes += bytes;
    this.objects++;
  }

  refund(bytes: number): void {
    this.usedBytes -= bytes;
    this.objects--;
  }

  /** What was kept and has expired since is not told to each keeper: it counts for up to a second more. */
  usage(nowMs: number): { readonly usedBytes: number; readonly objects: number } {
    if (nowMs - this.countedAtMs >= RECOUNT_MS) this.recount(nowMs);
    return { usedBytes: this.usedBytes, objects: this.objects };
  }

  /** Forgets folders that are empty; false when none is left. */
  trim(): boolean {
    for (const [key, folder] of this.folders) if (!folder.trim()) this.folders.delete(key);
    return this.folders.size > 0;
  }

  private recount(nowMs: number): void {
    this.countedAtMs = nowMs;
    this.usedBytes = 0;
    this.objects = 0;
    for (const folder of this.folders.values()) {
      for (const entry of folder.newestFirst()) this.charge(costOf(entry));
    }
  }

  private fits(bytes: number): boolean {
    const { quotaBytes, quotaObjects } = this.grant;
    return this.usedBytes + bytes <= quotaBytes && this.objects < quotaObjects;
  }
}

/** What an entry counts towards a quota. */
export function costOf(entry: Entry): number {
  return entry.block.sizeBytes + entry.labelled.companion.length;
}

function comesBefore({ labelled: a }: Entry, { labelled: b }: Entry): boolean {
  return (a.part - b.part || a.track - b.track || a.index - b.index) < 0;
}
