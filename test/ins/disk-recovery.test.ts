import { spawn, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Filed } from '../../ins-server/core/io.ts';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { openDiskStore } from '../../ins-server/node/stores/disk/disk-store.ts';
import { memoryStore } from '../../ins-server/node/stores/memory.ts';
import { type BlockStore, StoreFull } from '../../ins-server/node/stores/store.ts';
import { Prng } from '../../machine/prng.ts';
import { createLog, type Log } from '../../runtime/log.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { blockOf, collectionOf, hashText, keysOf, TestClient } from './helpers.ts';
import { filedOf, patternOf, restored, storedBlockOf } from './store-blocks.ts';

const WRITER = fileURLToPath(new URL('disk-writer.ts', import.meta.url));

let folder: string;
let lines: string[];
let log: Log;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inswarm-recovery-'));
  lines = [];
  log = createLog({ write: (line) => lines.push(line), nowMs, level: 'warn' });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const filesOf = (kind: string): string[] =>
  readdirSync(folder)
    .filter((file) => file.startsWith(kind))
    .map((file) => join(folder, file));

describe('a process that is killed while it puts', () => {
  /** What the processes have said of each block, and how long it is. */
  const said = new Map<number, { last: string; lengthBytes: number }>();

  /** Lets one run until it has said so much and is killed in the midst of things, and takes in all it has said. */
  async function runUntilKilled(first: number, sync: string, afterBytes: number): Promise<void> {
    const words = `${folder}.said`;
    const args = [WRITER, folder, String(first), sync, words, String(afterBytes)];
    const child = spawn(process.execPath, ['--import', 'tsx', ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
    await new Promise((resolve) => child.once('exit', resolve));
    expect(child.signalCode).toBe('SIGKILL');
    // The last line may be torn like anything else.
    for (const line of readFileSync(words, 'utf8').split('\n').slice(0, -1)) {
      const [what = '', number, length] = line.split(' ');
      const before = said.get(Number(number));
      said.set(Number(number), {
        last: what,
        lengthBytes: length === undefined ? before!.lengthBytes : Number(length),
      });
    }
    rmSync(words);
  }

  async function check(): Promise<void> {
    const store = await openDiskStore({ folder, capacityBytes: 1, cacheBytes: 0, log });
    const there = new Map((await restored(store)).map((entry) => [entry.label.part, entry]));
    for (const [number, { last }] of said) {
      if (last === 'put') expect(there.has(number), `block ${number} was acknowledged`).toBe(true);
      if (last === 'deleted') expect(there.has(number), `block ${number} was deleted`).toBe(false);
    }
    const read = async ([number, { block }]: [number, Filed]): Promise<void> => {
      const bytes = await store.load(block);
      expect(bytes?.length, `block ${number} is there whole`).toBe(said.get(number)?.lengthBytes ?? block.sizeBytes);
      expect(hashText(bytes!), `block ${number}`).toBe(hashText(patternOf(number, block.sizeBytes)));
    };
    await Promise.all([...there].map(read));
    await store.close();
  }

  it('has everything again that was acknowledged, bit by bit, and nothing in part, whenever that was', async () => {
    const prng = new Prng('killed');
    for (let round = 0; round < 5; round++) {
      await runUntilKilled(round * 100_000, round % 3 === 2 ? 'always' : 'never', prng.int(0, 10_000));
      await check();
    }
    expect([...said.values()].filter(({ last }) => last === 'put').length).toBeGreaterThan(100);
    expect([...said.values()].filter(({ last }) => last === 'deleted').length).toBeGreaterThan(100);
    // Files have come and gone, and the log was rewritten.
    expect(Math.max(...filesOf('blocks-').map((file) => Number(/(\d+)\.dat/.exec(file)?.[1])))).toBeGreaterThan(10);
    expect(filesOf('index-').length).toBeLessThan(12);
  });
});

describe('files that were cut or have rotted', () => {
  const blocks = Array.from({ length: 20 }, (_, at) => storedBlockOf(at, 10_000));

  async function filled(): Promise<void> {
    const store = await openDiskStore({ folder, capacityBytes: 1, log });
    await restored(store);
    for (const [at, { block, bytes }] of blocks.entries()) {
      await store.store(block, bytes);
      await store.index.file(filedOf(block, at));
    }
    await store.close();
  }

  async function reopened(): Promise<BlockStore> {
    return openDiskStore({ folder, capacityBytes: 1, cacheBytes: 0, log });
  }

  it('lose no more than what was in the torn end of the index, with one line in the log, once', async () => {
    await filled();
    const file = filesOf('index-').find((path) => statSync(path).size > 0)!;
    truncateSync(file, statSync(file).size - 7);
    for (let starts = 0; starts < 2; starts++) {
      const store = await reopened();
      expect((await restored(store)).map(({ label }) => label.part)).toEqual(Array.from({ length: 19 }, (_, at) => at));
      expect(hashText((await store.load(blocks[18]!.block))!)).toBe(hashText(blocks[18]!.bytes));
      expect(await store.load(blocks[19]!.block)).toBeUndefined();
      await store.close();
    }
    expect(lines).toHaveLength(1);
  });

  it('lose one record where a byte of the index has changed, and what is behind it stays', async () => {
    await filled();
    const file = filesOf('index-').find((path) => statSync(path).size > 0)!;
    const bytes = readFileSync(file);
    const recordBytes = bytes.length / blocks.length;
    bytes[Math.floor(recordBytes * 4.5)]! ^= 1;
    writeFileSync(file, bytes);
    const store = await reopened();
    expect((await restored(store)).map(({ label }) => label.part)).not.toContain(4);
    expect(await store.load(blocks[5]!.block)).toBeDefined();
    await store.close();
    expect(lines).toHaveLength(1);
  });

  it('drop blocks that the files are too short for, with one line in the log, once', async () => {
    await filled();
    const [file] = filesOf('blocks-');
    truncateSync(file!, 195_000);
    for (let starts = 0; starts < 2; starts++) {
      const store = await reopened();
      expect(await restored(store)).toHaveLength(19);
      expect(await store.load(blocks[19]!.block)).toBeUndefined();
      await store.close();
    }
    expect(lines).toHaveLength(1);
  });

  it('never give a reader a block that has changed: it learns that the block is not there, and it can be put again', async () => {
    const server = await startInsServer({ port: 0, store: await openDiskStore({ folder, cacheBytes: 0, log }), log });
    const client = new TestClient(server.url, keysOf(1));
    const put = async (handle: number): Promise<void> => {
      const made = [1, 2].map((part) => blockOf(part, 5_000));
      const items = made.map(({ item }) => item);
      const bodies = made.map(({ body }) => body);
      client.input({ kind: 'put', handle, collection: collectionOf(1), ttlSeconds: 60, items, bodies });
      await client.until('done', client.of('done').length + 1);
    };
    const get = async (handle: number): Promise<void> => {
      const items = [1, 2].map((part) => {
        const { name } = blockOf(part, 5_000).item;
        return { token: null, name, label: null, deadlineAtMs: null };
      });
      client.input({ kind: 'get', handle, keep: false, collection: collectionOf(1), items });
      await client.until('done', client.of('done').length + 1);
    };
    await put(1);
    const [file] = filesOf('blocks-');
    const bytes = readFileSync(file!);
    bytes[7_000]! ^= 1;
    writeFileSync(file!, bytes);
    await get(2);
    expect(client.of('arrived').map(({ body }) => hashText(body))).toEqual([hashText(blockOf(1, 5_000).body)]);
    expect(client.of('refused')).toMatchObject([{ handle: 2, item: 1, reason: 'NO_OBJECT' }]);
    expect(server.stats().blocks).toBe(1);
    await put(3);
    await get(4);
    expect(client.of('arrived')).toHaveLength(3);
    expect(lines).toHaveLength(1);
    await client.client.close();
    await server.close();
  });
});

describe('a store without room', () => {
  /** A small disk, and what is kept on it; where none can be made (not root), a store that behaves as if on one. */
  interface Small {
    open(): Promise<BlockStore>;
    close(): void;
  }

  function smallPlace(): Small {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]).status === 0;
    if (!mounted) return smallDouble();
    return {
      open: () => openDiskStore({ folder: join(disk, 'store'), quietMs: 10, log }),
      close: () => spawnSync('umount', ['--lazy', disk]),
    };
  }

  function smallDouble(): Small {
    const memory = memoryStore();
    const filed = new Map<number, Filed>();
    let left = 16 * 1024 * 1024;
    const store: BlockStore = {
      ...memory,
      async store(block, bytes) {
        if (bytes.length > left) throw new StoreFull('no space left on device');
        left -= bytes.length;
        await memory.store(block, bytes);
      },
      drop(block) {
        left += block.sizeBytes;
        memory.drop(block);
      },
      index: {
        file: async (entry) => void filed.set(entry.label.part, entry),
        unfile: async (places) => places.forEach(({ label }) => void filed.delete(label.part)),
        async *restore() {
          yield [...filed.values()];
        },
      },
      close: () => {},
    };
    return { open: async () => store, close: () => memory.close() };
  }

  let place: Small;
  let server: RunningInsServer;
  let client: TestClient;
  let handles = 0;
  const start = async (): Promise<void> => {
    server = await startInsServer({ port: 0, store: await place.open(), limits: { diskBytes: 1 << 30 }, log });
    client = new TestClient(server.url, keysOf(1));
  };
  const stop = async (): Promise<void> => {
    await client.client.close();
    await server.close();
  };
  beforeEach(() => {
    place = smallPlace();
  });
  afterEach(() => place.close());

  const LENGTH = 200_000;
  /** Puts parts in one batch; those that were acknowledged. */
  async function put(parts: readonly number[]): Promise<number[]> {
    const made = parts.map((part) => blockOf(part, LENGTH));
    const items = made.map(({ item }) => item);
    const bodies = made.map(({ body }) => body);
    const handle = ++handles;
    client.input({ kind: 'put', handle, collection: collectionOf(1), ttlSeconds: 600, items, bodies });
    await client.until('done', client.of('done').length + 1);
    const refused = client.of('refused').filter((output) => output.handle === handle);
    for (const { reason, retryAfterMs } of refused) {
      expect(reason).toBe('QUOTA_STORAGE');
      expect(retryAfterMs).toBeGreaterThan(0);
    }
    return parts.filter((_, at) => !refused.some(({ item }) => item === at));
  }

  /** Those of the parts that can be had, bit by bit. */
  async function had(parts: readonly number[]): Promise<number[]> {
    const there: number[] = [];
    for (let at = 0; at < parts.length; at += 16) {
      const some = parts.slice(at, at + 16);
      const handle = ++handles;
      const items = some.map((part) => {
        return { token: null, name: null, label: { track: 0, part, index: 0 }, deadlineAtMs: null };
      });
      client.input({ kind: 'get', handle, keep: false, collection: collectionOf(1), items });
      await client.until('done', client.of('done').length + 1);
      for (const { item, body } of client.of('arrived').filter((output) => output.handle === handle)) {
        expect(hashText(body)).toBe(hashText(blockOf(some[item]!, LENGTH).body));
        there.push(some[item]!);
      }
    }
    return there.sort((a, b) => a - b);
  }

  async function remove(parts: readonly number[]): Promise<void> {
    const names = parts.map((part) => blockOf(part, LENGTH).item.name);
    client.input({ kind: 'delete', handle: ++handles, token: null, names });
    await client.until('done', client.of('done').length + 1);
  }

  it('refuses what does not fit, keeps what it has acknowledged, and takes more when there is room again', async () => {
    await start();
    const parts = Array.from({ length: 96 }, (_, at) => at);
    const stored: number[] = [];
    for (let at = 0; at < parts.length; at += 8) stored.push(...(await put(parts.slice(at, at + 8))));
    expect(stored.length).toBeGreaterThan(40);
    expect(stored.length).toBeLessThan(90);
    expect(await had(parts)).toEqual(stored);
    expect(server.stats().blocks).toBe(stored.length);

    // Deleting works without room, and makes some: also where every second block stays.
    const gone = stored.filter((_, at) => at % 2 === 0);
    const left = stored.filter((_, at) => at % 2 === 1);
    for (let at = 0; at < gone.length; at += 32) await remove(gone.slice(at, at + 32));
    const more: number[] = [];
    const endMs = Date.now() + 20_000;
    for (let part = 100; more.length < gone.length - 12 && Date.now() < endMs; part += 4) {
      const taken = await put([part, part + 1, part + 2, part + 3]);
      more.push(...taken);
      if (taken.length < 4) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(more.length).toBeGreaterThanOrEqual(gone.length - 12);
    expect(await had([...left, ...more])).toEqual([...left, ...more]);

    await stop();
    await start();
    expect(await had([...parts, ...more])).toEqual([...left, ...more]);
    await stop();
  });
});
