import { describe, expect, test } from 'vitest';
import { Backoff, RateMeter, RedialPause, Smoothed, TokenBucket } from '../../machine/rates.ts';

describe('the meter of rates', () => {
  test('the mean over its window, in bits per second', () => {
    const meter = new RateMeter(4);
    for (let second = 0; second < 4; second++) meter.add(1_000, 5_000 + second * 1_000);
    expect(meter.bps(8_000)).toBe(8_000);
  });

  test('what is older than the window is forgotten, the total is not', () => {
    const meter = new RateMeter(4);
    meter.add(4_000, 1_500);
    expect([4_900, 5_000].map((atMs) => meter.bps(atMs))).toEqual([8_000, 0]);
    expect(meter.totalBytes).toBe(4_000);
  });

  test('a pause longer than the window leaves nothing of before', () => {
    const meter = new RateMeter(4);
    meter.add(9_000, 0);
    expect(meter.bps(1_000_000)).toBe(0);
    meter.add(4_000, 1_000_500);
    expect(meter.bps(1_000_900)).toBe(8_000);
  });
});

describe('the bucket', () => {
  test('gives its burst at once and then what refills', () => {
    const bucket = new TokenBucket(2, 3);
    expect([1, 2, 3, 4].map(() => bucket.take(1, 0))).toEqual([true, true, true, false]);
    expect(bucket.take(1, 400)).toBe(false);
    expect(bucket.take(1, 500)).toBe(true);
    expect(bucket.take(1, 501)).toBe(false);
  });

  test('never holds more than its burst', () => {
    const bucket = new TokenBucket(100, 2);
    bucket.take(2, 0);
    expect([bucket.take(2, 1_000_000), bucket.take(1, 1_000_000)]).toEqual([true, false]);
  });

  test('what it refuses costs nothing', () => {
    const bucket = new TokenBucket(1, 5);
    expect([bucket.take(6, 0), bucket.take(5, 0)]).toEqual([false, true]);
  });
});

test('the moving average begins with the first value and forgets by its weight', () => {
  const smoothed = new Smoothed(0.5);
  expect(smoothed.value).toBeUndefined();
  expect([smoothed.add(8), smoothed.add(0), smoothed.add(0)]).toEqual([8, 4, 2]);
});

describe('the pause after failures', () => {
  test('doubles up to its longest; half of it is chance', () => {
    const steps = (unit: number): number[] => {
      const backoff = new Backoff(100, 500);
      return [1, 2, 3, 4, 5].map(() => backoff.fail(unit));
    };
    expect(steps(0)).toEqual([50, 100, 200, 250, 250]);
    expect(steps(1)).toEqual([100, 200, 400, 500, 500]);
  });

  test('begins anew after a success', () => {
    const backoff = new Backoff(100, 500);
    backoff.fail(0);
    backoff.fail(0);
    backoff.succeed();
    expect(backoff.fail(0)).toBe(50);
  });

  test('a thousand failures are still the longest pause', () => {
    const backoff = new Backoff(100, 500);
    for (let failure = 0; failure < 2_000; failure++) backoff.fail(0);
    expect(backoff.fail(1)).toBe(500);
  });
});

describe('the pause before what is gone is dialled again', () => {
  test('doubles, and is a second at most until that has been gone for long, then an eighth of its absence up to the longest', () => {
    const pause = new RedialPause(250, 10_000);
    const steps = [0, 250, 750, 1_750, 4_000, 16_000, 40_000, 200_000].map((nowMs) => pause.fail(1, nowMs));
    expect(steps).toEqual([250, 500, 1_000, 1_000, 1_000, 2_000, 5_000, 10_000]);
    expect(pause.fail(0, 200_000)).toBe(5_000);
  });

  test('begins anew when it is back', () => {
    const pause = new RedialPause(250, 10_000);
    for (let at = 0; at < 10; at++) pause.fail(1, at * 10_000);
    pause.succeed();
    expect([pause.fail(1, 200_000), pause.fail(1, 200_250)]).toEqual([250, 500]);
  });
});
