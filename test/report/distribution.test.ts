import { describe, expect, it } from 'vitest';
import { distributionOf, quantileOf } from '../../report/distribution.ts';

describe('quantiles', () => {
  it('lie between two values in proportion, as worked out by hand', () => {
    expect(quantileOf([10, 20, 30, 40], 0.5)).toBe(25);
    expect(quantileOf([10, 20, 30, 40, 50], 0.95)).toBeCloseTo(48, 9);
    expect(quantileOf([7], 0.95)).toBe(7);
    expect(quantileOf([1, 2], 0)).toBe(1);
    expect(quantileOf([1, 2], 1)).toBe(2);
  });

  it('of nothing are null', () => {
    expect(quantileOf([], 0.5)).toBeNull();
  });
});

describe('a distribution', () => {
  it('sorts by size, and keeps every value of a thousand', () => {
    expect(distributionOf([100, 9, 20])).toEqual({ count: 3, sorted: [9, 20, 100] });
  });

  it('of ten thousand values keeps a thousand and one: the least, the most, and the same median', () => {
    const values = Array.from({ length: 10_000 }, (_, at) => 10_000 - at);
    const { count, sorted } = distributionOf(values);
    expect([count, sorted.length, sorted[0], sorted.at(-1)]).toEqual([10_000, 1001, 1, 10_000]);
    expect(quantileOf(sorted, 0.5)).toBeCloseTo(5_000.5, 6);
  });
});
