import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommandLine } from '../../cli/command.ts';
import { crashProblem } from '../../cli/commands/sim.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { progressText } from '../../cli/sim-progress.ts';
import { REPORT_SCHEMA, type Report } from '../../report/report.ts';
import { SCENARIOS } from '../../scenarios/plan/scenarios.ts';
import { BIN, ensureBuilt } from './program.ts';
import { inTerminal } from './pty.ts';

let folder: string;
beforeAll(() => {
  ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'inswarm-sim-'));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const SMALL = ['--peers', '5', '--seconds', '8'];

async function sim(...args: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [BIN, 'sim', ...args])).stdout;
}

function problem(...args: string[]): Promise<unknown> {
  const surroundings = { env: {}, version: '1', write: () => {} };
  return runCommandLine(COMMANDS, ['sim', ...args], surroundings).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

test('the command in a report runs the same again', async () => {
  const first: Report = JSON.parse(await sim(...SMALL, '--no-follow', '--seed', 'one two', '--json'));
  expect(first.schema).toBe(REPORT_SCHEMA);
  const run = first.modes['ins-drafts']!.runs[0]!;
  expect(run.command).toBe(
    "npx inswarm sim --scenario flash-crowd --mode ins --peers 5 --seed 'one two' --seconds 8 --no-follow",
  );
  const words = run.command.replace("'one two'", 'one_two').split(' ').slice(3);
  const again: Report = JSON.parse(await sim(...words.map((word) => word.replace('_', ' ')), '--json'));
  expect(again.modes['ins-drafts']!.runs[0]!.traceHash).toBe(run.traceHash);
}, 60_000);

test('the table says a figure, its bound and how near it is; nothing is rewritten where there is no terminal', async () => {
  const text = await sim('--peers', '60', '--seconds', '8', '--scenario', 'waves');
  expect(text).toMatch(/Startup, median +\d\.\d\d s +\d\.\d\d s +\d+\.\d\d×/);
  expect(text).toContain('again: npx inswarm sim --scenario waves');
  expect(text).not.toContain('\r');
}, 60_000);

test('delays come from a file, and what is wrong in it is told with its line', async () => {
  const file = join(folder, 'regions');
  writeFileSync(file, 'here 5 300\nthere 300 5\n');
  // A round trip of 0.6 s: handshakes and questions alone take three of them for those who are far from the tracker.
  const report: Report = JSON.parse(
    await sim('--peers', '4', '--supply', '20', '--seconds', '20', '--regions', file, '--json'),
  );
  expect(report.modes.ins!.startupDelayMs.bound!.max).toBeGreaterThan(1_800);
  expect(report.modes.ins!.startupDelayMs.max).toBeGreaterThan(1_800);
  writeFileSync(file, 'here 5 300\nthere 300\n');
  expect(await problem('--regions', file)).toBe(`--regions ${file}: line 2: 1 delays, but there are 2 regions`);
}, 60_000);

test('its help lists every scenario with its sentence, no wider than the terminal', async () => {
  let help = '';
  const write = (text: string) => {
    help += text;
  };
  await runCommandLine(COMMANDS, ['sim', '--help'], { env: {}, version: '1', write, columns: 80 });
  const list = help.slice(help.indexOf('\nScenarios:'), help.indexOf('\nExamples:'));
  for (const line of list.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  const words = list.replaceAll(/\s+/g, ' ');
  for (const { name, summary } of SCENARIOS) expect(words).toContain(` ${name} ${summary}`);
});

test('wrong options are told in one line that says what is right', async () => {
  expect(await problem('--scenario', 'rush')).toContain('--scenario rush: the scenarios are flash-crowd, ');
  expect(await problem('--mode', 'fast')).toBe('--mode fast: the modes are ins, native, hybrid and mixed');
  expect(await problem('--supply', '-1')).toContain('a factor from 0.01 to 1000');
  expect(await problem('--uplinks', 'fast')).toContain('the mixes are equal, ');
});

test('on a terminal it shows how far it is, and Ctrl-C ends it with a word on that', async () => {
  const terminal = await inTerminal([process.execPath, BIN, 'sim', '--peers', '60', '--seconds', '80000'], 120);
  try {
    await terminal.until((output) => output.includes(' of 80000 s '));
    process.kill(terminal.pid, 'SIGINT');
    await terminal.ended;
    expect(terminal.output).toMatch(/inswarm sim: stopped at [\d.]+ s of 80000 s\r\n$/);
  } finally {
    terminal.kill();
  }
}, 30_000);

test('a core that throws is told with the command that shows it again', () => {
  const problem = crashProblem(new Error('no such part'), 1_234.6, 'npx inswarm sim --seed 7');
  expect(problem.message).toBe('a program crashed at 1235 ms: no such part; again: npx inswarm sim --seed 7');
});

test('progress says how far it is, how fast, and how long it will take', () => {
  const progress = { atMs: 30_000, endMs: 60_000, joined: 10, started: 9, freezes: 2 };
  expect(progressText(progress, 10_000)).toBe(
    '[############------------] 30 of 60 s  9 of 10 playing  2 freezes  3.0x real time  0:00:10 left',
  );
});
