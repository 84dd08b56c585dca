import { expect, it } from 'vitest';
import { MBPS, SCENARIO_DEFAULTS } from '../../scenarios/plan/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';
import { STARTUP_STAGES } from '../../sim/startup-stages.ts';

function run(mode: 'ins' | 'native', knowInsServers = false) {
  const supply = { kind: 'links', sourceBps: 20 * MBPS, insBps: 50 * MBPS, peerBps: 4 * MBPS } as const;
  const scenario = { ...SCENARIO_DEFAULTS, name: 'stages', summary: '', supply };
  return new Simulation({ scenario, seed: 1, peers: 12, mode, knowInsServers, seconds: 18 }).run();
}

it('a startup is told by stages, each after the one before, the last of which is the startup delay', () => {
  const { startupStagesMs, figures } = run('ins');
  const times = STARTUP_STAGES.map((stage) => startupStagesMs[stage].p50!);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[0]).toBeGreaterThan(0);
  expect(startupStagesMs.started.p50).toBeCloseTo(figures.startupDelayMs.p50!, 6);
  expect(startupStagesMs.started.p95).toBeCloseTo(figures.startupDelayMs.p95!, 6);
});

it('stages that nobody comes to are told as none', () => {
  const { startupStagesMs } = run('native');
  expect(startupStagesMs.insDialled).toEqual({ p50: null, p95: null });
  expect(startupStagesMs.asked.p50).toBeGreaterThan(startupStagesMs.joined.p50!);
});

it('who knows an INS server from an earlier visit dials it while it joins, and its first request leaves with the answer', () => {
  const fresh = run('ins').startupStagesMs;
  const back = run('ins', true).startupStagesMs;
  expect(fresh.insDialled.p50).toBeCloseTo(fresh.joined.p50!, 6);
  expect(back.insDialled.p95).toBe(0);
  expect(back.insUp.p95).toBeLessThanOrEqual(back.joined.p95!);
  expect(back.asked.p50! - back.joined.p50!).toBeLessThan(5);
  expect(fresh.asked.p50! - fresh.joined.p50!).toBeGreaterThan(5);
});
