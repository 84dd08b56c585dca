import { expect, test } from 'vitest';
import { MBPS, SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';

test('links carry the share that a happening says, of what they carried at first, until another one says otherwise', () => {
  const scenario: Scenario = {
    ...SCENARIO_DEFAULTS,
    name: 'throttled',
    summary: '',
    arrivals: { kind: 'crowd', fromMs: 0, withinMs: 100, shape: 'even' },
    supply: { kind: 'links', sourceBps: 20 * MBPS, insBps: 10 * MBPS, peerBps: 4 * MBPS },
    insServers: 2,
    happenings: [
      { atMs: 1_000, what: 'ins-throttled', server: 1, to: 0.25 },
      { atMs: 1_000, what: 'viewers-throttled', share: 0.5, to: 0.5 },
      { atMs: 2_000, what: 'ins-throttled', server: 1, to: 1 },
      { atMs: 2_000, what: 'viewers-throttled', share: 1, to: 0.1 },
    ],
  };
  const simulation = new Simulation({ scenario, seed: 1, peers: 4, seconds: 4 });
  const rates = () => ({
    servers: simulation.insServers.map(({ host }) => Math.round(8_000 / host.up.msFor(1) / MBPS)),
    viewers: simulation.peers.map(({ host }) => Math.round(80_000 / host.up.msFor(1) / MBPS) / 10).sort(),
  });
  simulation.runUntil(900);
  expect(rates()).toEqual({ servers: [10, 10], viewers: [4, 4, 4, 4] });
  simulation.runUntil(1_100);
  expect(rates()).toEqual({ servers: [10, 3], viewers: [2, 2, 4, 4] });
  simulation.runUntil(2_100);
  expect(rates()).toEqual({ servers: [10, 10], viewers: [0.4, 0.4, 0.4, 0.4] });
});
