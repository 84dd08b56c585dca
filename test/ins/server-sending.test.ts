import { beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_GET } from '../../protocol/ins-messages.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { type CoreClient, CoreNet, type CoreServer } from './core-net.ts';
import { blockOf, collectionOf, keysOf } from './helpers.ts';

const owner = keysOf(1);
const WINDOW = 2_000;

describe('what a server sends', () => {
  let net: CoreNet;
  let server: CoreServer;
  let client: CoreClient;

  beforeEach(() => {
    net = new CoreNet();
    server = net.server(1, { limits: { sendWindowBytes: WINDOW } });
    client = server.connect(owner);
    client.putParts([1, 2, 3, 4, 5, 6]);
    client.reads = false;
  });

  const ask = (request: number, items: [part: number, deadlineMs: number][]): void => {
    client.batch({
      request,
      collection: collectionOf(1),
      gets: items.map(([part, deadlineMs]) => ({
        ...EMPTY_GET,
        deadlineMs,
        label: { track: 0, part, index: 0 },
        priority: 'normal',
      })),
    });
  };

  it('IN5: goes out in the order of the deadlines, also of those asked later', () => {
    ask(101, [
      [1, 900],
      [2, 0],
      [3, 300],
      [4, 500],
    ]);
    expect(client.parts()).toEqual([3, 4]);
    ask(102, [[5, 600]]);
    client.drained();
    client.drained();
    expect(client.parts()).toEqual([3, 4, 5, 1, 2]);
    expect(client.of('done').map(({ request }) => request)).toEqual(expect.arrayContaining([101, 102]));
  });

  it('is never more than a window ahead of the reader', () => {
    client.get([1, 2, 3, 4, 5]);
    expect(client.blocks).toHaveLength(2);
    client.drained(1_500);
    expect(client.blocks).toHaveLength(3);
    client.drained();
    expect(client.blocks).toHaveLength(5);
  });

  it('waits for a slow store without its reader being taken for slow, and does not wait for a slow reader', () => {
    client.get([1, 2, 3]);
    for (let second = 0; second < 20; second++) {
      net.pass(1_000);
      server.input({ kind: 'loading', link: client.link });
    }
    expect(client.closed).toBeUndefined();
    net.pass(6_500);
    expect(client.closed).toMatchObject({ code: CLOSE.slow });
  });

  it('IN5: is dropped when its deadline has passed', () => {
    ask(101, [
      [1, 100],
      [2, 100],
      [3, 200],
      [4, 0],
    ]);
    net.pass(250);
    client.drained();
    expect(client.parts()).toEqual([1, 2, 4]);
    expect(client.of('refused')).toMatchObject([{ request: 101, item: 2, reason: 'DEADLINE' }]);
    expect(client.of('done').at(-1)).toMatchObject({ request: 101 });
  });

  it('is dropped when the block has ended meanwhile', () => {
    client.putParts([7], { ttlSeconds: 2 });
    client.get([1, 2, 7]);
    net.pass(2_500);
    client.drained();
    expect(client.refusals()).toEqual(['GONE']);
  });

  it('IN14: stops when it is cancelled', () => {
    const request = client.get([1, 2, 3, 4]);
    client.send({ type: 'cancel', request });
    client.drained();
    client.get([5]);
    expect(client.parts()).toEqual([1, 2, 5]);
    expect(client.of('done').map(({ request: done }) => done)).not.toContain(request);
  });

  it('goes to everybody in equal windows, however much one has asked for', () => {
    const other = server.connect(keysOf(2));
    other.reads = false;
    client.get([1, 2, 3, 4, 5, 6]);
    other.get([1, 2, 3], { token: other.token(server.token(owner)) });
    for (let round = 0; round < 2; round++) {
      client.drained();
      other.drained();
    }
    expect(other.blocks).toHaveLength(3);
    expect(client.blocks).toHaveLength(6);
    expect(
      server.outputs.filter(({ kind }) => kind === 'send-block').map((output) => 'link' in output && output.link),
    ).toEqual([1, 1, 2, 2, 1, 1, 2, 1, 1]);
  });

  it('GE12: ends when the reader takes nothing for 5 s, and goes on when it takes a little', () => {
    const slow = server.connect(keysOf(2));
    slow.reads = false;
    const alias = slow.token(server.token(owner));
    client.get([1, 2, 3]);
    slow.get([1, 2, 3], { token: alias });
    for (let second = 0; second < 7; second++) {
      net.pass(1_000);
      slow.drained(1_900 - second);
    }
    expect(slow.closed).toBeUndefined();
    expect(client.closed?.code).toBe(CLOSE.slow);
    net.pass(7_000);
    expect(slow.closed?.code).toBe(CLOSE.slow);
    expect(server.core.stats().links).toBe(0);
  });

  it('IN4: is refused when more is asked for than a queue holds', () => {
    for (let request = 0; request < 17; request++) {
      client.get(Array.from({ length: 64 }, (_, at) => (at % 6) + 1));
    }
    expect(new Set(client.refusals())).toEqual(new Set(['OVERLOAD']));
    expect(client.refusals().length).toBe(17 * 64 - 1_024 - client.blocks.length);
    expect(client.of('refused')[0]?.retryAfterMs).toBeGreaterThan(0);
  });

  it('IN4: is refused when more requests are open than a connection may have', () => {
    for (let request = 0; request < 64; request++) client.follow(1_000 + request);
    expect(client.refusals()).toEqual([]);
    client.get([1]);
    expect(client.of('refused')).toMatchObject([{ item: null, reason: 'OVERLOAD' }]);
  });

  it('does not hold up an urgent block behind a follow that catches up', () => {
    const many = Array.from({ length: 40 }, (_, at) => at + 10);
    client.putParts(many);
    client.follow(10);
    ask(101, [[1, 100]]);
    client.drained();
    expect(client.parts()).toEqual([10, 11, 1, 12]);
  });

  it('is told to be lost when the store has lost it', () => {
    client.reads = true;
    const header = { request: 1, item: 0, kept: false, labelled: null };
    const { name } = blockOf(1).item;
    const key = [...server.bodies.keys()][0]!;
    server.input({ kind: 'load-failed', link: client.link, header, block: { key, name, sizeBytes: 1_000 } });
    client.get([1, 2]);
    expect(client.parts()).toEqual([2]);
    expect(server.core.stats().blocks).toBe(5);
  });
});
