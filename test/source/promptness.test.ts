import { describe, expect, it } from 'vitest';
import { Promptness } from '../../source-server/core/promptness.ts';

/** Puts every 250 ms, each acknowledged so long after; until `untilMs`. */
function acknowledged(afterMs: number, untilMs: number): Promptness {
  const promptness = new Promptness();
  for (let atMs = 0, handle = 0; atMs < untilMs; atMs += 250, handle++) {
    promptness.put(handle, atMs);
    promptness.heard(handle, true, atMs + afterMs);
  }
  return promptness;
}

describe('whether an INS server says promptly that it has stored', () => {
  it('is not late while it owes nothing', () => {
    expect(acknowledged(50, 10_000).lateAtMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('is late 0.4 s after a put where it has always been prompt, and has stopped half a second later', () => {
    const promptness = acknowledged(50, 30_000);
    promptness.put(1_000, 30_000);
    promptness.put(1_001, 30_250);
    expect(promptness.lateAtMs()).toBe(30_400);
    expect([promptness.hasStopped(30_800), promptness.hasStopped(30_900)]).toEqual([false, true]);
  });

  it('has twice the time that it took lately, where the line to it is narrow', () => {
    const promptness = acknowledged(450, 30_000);
    promptness.put(1_000, 30_000);
    // The put before was acknowledged at 30.2 s.
    expect(promptness.lateAtMs()).toBe(31_100);
  });

  it('has a second in the beginning, and never more', () => {
    const promptness = new Promptness();
    promptness.put(1, 5_000);
    expect(promptness.lateAtMs()).toBe(6_000);
    promptness.heard(1, true, 9_000);
    promptness.put(2, 9_000);
    expect(promptness.lateAtMs()).toBe(10_000);
  });

  it('is not late while it stores block after block of one large put', () => {
    const promptness = acknowledged(50, 30_000);
    promptness.put(1_000, 30_000);
    promptness.heard(1_000, false, 30_350);
    expect(promptness.lateAtMs()).toBe(30_750);
  });

  it('owes nothing when its connection is gone', () => {
    const promptness = acknowledged(50, 1_000);
    promptness.put(1_000, 1_000);
    promptness.forget();
    expect(promptness.lateAtMs()).toBe(Number.POSITIVE_INFINITY);
  });
});
