import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redOn } from '../../cli/colour.ts';
import { comparisonTable } from '../../cli/comparison-table.ts';
import { readShare } from '../../cli/readers.ts';
import { compareReports } from '../../report/compare.ts';
import type { ComparisonJson } from '../../report/comparison-json.ts';
import type { Report } from '../../report/report.ts';
import { sampleProcessReport } from '../report/rig.ts';
import { ranHere } from './here.ts';

/** The same report, INS startups longer by half in every run. */
function slower(report: Report): Report {
  const ins = report.modes.ins!;
  const times = <T extends { readonly startupDelayMs: Report['modes'][string]['startupDelayMs'] }>(figures: T): T => ({
    ...figures,
    startupDelayMs: { ...figures.startupDelayMs, p50: figures.startupDelayMs.p50! * 1.5 },
  });
  const runs = ins.runs.map((run) => ({ ...run, figures: times(run.figures) }));
  return { ...report, modes: { ...report.modes, ins: { ...times(ins), runs } } };
}

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'inswarm-measure-compare-'));
  const before = sampleProcessReport(SEEDS);
  for (const [name, report] of [
    ['before', before],
    ['after', slower(before)],
  ] as const) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'report.json'), JSON.stringify(report));
  }
  writeFileSync(join(folder, 'wrong.json'), JSON.stringify({ ...before, peers: 'x', supplyBps: -1 }));
});
afterAll(() => rmSync(folder, { recursive: true }));

function compare(...args: string[]) {
  return ranHere('measure', 'compare', ...args.map((arg) => arg.replace(/^@/, `${folder}/`)));
}

describe('inswarm measure compare', () => {
  it('prints what changed, column by column, and what it comes to', async () => {
    const { out, code } = await compare('@before', '@after/report.json');
    expect(code).toBe(0);
    expect(out).toContain(
      `A  ${join(folder, 'before', 'report.json')}: flash-crowd, 200 viewers, 8 seeds, real processes, inswarm 0.1.0, 2026-01-02`,
    );
    expect(out).toContain('\nINS, 8 runs each, compared seed by seed\n');
    expect(out).toMatch(/\nStartup, median +0\.62 s +0\.93 s +\+0\.31 ±0\.\d+ s +\+50 % +WORSE\n/);
    expect(out).toContain('Worse: median startup (INS).\n');
    expect(out).not.toMatch(/\u00a0|NaN|undefined/);
    expect(out).not.toContain('\x1b');
  });

  it('fails in CI where something got worse beyond noise, and only there', async () => {
    const worse = await compare('@before', '@after', '--fail-on-worse');
    expect([worse.code, worse.problem]).toEqual([1, '1 figure got worse beyond noise']);
    expect((await compare('@before', '@after', '--fail-on-worse', '--noise', '60%')).code).toBe(0);
    expect((await compare('@after', '@before', '--fail-on-worse')).code).toBe(0);
  });

  it('writes a page, and JSON for scripts', async () => {
    const { out } = await compare('@before', '@after', '--json', '--out', '@out');
    const read = JSON.parse(out) as ComparisonJson;
    expect(read).toMatchObject({ schema: 'inswarm-comparison-1', warnings: [], worse: ['ins startupDelayMs.p50'] });
    expect(read.columns.ins!.figures['startupDelayMs.p50']).toMatchObject({
      share: expect.closeTo(0.5),
      verdict: 'worse',
    });
    expect(read.columns.native!.figures['startupDelayMs.p50']).toMatchObject({ difference: 0, verdict: 'same' });
    expect(readdirSync(join(folder, 'out'))).toEqual(['compare.html']);
    expect(readFileSync(join(folder, 'out/compare.html'), 'utf8')).toContain('What changed in flash-crowd');
  });

  it('says which field of which file is wrong, and what is missing', async () => {
    const wrong = await compare('@before', '@wrong.json');
    const path = join(folder, 'wrong.json');
    expect(wrong).toEqual({
      out: '',
      code: 2,
      problem: `${path}: this is no whole report; docs/report.md says what it has`,
      details: [
        `${path}: peers: a number of at least 0 is expected, not "x"`,
        `${path}: supplyBps: a number of at least 0 is expected, not -1`,
      ],
    });
    expect((await compare('@before', '@none')).problem).toMatch(/none: there is no such file; inswarm measure writes/);
    expect((await compare('@before')).problem).toBe(
      "missing required argument 'B'; see inswarm measure compare --help",
    );
  });
});

describe('a table of changes', () => {
  it('has warnings and what got worse in red', () => {
    const before = sampleProcessReport([1, 2, 3, 4, 5, 6, 7, 8]);
    const after = { ...slower(before), peers: 100 };
    const red = (text: string) => `<${text}>`;
    const asked = (report: Report) => ({ path: 'x', report });
    const lines = comparisonTable(asked(before), asked(after), compareReports(before, after), red).split('\n');
    expect(lines[2]).toBe('<warning: Different crowds: 200 viewers in A, 100 viewers in B.>');
    expect(lines.filter((line) => line.startsWith('<'))).toHaveLength(2);
  });

  it('is coloured on terminals alone, unless nobody wants colours', () => {
    expect(redOn({ isTTY: true }, {})('x')).toBe('\x1b[31mx\x1b[39m');
    for (const plain of [
      redOn({}, {}),
      redOn({ isTTY: true }, { NO_COLOR: '1' }),
      redOn({ isTTY: true }, { TERM: 'dumb' }),
    ])
      expect(plain('x')).toBe('x');
  });
});

describe('a share', () => {
  it('is said in percent or as a fraction', () => {
    expect([readShare('5%'), readShare('5 %'), readShare('0.05'), readShare('0'), readShare('100%')]).toEqual([
      0.05, 0.05, 0.05, 0, 1,
    ]);
    for (const text of ['', '5', '-1%', '101%', 'x', '1e3%']) expect(() => readShare(text)).toThrow('from 0 to 100%');
  });
});
