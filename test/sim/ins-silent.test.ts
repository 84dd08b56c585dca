import { describe, expect, it } from 'vitest';
import { SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';

const STREAM_BPS = SCENARIO_DEFAULTS.stream.bps;
const SILENT_AT_MS = 15_000;

/** The only INS server stands still for ten seconds, and nobody is told: its connections stay. */
const SCENARIO: Scenario = {
  ...SCENARIO_DEFAULTS,
  name: 'silent',
  summary: 'the only INS server is gone without a word',
  insServers: 1,
  insFed: 1,
  arrivals: { kind: 'crowd', fromMs: 2_000, withinMs: 3_000, shape: 'even' },
  supply: { kind: 'links', sourceBps: 1.5 * STREAM_BPS, insBps: 1e9, peerBps: 3 * STREAM_BPS },
  happenings: [{ atMs: SILENT_AT_MS, what: 'ins-stalls', server: 0, forMs: 10_000 }],
};

describe('when the only INS server is gone without a word', () => {
  it.each(['1', '3'])(
    'viewers play on by their neighbours, who hear of each part when it is made (seed %s)',
    (seed) => {
      const simulation = new Simulation({ scenario: SCENARIO, seed, peers: 3, mode: 'hybrid', seconds: 40 });
      const stats = () => simulation.peers.map((peer) => peer.core.stats(simulation.nowMs));
      simulation.runUntil(25_000);
      expect(stats().map(({ state }) => state)).toEqual(['playing', 'playing', 'playing']);
      const frozenMs = stats().reduce((sum, one) => sum + one.frozenMs, 0);
      expect(frozenMs / 3).toBeLessThan(1_000);
      simulation.runUntil(40_000);
      expect(stats().map(({ state }) => state)).toEqual(['playing', 'playing', 'playing']);
    },
  );
});
