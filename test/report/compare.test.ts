import { describe, expect, it } from 'vitest';
import { type Change, type Comparison, changesOf, compareReports } from '../../report/compare.ts';
import { summaryOf } from '../../report/comparison-text.ts';
import { meanFigures } from '../../report/merge.ts';
import { comparisonPageOf } from '../../report/page/comparison-page.ts';
import type { Figures, Report } from '../../report/report.ts';
import { sampleProcessReport, sampleRig } from './rig.ts';
import { sampleReport } from './sample.ts';

const FIGURES = sampleReport().modes.ins!.runs[0]!.figures;

/** INS alone, with one run for each median of startup; all else is the same in all runs. */
function report(
  medians: readonly number[],
  seeds: readonly number[] = medians.map((_, at) => at),
  more: Partial<Figures> = {},
): Report {
  const base = sampleReport([1]);
  const ins = base.modes.ins!;
  const runs = medians.map((p50, at) => {
    const figures = { ...FIGURES, ...more, startupDelayMs: { ...FIGURES.startupDelayMs, p50 } };
    return { ...ins.runs[0]!, traceHash: '', seed: seeds[at]!, figures };
  });
  const means = meanFigures(runs.map(({ figures }) => figures));
  return { ...base, seeds, modes: { ins: { ...ins, ...means, runs } } };
}

function startup({ columns }: Comparison): Change {
  return columns[0]!.changes.find(({ measure }) => measure.key === 'startupDelayMs.p50')!;
}

describe('what changed from one report to another', () => {
  it('is the difference of the means, absolute and as a share of A', () => {
    expect(startup(compareReports(report([100, 300]), report([190, 190])))).toMatchObject({
      a: 200,
      b: 190,
      difference: -10,
      share: -0.05,
    });
  });

  it('is judged seed by seed where both have the same seeds: what seeds do falls out', () => {
    const [a, b] = [report([100, 200, 300, 400]), report([111, 209, 311, 409])];
    const { columns } = compareReports(a, b);
    expect(columns[0]!.noise).toBe('seeds');
    expect(startup(compareReports(a, b))).toMatchObject({ half: expect.closeTo(1.837, 3), verdict: 'worse' });
    expect(startup(compareReports(b, a)).verdict).toBe('better');
    // The order of runs does not matter.
    const turned = report([409, 311, 209, 111], [3, 2, 1, 0]);
    expect(startup(compareReports(a, turned)).half).toBeCloseTo(1.837, 3);
  });

  it('is judged by how runs differ where seeds do, and among repetitions of one seed', () => {
    const a = [100, 110, 105, 95, 102];
    for (const seeds of [
      [9, 8, 7, 6, 5],
      [1, 1, 1, 1, 1],
    ]) {
      const own = seeds[0] === 1 ? seeds : [0, 1, 2, 3, 4];
      const far = compareReports(report(a, own), report([150, 160, 155, 145, 152], seeds));
      expect(far.columns[0]!.noise).toBe('runs');
      // Welch: both deviations are 5.6, eight degrees of freedom.
      expect(startup(far)).toMatchObject({
        difference: expect.closeTo(50),
        half: expect.closeTo(8.13, 1),
        verdict: 'worse',
      });
      expect(startup(compareReports(report(a, own), report([104, 108, 99, 107, 101], seeds))).verdict).toBe('same');
    }
  });

  it('is perhaps something where so many figures were looked at that some look like that', () => {
    const shaken = (report: Report): Report => {
      const ins = report.modes.ins!;
      // Every figure differs a little from run to run, so that each is a chance of its own.
      const runs = ins.runs.map((run, at) => ({
        ...run,
        figures: JSON.parse(JSON.stringify(run.figures), (key, value) =>
          typeof value === 'number' && key !== 'p50'
            ? value * (1 + 0.01 * Math.sin(at * 7 + key.length)) + (at % 2)
            : value,
        ) as Figures,
      }));
      return { ...report, modes: { ins: { ...ins, runs } } };
    };
    const a = shaken(report([100, 110, 105, 95, 102]));
    const b = shaken(report([110, 117, 112, 108, 109], [9, 8, 7, 6, 5]));
    const comparison = compareReports(a, b);
    expect(startup(comparison).verdict).toBe('perhaps-worse');
    expect(summaryOf(comparison).join(' ')).toMatch(
      /Perhaps worse: .*median startup \(INS\).*look like that by chance/,
    );
  });

  it('has no verdict where a report has one run only, unless it is said what noise is', () => {
    const [a, b] = [report([100]), report([108, 108])];
    expect(compareReports(a, b).columns[0]!.noise).toBe('unknown');
    expect(startup(compareReports(a, b))).toMatchObject({ difference: 8, half: null, verdict: 'unknown' });
    expect(summaryOf(compareReports(a, b)).at(-1)).toContain('--noise 5%');
    expect(startup(compareReports(a, b, 0.05)).verdict).toBe('worse');
    expect(startup(compareReports(a, b, 0.08)).verdict).toBe('same');
  });

  it('knows no noise from a simulated run that was only run again', () => {
    const again = (medians: readonly number[]) => {
      const made = report(medians);
      const runs = made.modes.ins!.runs.map((run) => ({ ...run, traceHash: 'same' }));
      return { ...made, modes: { ins: { ...made.modes.ins!, runs } } };
    };
    expect(compareReports(again([100, 100]), again([101, 101])).columns[0]!.noise).toBe('unknown');
  });

  it('is no change where the noise that was said is larger, however sure the runs are', () => {
    const [a, b] = [report([100, 200, 300, 400]), report([111, 209, 311, 409])];
    expect(startup(compareReports(a, b, 0.05)).verdict).toBe('same');
    expect(startup(compareReports(a, b, 0.03)).verdict).toBe('worse');
  });

  it('from nothing to something has no share, and from nothing to nothing is none', () => {
    const freezes = { ...FIGURES.freezes, perPeerHour: 3 };
    const [a, b] = [report([1, 2]), report([1, 2], [0, 1], { freezes })];
    const change = compareReports(a, b).columns[0]!.changes.find(
      ({ measure }) => measure.key === 'freezes.perPeerHour',
    )!;
    expect(change).toMatchObject({ a: 0, b: 3, difference: 3, share: null, verdict: 'worse' });
    expect(changesOf(compareReports(a, a), 'same')).toHaveLength(compareReports(a, a).columns[0]!.changes.length);
  });

  it('knows which way is better', () => {
    const change = (efficiency: number) =>
      changesOf(
        compareReports(report([1, 2]), report([1, 2], [0, 1], { efficiency })),
        efficiency > 0.66 ? 'better' : 'worse',
      );
    expect(change(0.9).map(({ change }) => change.measure.key)).toEqual(['efficiency']);
    expect(change(0.5).map(({ change }) => change.measure.key)).toEqual(['efficiency']);
  });

  it('has no verdict on what is no result', () => {
    const [a, b] = [sampleProcessReport([1, 2]), sampleProcessReport([1, 2], { ins: sampleRig(1) })];
    const { columns, warnings } = compareReports(a, b, 0);
    expect(columns.map(({ key, noise }) => [key, noise])).toEqual([
      ['ins', 'no-result'],
      ['native', 'seeds'],
    ]);
    expect(new Set(columns[0]!.changes.map(({ verdict }) => verdict))).toEqual(new Set(['unknown']));
    expect(warnings).toEqual(['Not a result in B, for the machine was the bottleneck: INS.']);
  });

  it('is said with all that makes the two hard to compare', () => {
    const a = sampleReport([1]);
    const processes = sampleProcessReport([1]);
    const supply = { sourceBps: 1e6, insBps: 314e6, peersBps: 0 };
    const b: Report = {
      ...processes,
      scenario: 'churn',
      peers: 100,
      streamBps: 2e6,
      seconds: 30,
      made: { ...processes.made, machine: 'other' },
      modes: { native: { ...processes.modes.native!, supply } },
    };
    expect(compareReports(a, b).warnings).toEqual([
      'Different scenarios: flash-crowd in A, churn in B.',
      'Different engines: the simulator in A, real processes in B.',
      'Different crowds: 200 viewers in A, 100 viewers in B.',
      'Different streams: 1.05\u00a0Mbit/s in A, 2.00\u00a0Mbit/s in B.',
      'Different lengths: 60 s in A, 30 s in B.',
      'Different machines: Node 20, 2 CPUs in A, other in B.',
      'Different links: not told in A, namespaces in B.',
      'In A alone: INS, INS as drafted, and No batches.',
      'Different shares of the supply in Native (source + INS servers + viewers): 21.0\u00a0Mbit/s + 294\u00a0Mbit/s + 0\u00a0bit/s in A, 1.00\u00a0Mbit/s + 314\u00a0Mbit/s + 0\u00a0bit/s in B.',
    ]);
    expect(compareReports(a, a).warnings).toEqual([]);
    expect(compareReports(a, { ...a, made: { ...a.made, machine: 'other' } }).warnings).toEqual([]);
  });

  it('is nothing where they have no column in common', () => {
    const a = sampleReport([1]);
    const { native, ins } = a.modes;
    const comparison = compareReports({ ...a, modes: { native: native! } }, { ...a, modes: { ins: ins! } });
    expect(summaryOf(comparison)).toEqual(['The two have no column in common: nothing was compared.']);
  });
});

describe('the page of a comparison', () => {
  it('has the columns of both side by side, tables and plots, and takes nothing from anywhere', () => {
    const [a, b] = [sampleProcessReport([1, 2]), sampleProcessReport([1, 2])];
    const page = comparisonPageOf(a, b, compareReports(a, b));
    expect(page).toContain('<h1>What changed in flash-crowd</h1>');
    for (const label of ['INS, A', 'INS, B', 'Native, A', 'Native, B']) expect(page).toContain(label);
    expect(page).not.toMatch(/<script|<link|<img|url\(|NaN|undefined|Infinity/);
  });
});
