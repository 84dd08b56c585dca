import { mergeRuns, type RunWithSeries } from '../report/merge.ts';
import { REPORT_SCHEMA, type Report } from '../report/report.ts';
import { nowMs } from '../runtime/node/clock.ts';
import type { Measured } from '../scenarios/measures/figures.ts';
import type { SimColumn } from '../sim/columns.ts';
import { madeBy } from './sim-made.ts';
import type { Plan } from './sim-runs.ts';

/** One run of a plan, whatever ran it. */
export interface RunDone {
  readonly column: SimColumn;
  readonly run: RunWithSeries;
  readonly measured: Measured;
}

/** The report of runs that are all there, in the order of the plan. */
export function reportOfRuns(
  plan: Plan,
  engine: Report['engine'],
  done: readonly RunDone[],
  warnings: readonly string[],
  startedAtMs: number,
): Report {
  const { scenario, seeds, peers, seconds, columns } = plan;
  const modes = columns.map((column) => {
    const own = done.flatMap((one) => (one.column === column ? [one.run] : []));
    const { label, mode, what, base } = column;
    return [column.key, mergeRuns({ label, mode, what, base }, own)] as const;
  });
  const { supplyBps, streamBps, crowdInAtMs } = done[0]!.measured;
  return {
    schema: REPORT_SCHEMA,
    scenario: scenario.name,
    engine,
    seed: seeds[0]!,
    seeds,
    peers,
    supplyBps,
    streamBps,
    seconds,
    crowdInAtMs,
    made: madeBy(plan.command, nowMs() - startedAtMs),
    warnings,
    modes: Object.fromEntries(modes),
  };
}
