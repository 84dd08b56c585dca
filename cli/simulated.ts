import { availableParallelism } from 'node:os';
import type { Report } from '../report/report.ts';
import type { ViewerFigures } from '../report/viewers.ts';
import { nowMs } from '../runtime/node/clock.ts';
import { Problem } from './problem.ts';
import type { SimOutcome } from './sim-pool.ts';
import { type Plan, type PlannedRun, reportOf, runAll, runsOf } from './sim-runs.ts';

/** What came of a plan. */
export interface Done {
  readonly report: Report;
  readonly viewers: Readonly<Record<string, readonly ViewerFigures[]>>;
  /** The first run in which a rule of the system did not hold. */
  readonly broken?: PlannedRun | undefined;
}

/**
 * Makes all runs of a plan in the simulator.
 *
 * @throws Problem where it was stopped before the last of them.
 */
export async function simulated(plan: Plan, over: Promise<void>): Promise<Done> {
  const startedAtMs = nowMs();
  const outcomes = await runAll(plan, availableParallelism(), over);
  const all = runsOf(plan).length;
  const done = outcomes.filter((outcome) => outcome !== undefined).length;
  if (done < all) throw new Problem(`stopped after ${done} of ${all} runs; nothing was written`);
  const broken = runsOf(plan).find((_, at) => outcomes[at]!.result.violationCount > 0);
  return { report: reportOf(plan, outcomes, startedAtMs), viewers: viewersByColumn(plan, outcomes), broken };
}

function viewersByColumn(plan: Plan, outcomes: readonly SimOutcome[]) {
  return Object.fromEntries(runsOf(plan).map(({ column }, at) => [column.key, outcomes[at]!.viewers]));
}
