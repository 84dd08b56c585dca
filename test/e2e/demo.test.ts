import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { BIN, ensureBuilt } from '../cli/program.ts';
import { until } from './support.ts';

const FREE_PORTS = ['tracker', 'ins', 'ins2', 'hls', 'gateway'].flatMap((part) => [`--${part}-port`, '0']);
const ENDED_WITHIN_MS = 20_000;

let folder: string;
let demo: DemoProcess | undefined;

beforeAll(() => {
  ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'inswarm-demo-'));
});
afterEach(() => demo?.child.kill('SIGKILL'));
afterAll(() => rmSync(folder, { recursive: true }));

class DemoProcess {
  readonly child: ChildProcess;
  exit: number | NodeJS.Signals | null | undefined;
  private text = '';

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [BIN, 'demo', '--input', 'testsrc=160x90', ...FREE_PORTS, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Options for other commands in the environment are no business of the demo's parts.
      env: { ...process.env, INSWARM_LISTEN: 'nonsense', INSWARM_LOG_LEVEL: 'warn' },
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on('data', (data: Buffer) => {
        this.text += data;
      });
    }
    this.child.on('exit', (code, signal) => {
      this.exit = code ?? signal;
    });
  }

  lines(pattern: RegExp): string[] {
    return this.text.split('\n').filter((line) => pattern.test(line));
  }

  async line(pattern: RegExp): Promise<string> {
    try {
      await until(
        `the demo prints ${pattern}`,
        () => this.exit !== undefined || this.lines(pattern).length > 0,
        40_000,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}:\n${this.text}`);
    }
    return this.lines(pattern)[0] ?? `ended with ${this.exit}:\n${this.text}`;
  }
}

/** All processes below one, from the kernel's table. */
function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (of: number): number[] => (children.get(of) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

function parentOf(pid: number): number | undefined {
  const status = readProc(pid, 'status');
  return status === undefined ? undefined : Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]);
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

function runs(pid: number): boolean {
  const status = readProc(pid, 'status');
  return status !== undefined && !/^State:\s*Z/m.test(status);
}

async function allGone(pids: readonly number[]): Promise<void> {
  const left = () => pids.filter(runs).map((pid) => readProc(pid, 'cmdline')?.replaceAll('\0', ' '));
  try {
    await until('all processes have ended', () => left().length === 0, ENDED_WITHIN_MS);
  } catch {
    expect(left()).toEqual([]);
  }
}

test('the demo plays: a page, a stream in the gateway, peers that start; a dead part comes back; Ctrl-C ends all of it', async () => {
  demo = new DemoProcess(['--peers', '2']);
  const player = /^Player: (http:\S+\/\?stream=[\w-]{43})$/.exec(await demo.line(/^Player: /))?.[1];
  for (const peer of [1, 2])
    expect(await demo.line(new RegExp(`^peer ${peer} .*first picture after \\d+ ms`))).toContain('first');
  expect(await (await fetch(player!)).text()).toContain('<html');

  const gateway = /(http:\S+) \(through the first peer\)/.exec(await demo.line(/through the first peer/))![1]!;
  expect(await (await fetch(gateway)).text()).toContain('#EXT-X-STREAM-INF');

  const pids = descendants(demo.child.pid!);
  const parts = pids.filter((pid) => parentOf(pid) === demo!.child.pid);
  const commands = parts.map((pid) => readProc(pid, 'cmdline')!.split('\0')[2]).sort();
  expect(commands).toEqual(['ins', 'ins', 'peer', 'peer', 'source', 'tracker']);
  expect(pids.length).toBeGreaterThan(parts.length);

  const second = parts.find((pid) => readProc(pid, 'cmdline')!.includes('\0west\0'))!;
  process.kill(second, 'SIGKILL');
  expect(await demo.line(/^peer 2 was ended by SIGKILL; starting it again/)).toContain('again in');
  await until('peer 2 starts again', () => demo!.lines(/^peer 2 .*first picture/).length === 2);

  const all = [...new Set([...pids, ...descendants(demo.child.pid!)])];
  demo.child.kill('SIGINT');
  await until('the demo has ended', () => demo!.exit !== undefined, ENDED_WITHIN_MS);
  expect(demo.exit).toBe(0);
  await allGone(all);
});

test('no part is left when the demo is killed', async () => {
  demo = new DemoProcess(['--peers', '1', '--mode', 'ins']);
  expect(await demo.line(/^Player: /)).toMatch(/&mode=ins$/);
  await demo.line(/^peer 1 .*first picture/);
  const all = descendants(demo.child.pid!);
  // Five parts, and what takes the stream in.
  expect(all.length).toBeGreaterThanOrEqual(6);
  demo.child.kill('SIGKILL');
  await allGone(all);
});
