import type { Report } from '../report/report.ts';
import { figureText } from '../report/text.ts';
import { nowMs } from '../runtime/node/clock.ts';
import type { Scenario } from '../scenarios/plan/scenario.ts';
import { optionsOf, type SimColumn } from '../sim/columns.ts';
import { CompareProgress } from './compare-progress.ts';
import { Problem } from './problem.ts';
import { type RunDone, reportOfRuns } from './report-of-runs.ts';
import { supplyWarnings } from './sim-made.ts';
import { SimFailure, type SimOutcome, SimPool } from './sim-pool.ts';

/** What is to be simulated: every seed in every column. */
export interface Plan {
  readonly scenario: Scenario;
  readonly columns: readonly SimColumn[];
  readonly seeds: readonly (string | number)[];
  readonly peers: number;
  readonly seconds: number;
  /** The command that asks for the same. */
  readonly command: string;
  /** The command that asks for one of the runs alone. */
  readonly replay: (run: PlannedRun) => string;
  /** Outcomes tell of each viewer. */
  readonly wantsViewers: boolean;
}

export interface PlannedRun {
  readonly column: SimColumn;
  readonly seed: string | number;
}

/** Seed by seed, so that what takes long and what does not are mixed. */
export function runsOf({ seeds, columns }: Plan): readonly PlannedRun[] {
  return seeds.flatMap((seed) => columns.map((column) => ({ column, seed })));
}

/**
 * Makes all runs, in processes of their own, and shows how far they are.
 *
 * @returns By the place of the run, as far as `over` let them come.
 * @throws Problem with the first run that failed, and how to see it again.
 */
export async function runAll(plan: Plan, processes: number, over: Promise<void>): Promise<readonly SimOutcome[]> {
  const runs = runsOf(plan);
  const jobs = runs.map(({ column, seed }) => ({
    options: optionsOf(column, { ...plan, seed }),
    wantsViewers: plan.wantsViewers,
  }));
  const named = runs.map(({ column, seed }) => ({ column: column.key, name: `${column.label}, seed ${seed}` }));
  const display = new CompareProgress(process.stderr, named, Math.min(processes, runs.length));
  const outcomes: SimOutcome[] = [];
  const pool = new SimPool({
    started: (job) => display.started(job, nowMs()),
    progress: (job, share) => display.progress(job, share, nowMs()),
    done(job, outcome) {
      outcomes[job] = outcome;
      display.finished(job, inShort(outcome), nowMs());
    },
  });
  void over.then(() => pool.stop());
  try {
    await pool.run(jobs, processes);
  } catch (error) {
    if (!(error instanceof SimFailure)) throw error;
    const run = runs[error.job];
    const which = run === undefined ? '' : `${run.column.label}, seed ${run.seed}: `;
    throw new Problem(`${which}${error.message}${run === undefined ? '' : `; again: ${plan.replay(run)}`}`);
  } finally {
    display.clear();
  }
  return outcomes;
}

function inShort({ result: { figures } }: SimOutcome): string {
  const { startupDelayMs, freezes } = figures;
  return `startup ${figureText(startupDelayMs.p50, 'ms')} and ${figureText(startupDelayMs.p95, 'ms')}, ${freezes.total} freezes`;
}

/** Of runs that are all there. */
export function reportOf(plan: Plan, outcomes: readonly SimOutcome[], startedAtMs: number): Report {
  const done = runsOf(plan).map((run, at) => doneOf(plan, run, outcomes[at]!));
  return reportOfRuns(plan, 'sim', done, warningsOf(plan, outcomes), startedAtMs);
}

function doneOf(plan: Plan, { column, seed }: PlannedRun, { result, supply }: SimOutcome): RunDone {
  const { traceHash, figures, series } = result;
  const command = plan.replay({ column, seed });
  return { column, measured: result, run: { seed, traceHash, command, figures, supply, series, rig: null } };
}

/** What would make a comparison unfair or wrong. */
function warningsOf(plan: Plan, outcomes: readonly SimOutcome[]): string[] {
  const runs = runsOf(plan);
  const { scenario, peers } = plan;
  const small = runs.flatMap(({ column }, at) => supplyWarnings(column.mode, scenario, peers, outcomes[at]!.supply));
  const warnings = [...new Set(small)];
  const supplyBps = outcomes[0]!.result.supplyBps;
  if (outcomes.some(({ result }) => Math.abs(result.supplyBps - supplyBps) >= 1)) {
    warnings.push('The columns do not have the same supply: they cannot be compared.');
  }
  const wrong = new Set(runs.flatMap(({ column }, at) => (outcomes[at]!.result.bad > 0 ? [column.label] : [])));
  for (const [at, run] of runs.entries()) {
    const [first] = outcomes[at]!.result.violations;
    if (first !== undefined)
      warnings.push(`A rule did not hold (${first.rule}: ${first.what}); see ${plan.replay(run)}`);
  }
  if (wrong.size > 0) warnings.push(`Viewers dropped wrong records or blocks: ${[...wrong].join(', ')}.`);
  return warnings;
}
