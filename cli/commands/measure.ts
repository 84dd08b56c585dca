import { writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join, resolve } from 'node:path';
import { viewersCsv } from '../../report/viewers.ts';
import { scenarioFileText } from '../../scenarios/format/scenario-file.ts';
import { SCENARIOS } from '../../scenarios/plan/scenarios.ts';
import { redOn } from '../colour.ts';
import { command } from '../command.ts';
import { compareTable } from '../compare-table.ts';
import { lifetime } from '../lifetime.ts';
import { LiveSession } from '../live-session.ts';
import { planOf, readEngine, readLinks, readModes } from '../measure-plan.ts';
import { option, optional, required, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { Problem } from '../problem.ts';
import { type ProcessOptions, runProcesses } from '../process-runs.ts';
import { readHost, readPath, readPort, readSecret, textOf, wholeNumber } from '../readers.ts';
import { makeFolder, writeReport } from '../report-files.ts';
import { scenarioAsked } from '../scenario-asked.ts';
import type { Plan } from '../sim-runs.ts';
import { type Done, simulated } from '../simulated.ts';

export const measure = command({
  name: 'measure',
  summary: 'run a scenario, from a file or by name, and measure what each viewer feels',
  description: `Runs a scenario (who comes when, over what links, and what goes wrong at which second) in several modes with the same
total supply: by real processes over real sockets on this machine, or with --engine sim the same programs under virtual time. Prints a table, and writes
report.html, one page with plots that opens anywhere, report.json, and peers.csv with a line for each viewer.`,
  options: {
    scenario: required(
      'FILE|NAME',
      'a scenario file (docs/scenarios.md), or the name of one that ships',
      readPath,
      'say --scenario flash-crowd, for example; the names are in inswarm measure --help',
    ),
    engine: option(
      'ENGINE',
      'what runs it: processes, or sim, the same programs under virtual time',
      readEngine,
      'processes',
    ),
    mode: optional(
      'LIST',
      "modes with commas between, of ins, native, hybrid and mixed; by default ins, native and the scenario's own",
      readModes,
    ),
    peers: option('NUMBER', 'how many viewers', wholeNumber(1, 100_000, ''), 100, '100'),
    seed: option('TEXT', 'what chance hangs on', textOf(256), '1'),
    repeat: option('TIMES', 'how often each mode is run, with the same seed', wholeNumber(1, 100, ''), 1, '1'),
    links: optional(
      'KIND',
      'what makes rates and delays: namespaces (by the kernel, as root) or buckets (in the programs); the first where it can be',
      readLinks,
    ),
    perProcess: optional(
      'NUMBER',
      'how many viewers share a process, at most; by default 34, or half of them',
      wholeNumber(1, 10_000, ''),
    ),
    browsers: option(
      'NUMBER',
      'how many of the viewers are players in headless Chromium',
      wholeNumber(0, 64, ''),
      0,
      '0',
    ),
    witnesses: option(
      'NUMBER',
      'how many of the others have a plain player in Chromium beside them, that says what it sees',
      wholeNumber(0, 16, ''),
      0,
      '0',
    ),
    agents: option(
      'NUMBER',
      'wait for so many inswarm agent on other machines, which run the viewers',
      wholeNumber(0, 63, ''),
      0,
      '0',
    ),
    listen: option(
      'HOST:PORT',
      'where these agents connect',
      readHostPort,
      { host: '127.0.0.1', port: 4890 },
      '127.0.0.1:4890',
    ),
    secret: optional('TEXT', 'what they have to know', readSecret),
    live: option(
      'PORT',
      'where the live page is served on this machine while real processes run',
      readPort,
      0,
      'any free port',
    ),
    out: option('DIR', 'where report.html, report.json and peers.csv go', readPath, 'inswarm-measure'),
    json: toggle('print the report as one line of JSON instead of a table'),
    print: toggle('run nothing; print the scenario as a file with all its fields, to begin your own with'),
  },
  glossary: { title: 'Scenarios that ship', words: SCENARIOS.map(({ name, summary }) => [name, summary]) },
  examples: [
    ['A hundred viewers within ten seconds, INS and native side by side', 'inswarm measure --scenario flash-crowd'],
    ['The same, simulated', 'inswarm measure --scenario flash-crowd --engine sim'],
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
    const { out, json } = values;
    const life = lifetime();
    const plan = planOf(scenario, { ...values, more: moreWords(values) });
    // Before anything is run for nothing.
    makeFolder(out);
    const live = values.engine === 'sim' ? undefined : await LiveSession.open(values.live);
    if (live?.problem !== undefined) process.stderr.write(`${live.problem}\n`);
    const { report, viewers, broken } = await (live === undefined
      ? simulated(plan, life.over)
      : byProcesses(plan, { ...values, live }, life.over)
    ).catch(async (error: Error) => {
      live?.end(false, error.message, []);
      await live?.close();
      throw error;
    });
    const written = writeReport(out, report);
    const csv = join(out, 'peers.csv');
    writeFileSync(csv, viewersCsv(viewers));
    live?.end(
      true,
      'All runs are done.',
      [...written.paths, csv].map((path) => resolve(path)),
    );
    await live?.close();
    if (json) printJson(written.report);
    else print(`${compareTable(report, redOn(process.stdout, process.env))}\n\n${[...written.paths, csv].join('\n')}`);
    if (broken !== undefined) throw new Problem(`a rule of the system did not hold; again: ${plan.replay(broken)}`);
  },
});

/** What else is not as usual. */
function moreWords({ links, perProcess, browsers, witnesses, agents }: Omit<ProcessesAsked, 'live'>): string[] {
  const words = {
    links,
    'per-process': perProcess,
    browsers: browsers || undefined,
    witnesses: witnesses || undefined,
  };
  const said = Object.entries(words).flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${value}`]));
  return agents === 0 ? said : [...said, `--agents ${agents} --secret …`];
}

interface ProcessesAsked {
  readonly browsers: number;
  readonly witnesses: number;
  readonly live: LiveSession;
  readonly links: ProcessOptions['links'];
  readonly perProcess: number | undefined;
  readonly agents: number;
  readonly listen: { readonly host: string; readonly port: number };
  readonly secret: string | undefined;
}

function byProcesses(plan: Plan, asked: ProcessesAsked, over: Promise<void>): Promise<Done> {
  const { links, perProcess, browsers, witnesses, agents, listen, secret, live } = asked;
  if (agents > 0 && secret === undefined) throw new Problem('--agents: say with --secret what agents have to know', 2);
  if (agents > 0 && !isIPv4(listen.host))
    throw new Problem('--listen: say the IPv4 address of this machine, at which agents and their viewers reach it', 2);
  if (agents > 0 && listen.host === '0.0.0.0')
    throw new Problem('--listen: say one address of this machine, not 0.0.0.0: viewers have to find its servers', 2);
  if (agents > 0 && (browsers ?? 0) + (witnesses ?? 0) > 0)
    throw new Problem(
      '--agents: players in browsers run on this machine alone; leave out --browsers and --witnesses',
      2,
    );
  const remote = agents === 0 ? null : { count: agents, ...listen, key: secret! };
  return runProcesses(plan, { links, viewersPerProcess: perProcess, browsers, witnesses, remote, live }, over);
}

function readHostPort(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || port === undefined)
    throw new Error('an address and a port are expected, such as 0.0.0.0:4890');
  return { host: readHost(host), port: readPort(port) };
}
