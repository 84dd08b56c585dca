import { beforeEach, describe, expect, it } from 'vitest';
import { FROM_NEWEST_START } from '../../protocol/ins-messages.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, keysOf } from './helpers.ts';

const owner = keysOf(1);
const others = ['ws://a', 'ws://b'];

describe('a server with room for so many', () => {
  let net: CoreNet;

  beforeEach(() => {
    net = new CoreNet();
  });

  it('IN21: tells connections beyond them that it is busy, when to come back and where else to go', () => {
    const server = net.server(1, { limits: { linksMax: 2 }, core: { otherServers: others } });
    const inside = [2, 3].map((number) => server.connect(keysOf(number)));
    const outside = [4, 5, 6].map((number) => new CoreClient(server, keysOf(number)));
    expect(outside.map(({ messages }) => messages.map(({ type }) => type))).toEqual(
      outside.map(() => ['welcome', 'notice']),
    );
    expect(outside.map((client) => client.of('notice')[0])).toMatchObject(
      ['ws://a', 'ws://b', 'ws://a'].map((otherServer) => ({ kind: 'busy', otherServer })),
    );
    for (const client of outside) {
      expect(client.of('notice')[0]!.retryAfterMs).toBeGreaterThan(0);
      expect(client.closed?.code).toBe(CLOSE.tryLater);
    }
    expect(inside.map(({ closed }) => closed)).toEqual([undefined, undefined]);
    expect(server.core.stats()).toMatchObject({ links: 2, sentAway: 3 });

    inside[0]!.leave();
    const later = server.connect(keysOf(4));
    expect(later.of('accepted')).toHaveLength(1);
    expect(new CoreClient(server, keysOf(5)).closed?.code).toBe(CLOSE.tryLater);
  });

  it('IN21: counts no HTTP requests among the connections', () => {
    const server = net.server(1, { limits: { linksMax: 1 } });
    server.connect(owner).putParts([1]);
    const { name } = blockOf(1).item;
    for (let link = 500; link < 503; link++) {
      const call = { kind: 'get', name, bodyless: false } as const;
      server.input({ kind: 'asked', link, address: '', token: server.token(owner), call });
      server.input({ kind: 'link-closed', link });
    }
    expect(server.core.stats()).toMatchObject({ links: 1, guests: 0 });
    expect(new CoreClient(server, keysOf(2)).closed?.code).toBe(CLOSE.tryLater);
  });

  it('IN21: tells accounts beyond those it can know the same, and lets in whom it knows', () => {
    const server = net.server(1, { limits: { accountsMax: 2 }, core: { otherServers: others } });
    server.connect(keysOf(2));
    server.connect(keysOf(3)).leave();
    const outside = server.connect(keysOf(4));
    expect(outside.of('notice')).toMatchObject([{ kind: 'busy', otherServer: 'ws://a' }]);
    expect(outside.of('accepted')).toEqual([]);
    expect(outside.closed?.code).toBe(CLOSE.tryLater);
    expect(server.connect(keysOf(3)).of('accepted')).toHaveLength(1);
  });
});

/** Four viewers of this want 400,000 bytes a second. */
const BLOCK_BYTES = 10_000;
const EVERY_MS = 100;

describe('a server of which more is wanted live than it may send', () => {
  let net: CoreNet;
  let server: CoreServer;
  let source: CoreClient;
  let part: number;

  const begin = (bandwidthBps: number, closesWhenOverloaded = true): void => {
    net = new CoreNet();
    server = net.server(1, { limits: { bandwidthBps, closesWhenOverloaded }, core: { otherServers: others } });
    source = server.connect(owner);
    part = 0;
  };
  /** The stream goes on for so long. */
  const play = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += EVERY_MS) {
      const blocks = [blockOf(++part, BLOCK_BYTES), blockOf(part, 1_000, { track: 1 })];
      source.put(blocks, { ttlSeconds: 20 });
      net.pass(EVERY_MS);
    }
  };
  const watch = (client: CoreClient, tracks = [0]): CoreClient => {
    client.follow(FROM_NEWEST_START, { token: client.token(server.token(owner)), tracks });
    return client;
  };
  const viewer = (number: number): CoreClient => watch(server.connect(keysOf(number)));
  /** Blocks that each gets while the stream goes on, and `meanwhile` is done every second. */
  const pace = (viewers: readonly CoreClient[], seconds: number, meanwhile = (_second: number): void => {}) => {
    const before = viewers.map(({ blocks }) => blocks.length);
    for (let second = 0; second < seconds; second++) {
      meanwhile(second);
      play(1_000);
    }
    return viewers.map(({ blocks }, at) => blocks.length - before[at]!);
  };

  it('IN21: lets nobody new in, and those inside keep their pace', () => {
    begin(8 * 300_000);
    play(1_000);
    const inside = [2, 3, 4, 5].map(viewer);
    const guest = server.connect(keysOf(6));
    expect(server.core.stats().overloaded).toBe(false);
    pace(inside, 6);
    expect(server.core.stats().overloaded).toBe(true);
    const alone = pace(inside, 4);
    const outside: CoreClient[] = [];
    const beset = pace(inside, 4, (second) => {
      for (let number = 0; number < 5; number++) outside.push(server.connect(keysOf(20 + second * 5 + number)));
    });
    expect(outside.every((client) => client.of('notice')[0]?.kind === 'busy')).toBe(true);
    expect(outside.every(({ closed }) => closed?.code === CLOSE.tryLater)).toBe(true);
    for (const [at, blocks] of beset.entries()) expect(Math.abs(blocks - alone[at]!)).toBeLessThanOrEqual(1);
    expect(inside.map(({ closed }) => closed)).toEqual([undefined, undefined, undefined, undefined]);

    // Who is here may do all else, but no follow begins.
    watch(guest);
    expect(guest.of('refused')).toMatchObject([{ item: null, reason: 'OVERLOAD' }]);
    expect(others).toContain(guest.of('refused')[0]!.otherServer);
    expect(guest.of('refused')[0]!.retryAfterMs).toBeGreaterThan(0);
    guest.put([blockOf(1)]);
    expect(guest.of('stored')).toHaveLength(1);
  });

  it('IN21: lets a follow take the place of another, also on a new connection', () => {
    begin(8 * 300_000);
    const [first, second] = [2, 3, 4, 5].map(viewer) as [CoreClient, CoreClient];
    play(6_000);
    expect(server.core.stats().overloaded).toBe(true);
    watch(first);
    expect(first.refusals()).toEqual(['OVERLOAD']);
    first.send({ type: 'cancel', request: 1_001 });
    watch(first);
    expect(first.refusals()).toEqual(['OVERLOAD']);
    second.leave();
    const again = viewer(3);
    expect(again.refusals()).toEqual([]);
    expect(server.core.stats().follows).toBe(4);
  });

  it('IN21: lets newcomers in again when there is room', () => {
    begin(8 * 300_000);
    const inside = [2, 3, 4, 5].map(viewer);
    play(6_000);
    expect(server.connect(keysOf(6)).closed?.code).toBe(CLOSE.tryLater);
    for (const client of inside.slice(1)) client.leave();
    play(8_000);
    expect(server.core.stats().overloaded).toBe(false);
    const later = viewer(6);
    play(1_000);
    expect(later.blocks.length).toBeGreaterThan(5);
  });

  it('IN21: lets everybody in while its bandwidth is enough, or not bounded', () => {
    for (const bandwidthBps of [8 * 500_000, Number.POSITIVE_INFINITY]) {
      begin(bandwidthBps);
      [2, 3, 4, 5].map(viewer);
      play(8_000);
      expect(server.core.stats().overloaded).toBe(false);
      expect(server.connect(keysOf(6)).of('accepted')).toHaveLength(1);
    }
  });

  it('IN21: lets everybody in, however late all are, where its operator wants it so', () => {
    begin(8 * 300_000, false);
    [2, 3, 4, 5].map(viewer);
    play(8_000);
    expect(server.core.stats().overloaded).toBe(false);
    const late = viewer(6);
    play(1_000);
    expect(late.refusals()).toEqual([]);
    expect(late.closed).toBeUndefined();
    expect(late.blocks.length).toBeGreaterThan(0);
  });

  it('IN21: lets everybody in when it is the readers that are slow', () => {
    begin(8 * 1_000_000);
    const slow = viewer(2);
    slow.reads = false;
    for (let seconds = 0; seconds < 12; seconds++) {
      play(1_000);
      slow.drained(500_000);
      expect(server.core.stats().overloaded).toBe(false);
    }
    // It was behind: it had not got all that was there.
    expect(slow.blocks.length).toBeLessThan(100);
  });

  it('IN21: lets everybody in while somebody catches up with what was there before', () => {
    begin(8 * 300_000);
    play(15_000);
    const late = server.connect(keysOf(2));
    late.follow(0, { token: late.token(server.token(owner)), tracks: [0] });
    play(300);
    [3, 4].map(viewer);
    for (let seconds = 0; seconds < 6; seconds++) {
      play(1_000);
      expect(server.core.stats().overloaded).toBe(false);
    }
  });

  it('IN21: lets everybody in when it is one alone who wants more than his share', () => {
    begin(8 * 300_000);
    const greedy = server.connect(keysOf(2));
    for (let follows = 0; follows < 4; follows++) watch(greedy);
    for (const number of [3, 4, 5, 6]) watch(server.connect(keysOf(number)), [1]);
    for (let seconds = 0; seconds < 8; seconds++) {
      play(1_000);
      expect(server.core.stats().overloaded).toBe(false);
    }
  });
});
