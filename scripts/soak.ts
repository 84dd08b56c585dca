/**
 * Runs a demo for a while and says whether the memory of every process is flat, and whether a viewer who comes late starts
 * as fast as the first ones.
 *
 *     npm run soak                      10 minutes
 *     npm run soak -- --minutes 60 --mode ins --input film.mp4
 *
 * Exit code 1: some process grew, died, or a viewer did not start.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Demo, type DemoLine, type DemoPart } from '../cli/demo.ts';
import { reservePorts } from '../cli/ports.ts';
import { readMode } from '../cli/readers.ts';
import { type Flatness, flatness, type Sample } from './flatness.ts';

const BIN = fileURLToPath(new URL('../bin/inswarm.js', import.meta.url));
const SAMPLE_EVERY_MS = 5_000;
/** Windows, lockers and heaps have filled by then: the longest of them holds two minutes. */
const WARM_UP_MS = 180_000;
/** The late viewer has so long to start. */
const LATE_MS = 20_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    mode: { type: 'string', default: 'hybrid' },
    input: { type: 'string', default: 'testsrc' },
    peers: { type: 'string', default: '4' },
  },
});
const durationMs = Number(values.minutes) * 60_000;
const peers = Number(values.peers);
if (!(durationMs >= 2 * WARM_UP_MS) || !Number.isInteger(peers)) {
  console.error('soak: --minutes takes a number of at least 6, --peers a whole number');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'inswarm-soak-'));
const samples = new Map<string, Sample[]>();
const startupMs = new Map<DemoPart, number>();
const summaries = new Map<DemoPart, DemoLine>();
let troubles = 0;

function onLine(part: DemoPart, line: DemoLine): void {
  if (line.event === 'started') startupMs.set(part, Number(line.startupDelayMs));
  if (line.event === 'stats') summaries.set(part, line);
}

function say(text: string): void {
  troubles++;
  console.log(text);
}

const ports = await reservePorts('127.0.0.1', { tracker: 0, ins: 0, ins2: 0, hls: 0, gateway: 0 });
const demo = new Demo(
  {
    ...{
      host: '127.0.0.1',
      reachedAt: '127.0.0.1',
      ports,
      input: values.input,
      key: join(folder, 'key'),
      mode: readMode(values.mode),
      peers,
    },
    ...{ logLevel: 'warn', program: [BIN] },
  },
  onLine,
  say,
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void finish());
console.log(`${values.minutes} minutes of ${values.input}, ${peers} peers in ${values.mode} mode; ${demo.playerUrl}`);
const startedAtMs = performance.now();
const sampling = setInterval(sample, SAMPLE_EVERY_MS);
const late = `peer ${peers + 1}` as const;
await wait(durationMs - LATE_MS);
demo.startPeer(peers + 1);
await wait(LATE_MS);
await finish();

async function finish(): Promise<never> {
  clearInterval(sampling);
  const flat = report();
  await demo.stop();
  rmSync(folder, { recursive: true, force: true });
  process.exit(flat ? 0 : 1);
}

function sample(): void {
  const atMs = performance.now() - startedAtMs;
  const children = childrenOf();
  for (const [part, { pid }] of demo.children) {
    if (pid === undefined || part === late) continue;
    note(part, pid, atMs);
    for (const child of children.get(pid) ?? []) note(`${part}: ${child.name}`, child.pid, atMs);
  }
}

function note(name: string, pid: number, atMs: number): void {
  const rssBytes = rssOf(pid);
  if (rssBytes === undefined) return;
  const list = samples.get(name) ?? [];
  samples.set(name, list);
  list.push({ atMs, rssBytes });
}

/** Memory and children are read from the kernel's table: only Linux has it in this form. */
function rssOf(pid: number): number | undefined {
  const kilobytes = /^VmRSS:\s*(\d+)/m.exec(status(pid))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

function childrenOf(): ReadonlyMap<number, { readonly pid: number; readonly name: string }[]> {
  const children = new Map<number, { pid: number; name: string }[]>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const text = status(Number(entry));
    const parent = Number(/^PPid:\s*(\d+)/m.exec(text)?.[1]);
    const name = /^Name:\s*(\S+)/m.exec(text)?.[1] ?? '';
    children.set(parent, [...(children.get(parent) ?? []), { pid: Number(entry), name }]);
  }
  return children;
}

function status(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

/** Prints what was found; true when all is well. */
function report(): boolean {
  console.log(`\nmemory after a warm-up of ${(WARM_UP_MS / 60_000).toFixed(0)} minutes, in MB`);
  console.log(row(['process', 'median', 'last', 'per minute', 'growth', '']));
  let isWell = samples.size > 0;
  for (const [name, list] of samples) {
    const found = flatness(list.filter(({ atMs }) => atMs >= WARM_UP_MS));
    if (found === undefined) console.log(row([name, '', '', '', '', 'too few samples']));
    else console.log(row([name, ...figures(found)]));
    isWell &&= found?.isFlat ?? false;
  }
  const first = [...startupMs].filter(([part]) => part !== late).map(([, ms]) => ms);
  const lateMs = startupMs.get(late);
  console.log(
    `\nstartup: the first viewers ${first.join(', ')} ms; one that came late ${lateMs ?? 'never started:'} ms`,
  );
  for (const [part, line] of summaries) {
    const { freezes, frozenMs, missedBlocks, dueBlocks, bytesFrom } = line;
    console.log(
      `${part}: ${freezes} freezes (${frozenMs} ms), missed ${missedBlocks} of ${dueBlocks} blocks, ${JSON.stringify(bytesFrom)}`,
    );
  }
  const restarts = [...demo.children.values()].reduce((sum, child) => sum + child.restarts, 0);
  if (restarts > 0) console.log(`${restarts} processes had to be started again`);
  if (troubles > 0) console.log(`${troubles} complaints, see above`);
  const good = isWell && lateMs !== undefined && restarts === 0;
  console.log(good ? '\nflat' : '\nNOT flat, or not well');
  return good;
}

function figures({ medianBytes, lastBytes, bytesPerMinute, growthBytes, isFlat }: Flatness): string[] {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  const words = [medianBytes, lastBytes, bytesPerMinute, growthBytes].map(megabytes);
  return [...words, isFlat ? 'flat' : 'GROWS'];
}

function row([name, ...cells]: readonly string[]): string {
  return `${name!.padEnd(18)}${cells.map((cell) => cell.padStart(12)).join('')}`;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
