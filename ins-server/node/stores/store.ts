import type { StoredBlock } from '../../core/io.ts';

/**
 * Where the bytes of blocks are. The server stores a block once, after its name was checked, and drops it when nothing refers
 * to it any more. An answer that is there at once is given at once: waiting for the next turn costs a store in memory more
 * than all of its work.
 */
export interface BlockStore {
  /** Keeps the bytes; they are not changed any more by whoever gave them. @throws (or rejects) when it cannot. */
  store(block: StoredBlock, bytes: Uint8Array): void | Promise<void>;
  /** The bytes, not to be changed; `undefined` when they are lost. */
  load(block: StoredBlock): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  drop(block: StoredBlock): void;
  close(): void | Promise<void>;
}
