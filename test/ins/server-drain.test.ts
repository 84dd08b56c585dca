import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { openDiskStore } from '../../ins-server/node/stores/disk/disk-store.ts';
import { memoryStore } from '../../ins-server/node/stores/memory.ts';
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

it('/healthz is 503 as soon as a server stops, while it still takes in what was begun', async () => {
  const memory = memoryStore();
  let storing = (): void => {};
  let goOn = (): void => {};
  const begun = new Promise<void>((resolve) => {
    storing = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const slow = {
    ...memory,
    async store(...block: Parameters<typeof memory.store>) {
      storing();
      await gate;
      await memory.store(...block);
    },
  };
  const server = await startInsServer({ port: 0, store: slow });
  const client = new TestClient(server.url, owner);
  const { item, body } = blockOf(1);
  client.input({ kind: 'put', handle: 1, collection, ttlSeconds: 60, items: [item], bodies: [body] });
  await begun;
  const health = async (): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/healthz`);
    return [answer.status, await answer.json()];
  };
  expect(await health()).toEqual([200, { ok: true, state: 'serving' }]);
  const closed = server.close();
  expect(await health()).toEqual([503, { ok: false, state: 'draining' }]);
  expect(client.of('stored')).toEqual([]);
  goOn();
  await client.until('stored');
  await client.client.close();
  await closed;
});
