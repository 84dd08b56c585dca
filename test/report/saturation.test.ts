import { describe, expect, it } from 'vitest';
import { compareTable } from '../../cli/compare-table.ts';
import { headSentence, ideasIn } from '../../report/ideas.ts';
import { mergeRuns } from '../../report/merge.ts';
import { pageOf } from '../../report/page/page.ts';
import type { Report } from '../../report/report.ts';
import { checked, differenceShare } from '../../report/rig.ts';
import { runsText } from '../../report/runs.ts';
import { type ProcessSamples, rigFigures } from '../../report/saturation.ts';
import { disagreements, saturatedColumns, saturatedText } from '../../report/validity.ts';
import { sampleProcessReport, sampleRig } from './rig.ts';
import { sampleReport } from './sample.ts';

/** So many seconds at one value, the others at another. */
function seconds(count: number, value: number, others: number, of = 60): number[] {
  return Array.from({ length: of }, (_, at) => (at < count ? value : others));
}

function machine(busy: readonly number[], cpus = 2) {
  return { name: 'this machine', cpus, busy };
}

function process(name: string, cpu: readonly number[], loopDelayP99Ms: readonly number[] = []): ProcessSamples {
  return { name, machine: 'this machine', cpu, isParallel: false, loopDelayP99Ms, rssBytes: [] };
}

function reasons(busy: readonly number[], ...processes: ProcessSamples[]) {
  return rigFigures({ machines: [machine(busy)], processes }).saturatedBy;
}

describe('a machine is the bottleneck', () => {
  it('where it is more than 90 % busy in more than a twentieth of the seconds', () => {
    expect(reasons(seconds(4, 0.91, 0.3))).toEqual([
      'This machine: its 2 processors were more than 90 % busy in 4 of 60 seconds.',
    ]);
    expect(reasons(seconds(3, 1, 0.3))).toEqual([]);
    expect(reasons(seconds(60, 0.9, 0.9))).toEqual([]);
  });

  it('where a process has a whole processor, or its event loop is late, each by its name', () => {
    const relay = process('relay', seconds(4, 0.95, 0.2));
    const server = process('INS server 0', seconds(60, 0.94, 0.94), seconds(30, 51, 4));
    expect(reasons([0.5], relay, server)).toEqual([
      'Relay used all of one processor, the most that one thread can use, in 4 of 60 seconds.',
      'INS server 0 did what was due more than 50 ms late in 30 of 60 seconds.',
    ]);
    expect(reasons([0.5], process('relay', [0.2], seconds(60, 50, 50)))).toEqual([]);
  });

  it('not where a program of many threads uses many processors', () => {
    const browser = process('browser 0', seconds(60, 1.6, 1.6));
    expect(reasons([0.8], { ...browser, isParallel: true })).toEqual([]);
    expect(reasons([0.8], browser)).toHaveLength(1);
  });

  it('not for one second, however short the run', () => {
    expect(reasons(seconds(1, 1, 0.2, 5))).toEqual([]);
    expect(reasons(seconds(2, 1, 0.2, 5))).toHaveLength(1);
  });

  it('and many processes of a kind are one sentence', () => {
    const viewers = Array.from({ length: 30 }, (_, at) =>
      process(`viewers ${at}`, seconds(at < 5 ? 4 + at : 0, 1, 0.1)),
    );
    expect(reasons([0.5], ...viewers)).toEqual([
      '5 of 30 processes (viewers) used all of one processor, the most that one thread can use, in too many seconds; the worst, viewers 4, in 8 of 60 seconds.',
    ]);
    expect(reasons([0.5], ...viewers.slice(2))).toHaveLength(3);
  });

  it('and its figures are means, 95th percentiles and the largest of the seconds', () => {
    const { machines, processes } = rigFigures({
      machines: [machine([0, 0.5, 1])],
      processes: [{ ...process('relay', [0.2, 0.4], [1, 2, 9]), rssBytes: [5, 7, 6] }, process('tracker', [])],
    });
    expect(machines).toEqual([
      { name: 'this machine', cpus: 2, cpuBusy: { mean: 0.5, p95: expect.closeTo(0.95), max: 1 } },
    ]);
    expect(processes[0]).toMatchObject({
      cpu: { mean: expect.closeTo(0.3), max: 0.4 },
      loopDelayMs: { p50: 2, p95: expect.closeTo(8.3), max: 9 },
      rssBytes: 7,
    });
    expect(processes[1]).toMatchObject({ cpu: { mean: 0, p95: 0, max: 0 }, loopDelayMs: null, rssBytes: null });
  });
});

describe('a run on a saturated machine', () => {
  const report = sampleProcessReport([1, 2], { ins: sampleRig(1) });
  const reason = 'Relay used all of one processor, the most that one thread can use, in 45 of 60 seconds.';

  it('is no result, and says why', () => {
    expect(saturatedColumns(report)).toEqual([{ key: 'ins', label: 'INS', runs: 2, ofRuns: 2, reasons: [reason] }]);
    expect(saturatedText(saturatedColumns(report)[0]!)).toBe(
      'INS is not a result: the machine was the bottleneck (2 of 2 runs).',
    );
  });

  it('is said so in red, before any figure, and reaches no target', () => {
    const lines = compareTable(report, (text) => `<red>${text}</red>`).split('\n');
    expect(lines[1]).toBe('<red>INS is not a result: the machine was the bottleneck (2 of 2 runs).</red>');
    expect(lines[2]).toBe(`<red>  ${reason}</red>`);
    expect(lines.find((line) => line.includes('Native') && !line.startsWith('supply'))).toContain('INS (not a result)');
    const startup = lines.find((line) => line.startsWith('Startup, 95'))!;
    expect(startup.match(/[✓✗]/g)).toEqual(['✓']);
    expect(compareTable(sampleProcessReport([1, 2])).match(/[✓✗]/g)!.length).toBeGreaterThan(10);
  });

  it('has a page whose headline and cards say so, and praise nothing', () => {
    const page = pageOf(report);
    expect(page).toContain('<h1 class="no">Not a result for INS: the machine was the bottleneck</h1>');
    expect(page).toContain(`<li>${reason}</li>`);
    expect(page.match(/<div class="big no">no result<\/div>/g)).toHaveLength(1);
    expect(headSentence(report)).not.toContain('INS');
    expect(headSentence(report)).toContain('Native');
    expect(ideasIn(report)).toEqual([]);
    const all = pageOf(sampleProcessReport([1], { ins: sampleRig(1), native: sampleRig(1) }));
    expect(all).toContain('<h1 class="no">Not a result: the machine was the bottleneck</h1>');
    expect(all).not.toContain('Half of the viewers see');
  });

  it('of several makes the mean no result, too', () => {
    const native = report.modes.native!;
    const runs = native.runs.map((run, at) => ({ ...run, rig: sampleRig(at === 0 ? 1 : 0.5) }));
    const some = { ...report, modes: { native: { ...native, runs } } };
    expect(saturatedColumns(some)).toMatchObject([{ key: 'native', runs: 1, ofRuns: 2 }]);
  });

  it('is told of no run that does not say what it ran on', () => {
    const old = JSON.parse(JSON.stringify(sampleReport(), (key, value) => (key === 'rig' ? undefined : value)));
    expect(saturatedColumns(old as Report)).toEqual([]);
    expect(pageOf(old as Report)).toContain('<h1>Flash crowd');
  });

  it('keeps its rig when runs are merged', () => {
    const { native } = sampleReport().modes;
    const { series, supply, runs } = native!;
    const rig = sampleRig();
    const merged = mergeRuns(native!, [{ ...runs[0]!, series, supply, rig }]);
    expect(merged.runs[0]!.rig).toBe(rig);
  });
});

describe('what was counted twice', () => {
  const both = { name: 'bytes', what: '', unit: 'bytes' } as const;

  it('agrees where the difference is no larger a share of the larger than is tolerated', () => {
    expect(checked({ ...both, own: 98, outside: 100, toleratedShare: 0.02 }).ok).toBe(true);
    expect(checked({ ...both, own: 100, outside: 97, toleratedShare: 0.02 }).ok).toBe(false);
    expect(checked({ ...both, own: 0, outside: 0, toleratedShare: 0 }).ok).toBe(true);
    expect(checked({ ...both, own: 0, outside: 1, toleratedShare: 0 }).ok).toBe(false);
    expect(checked({ ...both, own: 1, outside: 2, toleratedShare: null }).ok).toBe(true);
    expect(differenceShare({ own: 50, outside: 200 })).toBe(0.75);
  });

  it('and differs is said in the table', () => {
    const check = checked({ ...both, name: 'media got', own: 100_000, outside: 90_000, toleratedShare: 0.02 });
    const report = sampleProcessReport([7], { ins: { ...sampleRig(), checks: [check] } });
    expect(disagreements(report)).toEqual([{ label: 'INS', seed: 7, check }]);
    expect(compareTable(report)).toContain(
      'counted twice, and not the same: INS, seed 7: media got: 100,000 bytes by its own count, 90,000 bytes from outside',
    );
  });
});

describe('runs', () => {
  it('are counted as seeds, and repetitions of a seed as runs', () => {
    expect(runsText({ seeds: [1] })).toBe('1 seed');
    expect(runsText({ seeds: [1, 2, 3] })).toBe('3 seeds');
    expect(runsText({ seeds: [1, 1, 1] })).toBe('3 runs of one seed');
    expect(runsText({ seeds: [1, 1, 2, 2] })).toBe('4 runs of 2 seeds');
  });
});
