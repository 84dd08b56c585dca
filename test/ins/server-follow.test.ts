import { beforeEach, describe, expect, it } from 'vitest';
import { FROM_NEWEST_START, SERVER_APPLICATION } from '../../protocol/ins-messages.ts';
import { OPERATION, type Token } from '../../protocol/token.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, keysOf } from './helpers.ts';

const owner = keysOf(1);

describe('a follow', () => {
  let net: CoreNet;
  let server: CoreServer;
  let source: CoreClient;
  let viewer: CoreClient;
  let alias: number;

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1);
    source = server.connect(owner);
    viewer = server.connect(keysOf(2));
    alias = viewer.token(server.token(owner));
  });

  const places = (client: CoreClient): string[] =>
    client.blocks.map(({ header: { labelled } }) => `${labelled?.part}/${labelled?.track}/${labelled?.index}`);

  it('IN7: begins at the newest part that a reader may start at, and brings what is put later', () => {
    source.putParts([2, 3, 4, 5, 6]);
    viewer.follow(FROM_NEWEST_START, { token: alias });
    expect(viewer.parts()).toEqual([4, 5, 6]);
    source.putParts([7, 8]);
    expect(viewer.parts()).toEqual([4, 5, 6, 7, 8]);
    expect(viewer.blocks.map(({ header }) => header.item)).toEqual([0, 1, 2, 3, 4]);
    expect(viewer.blocks[4]).toMatchObject({
      header: { labelled: { start: true, companion: blockOf(8).item.companion } },
      body: blockOf(8).body,
    });
  });

  it('IN7: brings a range in the order part, track, index, whatever order it was put in', () => {
    const all = [
      blockOf(2, 100, { track: 1 }),
      blockOf(1, 100, { track: 1, index: 1 }),
      blockOf(1, 100, { track: 0, index: 1 }),
      blockOf(2, 100, { track: 0 }),
      blockOf(1, 100, { track: 1 }),
      blockOf(1, 100, { track: 0 }),
      blockOf(0, 100),
    ];
    source.put(all);
    viewer.follow(1, { token: alias });
    expect(places(viewer)).toEqual(['1/0/0', '1/0/1', '1/1/0', '1/1/1', '2/0/0', '2/1/0']);
  });

  it('IN4: may begin 128 times at once and 4 times a second on a connection, since each looks through a collection', () => {
    source.putParts([1, 2, 3]);
    const begin = (): string[] => {
      // Of a track that is not there: all that is there is looked at.
      const request = viewer.follow(FROM_NEWEST_START, { token: alias, tracks: [7] });
      const refused = viewer.of('refused').filter((message) => message.request === request);
      viewer.send({ type: 'cancel', request });
      return refused.map(({ reason, retryAfterMs }) => `${reason} ${retryAfterMs}`);
    };
    for (let time = 0; time < 128; time++) expect(begin()).toEqual([]);
    expect(begin()).toEqual(['OVERLOAD 500']);
    // What was refused does not count, and the time to wait is enough.
    net.pass(500);
    expect([begin(), begin(), begin()]).toEqual([[], [], ['OVERLOAD 500']]);
    // Another connection has its own, also one of the same account.
    viewer = server.connect(keysOf(2));
    alias = viewer.token(server.token(owner));
    expect(begin()).toEqual([]);
  });

  it('IN13: may begin more often on a connection of another server, which has many viewers', () => {
    const begun = (knowsServers: boolean): number => {
      const one = net.server(3, { knowsServers });
      const other = one.connect(keysOf(3), SERVER_APPLICATION);
      const token = other.token(one.token(owner));
      for (let time = 0; time < 2_100; time++) {
        other.send({ type: 'cancel', request: other.follow(0, { token }) });
      }
      return 2_100 - other.refusals().length;
    };
    expect([begun(false), begun(true)]).toEqual([512, 2_048]);
  });

  it('IN7: waits for what is not there yet', () => {
    viewer.follow(FROM_NEWEST_START, { token: alias });
    source.putParts([5, 6]);
    expect(viewer.parts()).toEqual([5, 6]);
  });

  it('IN7: brings the tracks it asks for', () => {
    viewer.follow(0, { token: alias, tracks: [1] });
    source.put([blockOf(1), blockOf(1, 100, { track: 1 })]);
    expect(places(viewer)).toEqual(['1/1/0']);
  });

  it('TO3: is refused for what its token does not cover, and brings nothing beyond it', () => {
    const narrow = viewer.token(server.token(owner, { tracks: [0], from: 2, to: 3 }));
    viewer.follow(0, { token: narrow, tracks: [1] });
    viewer.follow(0, { token: narrow, collection: keysOf(3).publicKey });
    expect(viewer.refusals()).toEqual(['TOKEN_SCOPE', 'TOKEN_SCOPE']);
    viewer.follow(0, { token: narrow });
    source.putParts([1, 2, 3, 4]);
    source.put([blockOf(2, 100, { track: 1 })]);
    expect(places(viewer)).toEqual(['2/0/0', '3/0/0']);
  });

  it('IN7: ends with its token', () => {
    viewer.follow(0, { token: alias });
    net.pass(91_000);
    expect(viewer.refusals()).toEqual(['TOKEN_EXPIRED']);
    source.putParts([1]);
    expect(viewer.blocks).toEqual([]);
    expect(server.core.stats().follows).toBe(0);
  });

  it('that has ended sends nothing that was still queued', () => {
    server = net.server(2, { limits: { sendWindowBytes: 1_500 } });
    source = server.connect(owner);
    viewer = server.connect(keysOf(2));
    viewer.reads = false;
    viewer.follow(0, { token: viewer.token(server.token(owner, { expires: net.nowMs / 1000 + 4 })) });
    source.putParts([1, 2, 3, 4]);
    net.pass(4_500);
    viewer.drained();
    expect(viewer.refusals()).toEqual(['TOKEN_EXPIRED']);
    expect(viewer.parts()).toEqual([1, 2]);
  });

  it('IN11: goes on under the owner’s new token, and so does its alias', () => {
    const request = viewer.follow(0, { token: alias });
    net.pass(60_000);
    const renewed = server.token(owner);
    source.send({ type: 'range-token', token: renewed });
    expect(viewer.of('renewed')).toEqual([{ type: 'renewed', request, token: renewed }]);
    net.pass(60_000);
    source.putParts([1, 2]);
    viewer.get([1], { token: alias });
    expect(viewer.parts()).toEqual([1, 2, 1]);
    expect(viewer.refusals()).toEqual([]);
  });

  it('IN11: is handed no token that is forged, older, somebody else’s or for another holder', () => {
    viewer.follow(0, { token: alias });
    net.pass(10_000);
    const forged = server.token(owner);
    forged[forged.length - 1]! ^= 1;
    for (const token of [
      forged,
      server.token(owner, { expires: net.nowMs / 1000 + 5 }),
      server.token(keysOf(2)),
      server.token(owner, { holder: keysOf(7).publicKey }),
    ]) {
      source.send({ type: 'range-token', token });
    }
    expect(viewer.of('renewed')).toEqual([]);
  });

  it('IN11: is handed no token that allows more than its own', () => {
    const narrow: Partial<Token>[] = [
      { amountBytes: 1_500 },
      { rateBps: 8_000 },
      { tracks: [0] },
      { to: 2 },
      { holder: keysOf(2).publicKey },
    ];
    for (const [at, claims] of narrow.entries()) {
      const id = new Uint8Array(16).fill(at);
      viewer.follow(0, { token: viewer.token(server.token(owner, { id, ...claims })) });
    }
    net.pass(10_000);
    source.send({ type: 'range-token', token: server.token(owner) });
    expect(viewer.of('renewed')).toEqual([]);
  });

  it('IN3: goes on under a token that takes its alias, and ends when that is another locker’s', () => {
    viewer.follow(0, { token: alias });
    net.pass(60_000);
    viewer.send({ type: 'token', alias, token: server.token(owner) });
    net.pass(60_000);
    source.putParts([1]);
    expect(viewer.parts()).toEqual([1]);
    viewer.send({ type: 'token', alias, token: server.token(keysOf(5)) });
    expect(viewer.refusals()).toEqual(['TOKEN_SCOPE']);
  });

  it('IN3: does not go on under a token of the locker that is not for reading, or for another server', () => {
    const elsewhere = net.server(3);
    for (const token of [server.token(owner, { operations: OPERATION.put }), elsewhere.token(owner)]) {
      const reader = server.connect(keysOf(4));
      const number = reader.token(server.token(owner, { to: 1 }));
      reader.follow(0, { token: number });
      reader.send({ type: 'token', alias: number, token });
      expect(reader.refusals()).toEqual(['TOKEN_SCOPE']);
      source.putParts([2]);
      expect(reader.parts()).toEqual([]);
    }
  });

  it('IN9: files what it brings, and those who follow the keeper get it from there', () => {
    viewer.follow(0, { token: alias, keep: true });
    const third = server.connect(keysOf(3));
    third.follow(0, { token: third.token(server.token(keysOf(2))), keep: true });
    const fourth = server.connect(keysOf(4));
    fourth.follow(0, { token: fourth.token(server.token(keysOf(3))) });
    source.putParts([1, 2]);
    expect(viewer.blocks.map(({ header }) => header.kept)).toEqual([true, true]);
    expect(third.parts()).toEqual([1, 2]);
    expect(fourth.parts()).toEqual([1, 2]);
    // What was kept before is found, too.
    const fifth = server.connect(keysOf(5));
    fifth.follow(2, { token: fifth.token(server.token(keysOf(3))) });
    expect(fifth.parts()).toEqual([2]);
  });

  it('that cannot keep up holds a place, not a queue, and misses what has ended meanwhile', () => {
    server = net.server(2, { limits: { sendWindowBytes: 1_500 } });
    source = server.connect(owner);
    viewer = server.connect(keysOf(2));
    viewer.follow(0, { token: viewer.token(server.token(owner, { expires: net.nowMs / 1000 + 500 })) });
    viewer.reads = false;
    const parts = Array.from({ length: 100 }, (_, at) => at);
    for (const part of parts) source.putParts([part], { ttlSeconds: part < 60 ? 4 : 60 });
    expect(viewer.parts()).toEqual([0, 1]);
    net.pass(4_500);
    viewer.drained();
    source.putParts([100]);
    viewer.reads = true;
    viewer.drained();
    expect(viewer.parts()).toEqual([0, 1, ...parts.slice(60), 100]);
  });

  it('IN14: stops when it is cancelled, and with its connection', () => {
    const request = viewer.follow(0, { token: alias });
    viewer.send({ type: 'cancel', request });
    source.putParts([1]);
    viewer.follow(0, { token: alias });
    viewer.leave();
    source.putParts([2]);
    expect(viewer.parts()).toEqual([1]);
    expect(server.core.stats().follows).toBe(0);
  });

  it('IN9: of many viewers is one shelf: their lockers are not a copy of it', () => {
    const viewers = Array.from({ length: 30 }, (_, at) => server.connect(keysOf(20 + at)));
    for (const each of viewers) each.follow(0, { token: each.token(server.token(owner)), keep: true });
    source.putParts([1, 2, 3]);
    for (const each of viewers) expect(each.parts()).toEqual([1, 2, 3]);
    const { blocks, memoryBytes, keptBlocks } = server.core.stats();
    expect({ blocks, keptBlocks }).toEqual({ blocks: 3, keptBlocks: 90 });
    expect(memoryBytes).toBeLessThan(3 * 1_600);
  });
});
