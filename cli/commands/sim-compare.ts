import { availableParallelism } from 'node:os';
import { nowMs } from '../../runtime/node/clock.ts';
import type { Scenario } from '../../scenarios/plan/scenario.ts';
import { SCENARIOS, scenarioNamed } from '../../scenarios/plan/scenarios.ts';
import { columnsOf, furtherOptionsOf, USUAL_COLUMNS } from '../../sim/columns.ts';
import { replayCommand } from '../../sim/replay.ts';
import { redOn } from '../colour.ts';
import { command } from '../command.ts';
import { compareTable } from '../compare-table.ts';
import { lifetime } from '../lifetime.ts';
import { option, optional, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { Problem } from '../problem.ts';
import { readList, readPath, wholeNumber } from '../readers.ts';
import { makeFolder, writeReport } from '../report-files.ts';
import type { SimOutcome } from '../sim-pool.ts';
import { type Plan, type PlannedRun, reportOf, runAll } from '../sim-runs.ts';

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
    const written = writeReport(out, report);
    if (json) printJson(written.report);
    else print(`${compareTable(report, redOn(process.stdout, process.env))}\n\n${written.paths.join('\n')}`);
    if (done < all)
      throw new Problem(
        `stopped after ${done} of ${all} runs: the report has ${whole.seeds.length} of ${plan.seeds.length} seeds`,
      );
  },
});

/** What a plan's commands are made of. */
type Asked = Pick<Plan, 'scenario' | 'columns' | 'seeds' | 'peers' | 'seconds'>;

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
  return { ...plan, command: commandOf(plan), replay: (run) => replayOf(plan, run), wantsViewers: false };
}

function commandOf({ scenario, peers, seeds, seconds, columns }: Asked): string {
  const asked = ['npx inswarm sim compare --scenario', scenario.name, '--peers', peers, '--seeds', seeds.length];
  asked.push('--seed', seeds[0] ?? 1, '--seconds', seconds, '--columns', columns.map(({ key }) => key).join(','));
  return asked.join(' ');
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

function replayOf({ scenario, peers, seconds }: Asked, { column, seed }: PlannedRun): string {
  const more = furtherOptionsOf(column);
  return replayCommand({ scenario: scenario.name, mode: column.mode, peers, seed, seconds, more });
}

function readScenario(text: string): Scenario {
  const scenario = scenarioNamed(text);
  if (scenario === undefined) throw new Error(`the scenarios are ${SCENARIOS.map(({ name }) => name).join(', ')}`);
  return scenario;
}
