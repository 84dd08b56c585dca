import { beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_GET } from '../../protocol/ins-messages.ts';
import { OPERATION } from '../../protocol/token.ts';
import { CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf, putOf } from './helpers.ts';

const owner = keysOf(1);

describe('a batch', () => {
  let net: CoreNet;
  let server: CoreServer;

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1);
  });

  const labelled = (part: number, token = 0) => ({
    ...EMPTY_GET,
    token,
    label: { track: 0, part, index: 0 },
    priority: 'normal' as const,
  });

  it('IN5: numbers gets, puts, deletes and statuses through, answers each by itself, then is done', () => {
    const client = server.connect(owner);
    client.putParts([1, 2]);
    const { item, body } = blockOf(3);
    const before = client.messages.length;
    const request = client.batch({
      collection: collectionOf(1),
      gets: [labelled(1), labelled(9)],
      puts: [putOf(item)],
      deletes: [
        { token: 0, name: blockOf(2).item.name },
        { token: 0, name: blockOf(8).item.name },
      ],
      statuses: [{ token: 0 }],
    });
    expect(client.blocks).toMatchObject([{ header: { request, item: 0, labelled: { part: 1 } } }]);
    expect(client.messages.slice(before)).toMatchObject([
      { type: 'refused', item: 1, reason: 'NOT_YET' },
      { type: 'deleted', items: [3] },
      { type: 'refused', item: 4, reason: 'NO_OBJECT' },
      { type: 'usage', item: 5, objects: 1, usedBytes: 1_003 },
    ]);
    client.sendBlock(request, 2, body);
    expect(client.messages.slice(before + 4)).toMatchObject([
      { type: 'stored', request, items: [2] },
      { type: 'done', request },
    ]);
    client.get([3]);
    expect(client.parts()).toEqual([1, 3]);
  });

  it('IN5: of nothing is done at once', () => {
    const client = server.connect(owner);
    const request = client.batch({});
    expect(client.messages.at(-1)).toEqual({ type: 'done', request });
  });

  it('IN5: of more than 64 items breaks the protocol', () => {
    const client = server.connect(owner);
    const statuses = Array.from({ length: 33 }, () => ({ token: 0 }));
    const deletes = Array.from({ length: 31 }, () => ({ token: 0, name: blockOf(1).item.name }));
    client.batch({ statuses, deletes });
    expect(client.of('usage')).toHaveLength(33);
    client.batch({ statuses: [...statuses, { token: 0 }], deletes });
    expect(client.closed?.code).toBe(4400);
  });

  it('IN8: puts into several lockers at once, each under its own token', () => {
    const writer = server.connect(keysOf(2));
    const put = OPERATION.put;
    const tokens = [owner, keysOf(3)].map((issuer) => writer.token(server.token(issuer, { operations: put, to: 2 })));
    const aliases = [0, tokens[0]!, tokens[0]!, tokens[1]!, 99];
    const parts = [1, 2, 3, 1, 1];
    const request = writer.batch({
      collection: collectionOf(1),
      puts: parts.map((part, at) => putOf(blockOf(part).item, aliases[at]!)),
    });
    for (const [at, part] of parts.entries()) writer.sendBlock(request, at, blockOf(part).body);
    expect(writer.of('refused')).toMatchObject([
      { item: 2, reason: 'TOKEN_SCOPE' },
      { item: 4, reason: 'TOKEN_REQUIRED' },
    ]);
    expect(writer.of('stored').flatMap(({ items }) => items)).toEqual([0, 1, 3]);
    expect(writer.of('done')).toHaveLength(1);
    for (const [keys, part] of [
      [keysOf(2), 1],
      [owner, 2],
      [keysOf(3), 1],
    ] as const) {
      const reader = server.connect(keys);
      reader.get([1, 2, 3]);
      expect(reader.parts()).toEqual([part]);
    }
  });

  it('IN8: that puts without a collection, and IN6: that gets neither by name nor by label, is malformed', () => {
    const client = server.connect(owner);
    client.batch({ puts: [putOf(blockOf(1).item)] });
    client.batch({ gets: [labelled(1)] });
    client.batch({ collection: collectionOf(1), gets: [{ ...labelled(1), label: null }] });
    expect(client.refusals()).toEqual(['MALFORMED', 'MALFORMED', 'MALFORMED']);
    expect(client.closed).toBeUndefined();
  });

  it('IN8: keeps blocks for 120 s when it names no time', () => {
    const client = server.connect(owner);
    client.putParts([1], { ttlSeconds: 0 });
    net.pass(119_000);
    client.get([1]);
    net.pass(2_000);
    client.get([1]);
    expect(client.parts()).toEqual([1]);
    expect(client.refusals()).toEqual(['NO_OBJECT']);
  });

  it('IN9: with keep and not deliver files blocks without sending them', () => {
    const client = server.connect(owner);
    client.putParts([1, 2]);
    const reader = server.connect(keysOf(2));
    const token = reader.token(server.token(owner));
    const request = reader.batch({
      keep: true,
      deliver: false,
      collection: collectionOf(1),
      gets: [labelled(1, token), labelled(7, token), labelled(2, token)],
    });
    expect(reader.blocks).toEqual([]);
    expect(reader.of('stored').flatMap(({ items }) => items)).toEqual([0, 2]);
    expect(reader.of('refused')).toMatchObject([{ request, item: 1, reason: 'NOT_YET' }]);
    reader.get([1, 2]);
    expect(reader.parts()).toEqual([1, 2]);
    expect(server.bodies.size).toBe(2);
  });

  it('IN9: says so when there is no room for what is only to be filed', () => {
    server = net.server(2, { limits: { quotaBytes: 1_500 } });
    server.connect(owner).putParts([1]);
    const other = server.connect(keysOf(3));
    other.put([blockOf(2)]);
    const reader = server.connect(keysOf(2));
    const gets = [labelled(1, reader.token(server.token(owner))), labelled(2, reader.token(server.token(keysOf(3))))];
    reader.batch({ keep: true, deliver: false, collection: collectionOf(1), gets });
    expect(reader.of('stored')).toMatchObject([{ items: [0] }]);
    expect(reader.of('refused')).toMatchObject([{ item: 1, reason: 'QUOTA_STORAGE', retryAfterMs: 500 }]);
    reader.batch({ keep: false, deliver: false, collection: collectionOf(1), gets });
    expect(reader.refusals().slice(1)).toEqual(['MALFORMED', 'MALFORMED']);
  });
});
