import { describe, expect, it } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import { type Arrivals, crowdInAtMs, planVisits, type Sessions } from '../../scenarios/plan/arrivals.ts';
import { drawUplinks, UPLINK_MIXES, type UplinkMix } from '../../scenarios/plan/bandwidth.ts';
import { FOUR_REGIONS, parseRegionDelays } from '../../scenarios/plan/regions.ts';
import { MBPS, partBytes, STREAM } from '../../scenarios/plan/scenario.ts';
import { SCENARIOS } from '../../scenarios/plan/scenarios.ts';
import { shareOut } from '../../scenarios/plan/supply.ts';

const STAY: Sessions = { kind: 'stay' };

function joinTimes(arrivals: Arrivals, viewers = 4_000): number[] {
  return planVisits(arrivals, STAY, viewers, 60_000, new Prng(1)).map(({ joinAtMs }) => joinAtMs);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('arrivals', () => {
  it('a crowd comes within its time, evenly or more and more', () => {
    const even = joinTimes({ kind: 'crowd', fromMs: 3_000, withinMs: 10_000, shape: 'even' });
    const ramp = joinTimes({ kind: 'crowd', fromMs: 3_000, withinMs: 10_000, shape: 'ramp' });
    for (const times of [even, ramp]) {
      expect(times).toHaveLength(4_000);
      expect(Math.min(...times)).toBeGreaterThanOrEqual(3_000);
      expect(Math.max(...times)).toBeLessThan(13_000);
    }
    expect(mean(even)).toBeGreaterThan(7_800);
    expect(mean(even)).toBeLessThan(8_200);
    // A rate that grows in proportion to time has its middle at two thirds.
    expect(mean(ramp)).toBeGreaterThan(9_460);
    expect(mean(ramp)).toBeLessThan(9_870);
  });

  it('Poisson arrivals have exponential gaps of the mean that was asked for', () => {
    const times = joinTimes({ kind: 'poisson', fromMs: 0, withinMs: 40_000 });
    const gaps = times.map((atMs, at) => atMs - (times[at - 1] ?? 0));
    expect(mean(gaps)).toBeGreaterThan(9.5);
    expect(mean(gaps)).toBeLessThan(10.5);
    // Of an exponential, 1/e lies above its mean.
    expect(gaps.filter((gap) => gap > 10).length / gaps.length).toBeCloseTo(Math.exp(-1), 1);
  });

  it('waves are crowds of equal size, one after the other', () => {
    const times = joinTimes({ kind: 'waves', fromMs: 1_000, count: 3, everyMs: 15_000, withinMs: 2_000 }, 3_000);
    for (const wave of [0, 1, 2]) {
      const fromMs = 1_000 + wave * 15_000;
      expect(times.filter((atMs) => atMs >= fromMs && atMs < fromMs + 2_000)).toHaveLength(1_000);
    }
  });

  it('who churns leaves after its session, and some come back later as new viewers of the same number', () => {
    const sessions: Sessions = {
      kind: 'churn',
      length: { law: 'lognormal', medianMs: 20_000, spread: 1.4 },
      returning: 0.5,
      awayMs: 10_000,
      crashing: 0.2,
    };
    const arrivals: Arrivals = { kind: 'crowd', fromMs: 0, withinMs: 10_000, shape: 'even' };
    const visits = planVisits(arrivals, sessions, 2_000, 600_000, new Prng(1));
    const first = visits.filter(({ again }) => again === 0);
    expect(first).toHaveLength(2_000);
    // Half of the sessions are shorter than the median.
    const short = first.filter(({ joinAtMs, leaveAtMs }) => leaveAtMs - joinAtMs < 20_000).length;
    expect(short).toBeGreaterThan(900);
    expect(short).toBeLessThan(1_100);
    const crashed = visits.filter(({ crashes }) => crashes).length / visits.length;
    expect(crashed).toBeGreaterThan(0.17);
    expect(crashed).toBeLessThan(0.23);
    const lastOf = new Map<number, number>();
    for (const { viewer, again, joinAtMs, leaveAtMs } of visits) {
      if (again > 0) expect(joinAtMs).toBeGreaterThan(lastOf.get(viewer)!);
      lastOf.set(viewer, leaveAtMs);
    }
    expect(visits.filter(({ again }) => again === 1).length).toBeGreaterThan(900);
    expect(crowdInAtMs(visits)).toBeLessThan(10_000);
  });

  it('equal random numbers plan equal visits', () => {
    const { arrivals, sessions } = SCENARIOS.find(({ name }) => name === 'churn')!;
    const plan = () => planVisits(arrivals, sessions, 50, 60_000, new Prng('x'));
    expect(plan()).toEqual(plan());
  });
});

describe('supply', () => {
  it('is the same in all modes, and shared out as the fair rule says', () => {
    const fair = { kind: 'fair', times: 1.5, sourceStreams: 20 } as const;
    const of = (mode: 'ins' | 'native' | 'hybrid' | 'mixed', servers = 4) =>
      shareOut(fair, mode, 1_000 * MBPS, MBPS, 1_000, servers);
    expect(of('native')).toEqual({ sourceBps: 20 * MBPS, insBps: 0, peersBps: 1_480 * MBPS });
    expect(of('ins')).toEqual({ sourceBps: 20 * MBPS, insBps: 1_480 * MBPS, peersBps: 0 });
    expect(of('hybrid')).toEqual({ sourceBps: 20 * MBPS, insBps: 740 * MBPS, peersBps: 740 * MBPS });
    // Of 500 viewers each: the servers on one side, uplinks and the source on the other.
    expect(of('mixed')).toEqual({ sourceBps: 20 * MBPS, insBps: 750 * MBPS, peersBps: 730 * MBPS });
    expect(of('hybrid', 0)).toEqual(of('native'));
  });

  it('mixes keep the sum, and their classes have their shares', () => {
    for (const mix of Object.keys(UPLINK_MIXES) as UplinkMix[]) {
      const drawn = drawUplinks(mix, 200, 300 * MBPS, new Prng(1));
      expect(drawn).toHaveLength(200);
      expect(drawn.reduce((sum, bps) => sum + bps, 0)).toBeCloseTo(300 * MBPS, 0);
      expect(UPLINK_MIXES[mix].reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 3);
    }
    const gnutella = drawUplinks('gnutella', 200, 300 * MBPS, new Prng(1));
    expect(gnutella.filter((bps) => bps === Math.max(...gnutella))).toHaveLength(30);
    expect(Math.max(...gnutella) / Math.min(...gnutella)).toBeCloseTo(5_000 / 128, 6);
  });

  it('the stream’s rate is that of all tracks, audio included', () => {
    let bytes = 0;
    for (let part = 0; part < 4; part++) bytes += partBytes(STREAM, part).video + partBytes(STREAM, part).audio;
    expect(Math.abs(bytes * 8 - STREAM.bps)).toBeLessThan(STREAM.bps / 1_000);
  });
});

describe('regions', () => {
  it('reads a matrix, with comments', () => {
    const read = parseRegionDelays('# ms\neast 5 35.5\n\nwest, 35, 5 # home\n');
    expect(read).toEqual({
      ok: true,
      regions: {
        names: ['east', 'west'],
        delaysMs: [
          [5, 35.5],
          [35, 5],
        ],
      },
    });
    const text = FOUR_REGIONS.names.map((name, at) => `${name} ${FOUR_REGIONS.delaysMs[at]!.join(' ')}`).join('\n');
    expect(parseRegionDelays(text)).toEqual({ ok: true, regions: FOUR_REGIONS });
  });

  it.each([
    ['', 'no region'],
    ['east 5 35\nwest 35', 'line 2: 1 delays, but there are 2 regions'],
    ['east 5 -3\nwest 35 5', 'line 1: -3 is no delay'],
    ['east 5 1e9\nwest 35 5', 'line 1: 1e9 is no delay'],
    ['east 5 10001\nwest 35 5', 'line 1: 10001 is no delay'],
    ['east 5 5\neast 5 5', 'line 1: east is there twice'],
    ['a/b 5', 'line 1: a/b is no name'],
    [Array.from({ length: 65 }, (_, at) => `r${at} 1`).join('\n'), 'line 65: at most 64 regions'],
  ])('says what is wrong, and where: %j', (text, error) => {
    const read = parseRegionDelays(text);
    expect(read.ok ? '' : read.error).toContain(error);
  });
});

describe('the scenarios that ship', () => {
  it('are plain data with names of their own', () => {
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
    for (const scenario of SCENARIOS) expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario);
  });
});
