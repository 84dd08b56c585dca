import { beforeEach, describe, expect, it } from 'vitest';
import type { Filed, InsServerOutput } from '../../ins-server/core/io.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf } from './helpers.ts';

type OutputOf<Kind extends InsServerOutput['kind']> = Extract<InsServerOutput, { readonly kind: Kind }>;

describe('over a store that outlives the server', () => {
  let net: CoreNet;
  let server: CoreServer;
  let client: CoreClient;
  const asked = <Kind extends InsServerOutput['kind']>(kind: Kind): OutputOf<Kind>[] =>
    server.outputs.filter((output): output is OutputOf<Kind> => output.kind === kind);
  const answer = (ok = true, full = false): void =>
    server.input({ kind: 'filed', ref: asked('file').at(-1)!.ref, ok, full });

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1, { durable: true });
    client = server.connect(keysOf(1));
  });

  it('IN8: a put is acknowledged and announced when the store keeps where it is filed, and not to be had before', () => {
    client.follow(0);
    client.putParts([1]);
    client.get([1]);
    expect(client.of('stored')).toEqual([]);
    expect(client.parts()).toEqual([]);
    expect(client.refusals()).toEqual(['NO_OBJECT']);
    expect(asked('file')[0]?.entry).toMatchObject({
      collection: collectionOf(1),
      label: { track: 0, part: 1, index: 0, start: false, companion: blockOf(1).item.companion },
      block: { name: blockOf(1).item.name, sizeBytes: 1_000 },
      expiresAtMs: net.nowMs + 60_000,
    });
    answer();
    expect(client.of('stored')).toHaveLength(1);
    client.get([1]);
    expect(client.parts()).toEqual([1, 1]);
  });

  it('what cannot be filed is refused, with the reason, and is not there', () => {
    client.putParts([1]);
    answer(false, true);
    client.putParts([2]);
    answer(false);
    client.get([1, 2]);
    expect(client.refusals()).toEqual(['QUOTA_STORAGE', 'OVERLOAD', 'NO_OBJECT', 'NO_OBJECT']);
    expect(client.of('refused')[0]?.retryAfterMs).toBeGreaterThan(0);
    expect(server.bodies.size).toBe(0);
    expect(server.core.stats()).toMatchObject({ blocks: 0, memoryBytes: 0 });
  });

  it('two puts under one label are filed one after the other: the first one holds it', () => {
    client.putParts([1]);
    client.put([blockOf(1, 2_000)]);
    client.putParts([1], { ttlSeconds: 90 });
    expect(asked('file')).toHaveLength(1);
    answer();
    expect(client.of('stored')).toHaveLength(1);
    expect(client.refusals()).toEqual(['EXISTS']);
    expect(asked('file').at(-1)?.entry.expiresAtMs).toBe(net.nowMs + 90_000);
    answer();
    expect(client.of('stored')).toHaveLength(2);
    net.pass(80_000);
    client.get([1]);
    expect(client.parts()).toEqual([1]);
  });

  it('a block that is put again for a shorter time stays filed for the longer one', () => {
    client.putParts([1], { ttlSeconds: 90 });
    answer();
    client.putParts([1], { ttlSeconds: 10 });
    expect(asked('file').map(({ entry }) => entry.expiresAtMs)).toEqual([net.nowMs + 90_000, net.nowMs + 90_000]);
  });

  it('IN10: a delete is done when the store will not bring it back', () => {
    client.putParts([1]);
    answer();
    client.batch({ request: 7, deletes: [{ token: 0, name: blockOf(1).item.name }] });
    client.get([1]);
    expect(client.refusals()).toEqual(['NO_OBJECT']);
    const { ref, places } = asked('unfile')[0]!;
    expect(places).toMatchObject([{ collection: collectionOf(1), label: { track: 0, part: 1, index: 0 } }]);
    expect(client.of('done').map(({ request }) => request)).not.toContain(7);
    server.input({ kind: 'unfiled', ref, ok: true });
    expect(client.of('done').map(({ request }) => request)).toContain(7);
  });

  it('a delete that may come undone is refused', () => {
    client.putParts([1]);
    answer();
    client.batch({ request: 7, deletes: [{ token: 0, name: blockOf(1).item.name }] });
    server.input({ kind: 'unfiled', ref: asked('unfile')[0]!.ref, ok: false });
    expect(client.of('refused').at(-1)).toMatchObject({ request: 7, item: 0, reason: 'OVERLOAD' });
  });

  it('a block that is deleted while it is put again is not acknowledged', () => {
    client.putParts([1]);
    answer();
    client.putParts([1]);
    client.batch({ request: 7, deletes: [{ token: 0, name: blockOf(1).item.name }] });
    answer();
    expect(client.of('stored')).toHaveLength(1);
    expect(client.refusals()).toEqual(['OVERLOAD']);
    expect(server.core.stats().blocks).toBe(0);
  });

  it('a block that the store loses while another files it is not acknowledged, and can be put again', () => {
    client.putParts([1]);
    answer();
    const other = server.connect(keysOf(2));
    other.putParts([1]);
    const { block } = asked('file')[0]!.entry;
    const header = { request: 1, item: 0, kept: false, labelled: null };
    server.input({ kind: 'load-failed', link: client.link, header, block });
    expect(asked('unfile')[0]?.places).toHaveLength(1);
    client.putParts([1]);
    answer();
    expect(client.of('stored')).toHaveLength(2);
    server.input({ kind: 'filed', ref: asked('file')[1]!.ref, ok: true });
    expect(other.refusals()).toEqual(['OVERLOAD']);
    expect(asked('unfile').at(-1)?.places).toMatchObject([{ owner: asked('file')[1]!.entry.owner }]);
    client.get([1]);
    expect(client.parts()).toEqual([1]);
    expect(server.core.stats().blocks).toBe(1);
  });

  it('a put that is cancelled while it is filed says nothing more', () => {
    const request = client.put([blockOf(1)]);
    client.send({ type: 'cancel', request });
    answer();
    expect(client.of('stored')).toEqual([]);
    expect(client.of('done')).toEqual([]);
  });

  it('what was kept is there after a restart, by label and name and for its followers, until it ends', () => {
    client.putParts([1], { ttlSeconds: 10 });
    answer();
    client.putParts([2], { ttlSeconds: 50 });
    answer();
    client.putParts([3], { ttlSeconds: 2 });
    answer();
    const entries: Filed[] = asked('file').map(({ entry }) => entry);
    const again = net.server(2, { durable: true });
    for (const [key, body] of server.bodies) again.bodies.set(key, body);
    net.pass(5_000);
    again.input({ kind: 'restored', entries: entries.slice(0, 2) });
    again.input({ kind: 'restored', entries: entries.slice(2) });
    expect(again.bodies.size).toBe(2);
    const owner = again.connect(keysOf(1));
    owner.get([1]);
    owner.get([2], { byName: true });
    const viewer = again.connect(keysOf(2));
    viewer.follow(0, { token: viewer.token(again.token(keysOf(1))) });
    expect(viewer.parts()).toEqual([1, 2]);
    expect(owner.blocks).toHaveLength(2);
    owner.batch({ request: 5, statuses: [{ token: 0 }] });
    expect(owner.of('usage')[0]).toMatchObject({ objects: 2, usedBytes: 2_006 });
    net.pass(6_000);
    owner.get([1, 2]);
    expect(owner.refusals()).toEqual(['GONE']);
    net.pass(60_000);
    expect(again.core.stats()).toMatchObject({ blocks: 0, memoryBytes: 0 });
  });

  it('blocks on disk count there, what is kept about them in memory; neither grows beyond its bound', () => {
    server = net.server(3, { durable: true, limits: { diskBytes: 2_500, memoryBytes: 1_000 } });
    client = server.connect(keysOf(1));
    client.putParts([1]);
    answer();
    expect(server.core.stats()).toMatchObject({ diskBytes: 1_000, memoryBytes: 512 + 3 });
    client.put([blockOf(2, 2_000)]);
    expect(client.refusals()).toEqual(['QUOTA_STORAGE']);
    client.put([blockOf(3, 10)]);
    answer();
    client.put([blockOf(4, 10)]);
    expect(client.refusals()).toEqual(['QUOTA_STORAGE', 'QUOTA_STORAGE']);
  });
});
