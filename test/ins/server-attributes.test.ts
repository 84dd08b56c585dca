import { beforeEach, describe, expect, it } from 'vitest';
import { OPERATION } from '../../protocol/token.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf, putOf } from './helpers.ts';

const owner = keysOf(1);
const { name } = blockOf(1).item;

describe('the attributes of a block', () => {
  let net: CoreNet;
  let server: CoreServer;
  let source: CoreClient;

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1);
    source = server.connect(owner);
    const { item, body } = blockOf(1);
    const puts = [{ ...putOf(item), mediaType: 'video/mp4' }];
    const request = source.batch({ collection: collectionOf(1), ttlSeconds: 100, puts });
    source.sendBlock(request, 0, body);
  });

  const ask = (client: CoreClient, token = 0, set: { ttlSeconds: number; mediaType: string | null } | null = null) =>
    client.batch({ describes: [{ token, name, set }] });

  it('IN17: are size, media type, time left and how often it was read', () => {
    const reader = server.connect(keysOf(2));
    const token = reader.token(server.token(owner));
    reader.get([1], { token });
    reader.get([1], { token });
    net.pass(30_000);
    const request = ask(source);
    const told = { type: 'attributes', request, item: 0, sizeBytes: 1_000, mediaType: 'video/mp4', lifeSeconds: 70 };
    expect(source.of('attributes')).toEqual([{ ...told, reads: 2 }]);
    ask(reader, token);
    expect(reader.of('attributes')).toMatchObject([{ mediaType: 'video/mp4', lifeSeconds: 70, reads: null }]);
    ask(reader, reader.token(server.token(owner, { operations: OPERATION.status })));
    expect(reader.of('attributes').at(-1)).toMatchObject({ reads: 2 });
  });

  it('IN17: are told to nobody without a token for the block', () => {
    const stranger = server.connect(keysOf(2));
    ask(stranger);
    ask(stranger, 9);
    ask(stranger, stranger.token(server.token(owner, { from: 2 })));
    ask(stranger, stranger.token(server.token(owner, { operations: OPERATION.put })));
    expect(stranger.of('attributes')).toEqual([]);
    expect(stranger.refusals()).toEqual(['NO_OBJECT', 'TOKEN_REQUIRED', 'TOKEN_SCOPE', 'TOKEN_SCOPE']);
  });

  it('IN17: are set by the owner, and by whom a token lets put', () => {
    ask(source, 0, { ttlSeconds: 0, mediaType: 'audio/mp4' });
    expect(source.of('attributes')).toMatchObject([{ mediaType: 'audio/mp4', lifeSeconds: 100 }]);
    const writer = server.connect(keysOf(2));
    ask(writer, writer.token(server.token(owner, { operations: OPERATION.put })), { ttlSeconds: 10, mediaType: null });
    expect(writer.of('attributes')).toMatchObject([{ mediaType: 'audio/mp4', lifeSeconds: 10, reads: null }]);
    ask(writer, writer.token(server.token(owner)), { ttlSeconds: 500, mediaType: null });
    expect(writer.refusals()).toEqual(['TOKEN_SCOPE']);
    net.pass(9_000);
    source.get([1]);
    expect(source.parts()).toEqual([1]);
    net.pass(2_000);
    expect(server.bodies.size).toBe(0);
  });

  it('IN17: can make it live longer', () => {
    ask(source, 0, { ttlSeconds: 500, mediaType: null });
    net.pass(400_000);
    source.get([1]);
    expect(source.parts()).toEqual([1]);
  });

  it('IN17: of what was kept are those of the original, and not for the keeper to change', () => {
    const keeper = server.connect(keysOf(2));
    keeper.get([1], { token: keeper.token(server.token(owner)), keep: true });
    ask(keeper);
    expect(keeper.of('attributes')).toMatchObject([{ mediaType: 'video/mp4', lifeSeconds: 100 }]);
    ask(keeper, 0, { ttlSeconds: 500, mediaType: null });
    expect(keeper.refusals()).toEqual(['POLICY_DENIED']);
  });

  it('IN10: are summed up in the status, since when it says', () => {
    const sinceMs = net.nowMs;
    const [first, second] = [2, 3].map((number) => server.connect(keysOf(number)));
    for (const reader of [first, second, first]) reader?.get([1], { token: reader.token(server.token(owner)) });
    net.pass(5_000);
    source.batch({ statuses: [{ token: 0 }] });
    expect(source.of('usage')).toMatchObject([{ reads: 3, readBytes: 3_000, readers: 2, sinceMs }]);
  });

  it('IN17: that a store keeps are changed there first, and outlive the server', () => {
    const durable = net.server(3, { durable: true });
    const client = durable.connect(owner);
    const { item, body } = blockOf(1);
    const answer = () => {
      const filed = durable.outputs.filter((output) => output.kind === 'file').at(-1)!;
      if (filed.kind === 'file') durable.input({ kind: 'filed', ref: filed.ref, ok: true });
      return filed;
    };
    const puts = [{ ...putOf(item), mediaType: 'video/mp4' }];
    client.sendBlock(client.batch({ collection: collectionOf(1), ttlSeconds: 100, puts }), 0, body);
    expect(answer()).toMatchObject({ entry: { mediaType: 'video/mp4' } });
    ask(client, 0, { ttlSeconds: 200, mediaType: 'audio/mp4' });
    expect(client.of('attributes')).toEqual([]);
    const filed = answer();
    expect(client.of('attributes')).toMatchObject([{ mediaType: 'audio/mp4', lifeSeconds: 200 }]);
    const again = net.server(4, { durable: true });
    if (filed.kind === 'file') again.input({ kind: 'restored', entries: [filed.entry] });
    const after = again.connect(owner);
    ask(after);
    expect(after.of('attributes')).toMatchObject([{ mediaType: 'audio/mp4', lifeSeconds: 200 }]);
  });
});
