import { expect, it } from 'vitest';
import { MBPS, SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';

/** A source whose word from its INS server takes so long; two viewers take from the server, two from the source. */
function run(roundTripMs: number) {
  const scenario: Scenario = {
    ...SCENARIO_DEFAULTS,
    name: 'far',
    summary: 'the INS server is far from the source',
    stream: { bps: 2 * MBPS, partMs: 250, partsPerSegment: 16 },
    regions: { names: ['far apart'], delaysMs: [[roundTripMs / 2]] },
    insServers: 1,
    arrivals: { kind: 'crowd', fromMs: 2_000, withinMs: 3_000, shape: 'even' },
    supply: { kind: 'links', sourceBps: 6 * MBPS, insBps: 1_000 * MBPS, peerBps: 4 * MBPS },
  };
  return new Simulation({ scenario, seed: '1', peers: 4, mode: 'mixed', seconds: 20 }).run().figures;
}

it('native viewers get the stream from a source whose INS server is so far away that a put is always on its way there', () => {
  const near = run(120);
  expect(near.viewers.started).toBe(4);
  expect(near.freezes.frozenShare).toBeLessThan(0.01);
  const far = run(400);
  expect(far.viewers.started).toBe(4);
  expect(far.bytesFrom.source).toBeGreaterThan(4_000_000);
});
