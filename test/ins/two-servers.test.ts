import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { FROM_NEWEST_START } from '../../protocol/ins-messages.ts';
import { OPERATION } from '../../protocol/token.ts';
import type { KeyPair } from '../../runtime/node/crypto.ts';
import { blockOf, collectionOf, hashText, keysOf, sealToken, TestClient } from './helpers.ts';

const owner = keysOf(1);
const collection = collectionOf(1);

describe('two INS servers', () => {
  let a: RunningInsServer;
  let b: RunningInsServer;
  let clients: TestClient[];

  const client = (server: RunningInsServer, keys: KeyPair): TestClient => {
    const made = new TestClient(server.url, keys);
    clients.push(made);
    return made;
  };
  const token = (): Uint8Array => sealToken(owner, [{ key: a.serverKey, url: a.url }]);

  beforeEach(async () => {
    clients = [];
    a = await startInsServer({ port: 0 });
    b = await startInsServer({ port: 0 });
  });
  afterEach(async () => {
    await Promise.all(clients.map(({ client: each }) => each.close()));
    await Promise.all([a.close(), b.close()]);
  });

  it('give what was put on one through the other, byte for byte', async () => {
    const blocks = [0, 1, 2, 3].map((part) => blockOf(part, 40_000 + part));
    const source = client(a, owner);
    const items = blocks.map(({ item }) => item);
    const bodies = blocks.map(({ body }) => body);
    source.input({ kind: 'put', handle: 1, collection, ttlSeconds: 60, items, bodies });
    await source.until('done');
    expect(source.of('stored').flatMap((output) => output.items)).toEqual([0, 1, 2, 3]);

    const viewer = client(b, keysOf(2));
    const wanted = items.map(({ name }) => ({ token: token(), name, label: null, deadlineAtMs: null }));
    viewer.input({ kind: 'get', handle: 7, keep: true, collection, items: wanted });
    await viewer.until('done');
    const arrived = viewer.of('arrived').sort((x, y) => x.item - y.item);
    expect(arrived.map(({ body }) => hashText(body))).toEqual(bodies.map(hashText));
    expect(arrived.every((output) => output.kept)).toBe(true);
    expect(b.stats()).toMatchObject({ remoteBlocks: 4, sentBlocks: 4, keptBlocks: 4 });

    // What was kept is the viewer's to give, on its own server.
    const neighbour = client(b, keysOf(3));
    const theirs = sealToken(keysOf(2), [{ key: b.serverKey, url: b.url }]);
    const label = { track: 0, part: 2, index: 0 };
    const kept = [{ token: theirs, name: null, label, deadlineAtMs: null }];
    neighbour.input({ kind: 'get', handle: 1, keep: false, collection, items: kept });
    await neighbour.until('done');
    const [given] = neighbour.of('arrived');
    expect(given?.labelled).toMatchObject({ ...label, companion: items[2]!.companion });
    expect(hashText(given!.body)).toBe(hashText(bodies[2]!));
    expect(a.stats().sentBlocks).toBe(4);
  });

  it('bring a follow from the newest start through the other, and what is put later', async () => {
    const source = client(a, owner);
    const put = (part: number): void => {
      const { item, body } = blockOf(part, 30_000);
      source.input({ kind: 'put', handle: part + 1, collection, ttlSeconds: 60, items: [item], bodies: [body] });
    };
    for (const part of [3, 4, 5]) put(part);
    await source.until('done', 3);
    const viewers = [client(b, keysOf(2)), client(b, keysOf(3))];
    const follow = { kind: 'follow', handle: 1, keep: true, collection, tracks: [], from: FROM_NEWEST_START } as const;
    for (const viewer of viewers) viewer.input({ ...follow, token: token() });
    await Promise.all(viewers.map((viewer) => viewer.until('arrived', 2)));
    for (const part of [6, 7, 8]) put(part);
    for (const viewer of viewers) {
      const arrived = await viewer.until('arrived', 5);
      expect(arrived.map((output) => output.labelled?.part)).toEqual([4, 5, 6, 7, 8]);
      expect(arrived.map(({ body }) => hashText(body))).toEqual(
        [4, 5, 6, 7, 8].map((part) => hashText(blockOf(part, 30_000).body)),
      );
      expect(arrived.every((output) => output.kept)).toBe(true);
    }
    // One follow between the servers, however many follow.
    expect(a.stats()).toMatchObject({ follows: 1, sentBlocks: 5 });
    expect(b.stats()).toMatchObject({ follows: 2, remoteBlocks: 5 });
  });

  it('pass on what is put through one for the other, and file without bytes what its putter has', async () => {
    const { item, body } = blockOf(1, 40_000);
    const server = [{ key: a.serverKey, url: a.url }];
    const putToken = sealToken(owner, server, { operations: OPERATION.put });
    const writer = client(b, keysOf(2));
    writer.input({
      kind: 'put',
      handle: 1,
      token: putToken,
      collection,
      ttlSeconds: 60,
      items: [{ ...item, mediaType: 'video/mp4' }],
      bodies: [body],
    });
    await writer.until('done');
    expect(writer.of('stored')).toMatchObject([{ items: [0] }]);
    expect(b.stats().blocks).toBe(0);
    const source = client(a, owner);
    source.input({
      kind: 'get',
      handle: 2,
      keep: false,
      collection,
      items: [{ token: null, name: item.name, label: null, deadlineAtMs: null }],
    });
    const [arrived] = await source.until('arrived');
    expect(hashText(arrived!.body)).toBe(hashText(body));
  });
});
