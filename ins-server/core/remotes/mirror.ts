import type { Labelled } from '../../../protocol/frames.ts';
import { BLOCK_TTL_SECONDS_DEFAULT, BLOCK_TTL_SECONDS_MAX } from '../../../protocol/limits.ts';
import { bytesKey } from '../../../protocol/text.ts';
import type { Folder } from '../storage/locker.ts';
import type { Block, Entry } from '../storage/shelf.ts';
import type { Storage } from '../storage/storage.ts';

/** Copies of what lockers on other servers hold, filed as they are there. */
export class Mirror {
  private readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** `undefined` when there are too many. */
  folder(ownerKey: string, collection: Uint8Array): Folder | undefined {
    return this.storage.mirror(ownerKey).folder(collection, bytesKey(collection));
  }

  /** Files a copy; where another block had the label, the original has changed. */
  copy(folder: Folder, labelled: Labelled, block: Block, nowMs: number): Entry {
    const { lifeSeconds = BLOCK_TTL_SECONDS_DEFAULT, ...label } = labelled;
    const { storage } = this;
    const expiresAtMs = nowMs + Math.min(lifeSeconds, BLOCK_TTL_SECONDS_MAX) * 1000;
    const there = folder.at(label.track, label.part, label.index);
    if (there?.block === block) {
      storage.prolong(there, expiresAtMs);
      return there;
    }
    if (there !== undefined) storage.remove(there);
    return storage.add(folder, label, block, expiresAtMs);
  }
}
