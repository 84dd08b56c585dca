import { mergeRuns, type RunWithSeries } from '../report/merge.ts';
import { REPORT_SCHEMA, type Report } from '../report/report.ts';
import { figureText } from '../report/text.ts';
import { nowMs } from '../runtime/node/clock.ts';
import type { Scenario } from '../scenarios/plan/scenario.ts';
import { optionsOf, type SimColumn } from '../sim/columns.ts';
import { CompareProgress } from './compare-progress.ts';
import { Problem } from './problem.ts';
import { madeBy, supplyWarnings } from './sim-made.ts';
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
  const runs = runsOf(plan);
  const { scenario, seeds, peers, seconds, columns } = plan;
  const modes = columns.map((column) => {
    const own = runs.flatMap((run, at) => (run.column === column ? [runOf(plan, run, outcomes[at]!)] : []));
    const { label, mode, what, base } = column;
    return [column.key, mergeRuns({ label, mode, what, base }, own)] as const;
  });
  const first = outcomes[0]!.result;
  return {
    schema: REPORT_SCHEMA,
    scenario: scenario.name,
    engine: 'sim',
    seed: seeds[0]!,
    seeds,
    peers,
    supplyBps: first.supplyBps,
    streamBps: first.streamBps,
    seconds,
    crowdInAtMs: first.crowdInAtMs,
    made: madeBy(plan.command, nowMs() - startedAtMs),
    warnings: warningsOf(plan, outcomes),
    modes: Object.fromEntries(modes),
  };
}

function runOf(plan: Plan, run: PlannedRun, { result, supply }: SimOutcome): RunWithSeries {
  const { traceHash, figures, series } = result;
  return { seed: run.seed, traceHash, command: plan.replay(run), figures, supply, series, rig: null };
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
