import { expect, it } from 'vitest';
import { MBPS, SCENARIO_DEFAULTS } from '../../scenarios/plan/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';

it('without follow, where news comes by bitmaps, everybody begins where it has enough behind it, soon, and nobody freezes', () => {
  const supply = { kind: 'links', sourceBps: 20 * MBPS, insBps: 16 * MBPS, peerBps: 1 * MBPS } as const;
  const scenario = { ...SCENARIO_DEFAULTS, name: 'drafts', summary: '', supply };
  const simulation = new Simulation({ scenario, seed: 1, peers: 30, mode: 'ins', follow: false, seconds: 24 });
  const { figures } = simulation.run();
  expect(figures.viewers.started).toBe(30);
  expect(figures.startupDelayMs.p95).toBeLessThan(2_500);
  expect(figures.freezes.total).toBe(0);
  expect(figures.missedRate).toBe(0);
});
