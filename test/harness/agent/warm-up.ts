import { FOUR_REGIONS } from '../../../scenarios/plan/regions.ts';
import { MBPS, SCENARIO_DEFAULTS } from '../../../scenarios/plan/scenario.ts';
import { Simulation } from '../../../sim/simulation.ts';

/** Enough for the compiler to know what is done often. */
const VIEWERS = 12;
const SECONDS = 10;

/**
 * Lets this process play a small simulated crowd before it hosts viewers. The first of a process would otherwise wait for programs to be compiled, which is the
 * machine's doing; on machines of their own they would each have done that before.
 */
export function warmUp(): void {
  const scenario = {
    ...SCENARIO_DEFAULTS,
    name: 'warm-up',
    summary: 'warms up a process',
    regions: FOUR_REGIONS,
    arrivals: { kind: 'crowd', fromMs: 1_000, withinMs: 2_000, shape: 'even' },
    supply: { kind: 'links', sourceBps: 100 * MBPS, insBps: 100 * MBPS, peerBps: 10 * MBPS },
  } as const;
  for (const mode of ['ins', 'native'] as const) {
    new Simulation({ scenario, seed: 'warm-up', peers: VIEWERS, mode, seconds: SECONDS, checksWire: true }).run();
  }
}
