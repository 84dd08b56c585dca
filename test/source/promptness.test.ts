import { describe, expect, it } from 'vitest';
import { Promptness } from '../../source-server/core/promptness.ts';

/** Puts every 250 ms, each acknowledged so long after; until `untilMs`. */
function acknowledged(afterMs: number, untilMs: number): Promptness {
  const promptness = new Promptness();
  for (let atMs = 0, handle = 0; atMs < untilMs; atMs += 250, handle++) {
    promptness.put(handle, 1_000, atMs);
    promptness.heard(handle, true, atMs + afterMs);
  }
  return promptness;
}

describe('whether an INS server says promptly that it has stored', () => {
  it('is not late while it owes nothing', () => {
    expect(acknowledged(50, 10_000).lateAtMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('is late 0.4 s after a put where it has always been prompt', () => {
    const promptness = acknowledged(50, 30_000);
    promptness.put(1_000, 1_000, 30_000);
    promptness.put(1_001, 1_000, 30_250);
    expect(promptness.lateAtMs()).toBe(30_400);
    expect([promptness.isLate(30_399), promptness.isLate(30_400)]).toEqual([false, true]);
  });

  it('has twice the time that it took lately, where the line to it is narrow', () => {
    const promptness = acknowledged(450, 30_000);
    promptness.put(1_000, 1_000, 30_000);
    // The put before was acknowledged at 30.2 s.
    expect(promptness.lateAtMs()).toBe(31_100);
  });

  it('has a second in the beginning, and never more', () => {
    const promptness = new Promptness();
    promptness.put(1, 1_000, 5_000);
    expect(promptness.lateAtMs()).toBe(6_000);
    promptness.heard(1, true, 9_000);
    promptness.put(2, 1_000, 9_000);
    expect(promptness.lateAtMs()).toBe(10_000);
  });

  it('is not late while it stores block after block of one large put', () => {
    const promptness = acknowledged(50, 30_000);
    promptness.put(1_000, 1_000, 30_000);
    promptness.heard(1_000, false, 30_350);
    expect(promptness.lateAtMs()).toBe(30_750);
  });

  it('owes the bytes of what it has not acknowledged, until it is late', () => {
    const promptness = acknowledged(50, 30_000);
    promptness.put(1_000, 5_000, 30_000);
    promptness.put(1_001, 7_000, 30_010);
    expect(promptness.owedBytes(30_399)).toBe(12_000);
    promptness.heard(1_000, true, 30_100);
    expect(promptness.owedBytes(30_399)).toBe(7_000);
    expect(promptness.owedBytes(30_500)).toBe(0);
  });

  it('owes nothing when its connection is gone', () => {
    const promptness = acknowledged(50, 1_000);
    promptness.put(1_000, 1_000, 1_000);
    promptness.forget();
    expect(promptness.lateAtMs()).toBe(Number.POSITIVE_INFINITY);
  });
});
