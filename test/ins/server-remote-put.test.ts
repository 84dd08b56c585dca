import { beforeEach, describe, expect, it } from 'vitest';
import { SERVER_APPLICATION } from '../../protocol/ins-messages.ts';
import { OPERATION } from '../../protocol/token.ts';
import { CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, bytesOf, collectionOf, keysOf, putOf } from './helpers.ts';

const owner = keysOf(1);
const writerKeys = keysOf(2);

describe('a put into a locker on another server', () => {
  let net: CoreNet;
  let far: CoreServer;
  let near: CoreServer;

  beforeEach(() => {
    net = new CoreNet();
    far = net.server(1);
    near = net.server(2);
  });

  const putToken = (): Uint8Array => far.token(owner, { operations: OPERATION.put });

  it('IN18: is acknowledged when the other server has it, with label, companion, time and media type', () => {
    const source = far.connect(owner);
    source.follow(0);
    const writer = near.connect(writerKeys);
    const token = writer.token(putToken());
    const puts = [1, 2].map((part) => ({ ...putOf(blockOf(part).item, token), mediaType: 'video/mp4' }));
    const request = writer.batch({ collection: collectionOf(1), ttlSeconds: 9, puts });
    writer.sendBlock(request, 0, blockOf(1).body);
    far.silent = true;
    writer.sendBlock(request, 1, blockOf(2).body);
    expect(writer.of('stored').flatMap(({ items }) => items)).toEqual([0]);
    far.wake();
    expect(writer.of('stored').flatMap(({ items }) => items)).toEqual([0, 1]);
    expect(writer.of('done')).toHaveLength(1);
    expect(source.blocks.map(({ body }) => body)).toEqual([blockOf(1).body, blockOf(2).body]);
    expect(source.blocks[0]?.header.labelled?.companion).toEqual(blockOf(1).item.companion);
    source.batch({ describes: [{ token: 0, name: blockOf(1).item.name, set: null }] });
    expect(source.of('attributes')).toMatchObject([{ mediaType: 'video/mp4', lifeSeconds: 9 }]);
    // Nothing of it stays where it only passed through.
    expect(near.bodies.size).toBe(0);
    expect(near.core.stats()).toMatchObject({ blocks: 0, memoryBytes: 0 });
  });

  it('IN18: is checked for its name before it goes on', () => {
    far.connect(owner);
    const writer = near.connect(writerKeys);
    const request = writer.batch({
      collection: collectionOf(1),
      puts: [putOf(blockOf(1).item, writer.token(putToken()))],
    });
    writer.sendBlock(request, 0, bytesOf(99, 1_000));
    expect(writer.refusals()).toEqual(['NAME_MISMATCH']);
    expect(near.core.stats().upstreams).toBe(0);
  });

  it('IN18: sends what is here already without the client', () => {
    const source = far.connect(owner);
    const writer = near.connect(writerKeys);
    writer.putParts([1]);
    const item = { ...putOf(blockOf(1).item, writer.token(putToken())), reference: { token: 0, proof: null } };
    writer.batch({ collection: collectionOf(1), puts: [item, { ...item, ...blockOf(7).item }] });
    expect(writer.of('stored')).toHaveLength(2);
    expect(writer.of('refused')).toMatchObject([{ item: 1, reason: 'NO_OBJECT' }]);
    source.get([1]);
    expect(source.parts()).toEqual([1]);
  });

  it('IN18: passes on why the other server refuses, and refuses here what the token does not cover', () => {
    const source = far.connect(owner);
    source.putParts([1]);
    const writer = near.connect(writerKeys);
    const taken = { ...blockOf(3), item: { ...blockOf(3).item, part: 1 } };
    writer.put([taken], { token: writer.token(putToken()) });
    writer.put([blockOf(4)], { token: writer.token(far.token(owner)) });
    writer.put([blockOf(4)], { token: writer.token(far.token(owner, { operations: OPERATION.put, to: 3 })) });
    expect(writer.refusals()).toEqual(['EXISTS', 'TOKEN_SCOPE', 'TOKEN_SCOPE']);
    expect(near.core.stats().blocks).toBe(0);
  });

  it('IN18: hears in time of a server that does not answer, that is gone, or that nobody may dial', () => {
    far.connect(owner);
    const writer = near.connect(writerKeys);
    const token = writer.token(putToken());
    writer.put([blockOf(1)], { token });
    far.silent = true;
    writer.put([blockOf(2)], { token });
    net.pass(11_000);
    expect(writer.refusals()).toEqual(['REMOTE_FAIL']);
    const third = net.server(4);
    const elsewhere = writer.token(third.token(owner, { operations: OPERATION.put }));
    writer.put([blockOf(1)], { token: elsewhere });
    third.dead = true;
    third.input({ kind: 'stop' });
    writer.put([blockOf(3)], { token: elsewhere });
    net.pass(7_000);
    expect(writer.refusals()).toEqual(['REMOTE_FAIL', 'REMOTE_FAIL']);
    const strict = net.server(3, { mayDial: false });
    const other = strict.connect(writerKeys);
    other.put([blockOf(1)], { token: other.token(putToken()) });
    expect(other.refusals()).toEqual(['POLICY_DENIED']);
    for (const server of [near, strict]) expect(server.core.stats()).toMatchObject({ blocks: 0, memoryBytes: 0 });
  });

  it('IN18: is taken up again when the connection comes back soon', () => {
    const source = far.connect(owner);
    const writer = near.connect(writerKeys);
    const token = writer.token(putToken());
    writer.put([blockOf(1)], { token });
    far.silent = true;
    writer.put([blockOf(2)], { token });
    const link = far.core.stats().links;
    expect(link).toBe(2);
    far.wake();
    expect(writer.of('stored')).toHaveLength(2);
    source.get([1, 2]);
    expect(source.parts()).toEqual([1, 2]);
  });

  it('IN13: goes over one hop only', () => {
    const server = near.connect(keysOf(5), SERVER_APPLICATION);
    server.put([blockOf(1)], { token: server.token(putToken()) });
    expect(server.refusals()).toEqual(['POLICY_DENIED']);
  });

  it('IN18: may have 8 MiB of one account on the way', () => {
    far.connect(owner);
    const writer = near.connect(writerKeys);
    const token = writer.token(putToken());
    writer.put([blockOf(0)], { token });
    far.silent = true;
    const blocks = Array.from({ length: 9 }, (_, part) => blockOf(part + 1, 1_000_000));
    writer.put(blocks, { token });
    expect(writer.refusals()).toEqual(['OVERLOAD']);
    const other = near.connect(keysOf(3));
    other.put([blockOf(20)], { token: other.token(putToken()) });
    far.wake();
    expect(writer.of('stored')).toHaveLength(9);
    expect(other.of('stored')).toHaveLength(1);
    writer.put([blockOf(30, 1_000_000)], { token });
    expect(writer.of('stored')).toHaveLength(10);
  });
});
