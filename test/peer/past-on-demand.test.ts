import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Prng } from '../../machine/prng.ts';
import type { PeerOutput } from '../../peer/core/io.ts';
import type { MakePast, Past, PastNeeds, PastPart } from '../../peer/core/past.ts';
import { pastFeed } from '../../peer/core/past-feed.ts';
import { PeerCore } from '../../peer/core/peer.ts';

it('a peer has nothing for what is over until somebody asks for that and brings it, once', () => {
  const core = new PeerCore({
    ...{ stream: new Uint8Array(32).fill(1), key: new Uint8Array(32).fill(2), trackerUrl: 'ws://tracker/' },
    ...{ mode: 'ins', url: null, mesh: null, prng: new Prng(1) },
  });
  core.handleInput({ kind: 'start' }, 0);
  const wanted = () => core.sizes().bounded['parts of the past that are wanted'];
  expect(wanted()).toBeUndefined();
  let made = 0;
  const make: MakePast = (needs) => {
    made++;
    return pastFeed(needs);
  };
  for (const part of [1, 2, 2]) core.handleInput({ kind: 'past', make, parts: [{ track: 0, part }] }, 10);
  expect([made, wanted()]).toEqual([1, { size: 2, max: 128 }]);
});

it('what is over is taken by who wants it, and who sends it wrong is told of', () => {
  const told: unknown[] = [];
  const needs = {
    ...{
      options: { stream: new Uint8Array(32) },
      catalogue: { get: () => undefined },
      lockers: {},
      ins: { requests: {} },
    },
    ...{ outputs: new Queue<PeerOutput>(), nextRef: () => 1, descriptionOf: () => undefined },
    reception: { bad: (...what: unknown[]) => told.push(what) },
  } as unknown as PastNeeds;
  const past = pastFeed(needs);
  past.want([{ track: 0, part: 1 }], 10);
  const came = (part: number) =>
    past.takes({
      ...{ kind: 'labelled', link: 7, url: 'ws://ins/', kept: false, body: { byteLength: 9 } },
      labelled: { track: 0, part, index: 0, name: new Uint8Array(32), start: false, companion: Uint8Array.of(1) },
    });
  expect([came(1), came(2)]).toEqual([true, false]);
  past.run(20);
  expect(told).toEqual([[{ from: 'ins', link: 7, who: 'ws://ins/' }, 'record does not fit its label', 0, 1, 20]]);
});

describe('what a player has left is not said to be gone', () => {
  const make = (lockers: object, ask: () => void = () => undefined) => {
    const outputs = new Queue<PeerOutput>();
    const needs = {
      ...{ options: { stream: new Uint8Array(32) }, catalogue: { get: () => undefined }, lockers, outputs },
      ins: { requests: { isIdle: true, isAsked: () => false, ask } },
      ...{ nextRef: () => 1, descriptionOf: () => undefined, reception: { bad: () => undefined } },
    } as unknown as PastNeeds;
    const told = () => Array.from({ length: outputs.length }, () => outputs.shift()!);
    return { past: pastFeed(needs), told };
  };
  const parts = (count: number) => Array.from({ length: count }, (_, part) => ({ track: 0, part }));
  const none = (part: PastPart, isGone: boolean) => ({ kind: 'past-none', ...part, isGone });
  const size = (past: Past) => past.sizes()['parts of the past that are wanted']!.size;

  it('when newer wishes take its place', () => {
    const { past, told } = make({});
    past.want(parts(130), 0);
    expect([size(past), told()]).toEqual([128, parts(2).map((part) => none(part, false))]);
  });

  it('when there was no server to ask, as in an outage', () => {
    const { past, told } = make({});
    past.want(parts(2), 0);
    for (let atMs = 0; atMs <= 20_000; atMs += 500) past.run(atMs);
    expect([size(past), told()]).toEqual([0, parts(2).map((part) => none(part, false))]);
  });

  it('but what servers were asked for again and again in vain is', () => {
    let asked = 0;
    const { past, told } = make({ source: { sealed: new Uint8Array(1), owner: new Uint8Array(32) } }, () => asked++);
    past.want(parts(1), 0);
    for (let atMs = 0; atMs <= 20_000; atMs += 500) past.run(atMs);
    expect([asked, size(past), told()]).toEqual([4, 0, [none({ track: 0, part: 0 }, true)]]);
  });
});
