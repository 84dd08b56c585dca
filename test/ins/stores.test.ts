import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredBlock } from '../../ins-server/core/io.ts';
import { openDiskStore } from '../../ins-server/node/stores/disk/disk-store.ts';
import { memoryStore } from '../../ins-server/node/stores/memory.ts';
import { type BlockStore, StoreBusy } from '../../ins-server/node/stores/store.ts';
import { bytesKey } from '../../protocol/text.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { collectionOf, hashText } from './helpers.ts';
import { filedOf, restored, storedBlockOf } from './store-blocks.ts';

/** What every store does, whatever it is made of. A new one is added to this list. */
interface Kind {
  readonly name: string;
  /** The same place again, when given one. */
  readonly open: (folder: string) => Promise<BlockStore>;
  /** Bytes that it takes up. */
  readonly usedBytes?: (folder: string) => number;
}

const CAPACITY = 64 * 1024 * 1024;
const kinds: readonly Kind[] = [
  { name: 'memory', open: async () => memoryStore() },
  {
    name: 'disk',
    open: (folder) => openDiskStore({ folder, capacityBytes: CAPACITY, quietMs: 50 }),
    usedBytes: blockFileBytes,
  },
  {
    name: 'disk, with nothing in memory and every write through to the disk',
    open: (folder) => openDiskStore({ folder, capacityBytes: CAPACITY, quietMs: 50, cacheBytes: 0, sync: 'always' }),
    usedBytes: blockFileBytes,
  },
];

function blockFileBytes(folder: string): number {
  const files = readdirSync(folder).filter((file) => file.startsWith('blocks-'));
  return files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.each(kinds)('a store: $name', ({ open, usedBytes }) => {
  let folder: string;
  let store: BlockStore;
  const loaded = async ({ block }: { block: StoredBlock }): Promise<string | undefined> => {
    const bytes = await store.load(block);
    return bytes === undefined ? undefined : hashText(bytes);
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'inswarm-store-'));
    store = await open(folder);
    await restored(store);
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it('gives what was stored, byte for byte, as often as it is asked for', async () => {
    const blocks = [1, 1_000, 65_536, 262_144, 1_048_576].map((length, at) => storedBlockOf(at, length));
    await Promise.all(blocks.map(({ block, bytes }) => store.store(block, bytes)));
    for (const made of [...blocks, ...blocks]) expect(await loaded(made)).toBe(hashText(made.bytes));
    const all = await Promise.all([...blocks, ...blocks].map(loaded));
    expect(all.slice(0, 5)).toEqual(blocks.map(({ bytes }) => hashText(bytes)));
    expect(all.slice(5)).toEqual(all.slice(0, 5));
  });

  it('knows nothing of what was not stored, or was dropped', async () => {
    const [first, second] = [storedBlockOf(1), storedBlockOf(2)];
    await store.store(first.block, first.bytes);
    store.drop(first.block);
    store.drop(first.block);
    store.drop(second.block);
    expect(await loaded(first)).toBeUndefined();
    expect(await loaded(second)).toBeUndefined();
  });

  it('takes a block again after it was dropped', async () => {
    const made = storedBlockOf(1);
    await store.store(made.block, made.bytes);
    store.drop(made.block);
    await store.store(made.block, made.bytes);
    expect(await loaded(made)).toBe(hashText(made.bytes));
  });

  it('is of use to many at once', async () => {
    const blocks = Array.from({ length: 300 }, (_, at) => storedBlockOf(at, 1 + at * 97));
    await Promise.all(blocks.map(({ block, bytes }) => store.store(block, bytes)));
    for (const { block } of blocks.filter((_, at) => at % 3 === 0)) store.drop(block);
    const all = await Promise.all(blocks.map(loaded));
    expect(all).toEqual(blocks.map(({ bytes }, at) => (at % 3 === 0 ? undefined : hashText(bytes))));
  });

  if (usedBytes !== undefined) {
    it('refuses what comes faster than the disk takes it, and takes it when it has caught up', async () => {
      const blocks = Array.from({ length: 80 }, (_, at) => storedBlockOf(at, 1_048_576));
      const stored = await Promise.allSettled(blocks.map(({ block, bytes }) => store.store(block, bytes)));
      const refused = stored.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      expect(refused).toHaveLength(16);
      expect(refused.every((reason) => reason instanceof StoreBusy)).toBe(true);
      await store.store(blocks[79]!.block, blocks[79]!.bytes);
      expect(await loaded(blocks[79]!)).toBe(hashText(blocks[79]!.bytes));
    });

    it('has the room of what was dropped again, also where much beside it stays', async () => {
      const blocks = Array.from({ length: 96 }, (_, at) => storedBlockOf(at, 65_536));
      for (const { block, bytes } of blocks) {
        await store.store(block, bytes);
        await store.index?.file(filedOf(block, 1));
      }
      expect(usedBytes(folder)).toBe(96 * 65_536);
      for (const [at, { block }] of blocks.entries()) if (at % 4 !== 0) store.drop(block);
      await until(() => usedBytes(folder) <= 24 * 65_536 * 1.4);
      for (const made of blocks.filter((_, at) => at % 4 === 0)) expect(await loaded(made)).toBe(hashText(made.bytes));
      for (const { block } of blocks) store.drop(block);
      await until(() => usedBytes(folder) === 0);
    });

    it('has after a restart what was filed, where it was filed last, with all that belongs to it', async () => {
      const [first, second, third] = [storedBlockOf(1), storedBlockOf(2, 1_048_576), storedBlockOf(3)];
      for (const { block, bytes } of [first, second, third]) await store.store(block, bytes);
      const index = store.index!;
      const other = { owner: bytesKey(collectionOf(201)), collection: collectionOf(9) };
      await Promise.all([
        index.file(filedOf(first.block, 1)),
        index.file(filedOf(first.block, 0xffff_fffe, other)),
        index.file(filedOf(second.block, 2)),
        index.file(filedOf(third.block, 3)),
      ]);
      const longer = filedOf(second.block, 2, { expiresAtMs: nowMs() + 90_000 });
      await index.file(longer);
      await index.unfile([filedOf(third.block, 3), filedOf(third.block, 4)]);
      store.drop(third.block);
      const expected = [filedOf(first.block, 1), longer, filedOf(first.block, 0xffff_fffe, other)];
      for (let restarts = 0; restarts < 2; restarts++) {
        await store.close();
        store = await open(folder);
        expect(await restored(store)).toEqual(
          expected.map((entry) => ({ ...entry, expiresAtMs: expect.any(Number) as number })),
        );
        expect(await loaded(first)).toBe(hashText(first.bytes));
        expect(await loaded(second)).toBe(hashText(second.bytes));
        expect(await loaded(third)).toBeUndefined();
      }
    });

    it('forgets in a restart what has expired, and what was stored and never filed, with their room', async () => {
      const [first, second, third] = [storedBlockOf(1), storedBlockOf(2), storedBlockOf(3)];
      for (const { block, bytes } of [first, second, third]) await store.store(block, bytes);
      await store.index?.file(filedOf(first.block, 1, { expiresAtMs: 5_000 }));
      await store.index?.file(filedOf(second.block, 2, { expiresAtMs: 6_000 }));
      // What is filed anew for a shorter time ends with that.
      await store.index?.file(filedOf(second.block, 2, { expiresAtMs: 5_000 }));
      await store.close();
      store = await open(folder);
      expect(await restored(store, 5_500)).toEqual([]);
      await until(() => usedBytes(folder) === 0);
      expect(await loaded(first)).toBeUndefined();
      expect(await loaded(third)).toBeUndefined();
    });

    it('finds after a restart what was moved meanwhile', async () => {
      const blocks = Array.from({ length: 64 }, (_, at) => storedBlockOf(at, 65_536));
      for (const [at, { block, bytes }] of blocks.entries()) {
        await store.store(block, bytes);
        await store.index?.file(filedOf(block, at));
      }
      const gone = blocks.filter((_, at) => at % 2 === 0);
      await store.index?.unfile(
        gone.map(({ block }) =>
          filedOf(
            block,
            blocks.findIndex((made) => made.block === block),
          ),
        ),
      );
      for (const { block } of gone) store.drop(block);
      await until(() => usedBytes(folder) <= 32 * 65_536 * 1.4);
      await store.close();
      store = await open(folder);
      expect(await restored(store)).toHaveLength(32);
      for (const [at, made] of blocks.entries()) {
        expect(await loaded(made)).toBe(at % 2 === 0 ? undefined : hashText(made.bytes));
      }
    });

    it('keeps its index small, however much was filed and is past', async () => {
      const made = storedBlockOf(1);
      await store.store(made.block, made.bytes);
      const companion = new Uint8Array(12_000);
      const label = { ...filedOf(made.block, 1).label, companion };
      const expiresAtMs = nowMs() + 60_000;
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          Array.from({ length: 128 }, () => store.index?.file(filedOf(made.block, 1, { label, expiresAtMs }))),
        );
      }
      const indexBytes = (): number =>
        readdirSync(folder)
          .filter((file) => file.startsWith('index-'))
          .reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
      await until(() => indexBytes() < 5 * 1024 * 1024);
      await store.close();
      store = await open(folder);
      expect(await restored(store)).toHaveLength(1);
      expect(await loaded(made)).toBe(hashText(made.bytes));
    });
  }
});
