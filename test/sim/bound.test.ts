import { describe, expect, it } from 'vitest';
import {
  admissionModelMs,
  type BoundWorld,
  efficiencyBound,
  firstByteMs,
  frozenShareBound,
  latencyBoundMs,
  startupBoundMs,
} from '../../scenarios/plan/bound.ts';

/** 10 streams of 1 Mbit/s from servers; a start is half a second of media, a block a tenth. */
const WORLD: BoundWorld = {
  serversBps: 10_000_000,
  streamBps: 1_000_000,
  startBytes: 62_500,
  segmentBytes: 125_000,
  blockBytes: 12_500,
  partMs: 250,
  downBps: 20_000_000,
  halfTripMs: 5,
};
/** The sum is made in steps of 5 ms. */
const STEP_MS = 5;

function viewersAtOnce(count: number, upBps: number) {
  return Array.from({ length: count }, () => ({ joinAtMs: 1_000, firstByteMs: 40, upBps }));
}

/** Never above what was worked out by hand, and below it by the grid of the sum at most. */
function expectJustUnder(ms: number | undefined, byHandMs: number): void {
  expect(ms).toBeLessThanOrEqual(byHandMs + 0.001);
  expect(ms).toBeGreaterThanOrEqual(byHandMs - 2 * STEP_MS);
}

describe('the least startup delay', () => {
  it('is the first byte and a start at the servers’ rate for one viewer alone', () => {
    // 62,500 bytes at 10 Mbit/s are 50 ms.
    expectJustUnder(startupBoundMs(WORLD, viewersAtOnce(1, 0))[0], 40 + 50);
  });

  it('is the downlink’s time where servers are fast', () => {
    // 62,500 bytes at 20 Mbit/s are 25 ms.
    expectJustUnder(startupBoundMs({ ...WORLD, serversBps: 1e9 }, viewersAtOnce(1, 0))[0], 40 + 25);
  });

  it('grows by one start’s time for each who came at the same moment', () => {
    const delays = startupBoundMs(WORLD, viewersAtOnce(5, 0));
    for (const [at, ms] of delays.entries()) expectJustUnder(ms, 40 + 50 * (at + 1));
  });

  it('leaves out whom the supply never suffices for, since nobody may freeze for them', () => {
    // Servers send 10 streams: ten play, and what they leave over of the first half second starts a few more at most.
    const delays = startupBoundMs(WORLD, viewersAtOnce(40, 0));
    expect(delays.length).toBeGreaterThanOrEqual(10);
    expect(delays.length).toBeLessThan(20);
  });

  it('counts no viewer’s uplink before it can have a block', () => {
    // Servers send one stream, each viewer another as soon as it has a block: block k + 1 takes 100 ms / (k + 1). Five blocks are
    // there after 100 × (1 + 1/2 + 1/3 + 1/4 + 1/5) = 228 ms, and without relays after 500.
    const slow = { ...WORLD, serversBps: 1_000_000 };
    expectJustUnder(startupBoundMs(slow, viewersAtOnce(8, 1_000_000))[0], 40 + 228 + STEP_MS);
    expectJustUnder(startupBoundMs(slow, viewersAtOnce(8, 0))[0], 40 + 500);
  });

  it('does not save up what nobody was there to take', () => {
    // Ten seconds before the second viewer comes, the servers had nothing to do: it waits as long as the first one.
    const [first, second] = startupBoundMs(WORLD, [
      { joinAtMs: 0, firstByteMs: 40, upBps: 0 },
      { joinAtMs: 10_000, firstByteMs: 40, upBps: 0 },
    ]);
    expect(second! - first!).toBeGreaterThan(-30);
    expect(second).toBeGreaterThanOrEqual(65);
  });

  it('asks the tracker first, then somebody near', () => {
    expect(firstByteMs(80, 10)).toBe(3 * 80 + 10);
  });
});

describe('the other bounds', () => {
  it('latency: a part, log2 of viewers over streams in block times and half trips, and one more', () => {
    const world = { ...WORLD, serversBps: 20_000_000 };
    // 1,000 / 20 = 50 doubles 6 times; a block takes 66.7 ms at 1.5 Mbit/s and 5 ms at the servers.
    expect(latencyBoundMs(world, 1_000, 1_500_000, 1)).toBeCloseTo(250 + 6 * (66.667 + 5) + 5 + 5, 1);
    expect(latencyBoundMs(world, 1_000, 1_500_000, 0.5)).toBeCloseTo(250 + 5 * (66.667 + 5) + 5 + 5, 1);
    expect(latencyBoundMs(world, 20, 0, 1)).toBeCloseTo(260, 5);
    expect(latencyBoundMs(world, 1_000, 0, 1)).toBe(Number.POSITIVE_INFINITY);
  });

  it('a shortage freezes what it does not feed, and supply is used as far as there is demand', () => {
    const ten = Array.from({ length: 10 }, () => ({ fromMs: 1_000, toMs: 11_000 }));
    expect(frozenShareBound(800, 100, ten)).toBeCloseTo(0.2, 9);
    expect(frozenShareBound(1_500, 100, ten)).toBe(0);
    expect(frozenShareBound(800, 100, [])).toBe(0);
    // What is left over while only half of them are there feeds nobody later: 5 × 10 s of 150 s are not fed.
    const growing = [...ten.slice(5), ...ten.slice(5).map(() => ({ fromMs: 1_000, toMs: 21_000 }))];
    expect(frozenShareBound(500, 100, growing)).toBeCloseTo(1 / 3, 9);
    expect(efficiencyBound(1_500, 1_000)).toBeCloseTo(2 / 3, 9);
    expect(efficiencyBound(800, 1_000)).toBe(1);
  });

  it('the admission model: τ·log_u(N(u − 1)/S)', () => {
    // log2(1,000 / 20) = 5.644
    expect(admissionModelMs(1_000, 20, 2, 1_000)).toBeCloseTo(5_643.86, 1);
    expect(admissionModelMs(10, 20, 2, 1_000)).toBe(0);
    expect(admissionModelMs(1_000, 20, 0.9, 1_000)).toBe(Number.POSITIVE_INFINITY);
  });
});
