import { describe, expect, it } from 'vitest';
import { SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';

/**
 * 24 viewers in INS mode; each of the four servers can feed half of them, and the others have from the first what they give. All die,
 * and come back: the first one two seconds before the others, so that everybody is there.
 */
const SCENARIO: Scenario = {
  ...SCENARIO_DEFAULTS,
  name: 'outage',
  summary: 'all INS servers are lost and come back',
  arrivals: { kind: 'crowd', fromMs: 3_000, withinMs: 4_000, shape: 'even' },
  supply: { kind: 'links', sourceBps: 20_000_000, insBps: 16_000_000, peerBps: 4_000_000 },
  happenings: [
    { atMs: 15_000, what: 'ins-dies', server: 1 },
    { atMs: 15_000, what: 'ins-dies', server: 2 },
    { atMs: 15_000, what: 'ins-dies', server: 3 },
    { atMs: 18_000, what: 'ins-dies', server: 0 },
    { atMs: 28_000, what: 'ins-back', server: 0 },
    { atMs: 30_000, what: 'ins-back', server: 1 },
    { atMs: 30_000, what: 'ins-back', server: 2 },
    { atMs: 30_000, what: 'ins-back', server: 3 },
  ],
};

function stats(simulation: Simulation) {
  return simulation.peers.map((peer) => peer.core.stats(simulation.nowMs));
}

describe('when all INS servers were lost and have come back', () => {
  it.each(['1', '2'])(
    'viewers spread over them within five seconds, and play at their latency again (seed %s)',
    (seed) => {
      const simulation = new Simulation({ scenario: SCENARIO, seed, peers: 24, mode: 'ins', seconds: 50 });
      simulation.runUntil(17_500);
      // With one server left, nobody is without one.
      expect(stats(simulation).map(({ ins }) => ins)).toEqual(Array.from({ length: 24 }, () => 'ws://ins-0:1'));
      simulation.runUntil(29_300);
      // The source feeds a server that is back within an eighth of its absence.
      expect(simulation.source.core.stats().insUp).toBe(1);
      simulation.runUntil(35_000);
      const viewersOf = new Map<string | null, number>();
      for (const { ins } of stats(simulation)) viewersOf.set(ins, (viewersOf.get(ins) ?? 0) + 1);
      expect(Math.max(...viewersOf.values())).toBeLessThanOrEqual(14);
      expect(stats(simulation).map(({ state }) => state)).toEqual(Array.from({ length: 24 }, () => 'playing'));
      const { freezes } = total(simulation);
      simulation.runUntil(50_000);
      expect(total(simulation).freezes).toBe(freezes);
      const latenciesMs = stats(simulation).map(({ latencyMs }) => latencyMs ?? Number.POSITIVE_INFINITY);
      expect(latenciesMs.toSorted((a, b) => a - b)[12]).toBeLessThan(1_700);
    },
  );
});

function total(simulation: Simulation): { readonly freezes: number } {
  return { freezes: stats(simulation).reduce((sum, { freezes }) => sum + freezes, 0) };
}
