import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Prng } from '../../machine/prng.ts';
import type { PeerOutput } from '../../peer/core/io.ts';
import { NativeFeed } from '../../peer/core/native-feed.ts';
import { PushFeed } from '../../peer/core/push-feed.ts';
import { LANES } from '../../protocol/limits.ts';
import { Catalogue } from '../../swarm/catalogue.ts';
import type { SwarmOutput } from '../../swarm/io.ts';
import { Pushing } from '../../swarm/pushing.ts';
import { Serving } from '../../swarm/serve.ts';
import { givenNeighbours, givenSource } from '../swarm/given-neighbours.ts';

const SOURCE = 99;

/** A viewer with so many neighbours that give, and one that is the source. */
function viewer(count: number) {
  const unused = new Queue<SwarmOutput>();
  const neighbours = givenNeighbours(count, unused);
  givenSource(neighbours, SOURCE);
  const catalogue = new Catalogue(64);
  const serving = new Serving(catalogue, neighbours, unused);
  const outputs = new Queue<PeerOutput>();
  const push = new PushFeed(neighbours, new Pushing(false, neighbours, serving, unused), new Prng(1), outputs);
  const feed = new NativeFeed(neighbours, push, new Prng(2), outputs);
  const told = () => {
    const requests: { link: number; part: number; request: number }[] = [];
    const cancels: { link: number; request: number }[] = [];
    for (let output = outputs.shift(); output !== undefined; output = outputs.shift()) {
      if (output.kind !== 'send-peer') continue;
      const { link, message } = output;
      if (message.type === 'request') requests.push({ link, part: message.items[0]!.part, request: message.request });
      else if (message.type === 'cancel') cancels.push({ link, request: message.request });
    }
    return { requests, cancels };
  };
  const hold = (links: readonly number[], parts: readonly number[]) => {
    for (const link of links) for (const part of parts) neighbours.get(link)!.availability.add(0, part);
  };
  const fetch = (parts: readonly number[], nowMs: number, firstDueMs = nowMs, stepMs = 250) => {
    const lacking = parts.map((part, at) => ({ track: 0, part, dueAtMs: firstDueMs + at * stepMs }));
    feed.fetch(lacking, catalogue, nowMs);
    return told();
  };
  return { feed, push, hold, fetch, told };
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe('what a viewer asks its neighbours for', () => {
  it('what is rare is asked for ahead of its time even while all that is urgent waits', () => {
    const { feed, hold, told } = viewer(10);
    hold(range(1, 10), range(0, 79));
    hold([4], [100]);
    const urgent = range(0, 79).map((part) => ({ track: 0, part, dueAtMs: 1 }));
    feed.fetch([...urgent, { track: 0, part: 100, dueAtMs: 20_000 }], new Catalogue(64), 0);
    const { requests } = told();
    expect(requests.filter(({ part }) => part < 80)).toHaveLength(32);
    expect(requests.at(-1)).toMatchObject({ link: 4, part: 100 });
  });

  it('while neighbours refuse, nothing is asked for ahead but what is rare', () => {
    const { feed, hold, fetch, told } = viewer(10);
    hold(range(1, 10), [0, 40]);
    hold([4], [41]);
    const [urgent] = fetch([0], 0).requests;
    feed.refused(urgent!.link, urgent!.request, 500, 100);
    expect(fetch([40, 41], 200, 20_000).requests).toMatchObject([{ link: 4, part: 41 }]);
    expect(fetch([40, 41], 1_200, 20_000).requests).toMatchObject([{ part: 40 }]);
    expect(told().requests).toEqual([]);
  });

  it('whoever was refused something ahead of its time waits before asking for more of it', () => {
    const { feed, hold, fetch } = viewer(10);
    hold([4], [40]);
    const [asked] = fetch([40], 0, 20_000).requests;
    feed.refused(asked!.link, asked!.request, 50, 10);
    expect(fetch([40], 100, 20_000).requests).toEqual([]);
    expect(fetch([40], 160, 20_000).requests).toHaveLength(1);
  });

  it('a late block is asked of another, and taken when it comes after all', () => {
    const { feed, hold, fetch, told } = viewer(2);
    hold([1, 2], [0]);
    const [first] = fetch([0], 0).requests;
    feed.timeout(feed.nextDeadline()!);
    expect(told().cancels).toEqual([{ link: first!.link, request: first!.request }]);
    const [second] = fetch([0], 1_500).requests;
    expect(second!.link).not.toBe(first!.link);
    expect(feed.asked(first!.link, first!.request)).toBe(true);
    expect(feed.asked(second!.link, first!.request)).toBe(false);
    feed.have(0, 0, 0, first!.link, 1_600);
    expect(told().cancels).toEqual([{ link: second!.link, request: second!.request }]);
  });

  it('a block is asked of another while there is still time for it', () => {
    const { feed, hold, fetch } = viewer(2);
    hold([1, 2], [0, 1]);
    fetch([0], 0, 1_300);
    expect(feed.nextDeadline()).toBe(1_000);
    fetch([1], 0, 600);
    expect(feed.nextDeadline()).toBe(800);
  });

  it('what is due in a moment and does not come is asked of the source', () => {
    const { hold, fetch } = viewer(3);
    hold([1, SOURCE], [0]);
    expect(fetch([0], 0, 1_000).requests).toMatchObject([{ link: 1 }]);
    expect(fetch([0], 500, 1_000).requests).toEqual([]);
    expect(fetch([0], 700, 1_000)).toMatchObject({ requests: [{ link: SOURCE }], cancels: [{ link: 1 }] });
    expect(fetch([0], 1_200, 1_000).requests).toEqual([]);
  });

  it('the source comes last, unless it says that it could feed another viewer', () => {
    const { push, hold, fetch } = viewer(3);
    hold([1, 2, 3, SOURCE], [0, 1]);
    expect(fetch([0], 0).requests[0]!.link).not.toBe(SOURCE);
    push.offered(SOURCE, new Uint8Array(LANES), LANES, 0);
    expect(fetch([1], 0).requests).toMatchObject([{ link: SOURCE }]);
  });
});
