import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Prng } from '../../machine/prng.ts';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { nameOfHash } from '../../protocol/names.ts';
import { InsFeeds } from '../../source-server/core/ins-feeds.ts';
import type { SourceOutput } from '../../source-server/core/io.ts';
import { LinkNumbers } from '../../swarm/io.ts';

const KEY = new Uint8Array(32);

/** The feed of one server that is up. @param givenAtMs - When a neighbour took a block from the source last. */
function feed(givenAtMs = Number.NEGATIVE_INFINITY) {
  const outputs = new Queue<SourceOutput>();
  const servers = [{ url: 'ws://ins:1', region: '' }];
  let ref = 0;
  const signRef = (_: number, own: number): number => {
    ref = own;
    return own;
  };
  const msFor = (sizeBytes: number) => sizeBytes * 100;
  const neighbours = { take: () => givenAtMs > 0, givenAtMs: () => givenAtMs, msFor };
  const feeds = new InsFeeds(servers, KEY, undefined, new LinkNumbers(), new Prng('1'), outputs, signRef, neighbours);
  /** Parts put, and the numbers of the requests they were put with. */
  const parts: number[] = [];
  const requests = new Map<number, number>();
  /** Seconds for which the server is to keep each. */
  const ttls = new Map<number, number>();
  const sent = (): number[] => {
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
      if (output.kind !== 'send-ins' || output.message.type !== 'batch') continue;
      const { request, puts, ttlSeconds } = output.message;
      for (const { part } of puts) {
        parts.push(part);
        ttls.set(part, ttlSeconds);
        requests.set(part, request);
      }
    }
    return parts.splice(0);
  };
  const put = (part: number, nowMs: number): void => {
    const name = nameOfHash(KEY);
    const block = { track: 0, part, index: 0, start: true, name, sizeBytes: 1, companion: new Uint8Array(0) };
    feeds.put(part, KEY, () => 60, [block], [new Uint8Array(1)], nowMs);
  };
  feeds.start(0);
  const dialled = outputs.shift();
  const link = dialled?.kind === 'dial' ? dialled.link : 0;
  const told = (message: object, nowMs: number): void => {
    feeds.link(link, { kind: 'message', message: message as never }, nowMs);
  };
  feeds.link(link, { kind: 'opened' }, 0);
  const welcome = { type: 'welcome', server: KEY, nonce: KEY, clockMs: 0, blockBytesMax: 1_000_000 };
  told({ ...welcome, version: PROTOCOL_VERSION }, 0);
  feeds.signed(0, ref, new Uint8Array(64), 0);
  const acknowledge = (part: number, nowMs: number) =>
    told({ type: 'stored', request: requests.get(part), items: [0] }, nowMs);
  return { feeds, put, sent, told, acknowledge, ttls };
}

describe('what a source puts on an INS server', () => {
  it('waits for nothing that the server has refused: what is put after a long pause is sent', () => {
    const { feeds, put, sent, told } = feed();
    put(1, 0);
    expect(sent()).toEqual([1]);
    const refused = { type: 'refused', request: 1, item: null, reason: 'OVERLOAD' };
    told({ ...refused, retryAfterMs: 0, otherServer: null, text: '' }, 50);
    expect(feeds.lateAtMs()).toBe(Number.POSITIVE_INFINITY);
    put(2, 5_000);
    expect(sent()).toEqual([2]);
  });

  it('is kept while the server is late, and goes there in order when it goes on', () => {
    const { put, sent, acknowledge } = feed();
    put(1, 0);
    sent();
    for (const part of [2, 3, 4]) put(part, 1_500 + part);
    expect(sent()).toEqual([]);
    acknowledge(1, 2_000);
    expect(sent()).toEqual([2, 3, 4]);
  });

  it('is kept half a second later where nobody else takes blocks from the source', () => {
    const { put, sent } = feed();
    put(1, 0);
    put(2, 1_400);
    expect(sent()).toEqual([1, 2]);
    put(3, 1_500);
    expect(sent()).toEqual([]);
    const hybrid = feed(1);
    hybrid.put(1, 0);
    hybrid.put(2, 1_000);
    expect(hybrid.sent()).toEqual([1]);
  });

  it('goes there behind what is new, the newest first, where neighbours have taken blocks meanwhile', () => {
    const { put, sent, acknowledge } = feed(1_500);
    put(1, 0);
    sent();
    for (const part of [2, 3, 4]) put(part, 1_000 + part);
    acknowledge(1, 2_000);
    expect(sent()).toEqual([4]);
    put(5, 2_010);
    expect(sent()).toEqual([5]);
    acknowledge(4, 2_020);
    expect(sent()).toEqual([]);
    acknowledge(5, 2_030);
    expect(sent()).toEqual([3]);
  });

  it('runs out as if it had been put in time, also where that was late: a small locker has no room for more', () => {
    for (const givenAtMs of [Number.NEGATIVE_INFINITY, 2_000]) {
      const { put, sent, acknowledge, ttls } = feed(givenAtMs);
      put(1, 0);
      sent();
      put(2, 2_000);
      acknowledge(1, 12_000);
      expect(sent()).toEqual([2]);
      expect([ttls.get(1), ttls.get(2)]).toEqual([60, 50]);
    }
  });

  it('has left when the uplink has carried it, however far away the server is, and when the server has it', () => {
    const { feeds, put, sent, acknowledge } = feed();
    expect(feeds.leftAtMs(0)).toBe(Number.NEGATIVE_INFINITY);
    put(1, 0);
    put(2, 10);
    sent();
    expect(feeds.leftAtMs(10)).toBe(200);
    acknowledge(1, 120);
    acknowledge(2, 130);
    expect(feeds.leftAtMs(130)).toBe(130);
    put(3, 300);
    expect(feeds.leftAtMs(399)).toBe(400);
    put(4, 600);
    expect(feeds.leftAtMs(600)).toBe(700);
  });

  it('is no backlog for longer than what the server owes takes', () => {
    const { feeds, put, acknowledge, sent } = feed();
    for (const part of [1, 2, 3]) put(part, 0);
    sent();
    acknowledge(1, 10);
    acknowledge(2, 10);
    expect(feeds.leftAtMs(10)).toBe(110);
    put(4, 10);
    expect(feeds.leftAtMs(10)).toBe(210);
  });
});
