import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { openDiskStore } from '../../ins-server/node/stores/disk/disk-store.ts';
import { blockOf, collectionOf, hashText, keysOf, TestClient } from './helpers.ts';

const PUTS = 12;
const BLOCKS_PER_PUT = 8;
const BLOCK_BYTES = 60_000;
const owner = keysOf(1);
const collection = collectionOf(1);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inswarm-drain-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = async (): Promise<RunningInsServer> =>
  startInsServer({ port: 0, store: await openDiskStore({ folder, cacheBytes: 0 }) });

it('IN15: what a server on disk acknowledges while it stops is there when it has started again', async () => {
  const server = await start();
  const client = new TestClient(server.url, owner);
  const put = (handle: number): void => {
    const made = Array.from({ length: BLOCKS_PER_PUT }, (_, at) => blockOf(handle * 100 + at, BLOCK_BYTES));
    const items = made.map(({ item }) => item);
    const bodies = made.map(({ body }) => body);
    client.input({ kind: 'put', handle, collection, ttlSeconds: 600, items, bodies });
  };
  // Puts are on their way on all of it while the server is told to stop.
  for (let handle = 1; handle <= PUTS; handle++) put(handle);
  await client.until('stored');
  const before = client.of('stored').length;
  const closed = server.close();
  await client.until('lost');
  await closed;
  await client.client.close();

  const stored = client.of('stored').flatMap(({ handle, items }) => items.map((item) => handle * 100 + item));
  expect(client.of('stored').length).toBeGreaterThan(before);
  const again = await start();
  const reader = new TestClient(again.url, owner);
  const wanted = stored.map((part) => ({ part, ...blockOf(part, BLOCK_BYTES) }));
  for (let at = 0; at < wanted.length; at += 32) {
    const items = wanted
      .slice(at, at + 32)
      .map(({ part }) => ({ token: null, name: null, label: { track: 0, part, index: 0 }, deadlineAtMs: null }));
    reader.input({ kind: 'get', handle: at + 1, keep: false, collection, items });
  }
  const arrived = await reader.until('arrived', wanted.length);
  expect(reader.of('refused')).toEqual([]);
  const found = new Map(arrived.map(({ labelled, body }) => [labelled!.part, hashText(body)]));
  for (const { part, body } of wanted) expect(found.get(part)).toBe(hashText(body));
  await reader.client.close();
  await again.close();
});
