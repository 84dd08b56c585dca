/**
 * The process that runs simulations for `inswarm sim compare` and `inswarm measure`, one after the other, as its parent sends them. It ends when the
 * channel to its parent closes, however that one ends.
 */
import { setImmediate } from 'node:timers/promises';
import { nowMs } from '../runtime/node/clock.ts';
import { Simulation } from '../sim/simulation.ts';
import type { FromWorker, SimJob } from './sim-pool.ts';

/** Real time between two words on how far a run is. */
const TELL_EVERY_MS = 250;

function tell(message: FromWorker): void {
  // Whoever does not listen any more needs no more runs.
  if (process.connected) process.send!(message, undefined, undefined, (error) => error !== null && process.exit(0));
}

async function run({ options, wantsViewers }: SimJob): Promise<void> {
  const simulation = new Simulation(options);
  let sliceMs = 100;
  while (!simulation.over) {
    const fromMs = nowMs();
    simulation.runUntil(simulation.elapsedMs + sliceMs);
    const tookMs = Math.max(1, nowMs() - fromMs);
    sliceMs = Math.min(10_000, Math.max(1, (sliceMs * TELL_EVERY_MS) / tookMs));
    tell({ kind: 'progress', share: simulation.elapsedMs / (simulation.plan.seconds * 1000) });
    // Lets the end of the channel be heard.
    await setImmediate();
  }
  const result = simulation.result();
  const { sourceBps, insBps, peersBps } = simulation.plan.sharedOut;
  const viewers = wantsViewers ? simulation.viewers() : [];
  tell({ kind: 'result', result, supply: { sourceBps, insBps, peersBps }, viewers });
}

process.on('disconnect', () => process.exit(0));
process.on('message', (job: SimJob) => {
  run(job).catch((error: unknown) =>
    tell({ kind: 'failed', why: error instanceof Error ? error.message : String(error) }),
  );
});
tell({ kind: 'ready' });
