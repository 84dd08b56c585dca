import { describe, expect, it } from 'vitest';
import { distributionOf, pooled, quantileOf } from '../../report/distribution.ts';
import { differences, ideasIn, sentenceOf } from '../../report/ideas.ts';
import { meanFigures } from '../../report/merge.ts';
import { pairedRuns } from '../../report/runs.ts';
import {
  deviationOf,
  estimateOf,
  isBeyondChance,
  meanOf,
  pairedDifference,
  surelyBeyondChance,
  welchContrast,
} from '../../report/statistics.ts';
import { studentChance, studentPoint } from '../../report/student.ts';
import { sampleReport } from './sample.ts';

describe('means and their confidence', () => {
  it('are those worked out by hand: 2, 4, 4, 4, 5, 5, 7, 9', () => {
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    expect(meanOf(values)).toBe(5);
    // The squares of the differences add up to 32.
    expect(deviationOf(values)).toBeCloseTo(Math.sqrt(32 / 7), 12);
    expect(estimateOf(values)!.half).toBeCloseTo((2.36462 * Math.sqrt(32 / 7)) / Math.sqrt(8), 5);
  });

  it('of two runs are wide: t is 12.7', () => {
    expect(estimateOf([10, 12])).toEqual({ mean: 11, half: expect.closeTo(12.706, 3) });
  });

  it('of many runs near the normal distribution’s', () => {
    const values = Array.from({ length: 41 }, (_, at) => at % 2);
    // t for 40 degrees of freedom is 2.021.
    expect(estimateOf(values)!.half).toBeCloseTo((2.021 * deviationOf(values)!) / Math.sqrt(41), 3);
  });

  it('of one run have no width, and of none are nothing', () => {
    expect(estimateOf([3])).toEqual({ mean: 3, half: null });
    expect(estimateOf([])).toBeNull();
    expect(isBeyondChance({ mean: 3, half: null })).toBe(false);
  });
});

describe('paired differences', () => {
  it('see a small change that hides under what the seeds differ by', () => {
    const before = [100, 200, 300, 400];
    const after = [111, 209, 311, 409];
    const difference = pairedDifference(before, after)!;
    expect(difference.mean).toBe(10);
    expect(difference.half).toBeCloseTo((3.18245 * Math.sqrt(4 / 3)) / 2, 5);
    expect(isBeyondChance(difference)).toBe(true);
    // Unpaired the same figures are nowhere near sure.
    expect(estimateOf(before)!.half).toBeGreaterThan(200);
  });

  it('leave out seeds for which one side has nothing', () => {
    expect(pairedDifference([1, null, 3], [2, 5, null])).toEqual({ mean: 1, half: null });
    expect(pairedDifference([null], [1])).toBeNull();
  });
});

describe('what is chance', () => {
  it('is Student’s t, as tables have it', () => {
    const tabled = [
      [1, 12.706],
      [2, 4.303],
      [5, 2.571],
      [10, 2.228],
      [30, 2.042],
      [120, 1.98],
    ] as const;
    for (const [degrees, point] of tabled) {
      expect(studentPoint(degrees)).toBeCloseTo(point, 3);
      expect(studentChance(point, degrees)).toBeCloseTo(0.05, 4);
    }
    expect(studentPoint(8, 0.01)).toBeCloseTo(3.355, 3);
    expect([studentChance(0, 3), studentChance(-2.571, 5)]).toEqual([1, expect.closeTo(0.05, 4)]);
  });

  it('between two samples is Welch’s: worked out by hand', () => {
    const contrast = welchContrast([10, 12, 14], [20, 21, 22, 23])!;
    // 4 / 3 and 1.6667 / 4 are the squares of the errors of the means; 3.11 degrees of freedom.
    expect(contrast.mean).toBe(9.5);
    const error = Math.sqrt(4 / 3 + 5 / 12);
    const degrees = (4 / 3 + 5 / 12) ** 2 / ((4 / 3) ** 2 / 2 + (5 / 12) ** 2 / 3);
    expect(contrast.half).toBeCloseTo(error * studentPoint(degrees), 9);
    expect(contrast.chance).toBeCloseTo(studentChance(9.5 / error, degrees), 9);
    expect(welchContrast([1], [2, 3])).toBeNull();
    expect(welchContrast([1, 1], [1, 1])).toEqual({ mean: 0, half: 0, chance: 1 });
    expect(welchContrast([1, 1], [2, 2])).toEqual({ mean: 1, half: 0, chance: 0 });
  });

  it('is looked for once in each of several findings: Holm’s method', () => {
    // 0.05 / 4, / 3, / 2, / 1: the second smallest is beyond its share, and all after it fall, too.
    expect(surelyBeyondChance([0.04, 0.001, 0.03, 0.02])).toEqual([false, true, false, false]);
    expect(surelyBeyondChance([0.04, 0.001, 0.015, 0.02])).toEqual([true, true, true, true]);
    expect(surelyBeyondChance([])).toEqual([]);
  });
});

describe('runs of the same seeds', () => {
  it('are paired repetition by repetition, and what only one column has is left out', () => {
    const runs = (...seeds: number[]) => {
      const [run] = sampleReport([1]).modes.ins!.runs;
      return { runs: seeds.map((seed, at) => ({ ...run!, seed, figures: { ...run!.figures, missedRate: at / 10 } })) };
    };
    const pairs = pairedRuns(runs(1, 1, 2, 3), runs(2, 1, 1, 1));
    expect(pairs.map(({ before, after }) => [before.missedRate, after.missedRate])).toEqual([
      [0, 0.1],
      [0.1, 0.2],
      [0.2, 0],
    ]);
  });
});

describe('merging runs', () => {
  it('takes the mean figure by figure, and leaves out what is null', () => {
    const [first, second] = sampleReport().modes.ins!.runs.map((run) => run.figures);
    const without = { ...second!, startupDelayMs: { p50: null, p95: 900, max: null, bound: null } };
    const merged = meanFigures([
      { ...first!, startupDelayMs: { p50: 500, p95: 700, max: null, bound: null } },
      without,
    ]);
    expect(merged.startupDelayMs).toEqual({ p50: 500, p95: 800, max: null, bound: null });
    expect(merged.efficiency).toBeCloseTo(first!.efficiency, 12);
  });

  it('pools viewers of all runs, each with the same weight though only some are kept', () => {
    const small = distributionOf([1, 1, 1]);
    const large = distributionOf(Array.from({ length: 30_000 }, () => 5));
    const both = pooled([small, large]);
    expect(both.count).toBe(30_003);
    expect(both.sorted.length).toBe(1001);
    expect([quantileOf(both.sorted, 0), quantileOf(both.sorted, 0.01)]).toEqual([1, 5]);
    expect(pooled([distributionOf([3, 1]), distributionOf([2])])).toEqual({ count: 3, sorted: [1, 2, 3] });
    expect(pooled([])).toEqual({ count: 0, sorted: [] });
  });
});

describe('what ideas are worth', () => {
  it('is told for those of which both sides were run, and for no other', () => {
    const report = sampleReport();
    const names = ideasIn(report).map(({ name }) => name);
    expect(names).toEqual([
      'Storage in the network',
      'Storage in the network, as the drafts have it',
      'Follow',
      'No batches',
    ]);
    const { native: _, ...modes } = report.modes;
    expect(ideasIn({ ...report, modes }).map(({ name }) => name)).toEqual(['Follow', 'No batches']);
  });

  it('is said in figures that were measured, with the direction', () => {
    const report = sampleReport();
    const storage = sentenceOf(report, ideasIn(report)[0]!);
    expect(storage).toMatch(/median startup fell from 2\.\d\d\u00a0s to 0\.\d\d\u00a0s \(−1\.\d\d ±/);
    expect(sentenceOf(report, ideasIn(report).at(-1)!)).toMatch(/^One request per block.* rose from 1\.\d\d\u00a0s/);
  });

  it('is nothing where two columns are the same', () => {
    const report = sampleReport();
    const native = { ...report.modes.ins!, label: 'Native' };
    const modes = { ...report.modes, native };
    expect(sentenceOf({ ...report, modes }, ideasIn(report)[0]!)).toContain('nothing changes beyond chance');
    expect(differences(native, report.modes.ins!).every(({ mean }) => mean === 0)).toBe(true);
  });
});
