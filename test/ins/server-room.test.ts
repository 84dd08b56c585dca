import { beforeEach, describe, expect, it } from 'vitest';
import { FROM_NEWEST_START } from '../../protocol/ins-messages.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, keysOf } from './helpers.ts';

const owner = keysOf(1);
/** Each viewer of this wants 100,000 bytes a second. */
const BLOCK_BYTES = 10_000;
const EVERY_MS = 100;

describe('IN22: follows of low priority, on a server with room for four', () => {
  let net: CoreNet;
  let server: CoreServer;
  let source: CoreClient;
  let part: number;

  const begin = (bandwidthBps: number): void => {
    net = new CoreNet();
    server = net.server(1, { limits: { bandwidthBps } });
    source = server.connect(owner);
    part = 0;
  };
  const play = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += EVERY_MS) {
      source.put([blockOf(++part, BLOCK_BYTES)], { ttlSeconds: 20 });
      net.pass(EVERY_MS);
    }
  };
  const viewer = (number: number, priority: 'low' | 'normal'): CoreClient => {
    const client = server.connect(keysOf(number));
    client.follow(FROM_NEWEST_START, { token: client.token(server.token(owner)), priority });
    return client;
  };

  beforeEach(() => {
    begin(8 * 450_000);
    // The first one shows what a follow wants.
    play(1_000);
  });

  it('begin as long as there is room, and are refused from then on before anybody is late', () => {
    const viewers = [viewer(2, 'low')];
    play(3_000);
    for (let number = 3; number < 9; number++) viewers.push(viewer(number, 'low'));
    expect(viewers.map((client) => client.refusals())).toEqual([[], [], [], [], ...Array(3).fill(['OVERLOAD'])]);
    expect(viewers[5]!.of('refused')[0]!.retryAfterMs).toBeGreaterThan(0);
    const before = viewers.map(({ blocks }) => blocks.length);
    play(2_000);
    for (const [at, { blocks }] of viewers.slice(0, 4).entries()) expect(blocks.length - before[at]!).toBe(20);
    expect(viewers[5]!.blocks).toEqual([]);
  });

  it('end, the newest first, where those come who cannot do without; these are always let in', () => {
    const low = [2, 3, 4].map((number) => viewer(number, 'low'));
    play(4_000);
    const normal = [5, 6, 7].map((number) => viewer(number, 'normal'));
    play(2_000);
    expect(normal.map((client) => client.refusals())).toEqual([[], [], []]);
    expect(low.map((client) => client.refusals())).toEqual([[], ['OVERLOAD'], ['OVERLOAD']]);
  });

  it('find the room of those who leave at once', () => {
    const viewers = [2, 3, 4, 5].map((number) => viewer(number, 'low'));
    play(4_000);
    expect(viewer(6, 'low').refusals()).toEqual(['OVERLOAD']);
    viewers[0]!.leave();
    expect(viewer(7, 'low').refusals()).toEqual([]);
  });

  it('are all let in where the bandwidth is not bounded', () => {
    begin(Number.POSITIVE_INFINITY);
    const viewers = Array.from({ length: 12 }, (_, at) => viewer(2 + at, 'low'));
    play(5_000);
    expect(viewers.flatMap((client) => client.refusals())).toEqual([]);
    expect(viewer(20, 'low').refusals()).toEqual([]);
  });
});
