import { join } from 'node:path';
import { crossCheck } from '../../report/cross-check.ts';
import type { Report } from '../../report/report.ts';
import { redOn } from '../colour.ts';
import { command } from '../command.ts';
import { crossCheckTable } from '../cross-check-table.ts';
import { lifetime } from '../lifetime.ts';
import { type Asked, type Engine, planOf, readLinks, readModes } from '../measure-plan.ts';
import { option, optional, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { Problem } from '../problem.ts';
import { type ProcessOptions, runProcesses } from '../process-runs.ts';
import { readPath, textOf, wholeNumber } from '../readers.ts';
import { type ReportAsked, reportAsked } from '../report-asked.ts';
import { makeFolder, writeReport } from '../report-files.ts';
import { scenarioAsked } from '../scenario-asked.ts';
import type { Plan } from '../sim-runs.ts';
import { simulated } from '../simulated.ts';

export const measureCrossCheck = command({
  name: 'measure cross-check',
  summary: 'run a scenario in the simulator and by real processes, and see whether both say the same',
  description: `Runs a scenario in both engines, the same crowd with the same links, and compares: medians of startup within 20 %, bytes of each
kind within 5 %, no freeze where the simulator has none. Exit code 1 where they differ. With --sim and --real it compares two reports that are there; with
one of them it runs the other engine.`,
  options: {
    scenario: option('FILE|NAME', 'a scenario file, or the name of one that ships', readPath, 'flash-crowd-small'),
    mode: option('LIST', 'modes with commas between', readModes, ['ins', 'native'] as const, 'ins,native'),
    peers: option('NUMBER', 'how many viewers', wholeNumber(1, 100_000, ''), 50),
    seed: option('TEXT', 'what chance hangs on', textOf(256), '1'),
    repeat: option('TIMES', 'how often real processes run each mode', wholeNumber(1, 100, ''), 1),
    links: optional('KIND', 'what makes rates and delays: namespaces (as root) or buckets', readLinks),
    perProcess: optional('NUMBER', 'how many viewers share a process, at most', wholeNumber(1, 10_000, '')),
    sim: optional('REPORT', "the simulator's report.json, or its folder, instead of a run", readPath),
    real: optional('REPORT', "real processes' report.json, or its folder, instead of a run", readPath),
    out: option('DIR', 'where reports of what was run go, in sim/ and real/', readPath, 'inswarm-cross-check'),
    json: toggle('print the findings as one line of JSON instead of a table'),
  },
  examples: [
    ['Fifty viewers, INS and native', 'inswarm measure cross-check'],
    ['Two reports that are there', 'inswarm measure cross-check --sim sim/report.json --real real/report.json'],
  ],
  async run(values) {
    const { sim, real, json } = values;
    // What is wrong with either is told before anything is run.
    const [simThere, realThere] = [sim, real].map((path) => (path === undefined ? null : reportAsked(path)));
    const ofSim = simThere?.report ?? (await simulator(values, realThere ?? null));
    const ofReal = realThere?.report ?? (await processes(values, simThere ?? null));
    const found = crossCheck(ofSim, ofReal);
    if (json) printJson({ schema: 'inswarm-cross-check-1', ...found });
    else print(crossCheckTable(found, redOn(process.stdout, process.env)));
    if (found.problems.length > 0) throw new Problem('the two reports are not of one crowd', 2);
    if (found.noResults.length > 0)
      throw new Problem('the machine was the bottleneck: nothing is said of the simulator');
    const wrong = found.findings.filter(({ ok }) => !ok).length;
    if (wrong > 0)
      throw new Problem(`${wrong} ${wrong === 1 ? 'figure differs' : 'figures differ'} by more than is tolerated`);
  },
});

interface Values extends Omit<Asked, 'engine'> {
  readonly links: ProcessOptions['links'];
  readonly perProcess: number | undefined;
  readonly out: string;
}

async function simulator(values: Values, other: ReportAsked | null): Promise<Report> {
  // Again with the same seed it would do the same again.
  const plan = planFor('sim', { ...values, repeat: 1 }, other);
  const folder = folderFor(values, 'sim');
  const { report } = await simulated(plan, lifetime().over);
  writeReport(folder, report);
  return report;
}

async function processes(values: Values, other: ReportAsked | null): Promise<Report> {
  const { links, perProcess } = values;
  const plan = planFor('processes', values, other);
  const folder = folderFor(values, 'real');
  const options = { links, viewersPerProcess: perProcess, remote: null };
  const { report } = await runProcesses(plan, options, lifetime().over);
  writeReport(folder, report);
  return report;
}

/** @throws Problem where the report that is there is of another crowd: before that is run. */
function planFor(engine: Engine, values: Values, other: ReportAsked | null): Plan {
  const plan = planOf(scenarioAsked(values.scenario), { ...values, engine });
  const { scenario, peers } = plan;
  if (other !== null && (other.report.scenario !== scenario.name || other.report.peers !== peers))
    throw new Problem(
      `${other.path} is of ${other.report.scenario} with ${other.report.peers} viewers, and not of ${scenario.name} with ${peers}: say the same with --scenario and --peers`,
      2,
    );
  return plan;
}

function folderFor({ out }: Values, name: string): string {
  const folder = join(out, name);
  makeFolder(folder);
  return folder;
}
