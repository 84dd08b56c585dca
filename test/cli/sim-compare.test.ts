import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { CompareProgress } from '../../cli/compare-progress.ts';
import { compareTable } from '../../cli/compare-table.ts';
import type { Report } from '../../report/report.ts';
import { sampleReport } from '../report/sample.ts';
import { BIN, ensureBuilt } from './program.ts';

let folder: string;
beforeAll(() => {
  ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'inswarm-compare-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const QUICK = ['sim', 'compare', '--peers', '60', '--seconds', '5', '--processes', '2'];

function inswarm(...args: string[]) {
  return spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8', cwd: folder });
}

describe('inswarm sim compare', () => {
  it('writes a report of all columns and seeds, whose runs can be replayed to the same trace', () => {
    const { status, stdout, stderr } = inswarm(
      ...QUICK,
      '--seeds',
      '2',
      '--columns',
      'native,ins',
      '--out',
      'two',
      '--json',
    );
    expect([status, stderr.split('\n').length]).toEqual([0, 5]);
    const report = JSON.parse(readFileSync(join(folder, 'two/report.json'), 'utf8')) as Report;
    expect(JSON.parse(stdout)).toEqual(report);
    expect(Object.keys(report.modes)).toEqual(['native', 'ins']);
    expect([report.seeds, report.peers, report.warnings]).toEqual([[1, 2], 60, []]);
    for (const { runs, supply } of Object.values(report.modes)) {
      expect(runs.map(({ seed }) => seed)).toEqual([1, 2]);
      expect(supply.sourceBps + supply.insBps + supply.peersBps).toBe(report.supplyBps);
    }
    const [run] = report.modes.native!.runs;
    const words = run!.command.split(' ');
    expect(words.slice(0, 3)).toEqual(['npx', 'inswarm', 'sim']);
    const replayed = JSON.parse(inswarm(...words.slice(2), '--json').stdout) as Report;
    expect(replayed.modes.native!.runs[0]!.traceHash).toBe(run!.traceHash);
    const page = readFileSync(join(folder, 'two/report.html'), 'utf8');
    expect(page).toContain(run!.traceHash);
    expect(page).toContain(report.made.command);
  });

  it('runs what a variation varies, too, and prints a table where no JSON is asked for', () => {
    const { status, stdout } = inswarm(...QUICK, '--seeds', '1', '--columns', 'no-batches', '--out', 'varied');
    expect(status).toBe(0);
    expect(stdout).toMatch(/INS as drafted +No batches/);
    expect(stdout).toContain('supply, No batches: 90,000,000 bit/s');
    expect(stdout).toContain(join('varied', 'report.html'));
    const report = JSON.parse(readFileSync(join(folder, 'varied/report.json'), 'utf8')) as Report;
    const [run] = report.modes['no-batches']!.runs;
    expect(run!.traceHash).not.toBe(report.modes['ins-drafts']!.runs[0]!.traceHash);
    const replayed = JSON.parse(inswarm(...run!.command.split(' ').slice(2), '--json').stdout) as Report;
    expect(Object.values(replayed.modes)[0]!.runs[0]!.traceHash).toBe(run!.traceHash);
  });

  it('says in one line what is wrong, before anything is run', async () => {
    const problem = (...args: string[]) =>
      runCommandLine(COMMANDS, args, { env: {}, version: '1', write: () => {} }).then(
        () => '',
        (error: Error) => error.message,
      );
    expect(await problem('sim', 'compare', '--columns', 'pear')).toMatch(
      /^--columns pear: the columns are native, ins, /,
    );
    expect(await problem(...QUICK, '--out', join(BIN, 'none'))).toMatch(
      /^--out .*: the folder cannot be made \(ENOTDIR\)$/,
    );
    expect(await problem(...QUICK, '--scenario', 'pear')).toContain('the scenarios are flash-crowd,');
  });

  it('ends with all its processes when it is interrupted, and leaves nothing written', async () => {
    const child = spawn(process.execPath, [BIN, ...QUICK, '--seconds', '60', '--out', 'stopped'], { cwd: folder });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    const workers = await childrenOf(child.pid!, 2);
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect(code).toBe(1);
    expect(said).toMatch(/stopped after \d+ of 30 runs; nothing was written\n$/);
    for (const worker of workers) expect(() => process.kill(worker, 0)).toThrow('ESRCH');
    expect(readdirSync(join(folder, 'stopped'))).toEqual([]);
  });

  it('whose process is killed leaves no other behind', async () => {
    const child = spawn(process.execPath, [BIN, ...QUICK, '--seconds', '60', '--out', 'killed'], { cwd: folder });
    const workers = await childrenOf(child.pid!, 2);
    child.kill('SIGKILL');
    for (const worker of workers) await goneOf(worker);
  });
});

/** The processes that a process has started, once there are so many. */
async function childrenOf(pid: number, count: number): Promise<number[]> {
  for (;;) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    if (children.length >= count) return children.map(Number);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until a process is gone; the test's own time limit ends the waiting. */
async function goneOf(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('the table in the terminal', () => {
  it('has every column and figure, targets that are reached or not, and both supplies', () => {
    const report = sampleReport();
    const text = compareTable(report);
    const lines = text.split('\n');
    for (const { label } of Object.values(report.modes))
      expect(text).toContain(`supply, ${label}: 315,000,000 bit/s (`);
    expect(lines.find((line) => line.startsWith('Startup, 95'))).toMatch(/3\.51 s ±0\.35 ✓ +0\.83 s ±0\.06 ✓/);
    expect(lines.find((line) => line.startsWith('Live latency, 95'))).toMatch(/1\.61 s ±0 ✗/);
    expect(text).toContain('Follow. One request for all blocks of a range as they are put: median startup fell from');
    // Variations stand in a table of their own, beside what they vary.
    const heads = lines.filter((line) => /^ +\S/.test(line)).filter((line) => line.includes('INS as drafted'));
    expect(heads.map((line) => line.includes('No batches'))).toEqual([false, true]);
    expect(text).not.toMatch(/NaN|undefined|null|\u00a0/);
  });

  it('says where supplies differ', () => {
    const report = sampleReport();
    const native = { ...report.modes.native!, supply: { sourceBps: 1, insBps: 0, peersBps: 0 } };
    const text = compareTable({ ...report, modes: { ...report.modes, native }, warnings: ['not fair'] });
    expect(text).toContain(
      'supply, Native: 1 bit/s (source 1.00 bit/s, INS servers 0 bit/s, viewers 0 bit/s), which is not what',
    );
    expect(text).toContain('warning: not fair');
  });
});

describe('the display of progress', () => {
  const runs = ['native', 'ins', 'native', 'ins'].map((column, at) => ({ column, name: `${column}, seed ${at >> 1}` }));
  const terminal = { isTTY: true, columns: 200, write: () => true } as unknown as NodeJS.WriteStream;

  it('shows what is under way, and judges the rest by what the same column took', () => {
    const display = new CompareProgress(terminal, runs, 2);
    display.started(0, 0);
    display.started(1, 0);
    expect(display.leftMs(0)).toBeNull();
    display.finished(1, '', 10_000);
    display.started(2, 10_000);
    display.progress(0, 0.5, 30_000);
    // Half of native, seed 0 (30 s of 60), a whole native (not done once yet: taken as usual), and INS with 10 s.
    expect(display.text(30_000)).toMatch(
      /^\[#+-+\] 1 of 4 {2}native, seed 0 50 % {2}native, seed 1 0 % {2}0:00:\d\d left$/,
    );
    expect(display.leftMs(30_000)).toBe((35_000 / 2 + 35_000 + 10_000) / 2);
  });

  it('is a line for each run that is done where nobody watches', () => {
    let text = '';
    const file = {
      isTTY: false,
      write(line: string) {
        text += line;
      },
    } as unknown as NodeJS.WriteStream;
    const display = new CompareProgress(file, runs, 1);
    display.started(0, 0);
    display.progress(0, 0.5, 1_000);
    display.finished(0, 'startup 1 s', 61_000);
    display.clear();
    expect(text).toBe('1 of 4: native, seed 0: startup 1 s, 0:01:01\n');
  });
});
