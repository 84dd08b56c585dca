import type { Filed, FiledAt, StoredBlock } from '../../core/io.ts';

/**
 * Where the bytes of blocks are. The server stores a block once, after its name was checked, and drops it when nothing refers
 * to it any more. An answer that is there at once is given at once: waiting for the next turn costs a store in memory more
 * than all of its work.
 */
export interface BlockStore {
  /**
   * Keeps the bytes; they are not changed any more by whoever gave them.
   *
   * @throws (or rejects) when it cannot: {@link StoreFull} for want of room, {@link StoreBusy} for want of time; both may be better later.
   */
  store(block: StoredBlock, bytes: Uint8Array): void | Promise<void>;
  /**
   * The bytes, not to be changed; `undefined` when they are lost. Never other bytes than those that were stored: a store that
   * cannot be sure of that compares them with the name.
   */
  load(block: StoredBlock): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The bytes are not wanted any more; their room is free, at once or soon. */
  drop(block: StoredBlock): void;
  /** Where blocks are filed, kept beside them: of a store that outlives the process. */
  readonly index?: StoreIndex;
  close(): void | Promise<void>;
}

/** What makes acknowledged puts outlive the process: a promise that is kept means that a crash undoes it no more. */
export interface StoreIndex {
  /** Files a block that is stored at a place, in the stead of what was there. @throws as {@link BlockStore.store}. */
  file(entry: Filed): Promise<void>;
  unfile(places: readonly FiledAt[]): Promise<void>;
  /**
   * All that is filed and has not expired, each place once, in chunks of a bounded size. To be called once, before anything
   * else. Blocks that nothing refers to are dropped.
   */
  restore(nowMs: number): AsyncIterable<readonly Filed[]>;
}

/** More is asked of the store than it can do at the moment. */
export class StoreBusy extends Error {
  override readonly name = 'StoreBusy';
}

/** There is no room in the store. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull';
}
