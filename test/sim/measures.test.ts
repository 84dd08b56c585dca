import { beforeAll, describe, expect, it } from 'vitest';
import type { PeerEvent } from '../../peer/core/io.ts';
import { freezesOf } from '../../scenarios/measures/freezes.ts';
import { MBPS, SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import { replayCommand } from '../../sim/replay.ts';
import type { SimResult } from '../../sim/result.ts';
import { type SimOptions, Simulation } from '../../sim/simulation.ts';

/** Ten viewers who come within a second; servers have plenty. */
const SCENARIO: Scenario = {
  ...SCENARIO_DEFAULTS,
  name: 'test',
  summary: '',
  arrivals: { kind: 'crowd', fromMs: 3_000, withinMs: 1_000, shape: 'even' },
  supply: { kind: 'links', sourceBps: 20 * MBPS, insBps: 40 * MBPS, peerBps: 2 * MBPS },
};
const OPTIONS: SimOptions = { scenario: SCENARIO, seed: 'measures', peers: 10, seconds: 14 };

describe('the measures of a calm run', () => {
  let sim: Simulation;
  let result: SimResult;
  beforeAll(() => {
    sim = new Simulation(OPTIONS);
    result = sim.run();
  });

  it('efficiency is what viewers get over the whole supply, and its bound what they need over it', () => {
    // 10 viewers of 1 Mbit/s; the source's 20 and four times 40 Mbit/s.
    expect(result.supplyBps).toBe(180 * MBPS);
    expect(result.figures.efficiencyBound).toBeCloseTo(10 / 180, 6);
    expect(result.figures.efficiency / (10 / 180)).toBeGreaterThan(0.95);
    expect(result.figures.efficiency / (10 / 180)).toBeLessThan(1.05);
  });

  it('startup has a bound beside it that it does not beat', () => {
    const { p50, p95, bound } = result.figures.startupDelayMs;
    expect(bound!.p50).toBeGreaterThan(65);
    expect(p50).toBeGreaterThanOrEqual(bound!.p50!);
    expect(p95).toBeGreaterThanOrEqual(bound!.p95!);
    expect(result.series.startupDelayMs.count).toBe(10);
  });

  it('every second has its figures', () => {
    const { perSecond } = result.series;
    expect(perSecond.viewers).toEqual([0, 0, 0, ...Array(11).fill(10)]);
    expect(perSecond.latencyP50Ms.slice(0, 3)).toEqual([null, null, null]);
    expect(perSecond.latencyP50Ms.at(-1)).toBeGreaterThan(result.figures.liveLatencyMs.bound!.p50!);
    const bits = perSecond.downloadBps.ins.reduce((sum, bps) => sum + bps, 0);
    expect(bits).toBe(result.figures.bytesFrom.ins * 8);
    expect(perSecond.waitingShare.at(-1)).toBe(0);
    expect(perSecond.bufferMs.at(-1)).toBeGreaterThan(100);
  });

  it('a viewer who sends no block has uploaded its control messages', () => {
    const { uploadBps, controlBps, controlShare } = result.figures;
    expect(uploadBps.data).toBe(0);
    expect(uploadBps.control).toBe(controlBps.sent);
    expect(uploadBps.control).toBeGreaterThan(100);
    expect(controlShare).toBeCloseTo(
      sim.peers.reduce((sum, peer) => sum + peer.controlSentBytes, 0) /
        sim.peers.reduce((sum, peer) => sum + peer.dataReceivedBytes + peer.controlReceivedBytes, 0),
      9,
    );
  });

  it('is the same run in slices of whatever length', () => {
    const sliced = new Simulation(OPTIONS);
    for (let atMs = 0; !sliced.over; atMs += 137) sliced.runUntil(atMs);
    const { traceHash, figures } = sliced.result();
    expect(traceHash).toBe(result.traceHash);
    expect(figures).toEqual(result.figures);
  });
});

describe('who leaves', () => {
  it('counts for as long as it was there', () => {
    const happenings = [{ atMs: 8_000, what: 'viewers-crash', share: 0.5 }] as const;
    const sim = new Simulation({ ...OPTIONS, scenario: { ...SCENARIO, happenings } });
    const { figures, series } = sim.run();
    expect(series.perSecond.viewers.slice(6)).toEqual([10, ...Array(7).fill(5)]);
    // Watched: half of them until 8 s, half until 14 s; what they got is what they watched, and the start.
    const hereMs = sim.stays.reduce((sum, stay) => sum + Math.min(stay.leftAtMs, sim.nowMs) - stay.joinedAtMs, 0);
    const gotMs = (figures.bytesFrom.ins * 8_000) / MBPS;
    expect(gotMs / hereMs).toBeGreaterThan(0.95);
    expect(gotMs / hereMs).toBeLessThan(1.2);
    expect(figures.offload).toBeCloseTo(1 - (sim.source.dataSentBytes * 8_000) / MBPS / hereMs, 9);
  });
});

describe('an INS server that dies', () => {
  it('comes back at its place, and viewers play on', () => {
    const happenings = [
      { atMs: 7_000, what: 'ins-dies', server: 0 },
      { atMs: 9_000, what: 'ins-back', server: 0 },
    ] as const;
    const sim = new Simulation({ ...OPTIONS, seconds: 20, scenario: { ...SCENARIO, happenings } });
    const before = sim.insServers[0]!;
    sim.run();
    expect(before.alive).toBe(false);
    expect(sim.insServers[0]!.alive).toBe(true);
    expect(sim.insServers[0]!.storedBlocks).toBeGreaterThan(0);
    for (const { core } of sim.peers) expect(core.stats(sim.nowMs).part).toBeGreaterThan(60);
  });
});

describe('freezes', () => {
  it('last until playback goes on, or until the end', () => {
    const events: PeerEvent[] = [
      { kind: 'started', atMs: 1_500, part: 3 },
      { kind: 'freeze', atMs: 3_000, part: 9 },
      { kind: 'resumed', atMs: 3_400, part: 9, frozenMs: 400 },
      { kind: 'freeze', atMs: 9_000, part: 30 },
    ];
    expect(freezesOf(events, 1_000, 9_500)).toEqual([
      { atMs: 2_000, frozenMs: 400 },
      { atMs: 8_000, frozenMs: 1_500 },
    ]);
  });
});

describe('a command that replays', () => {
  it('says all that was asked, for a shell to read', () => {
    const more = { 'no-follow': true, regions: "my regions'.txt" } as const;
    const asked = { scenario: 'waves', mode: 'ins', peers: 5, seed: 'a b', seconds: 9, more };
    expect(replayCommand(asked)).toBe(
      "npx inswarm sim --scenario waves --mode ins --peers 5 --seed 'a b' --seconds 9 --no-follow --regions 'my regions'\\''.txt'",
    );
  });
});
