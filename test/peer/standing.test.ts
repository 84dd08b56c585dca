import { describe, expect, it } from 'vitest';
import { Standing } from '../../peer/browser/standing.ts';

describe('a real player that waits for media', () => {
  it('is seen to stand after a second, whatever it is nudged by', () => {
    const standing = new Standing();
    const told = [0, 250, 500, 750, 1_000].map((atMs) => standing.tell(9_000 + (atMs % 500) / 10, 1, atMs));
    expect(told).toEqual([false, false, false, false, true]);
    expect(standing.tell(9_300, 1, 1_250)).toBe(false);
  });

  it('does not stand while it plays or is paused', () => {
    const standing = new Standing();
    for (let atMs = 0; atMs < 3_000; atMs += 250) expect(standing.tell(9_000 + atMs, 1, atMs)).toBe(false);
    for (let atMs = 3_000; atMs < 6_000; atMs += 250) expect(standing.tell(12_000, 0, atMs)).toBe(false);
    expect(standing.tell(12_000, 1, 6_250)).toBe(false);
  });
});
