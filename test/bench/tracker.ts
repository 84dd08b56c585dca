import { parseArgs } from 'node:util';
import { profile, stopAll } from './ins/process.ts';
import { Profiler } from './ins/profile.ts';
import type { Context } from './ins/scenario.ts';
import { type Result, reportJson, reportLine } from './report.ts';
import { hub, memory } from './tracker/scenarios/core.ts';
import { browsers, joins } from './tracker/scenarios/sockets.ts';

const SCENARIOS = [joins, memory, hub, browsers];

const HELP = `What the tracker carries: joins, members, and the hub for browsers.

npm run bench:tracker -- [options]

  --only NAME   one scenario, may be repeated:
${SCENARIOS.map(({ name, about }) => `                  ${name.padEnd(10)} ${about}`).join('\n')}
  --quick       fewer and shorter rounds: shows that all works, not how fast
  --rounds N    repetitions of each measurement (default 3)
  --json        prints { bench, machine, results } as JSON
  --verbose     tells what each side did in each round
  --profile     shows in which functions the tracker spends its time, after each scenario
  --help        this

Processes share the machine with whatever else runs: read ratios, not seconds. docs/benchmarks.md says what each row means.
Linux only (it reads /proc).`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (values.help) {
    console.log(HELP);
    return;
  }
  const unknown = values.only.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    process.stderr.write(`there is no scenario ${unknown}: ${SCENARIOS.map(({ name }) => name).join(', ')}\n`);
    process.exitCode = 2;
    return;
  }
  const results: Result[] = [];
  const context: Context = {
    quick: values.quick,
    rounds: Number(values.rounds ?? (values.quick ? 1 : 3)),
    measureMs: values.quick ? 400 : 1_200,
    result(result) {
      results.push(result);
      if (!values.json) console.log(reportLine(result));
    },
    say(text) {
      if (values.verbose) process.stderr.write(`  ${text}\n`);
    },
  };
  const profiler = values.profile ? new Profiler() : undefined;
  if (profiler !== undefined)
    profile(
      values.only[0] === 'hub' || values.only[0] === 'memory' ? '../tracker/core' : '../tracker/servers/tracker',
      profiler.flags,
    );
  for (const scenario of SCENARIOS) {
    if (values.only.length > 0 && !values.only.includes(scenario.name)) continue;
    if (!values.json) console.log(`# ${scenario.name}: ${scenario.about}`);
    try {
      await scenario.run(context);
    } finally {
      await stopAll();
      for (const line of profiler?.report() ?? []) process.stderr.write(`${line}\n`);
    }
  }
  profiler?.close();
  if (values.json) console.log(reportJson('tracker', results));
}

let ending = false;

/** Undoes everything, whatever has happened, and ends. */
async function end(exitCode: number, error?: unknown): Promise<void> {
  // What was under way when everything is stopped fails, of course.
  if (ending) return;
  ending = true;
  if (error !== undefined) process.stderr.write(`${(error as Error).stack}\n`);
  await stopAll();
  process.exit(exitCode);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130));
process.on('uncaughtException', (error) => void end(1, error));
process.on('unhandledRejection', (error) => void end(1, error));
await main().catch((error) => end(1, error));
