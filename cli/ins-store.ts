import { join } from 'node:path';
import type { InsServerLimits } from '../ins-server/core/io.ts';
import { openDiskStore } from '../ins-server/node/stores/disk/disk-store.ts';
import type { BlockStore } from '../ins-server/node/stores/store.ts';
import { BLOCK_BYTES_MAX } from '../protocol/limits.ts';
import type { Log } from '../runtime/log.ts';
import { Problem } from './problem.ts';

/** Space that a machine of today can spare. */
export const DISK_BYTES: number = 16 * 2 ** 30;

/** Of the options of `inswarm ins`, those that say where blocks are kept and how many. */
export interface InsStoreOptions {
  readonly memory: number;
  /** Undefined is an eighth of the room. */
  readonly quota: number | undefined;
  /** Undefined is all of it, or half where others are invited. */
  readonly strangers: number | undefined;
  readonly provider: readonly unknown[];
  readonly store: string | undefined;
  readonly disk: number;
  readonly fsync: boolean;
  readonly key: string | undefined;
}

export interface InsStore {
  /** Undefined: in memory. */
  readonly store: BlockStore | undefined;
  readonly limits: Partial<InsServerLimits>;
  readonly keyFile: string | undefined;
}

/** Opens the store that the options ask for. @throws Problem when its folder is not usable. */
export async function insStore(options: InsStoreOptions, log: Log): Promise<InsStore> {
  const { memory, store: folder, disk, fsync, key } = options;
  if (folder === undefined) {
    return {
      store: undefined,
      limits: { memoryBytes: memory, ...sharesOf(memory, options) },
      keyFile: key,
    };
  }
  const cacheBytes = Math.floor(memory / 4);
  const sync = fsync ? 'always' : 'never';
  const opened = openDiskStore({ folder, capacityBytes: disk, cacheBytes, sync, log: log.child('store') });
  const store = await opened.catch((error: Error) => {
    throw new Problem(`--store: ${error.message}`);
  });
  const limits = { memoryBytes: memory - cacheBytes, diskBytes: disk, ...sharesOf(disk, options) };
  // Tokens name the server's key: what is stored can be read with them only while the key stays.
  return { store, limits, keyFile: key ?? join(folder, 'key.pem') };
}

/** What one account may keep, and what all may put together that nobody has invited: no two of them fill a server. */
function sharesOf(room: number, { quota, strangers, provider }: InsStoreOptions): Partial<InsServerLimits> {
  const left = provider.length === 0 ? room : Math.floor(room / 2);
  return {
    quotaBytes: Math.min(quota ?? Math.max(Math.floor(room / 8), QUOTA_BYTES_MIN), room),
    strangersBytes: Math.min(strangers ?? left, room),
  };
}

/** A few of the largest blocks, in the smallest of servers too. */
const QUOTA_BYTES_MIN = 4 * BLOCK_BYTES_MAX;
