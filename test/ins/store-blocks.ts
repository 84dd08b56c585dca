import type { Filed, StoredBlock } from '../../ins-server/core/io.ts';
import type { BlockStore } from '../../ins-server/node/stores/store.ts';
import { bytesKey } from '../../protocol/text.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { nameOf } from '../../runtime/node/hash.ts';
import { collectionOf } from './helpers.ts';

/** Blocks and places as stores get them. */

/** Bytes that differ with the number, made in no time. */
export function patternOf(number: number, length: number): Uint8Array {
  return Buffer.alloc(length, `${number} `);
}

export function storedBlockOf(
  number: number,
  length = 5_000,
): { readonly block: StoredBlock; readonly bytes: Uint8Array } {
  const bytes = patternOf(number, length);
  const name = nameOf(bytes);
  return { block: { key: bytesKey(name), name, sizeBytes: length }, bytes };
}

export function filedOf(block: StoredBlock, part: number, more: Partial<Filed> = {}): Filed {
  const companion = Uint8Array.of(part & 0xff, 1);
  return {
    owner: bytesKey(collectionOf(200)),
    collection: collectionOf(1),
    label: { track: part % 16, part, index: part & 0xffff, name: block.name, start: part % 2 === 0, companion },
    block: { key: block.key, name: block.name, sizeBytes: block.sizeBytes },
    expiresAtMs: nowMs() + 60_000,
    mediaType: part % 2 === 0 ? 'video/mp4' : '',
    ...more,
  };
}

/** What a store has kept, by part. */
export async function restored(store: BlockStore, atMs = nowMs()): Promise<Filed[]> {
  const all: Filed[] = [];
  for await (const entries of store.index?.restore(atMs) ?? []) all.push(...entries);
  return all.sort((a, b) => a.label.part - b.label.part);
}
