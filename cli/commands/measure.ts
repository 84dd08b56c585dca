import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { viewersCsv } from '../../report/viewers.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { MODES } from '../../scenarios/format/format.ts';
import { needsInsServers, scenarioFileText } from '../../scenarios/format/scenario-file.ts';
import type { Scenario, ScenarioMode } from '../../scenarios/plan/scenario.ts';
import { SCENARIOS } from '../../scenarios/plan/scenarios.ts';
import { mainColumn, type SimColumn } from '../../sim/columns.ts';
import { quoted } from '../../sim/replay.ts';
import { redOn } from '../colour.ts';
import { command } from '../command.ts';
import { compareTable } from '../compare-table.ts';
import { lifetime } from '../lifetime.ts';
import { option, optional, required, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { Problem } from '../problem.ts';
import { readList, readPath, textOf, wholeNumber } from '../readers.ts';
import { makeFolder, writeReport } from '../report-files.ts';
import { scenarioAsked } from '../scenario-asked.ts';
import type { SimOutcome } from '../sim-pool.ts';
import { type Plan, reportOf, runAll, runsOf } from '../sim-runs.ts';

export const measure = command({
  name: 'measure',
  summary: 'run a scenario, from a file or by name, and measure what each viewer feels',
  description: `Runs a scenario (who comes when, over what links, and what goes wrong at which second) in several modes with the same
total supply. Prints a table, and writes report.html, one page with plots that opens anywhere, report.json, and peers.csv with a line for each
viewer. So far the simulator alone runs scenarios: say --engine sim.`,
  options: {
    scenario: required(
      'FILE|NAME',
      'a scenario file (docs/scenarios.md), or the name of one that ships',
      readPath,
      'say --scenario flash-crowd, for example; the names are in inswarm measure --help',
    ),
    engine: optional('ENGINE', 'what runs it: sim, the programs that ship under virtual time', readEngine),
    mode: optional(
      'LIST',
      "modes with commas between, of ins, native, hybrid and mixed; by default ins, native and the scenario's own",
      readModes,
    ),
    peers: option('NUMBER', 'how many viewers', wholeNumber(1, 100_000, ''), 100, '100'),
    seed: option('TEXT', 'what chance hangs on', textOf(256), '1'),
    out: option('DIR', 'where report.html, report.json and peers.csv go', readPath, 'inswarm-measure'),
    json: toggle('print the report as one line of JSON instead of a table'),
    print: toggle('run nothing; print the scenario as a file with all its fields, to begin your own with'),
  },
  glossary: { title: 'Scenarios that ship', words: SCENARIOS.map(({ name, summary }) => [name, summary]) },
  examples: [
    [
      'A hundred viewers within ten seconds, INS and native side by side',
      'inswarm measure --scenario flash-crowd --engine sim',
    ],
    ['A scenario of your own, from one that ships', 'inswarm measure --scenario churn --print > my.yaml'],
    [
      'It, with 300 viewers',
      'inswarm measure --scenario my.yaml --engine sim --mode hybrid --peers 300 --out my-report',
    ],
  ],
  async run(values) {
    const scenario = scenarioAsked(values.scenario);
    if (values.print) {
      print(scenarioFileText(scenario).trimEnd());
      return;
    }
    if (values.engine === undefined)
      throw new Problem('only the simulator runs scenarios so far, not real processes; say --engine sim', 2);
    const { out, json } = values;
    const life = lifetime();
    const plan = planOf(scenario, values);
    // Before anything is run for nothing.
    makeFolder(out);
    const startedAtMs = nowMs();
    const outcomes = await runAll(plan, availableParallelism(), life.over);
    const all = plan.columns.length;
    const done = outcomes.filter((outcome) => outcome !== undefined).length;
    if (done < all) throw new Problem(`stopped after ${done} of ${all} runs; nothing was written`);
    const report = reportOf(plan, outcomes, startedAtMs);
    const written = writeReport(out, report);
    const csv = join(out, 'peers.csv');
    writeFileSync(csv, viewersCsv(viewersByColumn(plan, outcomes)));
    if (json) printJson(written.report);
    else print(`${compareTable(report, redOn(process.stdout, process.env))}\n\n${[...written.paths, csv].join('\n')}`);
    const broken = runsOf(plan).find((_, at) => outcomes[at]!.result.violationCount > 0);
    if (broken !== undefined) throw new Problem(`a rule of the system did not hold; again: ${plan.replay(broken)}`);
  },
});

interface Asked {
  /** As it was given: a path or a name. */
  readonly scenario: string;
  readonly mode: readonly ScenarioMode[] | undefined;
  readonly peers: number;
  readonly seed: string;
}

function planOf(scenario: Scenario, asked: Asked): Plan {
  const { peers, seed } = asked;
  const modes = modesOf(scenario, asked.mode);
  const ask = (...those: readonly ScenarioMode[]) => commandOf(asked, those);
  return {
    scenario,
    columns: modes.map((mode): SimColumn => mainColumn(mode, true)),
    seeds: [seed],
    peers,
    seconds: scenario.seconds,
    command: ask(...modes),
    replay: ({ column }) => ask(column.mode),
    wantsViewers: true,
  };
}

/** Those that were asked for; else the two that are compared, and the scenario's own. */
function modesOf({ mode, insServers }: Scenario, asked: readonly ScenarioMode[] | undefined): ScenarioMode[] {
  const can = (one: ScenarioMode) => insServers > 0 || !needsInsServers(one);
  const wrong = asked?.find((one) => !can(one));
  if (wrong !== undefined)
    throw new Problem(`--mode ${wrong}: the scenario has no INS servers, so these viewers would get nothing`, 2);
  return [...new Set(asked ?? (['ins', 'native', mode] as const).filter(can))];
}

function commandOf({ scenario, peers, seed }: Asked, modes: readonly ScenarioMode[]): string {
  const words = ['npx inswarm measure --scenario', quoted(scenario), '--engine sim --mode', modes.join(',')];
  return [...words, '--peers', peers, '--seed', quoted(seed)].join(' ');
}

function viewersByColumn(plan: Plan, outcomes: readonly SimOutcome[]) {
  return Object.fromEntries(runsOf(plan).map(({ column }, at) => [column.key, outcomes[at]!.viewers]));
}

function readEngine(text: string): 'sim' {
  if (text !== 'sim') throw new Error('the only engine so far is sim, the simulator');
  return text;
}

function readModes(text: string): readonly ScenarioMode[] {
  return readList(text).map((word) => {
    const mode = MODES.find((one) => one === word);
    if (mode === undefined) throw new Error(`the modes are ${MODES.join(', ')}`);
    return mode;
  });
}
