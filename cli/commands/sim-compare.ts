import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { mergeRuns, type RunWithSeries } from '../../report/merge.ts';
import { pageOf } from '../../report/page/page.ts';
import { REPORT_SCHEMA, type Report } from '../../report/report.ts';
import { figureText } from '../../report/text.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { columnsOf, furtherOptionsOf, optionsOf, type SimColumn, USUAL_COLUMNS } from '../../sim/columns.ts';
import { replayCommand } from '../../sim/replay.ts';
import type { Scenario } from '../../sim/scenario.ts';
import { SCENARIOS, scenarioNamed } from '../../sim/scenarios.ts';
import { command } from '../command.ts';
import { CompareProgress } from '../compare-progress.ts';
import { compareTable } from '../compare-table.ts';
import { lifetime } from '../lifetime.ts';
import { option, optional, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { Problem } from '../problem.ts';
import { readList, readPath, wholeNumber } from '../readers.ts';
import { madeBy, supplyWarnings } from '../sim-made.ts';
import { SimFailure, type SimOutcome, SimPool } from '../sim-pool.ts';

const FLASH_CROWD = scenarioNamed('flash-crowd')!;
const PROCESSES_MAX = 256;

export const simCompare = command({
  name: 'sim compare',
  summary: 'simulate one crowd in several modes over several seeds, and set them side by side',
  description: `Runs the same crowds (arrivals, hosts, distances, total supply) in native mode, in INS mode and as the drafts have it, over several
seeds, and writes a table with confidence intervals, report.json and report.html: one page with plots that opens anywhere.

Columns: ${columnsOf(FLASH_CROWD)
    .map(({ key, what }) => `${key}: ${what}`)
    .join('. ')}.`,
  options: {
    scenario: option('NAME', 'what happens', readScenario, FLASH_CROWD, FLASH_CROWD.name),
    peers: option('NUMBER', 'how many viewers', wholeNumber(1, 100_000, ''), 1_000, '1000'),
    seeds: option('NUMBER', 'how many seeds', wholeNumber(1, 1_000, ''), 10),
    seed: option('NUMBER', 'the first seed; the others follow it', wholeNumber(0, 1_000_000_000, ''), 1),
    seconds: optional('SECONDS', "length of a run; the scenario's by default", wholeNumber(1, 86_400, 'seconds')),
    columns: option('LIST', 'what to run, with commas between', readList, USUAL_COLUMNS, USUAL_COLUMNS.join(',')),
    ablations: toggle("also run the drafts' way with one thing changed each, to see what their ideas are worth"),
    processes: optional(
      'NUMBER',
      'runs at a time; as many as there are processors by default',
      wholeNumber(1, PROCESSES_MAX, ''),
    ),
    out: option('DIR', 'where report.json and report.html go', readPath, 'inswarm-compare'),
    json: toggle('print the report as one line of JSON instead of a table'),
  },
  examples: [
    ['A thousand viewers, three columns, ten seeds', 'inswarm sim compare'],
    ['A quick look', 'inswarm sim compare --peers 200 --seeds 3'],
    ["What the drafts' ideas are worth", 'inswarm sim compare --columns ins-drafts --ablations --seeds 5'],
  ],
  async run(values) {
    const { json, out } = values;
    const life = lifetime();
    const plan = planOf(values);
    // Before anything is run for nothing.
    makeFolder(out);
    const startedAtMs = nowMs();
    const outcomes = await runAll(plan, values.processes ?? availableParallelism(), life.over);
    const done = outcomes.filter((outcome) => outcome !== undefined).length;
    const all = plan.seeds.length * plan.columns.length;
    const whole = wholeSeeds(plan, outcomes);
    if (whole.seeds.length === 0) throw new Problem(`stopped after ${done} of ${all} runs; nothing was written`);
    const report = reportOf(whole, outcomes, startedAtMs);
    const text = JSON.stringify(report, rounded);
    const files = [join(out, 'report.html'), join(out, 'report.json')] as const;
    writeFileSync(files[0], pageOf(report));
    writeFileSync(files[1], `${text}\n`);
    if (json) printJson(JSON.parse(text));
    else print(`${compareTable(report)}\n\n${files.join('\n')}`);
    if (done < all)
      throw new Problem(
        `stopped after ${done} of ${all} runs: the report has ${whole.seeds.length} of ${plan.seeds.length} seeds`,
      );
  },
});

/** What is to be run: every seed in every column. */
interface Plan {
  readonly scenario: Scenario;
  readonly columns: readonly SimColumn[];
  readonly seeds: readonly number[];
  readonly peers: number;
  readonly seconds: number;
  /** The command that asks for the same. */
  readonly command: string;
}

interface PlannedRun {
  readonly column: SimColumn;
  readonly seed: number;
}

function planOf(values: {
  readonly scenario: Scenario;
  readonly peers: number;
  readonly seeds: number;
  readonly seed: number;
  readonly seconds: number | undefined;
  readonly columns: readonly string[];
  readonly ablations: boolean;
}): Plan {
  const { scenario, peers, seed } = values;
  const all = columnsOf(scenario);
  const keys = new Set(values.columns);
  if (values.ablations) for (const { key, base } of all) if (base !== null) keys.add(key);
  for (const key of keys) {
    const found = all.find((column) => column.key === key);
    if (found === undefined)
      throw new Problem(`--columns ${key}: the columns are ${all.map((one) => one.key).join(', ')}`, 2);
    // A variation says nothing without what it varies.
    if (found.base !== null) keys.add(found.base);
  }
  const columns = all.filter(({ key }) => keys.has(key));
  const seeds = Array.from({ length: values.seeds }, (_, at) => seed + at);
  const seconds = values.seconds ?? scenario.seconds;
  const plan = { scenario, columns, seeds, peers, seconds };
  return { ...plan, command: commandOf(plan) };
}

function commandOf({ scenario, peers, seeds, seconds, columns }: Omit<Plan, 'command'>): string {
  const asked = ['npx inswarm sim compare --scenario', scenario.name, '--peers', peers, '--seeds', seeds.length];
  asked.push('--seed', seeds[0] ?? 1, '--seconds', seconds, '--columns', columns.map(({ key }) => key).join(','));
  return asked.join(' ');
}

/** Seed by seed, so that what takes long and what does not are mixed. */
function runsOf({ seeds, columns }: Plan): readonly PlannedRun[] {
  return seeds.flatMap((seed) => columns.map((column) => ({ column, seed })));
}

async function runAll(plan: Plan, processes: number, over: Promise<void>): Promise<readonly SimOutcome[]> {
  const runs = runsOf(plan);
  const jobs = runs.map(({ column, seed }) => optionsOf(column, { ...plan, seed }));
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
    throw new Problem(`${which}${error.message}${run === undefined ? '' : `; again: ${replayOf(plan, run)}`}`);
  } finally {
    display.clear();
  }
  return outcomes;
}

/** The seeds that were run in every column, which are the first ones: the plan as far as it came. */
function wholeSeeds(plan: Plan, outcomes: readonly (SimOutcome | undefined)[]): Plan {
  const { seeds, columns } = plan;
  const missing = seeds.findIndex((_, at) =>
    columns.some((_, column) => outcomes[at * columns.length + column] === undefined),
  );
  if (missing < 0) return plan;
  const whole = { ...plan, seeds: seeds.slice(0, missing) };
  return { ...whole, command: commandOf(whole) };
}

function inShort({ result: { figures } }: SimOutcome): string {
  const { startupDelayMs, freezes } = figures;
  return `startup ${figureText(startupDelayMs.p50, 'ms')} and ${figureText(startupDelayMs.p95, 'ms')}, ${freezes.total} freezes`;
}

function replayOf({ scenario, peers, seconds }: Plan, { column, seed }: PlannedRun): string {
  const more = furtherOptionsOf(column);
  return replayCommand({ scenario: scenario.name, mode: column.mode, peers, seed, seconds, more });
}

function reportOf(plan: Plan, outcomes: readonly SimOutcome[], startedAtMs: number): Report {
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
  return { seed: run.seed, traceHash, command: replayOf(plan, run), figures, supply, series };
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
      warnings.push(`A rule did not hold (${first.rule}: ${first.what}); see ${replayOf(plan, run)}`);
  }
  if (wrong.size > 0) warnings.push(`Viewers dropped wrong records or blocks: ${[...wrong].join(', ')}.`);
  return warnings;
}

/** Nine digits of a fraction are more than any figure is good for, and half of the file. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(9)) : value;
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new Problem(`--out ${path}: the folder cannot be made (${(error as NodeJS.ErrnoException).code})`, 2);
  }
}

function readScenario(text: string): Scenario {
  const scenario = scenarioNamed(text);
  if (scenario === undefined) throw new Error(`the scenarios are ${SCENARIOS.map(({ name }) => name).join(', ')}`);
  return scenario;
}
