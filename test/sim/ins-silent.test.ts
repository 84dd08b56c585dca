import { describe, expect, it } from 'vitest';
import { SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';

const STREAM_BPS = SCENARIO_DEFAULTS.stream.bps;
const GONE_AT_MS = 15_000;

/** The only INS server stands still for ten seconds, and nobody is told: its connections stay. Or its process ends. */
const SCENARIO: Scenario = {
  ...SCENARIO_DEFAULTS,
  name: 'silent',
  summary: 'the only INS server is gone without a word',
  insServers: 1,
  insFed: 1,
  arrivals: { kind: 'crowd', fromMs: 2_000, withinMs: 3_000, shape: 'even' },
  supply: { kind: 'links', sourceBps: 1.5 * STREAM_BPS, insBps: 1e9, peerBps: 3 * STREAM_BPS },
  happenings: [{ atMs: GONE_AT_MS, what: 'ins-stalls', server: 0, forMs: 10_000 }],
};
const BRIEFLY: Scenario = {
  ...SCENARIO,
  happenings: [{ atMs: GONE_AT_MS, what: 'ins-stalls', server: 0, forMs: 3_000 }],
};
const DIES: Scenario = { ...SCENARIO, happenings: [{ atMs: GONE_AT_MS, what: 'ins-dies', server: 0 }] };

/** Of three viewers of a source whose uplink carries the stream one and a half times. */
function viewersOf(scenario: Scenario, seed: string) {
  const simulation = new Simulation({ scenario, seed, peers: 3, mode: 'hybrid', seconds: 40 });
  const stats = () => simulation.peers.map((peer) => peer.core.stats(simulation.nowMs));
  const states = () => stats().map(({ state }) => state);
  const frozenMs = () => stats().reduce((sum, one) => sum + one.frozenMs, 0);
  return { simulation, states, frozenMs };
}

describe('when the only INS server is gone', () => {
  it.each(['1', '7', '8'])(
    'without a word, viewers play on by their neighbours, who hear of each part when it is made (seed %s)',
    (seed) => {
      const { simulation, states, frozenMs } = viewersOf(SCENARIO, seed);
      simulation.runUntil(25_000);
      expect(states()).toEqual(['playing', 'playing', 'playing']);
      expect(frozenMs()).toBe(0);
      simulation.runUntil(40_000);
      expect(states()).toEqual(['playing', 'playing', 'playing']);
      expect(frozenMs()).toBe(0);
    },
  );

  it.each(['2', '4'])(
    'for three seconds, viewers play on also when it is back and gets what it lacks (seed %s)',
    (seed) => {
      const { simulation, states, frozenMs } = viewersOf(BRIEFLY, seed);
      simulation.runUntil(40_000);
      expect(states()).toEqual(['playing', 'playing', 'playing']);
      expect(frozenMs()).toBe(0);
    },
  );

  it.each(['1', '5'])('and its connections with it, viewers play on by their neighbours (seed %s)', (seed) => {
    const { simulation, states, frozenMs } = viewersOf(DIES, seed);
    simulation.runUntil(25_000);
    expect(states()).toEqual(['playing', 'playing', 'playing']);
    expect(frozenMs()).toBe(0);
  });
});
