import { beforeEach, describe, expect, it } from 'vitest';
import { CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf } from './helpers.ts';

const owner = keysOf(1);

describe('a get that waits for its label', () => {
  let net: CoreNet;
  let server: CoreServer;

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1);
  });

  it('IN6: is answered when the block is put, for all who wait, and only to those whose token covers it', () => {
    const source = server.connect(owner);
    const readers = [10, 11].map((number) => server.connect(keysOf(number)));
    for (const reader of readers)
      reader.get([5], { token: reader.token(server.token(owner)), wait: true, priority: 'normal' as const });
    const other = server.connect(keysOf(12));
    other.get([5], { token: other.token(server.token(owner, { from: 6 })), wait: true, priority: 'normal' as const });
    expect(other.refusals()).toEqual(['TOKEN_SCOPE']);
    source.putParts([4]);
    expect(server.core.stats().waits).toBe(2);
    source.putParts([5]);
    for (const reader of readers) {
      expect(reader.parts()).toEqual([5]);
      expect(reader.of('done')).toHaveLength(1);
    }
    expect(server.core.stats().waits).toBe(0);
  });

  it('IN6: is answered at its deadline, or after 30 s, when nothing comes', () => {
    server.connect(owner).putParts([3]);
    const reader = server.connect(keysOf(2));
    const token = reader.token(server.token(owner));
    reader.get([5], { token, wait: true, deadlineMs: 700 });
    reader.get([6], { token, wait: true, priority: 'normal' as const });
    reader.get([2], { token, wait: true, priority: 'normal' as const });
    expect(reader.refusals()).toEqual(['GONE']);
    net.pass(699);
    expect(reader.refusals()).toEqual(['GONE']);
    net.pass(1);
    expect(reader.refusals()).toEqual(['GONE', 'DEADLINE']);
    net.pass(29_300);
    expect(reader.of('refused').at(-1)).toMatchObject({ reason: 'NOT_YET', retryAfterMs: 500 });
    expect(server.core.stats().waits).toBe(0);
  });

  it('IN6: is not answered any more when it is cancelled or its client is gone', () => {
    const source = server.connect(owner);
    const [first, second] = [10, 11].map((number) => server.connect(keysOf(number)));
    const request = first?.get([5], {
      token: first.token(server.token(owner)),
      wait: true,
      priority: 'normal' as const,
    });
    second?.get([5], { token: second.token(server.token(owner)), wait: true, priority: 'normal' as const });
    first?.send({ type: 'cancel', request: request! });
    second?.leave();
    expect(server.core.stats().waits).toBe(0);
    source.putParts([5]);
    expect(first?.blocks).toEqual([]);
    expect(server.core.stats().sentBlocks).toBe(0);
  });

  it('IN6: ends with its token', () => {
    const source = server.connect(owner);
    const reader = server.connect(keysOf(2));
    reader.get([5], {
      token: reader.token(server.token(owner, { expires: net.nowMs / 1000 + 5 })),
      wait: true,
      priority: 'normal' as const,
    });
    net.pass(6_000);
    source.putParts([5]);
    expect(reader.blocks).toEqual([]);
    expect(reader.refusals()).toEqual(['TOKEN_EXPIRED']);
  });

  it('IN6: hears of what is kept in a viewer’s locker', () => {
    server.connect(owner).putParts([5]);
    const viewer = server.connect(keysOf(2));
    const neighbour = server.connect(keysOf(3));
    neighbour.get([5], { token: neighbour.token(server.token(keysOf(2))), wait: true, priority: 'normal' as const });
    viewer.get([5], { token: viewer.token(server.token(owner)), keep: true });
    expect(neighbour.parts()).toEqual([5]);
  });

  it('IN4: takes its place among the 1,024 blocks that may wait on a connection', () => {
    const reader = server.connect(keysOf(2));
    for (let batch = 0; batch < 17; batch++) {
      const parts = Array.from({ length: 64 }, (_, at) => batch * 64 + at);
      reader.get(parts, { wait: true, priority: 'normal' as const });
    }
    expect(server.core.stats().waits).toBe(1_024);
    expect(new Set(reader.refusals())).toEqual(new Set(['OVERLOAD']));
    expect(reader.refusals()).toHaveLength(64);
    reader.put([blockOf(7)]);
    expect(reader.parts()).toEqual([7]);
    reader.leave();
    expect(server.core.stats().waits).toBe(0);
  });

  describe('on another server', () => {
    let near: CoreServer;

    beforeEach(() => {
      near = net.server(2);
    });

    it('IN12: is asked there once for all who wait, and answered when it is put there', () => {
      const source = server.connect(owner);
      const readers = [10, 11].map((number) => near.connect(keysOf(number)));
      for (const reader of readers)
        reader.get([5], { token: reader.token(server.token(owner)), wait: true, priority: 'normal' as const });
      expect(server.core.stats().waits).toBe(1);
      net.pass(2_000);
      source.putParts([5]);
      for (const reader of readers) expect(reader.parts()).toEqual([5]);
      expect(server.core.stats()).toMatchObject({ waits: 0, sentBlocks: 1 });
      expect(near.core.stats()).toMatchObject({ waits: 0, remoteBlocks: 1 });
    });

    it('IN12: is asked there again for who waits longer than the first', () => {
      const source = server.connect(owner);
      const [first, second] = [10, 11].map((number) => near.connect(keysOf(number)));
      first?.get([5], { token: first.token(server.token(owner)), wait: true, deadlineMs: 2_000 });
      net.pass(500);
      second?.get([5], { token: second.token(server.token(owner)), wait: true, deadlineMs: 10_000 });
      net.pass(3_000);
      expect(first?.refusals()).toEqual(['DEADLINE']);
      source.putParts([5]);
      expect(second?.parts()).toEqual([5]);
      expect(near.core.stats().waits).toBe(0);
    });

    it('IN12: hears in time that the other server is gone or says no', () => {
      server.connect(owner).putParts([3]);
      const reader = near.connect(keysOf(2));
      const token = reader.token(server.token(owner));
      reader.get([1], { token, wait: true, priority: 'normal' as const });
      expect(reader.refusals()).toEqual(['GONE']);
      reader.get([5], { token, wait: true, priority: 'normal' as const });
      server.dead = true;
      server.input({ kind: 'stop' });
      expect(reader.refusals()).toEqual(['GONE', 'REMOTE_FAIL']);
      expect(near.core.stats().waits).toBe(0);
    });

    it('IN12: is served by a follow that brings it', () => {
      const source = server.connect(owner);
      const viewer = near.connect(keysOf(10));
      viewer.follow(0, { token: viewer.token(server.token(owner)) });
      const reader = near.connect(keysOf(2));
      reader.get([5], { token: reader.token(server.token(owner)), wait: true, priority: 'normal' as const });
      source.putParts([5]);
      expect(reader.parts()).toEqual([5]);
      expect(viewer.parts()).toEqual([5]);
    });
  });

  it('IN9: with keep and not deliver says when it has been put and filed', () => {
    const source = server.connect(owner);
    const reader = server.connect(keysOf(2));
    const token = reader.token(server.token(owner));
    const label = { track: 0, part: 5, index: 0 };
    const get = { token, deadlineMs: 0, name: null, label, wait: true, priority: 'normal' as const };
    const request = reader.batch({ keep: true, deliver: false, collection: collectionOf(1), gets: [get] });
    expect(reader.of('stored')).toEqual([]);
    source.putParts([5]);
    expect(reader.of('stored')).toEqual([{ type: 'stored', request, items: [0] }]);
    expect(reader.blocks).toEqual([]);
    reader.get([5]);
    expect(reader.parts()).toEqual([5]);
  });
});
