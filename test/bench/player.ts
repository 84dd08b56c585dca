import { parseArgs } from 'node:util';
import { crowd } from './player/crowd.ts';
import { latency } from './player/latency.ts';
import { offload } from './player/offload.ts';
import { outages } from './player/outages.ts';
import { page } from './player/page.ts';
import type { PlayerContext } from './player/scenario.ts';
import { soak } from './player/soak.ts';
import { startup } from './player/startup.ts';
import { wall } from './player/wall.ts';
import { type Result, reportJson, reportLine } from './report.ts';

const SCENARIOS = [page, startup, crowd, offload, latency, outages, wall, soak];

const HELP = `What viewers get: the player's page in headless Chromium, real servers, links of 20 Mbit/s and 40 ms round trip.

npm run bench:player -- [options]

  --only NAME   one scenario, may be repeated:
${SCENARIOS.map(({ name, about, isLong }) => `                  ${name.padEnd(10)} ${about}${isLong === true ? ' (only when asked for)' : ''}`).join('\n')}
  --quick       fewer and shorter rounds: shows that all works, not how well
  --minutes N   how long the soak lasts (default 30)
  --json        prints { bench, machine, results } as JSON
  --verbose     tells how each round went
  --help        this

Nothing else should run on the machine. docs/benchmarks.md says what each row means.`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (values.help) {
    console.log(HELP);
    return;
  }
  const unknown = values.only.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  const minutes = Number(values.minutes);
  const problem =
    unknown !== undefined
      ? `there is no scenario ${unknown}: ${SCENARIOS.map(({ name }) => name).join(', ')}`
      : minutes > 0
        ? undefined
        : `--minutes ${values.minutes} is no number of minutes`;
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 2;
    return;
  }
  const results: Result[] = [];
  const context: PlayerContext = {
    quick: values.quick,
    minutes,
    result(result) {
      results.push(result);
      if (!values.json) console.log(reportLine(result));
    },
    say(text) {
      if (values.verbose) process.stderr.write(`  ${text}\n`);
    },
  };
  for (const scenario of SCENARIOS) {
    const isAsked = values.only.length > 0 ? values.only.includes(scenario.name) : scenario.isLong !== true;
    if (!isAsked) continue;
    if (!values.json) console.log(`# ${scenario.name}: ${scenario.about}`);
    await scenario.run(context);
  }
  if (values.json) console.log(reportJson('player', results));
}

await main();
