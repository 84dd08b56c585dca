import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SCENARIOS } from '../../scenarios/plan/scenarios.ts';
import { Simulation } from '../../sim/simulation.ts';
import { figure, type Result, reportJson, reportLine } from './report.ts';

const HELP = `How fast the simulator is: peer-seconds (one viewer for one virtual second) per second of processor time.

npm run bench:sim -- [options]

  --peers N     may be repeated; default 200 and 1000
  --large       10000 peers, too: needs 8 GB, and minutes
  --mode M      ins, native or hybrid, may be repeated; default ins and native
  --seconds N   of virtual time; default 60
  --json        prints { bench, machine, results } as JSON
  --help        this

Each run has a process of its own. On a machine that does other work, too, processor time is longer than it has to be.`;

const { values } = parseArgs({
  options: {
    peers: { type: 'string', multiple: true, default: [] },
    large: { type: 'boolean', default: false },
    mode: { type: 'string', multiple: true, default: ['ins', 'native'] },
    seconds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    run: { type: 'boolean', default: false },
  },
});

/** Young objects of thousands of peers outlive a small nursery, and copying them costs more than room for them. */
const NODE_FLAGS = ['--max-semi-space-size=64', '--max-old-space-size=8192'];

/** What a run took. */
interface Cost {
  readonly cpuSeconds: number;
  readonly peerSeconds: number;
  readonly events: number;
  readonly heapBytes: number;
}

type BenchMode = 'ins' | 'native' | 'hybrid';

/** Peer-seconds per second of processor time to reach, by mode and peers: real time five and two times over, and ten thousand for a minute in five. */
function targetOf(mode: string, peers: number): number | undefined {
  if (peers === 1_000) return { ins: 5_000, native: 2_000 }[mode];
  return peers === 10_000 ? 2_000 : undefined;
}

/** One run of the drafts' flash crowd, in this process. */
function run(mode: BenchMode, peers: number, seconds: number): Cost {
  const scenario = SCENARIOS.find(({ name }) => name === 'flash-crowd')!;
  const sim = new Simulation({ scenario, seed: 1, peers, mode, seconds });
  const before = process.cpuUsage();
  let peerSeconds = 0;
  let heapBytes = 0;
  for (let second = 1; second <= seconds; second++) {
    sim.runUntil(second * 1_000);
    peerSeconds += sim.stays.length;
    if (second % 10 === 0) heapBytes = Math.max(heapBytes, process.memoryUsage().heapUsed);
  }
  const { user, system } = process.cpuUsage(before);
  return { cpuSeconds: (user + system) / 1e6, peerSeconds, events: sim.eventCount, heapBytes };
}

function runApart(mode: string, peers: number): Promise<Cost> {
  const args = ['--run', '--mode', mode, '--peers', String(peers), '--seconds', values.seconds];
  const child = fork(fileURLToPath(import.meta.url), args, { execArgv: [...process.execArgv, ...NODE_FLAGS] });
  return new Promise((resolve, reject) => {
    child.once('message', (cost) => resolve(cost as Cost));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the run of ${peers} peers ended with code ${code}`)));
  });
}

async function main(): Promise<void> {
  if (values.help) {
    console.log(HELP);
    return;
  }
  const named = values.peers.map(Number);
  const sizes = named.length > 0 ? named : [200, 1_000, ...(values.large ? [10_000] : [])];
  if (values.run) {
    process.send!(run(values.mode.at(-1) as BenchMode, sizes[0]!, Number(values.seconds)));
    return;
  }
  const results: Result[] = [];
  const tell = (result: Result): void => {
    results.push(result);
    if (!values.json) console.log(reportLine(result));
  };
  for (const peers of sizes) {
    for (const mode of values.mode) {
      const { cpuSeconds, peerSeconds, events, heapBytes } = await runApart(mode, peers);
      const atLeast = targetOf(mode, peers);
      const note = `${cpuSeconds.toFixed(1)} s of processor for ${values.seconds} s`;
      const target = atLeast === undefined ? {} : { atLeast };
      tell(figure(`${mode}, ${peers} peers`, [peerSeconds / cpuSeconds], 'peer-s/s', target, note));
      tell(figure(`${mode}, ${peers} peers: events`, [events / peerSeconds], '/peer-s'));
      tell(figure(`${mode}, ${peers} peers: memory`, [heapBytes / peers / 1000], 'kB/peer'));
    }
  }
  if (values.json) console.log(reportJson('sim', results));
}

await main();
