import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import type { Report } from '../../report/report.ts';
import { VIEWER_COLUMNS, viewersCsv } from '../../report/viewers.ts';
import { readScenarioFile } from '../../scenarios/format/scenario-file.ts';
import { SCENARIOS, scenarioNamed } from '../../scenarios/plan/scenarios.ts';
import { BIN, ensureBuilt } from './program.ts';

/** Some leave, some without a word, and some of those come back. */
const SMALL = `version: 1
name: small
summary: a small crowd that comes and goes
duration: 10 s
arrivals: {kind: crowd, from: 1 s, within: 1 s}
sessions: {kind: churn, length: {law: exponential, mean: 4 s}, returning: 50 %, away: 1 s, crashing: 50 %}
supply: {kind: fair, times: 8}
browsers: 50 %
`;

let folder: string;
beforeAll(() => {
  ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'inswarm-measure-'));
  writeFileSync(join(folder, 'small.yaml'), SMALL);
});
afterAll(() => rmSync(folder, { recursive: true }));

function inswarm(...args: string[]) {
  return spawnSync(process.execPath, [BIN, 'measure', ...args], { encoding: 'utf8', cwd: folder });
}

/** The lines of a file without quoted cells, each by the names in its first line. */
function rowsOf(csv: string): Record<string, string>[] {
  const [head, ...lines] = csv.trimEnd().split('\n');
  const names = head!.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    expect(cells).toHaveLength(names.length);
    return Object.fromEntries(names.map((name, at) => [name, cells[at]!]));
  });
}

describe('inswarm measure', () => {
  it('runs a file in ins and native mode, and writes a report, a page, and a line for each stay', () => {
    const { status, stdout, stderr } = inswarm(
      ...['--scenario', 'small.yaml', '--engine', 'sim', '--peers', '12', '--out', 'out'],
    );
    expect([status, stderr.split('\n').length]).toEqual([0, 3]);
    expect(stdout).toMatch(/^small, 12 viewers, 10 s, 1 seed\n/);
    expect(stdout).toContain(join('out', 'peers.csv'));
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(['peers.csv', 'report.html', 'report.json']);

    const report = JSON.parse(readFileSync(join(folder, 'out/report.json'), 'utf8')) as Report;
    expect(Object.keys(report.modes)).toEqual(['ins', 'native']);
    const command = 'npx inswarm measure --scenario small.yaml --engine sim --mode ins,native --peers 12 --seed 1';
    expect(report.made.command).toBe(command);
    expect(readFileSync(join(folder, 'out/report.html'), 'utf8')).toContain(command);

    const rows = rowsOf(readFileSync(join(folder, 'out/peers.csv'), 'utf8'));
    for (const [key, column] of Object.entries(report.modes)) {
      const own = rows.filter((row) => row.column === key);
      const sum = (name: string) => own.reduce((total, row) => total + Number(row[name]), 0);
      expect(own).toHaveLength(column.viewers.joined);
      expect(own.filter((row) => row.startup_ms !== '')).toHaveLength(column.viewers.started);
      expect(sum('freezes')).toBe(column.freezes.total);
      expect([sum('ins_bytes'), sum('peers_bytes'), sum('source_bytes')]).toEqual([
        column.bytesFrom.ins,
        column.bytesFrom.peers,
        column.bytesFrom.source,
      ]);
      expect(new Set(own.map((row) => row.viewer)).size).toBe(12);
      expect(new Set(own.map((row) => row.mode))).toEqual(new Set([key]));
      expect(own.some((row) => row.stay !== '0')).toBe(true);
      expect(own.some((row) => row.left_ms !== '') && own.some((row) => row.left_ms === '')).toBe(true);
      for (const row of own.filter(({ left_ms }) => left_ms !== ''))
        expect(Number(row.left_ms)).toBeGreaterThan(Number(row.joined_ms));
      expect(new Set(own.filter((row) => row.browser === '1').map((row) => row.viewer)).size).toBeLessThanOrEqual(6);
      expect(own.some((row) => Number(row.latency_ms) > 0)).toBe(true);
    }
  });

  it('runs one mode of a report again to the same trace', () => {
    const [first, again] = ['one', 'two'].map((out) => {
      const asked = ['--scenario', 'small.yaml', '--engine', 'sim', '--mode', 'hybrid', '--peers', '6'];
      const { stdout } = inswarm(...asked, '--seed', 'a b', '--out', out, '--json');
      return JSON.parse(stdout) as Report;
    });
    const run = first!.modes.hybrid!.runs[0]!;
    expect(Object.keys(first!.modes)).toEqual(['hybrid']);
    expect(run.command).toBe(
      "npx inswarm measure --scenario small.yaml --engine sim --mode hybrid --peers 6 --seed 'a b'",
    );
    expect(again!.modes.hybrid!.runs[0]!.traceHash).toBe(run.traceHash);
  });

  it('tells every mistake in a file with its line, and runs nothing', () => {
    writeFileSync(join(folder, 'wrong.yaml'), SMALL.replace('10 s', '10').replace('browsers: 50', 'browser: 50'));
    const { status, stdout, stderr } = inswarm('--scenario', 'wrong.yaml', '--engine', 'sim', '--out', 'none');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      "wrong.yaml:4: duration: '10' has no unit; write it like 60 s, in ms, s, min, h\n" +
        'wrong.yaml:8: browser: there is no such field; did you mean browsers?\n' +
        'inswarm measure: --scenario wrong.yaml: 2 mistakes in the file; docs/scenarios.md describes the format\n',
    );
    expect(readdirSync(folder)).not.toContain('none');
  });

  it('prints a scenario as a file that says the same', () => {
    const { stdout } = inswarm('--scenario', 'ins-lost', '--print');
    expect(readScenarioFile(stdout)).toEqual({ ok: true, scenario: scenarioNamed('ins-lost') });
  });

  it('leaves nothing written and no process when it is interrupted', async () => {
    const asked = ['--scenario', 'flash-crowd', '--engine', 'sim', '--peers', '60', '--out', 'stopped'];
    const child = spawn(process.execPath, [BIN, 'measure', ...asked], { cwd: folder });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    const children = `/proc/${child.pid}/task/${child.pid}/children`;
    let workers: number[] = [];
    while (workers.length < 1) {
      workers = readFileSync(children, 'utf8').trim().split(' ').filter(Boolean).map(Number);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill('SIGINT');
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(1);
    expect(said).toMatch(/^inswarm measure: stopped after 0 of 2 runs; nothing was written\n$/);
    expect(readdirSync(join(folder, 'stopped'))).toEqual([]);
    for (const worker of workers) expect(() => process.kill(worker, 0)).toThrow('ESRCH');
  });

  it('says in one line what is wrong with the command, and what to do', async () => {
    const problem = (...args: string[]) =>
      runCommandLine(COMMANDS, ['measure', ...args], { env: {}, version: '1', write: () => {} }).then(
        () => '',
        (error: Error) => error.message,
      );
    const sim = ['--engine', 'sim'];
    const serverless = join(folder, 'serverless.yml');
    writeFileSync(
      serverless,
      'version: 1\nname: serverless\nsummary: none\nmode: native\nins-servers: 0\nins-fed: 0\n',
    );
    expect(await problem('--scenario', 'churn', '--agents', '2')).toBe(
      '--agents: say with --secret what agents have to know',
    );
    expect(await problem('--scenario', 'churn', '--links', 'wires')).toContain('links are namespaces or buckets');
    expect(await problem('--scenario', 'churn', '--listen', 'here')).toContain('an address and a port are expected');
    expect(await problem(...sim)).toContain('--scenario is missing: say --scenario flash-crowd');
    expect(await problem('--scenario', 'chrun', ...sim)).toMatch(
      /^--scenario chrun: did you mean churn\? the scenarios/,
    );
    expect(await problem('--scenario', './none', ...sim)).toBe('--scenario ./none: there is no such file');
    expect(await problem('--scenario', `${folder}/`, ...sim)).toContain('the file cannot be read (EISDIR)');
    expect(await problem('--scenario', 'churn', '--engine', 'real')).toContain('the engines are processes and sim');
    expect(await problem('--scenario', 'churn', ...sim, '--mode', 'ins,p2p')).toContain('the modes are ins, native');
    expect(await problem('--scenario', serverless, ...sim, '--mode', 'ins')).toContain('has no INS servers');
    expect(await problem('--scenario', 'churn', ...sim, '--out', join(BIN, 'x'))).toContain('cannot be made (ENOTDIR)');
  });

  it('has a help that lists every scenario', async () => {
    let help = '';
    const write = (text: string) => {
      help += text;
    };
    await runCommandLine(COMMANDS, ['measure', '--help'], { env: {}, version: '1', write, columns: 100 });
    for (const { name } of SCENARIOS) expect(help).toContain(`\n  ${name} `);
  });
});

describe('peers.csv', () => {
  it('quotes what would break a line, rounds times, and leaves empty what cannot be said', () => {
    const csv = viewersCsv({
      'a"b': [],
      ins: [
        {
          viewer: 7,
          stay: 1,
          region: 'a,b "c"',
          mode: 'ins',
          isBrowser: true,
          joinedAtMs: 1_000.04,
          leftAtMs: null,
          startupDelayMs: 312.26,
          freezes: 2,
          frozenMs: 400,
          dueBlocks: 90,
          missedBlocks: 1,
          bytesFrom: { ins: 1, peers: 2, source: 3 },
          dataSentBytes: 4,
          controlSentBytes: 5,
          controlReceivedBytes: 6,
          liveLatencyMs: null,
        },
      ],
    });
    expect(csv).toBe(
      `column,${VIEWER_COLUMNS.map(({ name }) => name).join(',')}\n` +
        'ins,7,1,"a,b ""c""",ins,1,1000,,312.3,2,400,90,1,1,2,3,4,5,6,\n',
    );
  });
});
