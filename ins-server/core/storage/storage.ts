import { Heap } from '../../../ins-client/core/heap.ts';
import type { Sink } from '../../../machine/machine.ts';
import type { Labelled } from '../../../protocol/frames.ts';
import type { AccessKind } from '../../../protocol/ins-messages.ts';
import { bytesKey } from '../../../protocol/text.ts';
import type { Grant } from '../admission/registration.ts';
import type { Filed, FiledAt, InsServerLimits, InsServerOutput } from '../io.ts';
import { ENTRY_BYTES, PUBLIC_LOCKERS_MAX, STRANGERS_SHARE } from '../limits.ts';
import { ExpiryWheel } from './expiry.ts';
import { costOf, type Folder, Locker } from './locker.ts';
import type { Block, Entry } from './shelf.ts';

/**
 * Everything that is kept: blocks once by name, labels on shelves, lockers that own shelves or refer to them, copies of what
 * other servers hold; and when each of it ends.
 */
export class Storage {
  /** By owner. */
  readonly lockers = new Map<string, Locker>();
  /** Copies from other servers, by the owner there. They count for nobody, and go first when room is needed. */
  readonly mirrors = new Map<string, Locker>();
  /** Those of them in which something is open to everybody. */
  private readonly publicLockers = new Set<Locker>();
  /** What counts towards the server's memory: labels and companions, and blocks unless they are on disk. */
  memoryBytes = 0;
  diskBytes = 0;
  /** Bytes put by accounts that nobody has invited. */
  strangersBytes = 0;
  private readonly blocks = new Map<string, Block>();
  private readonly wheel = new ExpiryWheel();
  /** Copies by expiry; those that somebody keeps are passed over. */
  private readonly copies = new Heap<Entry>();
  private readonly limits: InsServerLimits;
  private readonly uninvited: Grant;
  private readonly outputs: Sink<InsServerOutput>;

  /** @param uninvited - What those have who were not invited. */
  constructor(limits: InsServerLimits, outputs: Sink<InsServerOutput>, uninvited: Grant) {
    this.limits = limits;
    this.uninvited = uninvited;
    this.outputs = outputs;
  }

  get blockCount(): number {
    return this.blocks.size;
  }

  /** Nothing is kept, and no locker is known. */
  get empty(): boolean {
    return this.wheel.empty && this.lockers.size === 0 && this.mirrors.size === 0;
  }

  locker(key: string): Locker {
    return this.lockerIn(this.lockers, key, this.uninvited);
  }

  mirror(key: string): Locker {
    return this.lockerIn(this.mirrors, key, UNBOUNDED);
  }

  /** Whether a key was invited by nobody and keeps nothing here. */
  isStranger(owner: string, nowMs: number): boolean {
    const locker = this.lockers.get(owner);
    return locker === undefined || (locker.grant.stranger && locker.usage(nowMs).objects === 0);
  }

  /** Opens a collection of a locker without tokens, or closes it; false when too many are open. */
  open(locker: Locker, collection: string, access: AccessKind, application: string, nowMs: number): boolean {
    const most = PUBLIC_LOCKERS_MAX * (this.isStranger(locker.key, nowMs) ? STRANGERS_SHARE : 1);
    const full = this.publicLockers.size >= most && !this.publicLockers.has(locker);
    if ((access === 'public' && full) || !locker.open.set(collection, access, application)) return false;
    if (locker.open.isPublic) this.publicLockers.add(locker);
    else this.publicLockers.delete(locker);
    return true;
  }

  /** A locker in which a block can be had by everybody. */
  publicLockerOf(name: string): Locker | undefined {
    // Who asks for what is nowhere has no lockers looked through.
    if (!this.blocks.has(name)) return undefined;
    for (const locker of this.publicLockers) {
      for (const folder of locker.folders.values()) {
        if (locker.open.permits(folder.key, null) && folder.named(name, all) !== undefined) return locker;
      }
    }
    return undefined;
  }

  /** What an owner may keep and put from now on. */
  grant(locker: Locker, grant: Grant): void {
    if (locker.grant.stranger) this.strangersBytes -= locker.ownBytes;
    locker.grant = grant;
    if (grant.stranger) this.strangersBytes += locker.ownBytes;
  }

  private lockerIn(lockers: Map<string, Locker>, key: string, grant: Grant): Locker {
    let locker = lockers.get(key);
    if (locker === undefined) {
      locker = new Locker(key, grant);
      lockers.set(key, locker);
    }
    return locker;
  }

  // Room

  /** Takes memory for a block that comes in, if need be from copies that nobody keeps. {@link release} gives it back. */
  reserve(bytes: number): boolean {
    const room = this.makeRoom(() => this.fits(bytes));
    if (room) this.count(bytes);
    return room;
  }

  /** Whether there is memory for one more label, if need be instead of copies that nobody keeps: its block may be here already. */
  hasRoomForLabel(companionBytes: number): boolean {
    return this.makeRoom(() => this.memoryBytes + ENTRY_BYTES + companionBytes <= this.limits.memoryBytes);
  }

  private makeRoom(fits: () => boolean): boolean {
    while (!fits()) {
      const copy = this.copies.pop();
      if (copy === undefined) return false;
      if (!copy.kept) this.remove(copy);
    }
    return true;
  }

  release(bytes: number): void {
    this.count(-bytes);
  }

  private fits(bytes: number): boolean {
    const { memoryBytes, diskBytes } = this.limits;
    if (diskBytes === null) return this.memoryBytes + bytes <= memoryBytes;
    return this.diskBytes + bytes <= diskBytes && this.memoryBytes < memoryBytes;
  }

  /** Counts bytes of blocks where they are. */
  private count(bytes: number): void {
    if (this.limits.diskBytes === null) this.memoryBytes += bytes;
    else this.diskBytes += bytes;
  }

  // Blocks

  block(key: string): Block | undefined {
    return this.blocks.get(key);
  }

  /** A block that the store is about to take. It stays while somebody {@link hold}s it. */
  addBlock(name: Uint8Array, key: string, sizeBytes: number): Block {
    const block: Block = { key, name, sizeBytes, references: 0, ready: false };
    this.blocks.set(key, block);
    this.count(sizeBytes);
    return block;
  }

  hold(block: Block): void {
    block.references++;
  }

  letGo(block: Block): void {
    if (--block.references > 0) return;
    // One that was lost may have been put again meanwhile.
    if (this.blocks.get(block.key) === block) this.blocks.delete(block.key);
    this.count(-block.sizeBytes);
    if (block.ready) this.outputs.push({ kind: 'drop', block });
  }

  // Entries

  /** Files a block under a free label on the folder's own shelf. */
  add(folder: Folder, labelled: Labelled, block: Block, expiresAtMs: number, mediaType = ''): Entry {
    const entry = folder.ownShelf().add(labelled, block, expiresAtMs, mediaType);
    this.hold(block);
    this.memoryBytes += ENTRY_BYTES + labelled.companion.length;
    folder.locker.charge(costOf(entry));
    this.own(folder.locker, costOf(entry));
    this.wheel.add(entry);
    if (this.mirrors.get(folder.locker.key) === folder.locker) this.copies.push(expiresAtMs, entry);
    return entry;
  }

  /** Whether a locker may take so many bytes more of its owner's; what it refers to of others' is not among them. */
  hasRoom(locker: Locker, bytes: number, nowMs: number): boolean {
    if (locker.grant.stranger && this.strangersBytes + bytes > this.limits.strangersBytes) return false;
    return locker.hasRoom(bytes, nowMs);
  }

  private own(locker: Locker, bytes: number): void {
    locker.ownBytes += bytes;
    if (locker.grant.stranger) this.strangersBytes += bytes;
  }

  /** Takes an entry off its shelf, and with it out of all lockers that refer to it. */
  remove(entry: Entry): void {
    if (!entry.alive) return;
    entry.shelf.remove(entry);
    entry.shelf.owner.refund(costOf(entry));
    this.own(entry.shelf.owner, -costOf(entry));
    this.memoryBytes -= ENTRY_BYTES + entry.labelled.companion.length;
    this.letGo(entry.block);
  }

  /**
   * Files what was delivered in the asker's locker, by reference: it ends there when the original ends.
   *
   * @returns Whether it is there now, and the folder it was added to when it was not there before.
   */
  keep(entry: Entry, locker: Locker, nowMs: number): { readonly kept: boolean; readonly folder?: Folder } {
    const { shelf, labelled } = entry;
    const folder = locker.folder(shelf.collection, shelf.collectionKey);
    if (folder === undefined) return { kept: false };
    if (folder.holds(entry)) return { kept: true };
    const other = folder.at(labelled.track, labelled.part, labelled.index);
    if (other !== undefined) return { kept: other.block === entry.block };
    if (!locker.hasRoom(costOf(entry), nowMs) || !folder.keep(entry)) return { kept: false };
    locker.charge(costOf(entry));
    entry.kept = true;
    return { kept: true, folder };
  }

  /** A block was put again: it stays as long as the later put says. */
  prolong(entry: Entry, expiresAtMs: number): void {
    entry.expiresAtMs = Math.max(entry.expiresAtMs, expiresAtMs);
  }

  /** The owner says when it ends: it may be sooner than before. */
  reschedule(entry: Entry, expiresAtMs: number): void {
    const sooner = expiresAtMs < entry.expiresAtMs;
    entry.expiresAtMs = expiresAtMs;
    if (sooner) this.wheel.add(entry);
  }

  /**
   * The store has lost a block: all that refers to it goes.
   *
   * @returns Where clients had put it.
   */
  lost(key: string): FiledAt[] {
    const places: FiledAt[] = [];
    const block = this.blocks.get(key);
    if (block === undefined) return places;
    // Whoever is about to file it finds out by this.
    block.ready = false;
    for (const lockers of [this.lockers, this.mirrors]) {
      for (const locker of lockers.values()) {
        for (const { own } of locker.folders.values()) {
          for (let entry = own?.named(key, all); entry !== undefined; entry = own?.named(key, all)) {
            if (lockers === this.lockers) places.push(placeOfEntry(entry));
            this.remove(entry);
          }
        }
      }
    }
    return places;
  }

  /**
   * Takes in what a store has kept from an earlier run. It stays also where the bounds are narrower now; what is new is
   * refused until there is room.
   *
   * @returns Whether it is filed now; if not, the store need not keep it.
   */
  restore({ owner, collection, label, block, expiresAtMs, mediaType }: Filed): boolean {
    const folder = this.locker(owner).folder(collection, bytesKey(collection));
    if (folder === undefined || folder.own?.at(label.track, label.part, label.index) !== undefined) return false;
    const there = this.blocks.get(block.key) ?? this.addBlock(block.name, block.key, block.sizeBytes);
    there.ready = true;
    this.add(folder, label, there, expiresAtMs, mediaType);
    return true;
  }

  /** Removes what has expired. */
  expire(nowMs: number): void {
    this.wheel.turn(nowMs, (entry) => this.remove(entry));
  }

  /** Forgets lockers in which nothing is, but for those that `inUse`. */
  tidy(inUse: (key: string) => boolean): void {
    for (const [key, locker] of this.lockers) {
      if (locker.trim() || inUse(key)) continue;
      this.lockers.delete(key);
      this.publicLockers.delete(locker);
    }
    for (const [key, locker] of this.mirrors) if (!locker.trim()) this.mirrors.delete(key);
    this.copies.remove((entry) => !entry.alive || entry.kept);
  }
}

/** An entry as stores that outlive the process keep it. */
export function filedOf(entry: Entry): Filed {
  const { labelled, block, expiresAtMs, mediaType } = entry;
  return { ...placeOfEntry(entry), label: labelled, block, expiresAtMs, mediaType };
}

/** Where an entry is filed, as stores know it. */
export function placeOfEntry({ shelf, labelled }: Entry): FiledAt {
  return { owner: shelf.owner.key, collection: shelf.collection, label: labelled };
}

/** Copies of what others hold are bounded by the memory alone. */
const UNBOUNDED: Grant = {
  quotaBytes: Number.POSITIVE_INFINITY,
  quotaObjects: Number.POSITIVE_INFINITY,
  rateBps: null,
  stranger: false,
};

function all(): boolean {
  return true;
}
