/** 97.5 % points of Student's t for 1 … 30 degrees of freedom. */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

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
  return { mean, half: deviation === null ? null : (tPoint(values.length - 1) * deviation) / Math.sqrt(values.length) };
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

/** Beyond the table by the first term of the expansion of t around the normal point. */
function tPoint(degrees: number): number {
  return T[degrees - 1] ?? 1.96 + 2.372 / degrees;
}
