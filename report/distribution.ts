import type { Distribution } from './report.ts';

/** Most values that a distribution keeps: a plot shows no more, and a report of ten thousand viewers stays small. */
const VALUES_MAX = 1001;

/** The value at a share (0 … 1) of ascending values, between two neighbours in proportion; null of none. */
export function quantileOf(sorted: readonly number[], share: number): number | null {
  if (sorted.length === 0) return null;
  const at = Math.min(1, Math.max(0, share)) * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}

/** Ascending, and thinned to a thousand and one quantiles where there are more; all of them otherwise. */
export function distributionOf(values: readonly number[]): Distribution {
  const sorted = values.toSorted((a, b) => a - b);
  return { count: sorted.length, sorted: sorted.length <= VALUES_MAX ? sorted : thinned(sorted) };
}

function thinned(sorted: readonly number[]): readonly number[] {
  return Array.from({ length: VALUES_MAX }, (_, at) => quantileOf(sorted, at / (VALUES_MAX - 1))!);
}

/** One distribution of all values of several; each value that was kept stands for as many as were dropped beside it. */
export function pooled(distributions: readonly Distribution[]): Distribution {
  const points = distributions.flatMap(({ count, sorted }) =>
    sorted.map((value) => ({ value, weight: count / sorted.length })),
  );
  const count = distributions.reduce((sum, one) => sum + one.count, 0);
  if (distributions.every(({ count, sorted }) => count === sorted.length) || points.length === 0) {
    return { ...distributionOf(points.map(({ value }) => value)), count };
  }
  points.sort((a, b) => a.value - b.value);
  const total = points.reduce((sum, { weight }) => sum + weight, 0);
  const sorted: number[] = [];
  let passed = 0;
  for (const { value, weight } of points) {
    passed += weight;
    while (sorted.length < VALUES_MAX && (sorted.length / (VALUES_MAX - 1)) * total <= passed) sorted.push(value);
  }
  // What rounding leaves over is the most there is.
  while (sorted.length < VALUES_MAX) sorted.push(points.at(-1)!.value);
  return { count, sorted };
}
