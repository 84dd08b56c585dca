import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Shelf } from '../../ins-server/core/storage/shelf.ts';
import { EMPTY_BATCH } from '../../protocol/ins-messages.ts';
import { OPERATION } from '../../protocol/token.ts';
import { CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, bytesOf, collectionOf, keysOf, putOf } from './helpers.ts';

const owner = keysOf(1);

describe('a put', () => {
  let net: CoreNet;
  let server: CoreServer;

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1);
  });

  it('IN8: is acknowledged once the block can be had, by label and by name', () => {
    const client = server.connect(owner);
    const request = client.put([blockOf(1), blockOf(2)]);
    expect(client.of('stored').flatMap(({ items }) => items)).toEqual([0, 1]);
    expect(client.of('done')).toEqual([{ type: 'done', request }]);
    client.get([1]);
    client.get([2], { byName: true });
    expect(client.blocks.map(({ body }) => body)).toEqual([blockOf(1).body, blockOf(2).body]);
    expect(client.blocks[0]?.header.labelled).toMatchObject({ part: 1, companion: blockOf(1).item.companion });
    expect(client.blocks[1]?.header.labelled).toBeNull();
  });

  it('IN8: of bytes that do not have the name is refused, and nothing of it is served', () => {
    const client = server.connect(owner);
    const { item, body } = blockOf(1);
    client.put([{ item, body: bytesOf(99, body.length) }]);
    client.put([{ item, body: body.subarray(1) }]);
    expect(client.refusals()).toEqual(['NAME_MISMATCH', 'SIZE']);
    expect(client.of('stored')).toEqual([]);
    expect(server.bodies.size).toBe(0);
    expect(server.core.stats()).toMatchObject({ blocks: 0, memoryBytes: 0 });
    client.get([1], { byName: true });
    expect(client.refusals().at(-1)).toBe('NO_OBJECT');
  });

  it('IN8: under a label that another block has is refused; the same block again lives on', () => {
    const client = server.connect(owner);
    client.put([blockOf(1)], { ttlSeconds: 10 });
    client.put([blockOf(1, 2_000)]);
    expect(client.refusals()).toEqual(['EXISTS']);
    client.put([blockOf(1)], { ttlSeconds: 30 });
    net.pass(20_000);
    client.get([1]);
    expect(client.parts()).toEqual([1]);
    expect(server.core.stats().blocks).toBe(1);
  });

  it('is stored once, however many lockers it is in, and goes with the last of them', () => {
    server.connect(owner).put([blockOf(1)], { ttlSeconds: 10 });
    const other = server.connect(keysOf(2));
    other.put([blockOf(1)], { ttlSeconds: 20 });
    expect(server.outputs.filter(({ kind }) => kind === 'store')).toHaveLength(1);
    net.pass(15_000);
    expect(server.bodies.size).toBe(1);
    other.get([1]);
    expect(other.parts()).toEqual([1]);
    net.pass(10_000);
    expect(server.bodies.size).toBe(0);
    expect(server.core.stats()).toMatchObject({ blocks: 0, memoryBytes: 0 });
  });

  it('ends with its time to live', () => {
    const client = server.connect(owner);
    client.putParts([1], { ttlSeconds: 5 });
    client.putParts([2], { ttlSeconds: 50 });
    net.pass(4_999);
    client.get([1]);
    net.pass(1);
    client.get([1]);
    client.get([1], { byName: true });
    expect(client.parts()).toEqual([1]);
    expect(client.refusals()).toEqual(['GONE', 'NO_OBJECT']);
  });

  it('beyond the quota is refused, and has room again when something has ended', () => {
    server = net.server(2, { limits: { quotaBytes: 2_500 } });
    const client = server.connect(owner);
    client.putParts([1, 2], { ttlSeconds: 10 });
    client.putParts([3]);
    expect(client.refusals()).toEqual(['QUOTA_STORAGE']);
    expect(client.of('refused')[0]?.retryAfterMs).toBeGreaterThan(0);
    net.pass(11_000);
    client.putParts([3]);
    expect(client.of('stored')).toHaveLength(3);
  });

  it('beyond the memory is refused; nothing acknowledged makes room for it', () => {
    server = net.server(2, { limits: { memoryBytes: 5_000 } });
    const client = server.connect(owner);
    client.putParts([1, 2, 3]);
    server.connect(keysOf(2)).putParts([4]);
    const other = server.connect(keysOf(3));
    other.putParts([5]);
    expect(other.refusals()).toEqual(['QUOTA_STORAGE']);
    client.get([1, 2, 3]);
    expect(client.parts()).toEqual([1, 2, 3]);
  });

  it('IN8: whose bytes do not come is refused in time', () => {
    const client = server.connect(owner);
    const { item } = blockOf(1);
    client.batch({ request: 5, collection: collectionOf(1), ttlSeconds: 9, puts: [putOf(item)] });
    net.pass(29_000);
    expect(client.refusals()).toEqual([]);
    net.pass(2_000);
    expect(client.refusals()).toEqual(['DEADLINE']);
    client.sendBlock(5, 0, blockOf(1).body);
    expect(server.bodies.size).toBe(0);
  });

  it('IN14: that was cancelled is not filed', () => {
    const client = server.connect(owner);
    const { item, body } = blockOf(1);
    client.batch({ request: 5, collection: collectionOf(1), ttlSeconds: 9, puts: [putOf(item)] });
    client.send({ type: 'cancel', request: 5 });
    client.sendBlock(5, 0, body);
    client.get([1]);
    expect(client.refusals()).toEqual(['NO_OBJECT']);
  });

  it('that is cancelled while its bytes are checked is not filed either', () => {
    const client = server.connect(owner);
    const { item, body } = blockOf(1);
    const { core } = server;
    const kinds: string[] = [];
    const input = (more: Parameters<typeof core.handleInput>[0]): number | undefined => {
      core.handleInput(more, net.nowMs);
      let ref: number | undefined;
      for (let output = core.pollOutput(); output !== undefined; output = core.pollOutput()) {
        kinds.push(output.kind);
        if (output.kind === 'check-name' || output.kind === 'store') ref = output.ref;
      }
      return ref;
    };
    const { link } = client;
    const put = {
      ...EMPTY_BATCH,
      request: 5,
      collection: collectionOf(1),
      ttlSeconds: 9,
      puts: [putOf(item)],
    };
    input({ kind: 'message', link, message: put });
    const check = input({ kind: 'block', link, header: { request: 5, item: 0, kept: false, labelled: null }, body });
    expect(core.stats().memoryBytes).toBe(body.length);
    input({ kind: 'message', link, message: { type: 'cancel', request: 5 } });
    const store = input({ kind: 'named', ref: check!, ok: true });
    input({ kind: 'stored', ref: store!, ok: true });
    expect(kinds).toEqual(['check-name', 'store', 'drop']);
    expect(core.stats()).toMatchObject({ blocks: 0, memoryBytes: 0, putBlocks: 0 });
  });
});

describe('a locker', () => {
  let net: CoreNet;
  let server: CoreServer;

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1);
  });

  it('is private', () => {
    server.connect(owner).putParts([1]);
    const stranger = server.connect(keysOf(2));
    stranger.get([1]);
    stranger.get([1], { byName: true });
    expect(stranger.refusals()).toEqual(['NO_OBJECT', 'NO_OBJECT']);
    expect(stranger.blocks).toEqual([]);
  });

  it('IN9: files what it was asked to keep, with label and companion, at no cost of memory', () => {
    server.connect(owner).putParts([1, 2]);
    const reader = server.connect(keysOf(2));
    const { memoryBytes } = server.core.stats();
    reader.get([1, 2], { token: reader.token(server.token(owner)), keep: true });
    expect(reader.blocks.map(({ header }) => header.kept)).toEqual([true, true]);
    expect(server.core.stats().memoryBytes).toBe(memoryBytes);
    // It is the reader's now: to get, and to give.
    reader.get([2]);
    const third = server.connect(keysOf(3));
    third.get([1], { token: third.token(server.token(keysOf(2))) });
    expect(third.blocks[0]?.header.labelled).toMatchObject({ part: 1, companion: blockOf(1).item.companion });
    expect(reader.blocks[2]?.body).toBe(third.blocks[0] === undefined ? undefined : reader.blocks[1]?.body);
  });

  it('IN9: keeps nothing that was not asked for, and nothing that another block has the label of', () => {
    server.connect(owner).putParts([1, 2]);
    const reader = server.connect(keysOf(2));
    reader.put([blockOf(2, 500)]);
    const alias = reader.token(server.token(owner));
    reader.get([1], { token: alias });
    reader.get([2], { token: alias, keep: true });
    expect(reader.blocks.map(({ header }) => header.kept)).toEqual([false, false]);
    reader.get([1], { byName: true });
    expect(reader.refusals()).toEqual(['NO_OBJECT']);
  });

  it('IN9: keeps within its quota', () => {
    server = net.server(2, { limits: { quotaBytes: 2_500 } });
    for (const number of [1, 5]) server.connect(keysOf(number)).putParts(number === 1 ? [1, 2] : [3]);
    const reader = server.connect(keysOf(2));
    const first = reader.token(server.token(owner));
    reader.get([1, 2], { token: first, keep: true });
    reader.get([3], { token: reader.token(server.token(keysOf(5))), keep: true });
    expect(reader.blocks.map(({ header }) => header.kept)).toEqual([true, true, false]);
  });

  it('IN9: keeps nothing longer than the original lives, by time or by deletion', () => {
    const client = server.connect(owner);
    client.putParts([1], { ttlSeconds: 10 });
    client.putParts([2]);
    const reader = server.connect(keysOf(2));
    reader.get([1, 2], { token: reader.token(server.token(owner)), keep: true });
    net.pass(11_000);
    reader.get([1]);
    client.batch({ request: 50, deletes: [{ token: 0, name: blockOf(2).item.name }] });
    reader.get([2]);
    expect(reader.refusals()).toEqual(['GONE', 'NO_OBJECT']);
    expect(server.bodies.size).toBe(0);
  });

  it('makes room for what it may keep when earlier things have ended', () => {
    server = net.server(2, { limits: { quotaBytes: 2_500 } });
    const client = server.connect(owner);
    client.putParts([1, 2], { ttlSeconds: 10 });
    const reader = server.connect(keysOf(2));
    reader.get([1, 2], { token: reader.token(server.token(owner)), keep: true });
    net.pass(11_000);
    client.putParts([3, 4], { ttlSeconds: 60 });
    reader.get([3, 4], { token: reader.token(server.token(owner)), keep: true });
    expect(reader.blocks.map(({ header }) => header.kept)).toEqual([true, true, true, true]);
    reader.batch({ request: 60, statuses: [{ token: 0 }] });
    expect(reader.of('usage')[0]).toMatchObject({ objects: 2, usedBytes: 2_006, quotaBytes: 2_500 });
  });

  it('IN10: frees what is deleted, and only what is its own', () => {
    const client = server.connect(owner);
    client.putParts([1, 2]);
    const reader = server.connect(keysOf(2));
    reader.get([1], { token: reader.token(server.token(owner)), keep: true });
    const name = blockOf(1).item.name;
    reader.batch({
      request: 50,
      deletes: [
        { token: 0, name },
        { token: 0, name: blockOf(2).item.name },
      ],
    });
    expect(reader.of('refused')).toMatchObject([{ request: 50, item: 1, reason: 'NO_OBJECT' }]);
    client.get([1]);
    expect(client.parts()).toEqual([1]);
    const alias = reader.token(server.token(owner, { operations: OPERATION.get | OPERATION.delete, from: 2, to: 2 }));
    reader.batch({
      request: 51,
      deletes: [
        { token: alias, name },
        { token: alias, name: blockOf(2).item.name },
      ],
    });
    expect(reader.of('refused').at(-1)).toMatchObject({ request: 51, item: 0 });
    expect(server.bodies.size).toBe(1);
  });

  it('IN10: tells its owner what is in it, and others with a token for that', () => {
    const client = server.connect(owner);
    client.putParts([1, 2, 3]);
    client.batch({ request: 50, statuses: [{ token: 0 }] });
    expect(client.of('usage')).toMatchObject([{ objects: 3, usedBytes: 3_009 }]);
    expect(client.of('usage')[0]?.names).toEqual([3, 2, 1].map((part) => blockOf(part).item.name));
    const reader = server.connect(keysOf(2));
    reader.batch({ request: 50, statuses: [{ token: reader.token(server.token(owner)) }] });
    reader.batch({
      request: 51,
      statuses: [{ token: reader.token(server.token(owner, { operations: OPERATION.status })) }],
    });
    expect(reader.refusals()).toEqual(['TOKEN_SCOPE']);
    expect(reader.of('usage')).toMatchObject([{ request: 51, objects: 3 }]);
  });

  it('IN6: says of a label whether it is not there yet, not there any more, or not at all', () => {
    const client = server.connect(owner);
    client.putParts([1], { ttlSeconds: 5 });
    client.putParts([2, 3, 5]);
    net.pass(6_000);
    client.get([1, 4, 6]);
    const reasons = client.of('refused').map(({ item, reason, retryAfterMs }) => [item, reason, retryAfterMs > 0]);
    expect(reasons).toEqual([
      [0, 'GONE', false],
      [1, 'NO_OBJECT', false],
      [2, 'NOT_YET', true],
    ]);
  });

  it('TO3: gives a block that is filed under several labels to whoever may read one of them', () => {
    const client = server.connect(owner);
    const { item, body } = blockOf(1);
    client.put([1, 2, 3].map((part) => ({ item: { ...item, part }, body })));
    expect(server.bodies.size).toBe(1);
    const reader = server.connect(keysOf(2));
    reader.get([1], { token: reader.token(server.token(owner, { from: 3, to: 3 })), byName: true });
    reader.get([1], { token: reader.token(server.token(owner, { from: 4, to: 4 })), byName: true });
    expect(reader.blocks).toHaveLength(1);
    expect(reader.refusals()).toEqual(['TOKEN_SCOPE']);
  });

  it('is forgotten with its account when it is empty and nobody is there', () => {
    for (let number = 10; number < 20; number++) {
      const client = server.connect(keysOf(number));
      client.putParts([number], { ttlSeconds: 5 });
      client.leave();
    }
    expect(server.core.stats().accounts).toBe(10);
    net.pass(30_000);
    expect(server.core.stats()).toMatchObject({ accounts: 0, blocks: 0, memoryBytes: 0 });
    expect(server.core.nextDeadline()).toBeUndefined();
  });
});

describe('statuses of a locker with very many blocks', () => {
  it('cost little, however many of them a batch asks for', () => {
    const server = new CoreNet().server(1);
    const source = server.connect(owner);
    source.putParts([0]);
    const first = putOf(blockOf(0).item);
    const copies = Array.from({ length: 4_000 }, (_, at) => ({
      ...first,
      part: 1 + at,
      reference: { token: 0, proof: null },
    }));
    for (let at = 0; at < copies.length; at += 50)
      source.batch({ collection: collectionOf(1), puts: copies.slice(at, at + 50) });
    let looks = 0;
    const { newestFirst } = Shelf.prototype;
    vi.spyOn(Shelf.prototype, 'newestFirst').mockImplementation(function* (this: Shelf) {
      for (const entry of newestFirst.call(this)) {
        looks++;
        yield entry;
      }
    });
    const token = source.token(server.token(owner, { operations: OPERATION.status, tracks: [5] }));
    source.batch({ statuses: Array.from({ length: 64 }, () => ({ token })) });
    vi.restoreAllMocks();
    expect(source.of('usage').map(({ objects }) => objects)).toEqual(Array.from({ length: 64 }, () => 4_001));
    expect(looks).toBeLessThan(64 * 1_100 + 4_002);
  });
});
