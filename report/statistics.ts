import { studentChance, studentPoint } from './student.ts';

/** A mean, and half the width of its 95 % confidence interval: null of fewer than two values. */
export interface Estimate {
  readonly mean: number;
  readonly half: number | null;
}

/** Null of no values. */
export function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The deviation of a sample, with n − 1; null of fewer than two values. */
export function deviationOf(values: readonly number[]): number | null {
  const mean = meanOf(values);
  if (mean === null || values.length < 2) return null;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Mean and 95 % confidence interval by Student's t: values are means or quantiles of independent runs. Null of no values. */
export function estimateOf(values: readonly number[]): Estimate | null {
  const mean = meanOf(values);
  if (mean === null) return null;
  const deviation = deviationOf(values);
  return {
    mean,
    half: deviation === null ? null : (studentPoint(values.length - 1) * deviation) / Math.sqrt(values.length),
  };
}

/** A difference of means, half its 95 % interval, and how likely it is by chance where there is none. */
export interface Contrast {
  readonly mean: number;
  readonly half: number;
  /** From 0 to 1, to either side. */
  readonly chance: number;
}

/** What the mean of `b` has more than that of `a`, each value an independent run, their deviations not the same (Welch). Null of fewer than two runs on a side. */
export function welchContrast(a: readonly number[], b: readonly number[]): Contrast | null {
  const [deviationA, deviationB] = [deviationOf(a), deviationOf(b)];
  if (deviationA === null || deviationB === null) return null;
  const [partA, partB] = [deviationA ** 2 / a.length, deviationB ** 2 / b.length];
  const error = Math.sqrt(partA + partB);
  // Where neither side differs from run to run there is no telling degrees; the fewest that there may be.
  const degrees =
    error === 0
      ? Math.min(a.length, b.length) - 1
      : error ** 4 / (partA ** 2 / (a.length - 1) + partB ** 2 / (b.length - 1));
  return contrast(meanOf(b)! - meanOf(a)!, error, degrees);
}

/** What runs differ by whose seeds are the same, `b` less `a`, pair by pair. Null of fewer than two pairs. */
export function pairedContrast(a: readonly number[], b: readonly number[]): Contrast | null {
  const differences = a.map((before, at) => b[at]! - before);
  const deviation = deviationOf(differences);
  if (deviation === null) return null;
  return contrast(meanOf(differences)!, deviation / Math.sqrt(differences.length), differences.length - 1);
}

function contrast(mean: number, error: number, degrees: number): Contrast {
  if (mean === 0) return { mean, half: error * studentPoint(degrees), chance: 1 };
  return { mean, half: error * studentPoint(degrees), chance: studentChance(mean / error, degrees) };
}

/**
 * Which of several findings are still surer than 95 % when it counts that so many were looked at: of twenty that are nothing, one looks like
 * something (Holm's method).
 */
export function surelyBeyondChance(chances: readonly number[], level = 0.05): readonly boolean[] {
  const order = chances.map((_, at) => at).sort((a, b) => chances[a]! - chances[b]!);
  const firstNot = order.findIndex((at, rank) => chances[at]! > level / (chances.length - rank));
  const sure = new Set(firstNot < 0 ? order : order.slice(0, firstNot));
  return chances.map((_, at) => sure.has(at));
}

/** What runs of the same seeds differ by, `b` less `a`: what the seed does to both falls out. Pairs with a null are left out. */
export function pairedDifference(a: readonly (number | null)[], b: readonly (number | null)[]): Estimate | null {
  const differences: number[] = [];
  for (const [at, before] of a.entries()) {
    const after = b[at];
    if (before !== null && after !== null && after !== undefined) differences.push(after - before);
  }
  return estimateOf(differences);
}

/** Whether a difference is more than chance: its interval does not hold 0. One run tells nothing. */
export function isBeyondChance({ mean, half }: Estimate): boolean {
  return half !== null && Math.abs(mean) > half;
}
