import { describe, expect, it } from 'vitest';
import { type Jump, LivePace } from '../../web-player/loader/live-pace.ts';

const STEP_MS = 50;

interface Line {
  /** How late parts come. */
  lagMs: number;
}

/** Playback of parts of 250 ms that come `lagMs` after their last frame. It stands when there is nothing to play. */
class Made {
  readonly pace: LivePace;
  latencyMs: number;
  frozenMs = 0;
  jumps = 0;
  rates = new Set<number>();
  readonly line: Line = { lagMs: 300 };
  private nowMs = 1_000_000;
  private hereMs = 0;

  private readonly skips: keyof Jump;

  /** @param skips - Which jumps it makes of those that will do. */
  constructor(targetMs: number, latencyMs: number, skips: keyof Jump = 'skipMs') {
    this.skips = skips;
    this.pace = new LivePace(targetMs);
    this.latencyMs = latencyMs;
  }

  run(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += STEP_MS;
      // Whole parts alone.
      const newestMs = Math.floor((this.nowMs - this.line.lagMs) / 250) * 250;
      if (newestMs > this.hereMs) {
        this.hereMs = newestMs;
        this.pace.arrived(this.nowMs - newestMs, 250);
      }
      const bufferMs = this.hereMs - (this.nowMs - this.latencyMs);
      const move = this.pace.steer({ latencyMs: this.latencyMs, bufferMs }, this.nowMs);
      this.rates.add(move.rate);
      const skippedMs = move.jump?.[this.skips] ?? 0;
      if (skippedMs > 0) this.jumps++;
      if (bufferMs <= STEP_MS) this.frozenMs += STEP_MS;
      this.latencyMs += (bufferMs <= STEP_MS ? STEP_MS : STEP_MS * (1 - move.rate)) - skippedMs;
    }
  }

  /** The line carries a share of the stream: every part comes later than the one before. */
  slow(share: number, seconds: number): void {
    for (let i = 0; i < seconds * 10; i++) {
      this.line.lagMs += 100 * (1 - share);
      this.run(100);
    }
  }

  /** It carries ten times the stream: what has not come yet comes in a row. */
  fast(): void {
    while (this.line.lagMs > 300) {
      this.line.lagMs = Math.max(300, this.line.lagMs - 900);
      this.run(100);
    }
  }
}

describe('the pace of live playback', () => {
  it.each([1_000, 1_500, 3_000])('comes to the target of %i ms from further away, and stays there', (targetMs) => {
    for (const fromMs of [targetMs + 300, targetMs + 750, targetMs + 900, targetMs + 10_000]) {
      const made = new Made(targetMs, fromMs);
      made.run(5_000);
      expect(made.latencyMs).toBeLessThanOrEqual(targetMs + 500);
      made.run(20_000);
      expect(Math.abs(made.latencyMs - targetMs)).toBeLessThan(200);
      const { jumps } = made;
      made.run(60_000);
      expect([made.frozenMs, made.jumps - jumps]).toEqual([0, 0]);
    }
  });

  it('never plays faster than 1.1, and without a jump where that does it', () => {
    const made = new Made(1_500, 2_200);
    made.run(20_000);
    expect([Math.max(...made.rates), made.jumps]).toEqual([1.1, 0]);
  });

  it('comes by speed alone where it begins up to 0.95 s beyond the target, in five seconds to within half a second; later it jumps', () => {
    const made = new Made(1_500, 2_400);
    made.run(5_000);
    expect([made.jumps, Math.max(...made.rates), made.latencyMs <= 2_000]).toEqual([0, 1.1, true]);
    made.run(10_000);
    made.latencyMs = 2_400;
    made.run(5_000);
    expect(made.jumps).toBe(1);
  });

  it.each(['skipMs', 'leastMs', 'mostMs'] as const)(
    'comes to its target by any of the jumps that will do (%s)',
    (skips) => {
      for (const targetMs of [1_000, 1_500, 3_000]) {
        const made = new Made(targetMs, targetMs + 1_200, skips);
        made.run(5_000);
        expect(made.latencyMs).toBeLessThanOrEqual(targetMs + 500);
        made.run(20_000);
        expect([made.frozenMs, made.jumps, Math.abs(made.latencyMs - targetMs) < 300]).toEqual([0, 1, true]);
      }
    },
  );

  it('jumps no nearer than what comes late allows', () => {
    const made = new Made(1_000, 8_000, 'mostMs');
    made.line.lagMs = 2_300;
    made.run(20_000);
    expect([made.frozenMs, made.latencyMs > 2_500]).toEqual([0, true]);
  });

  it.each(['skipMs', 'leastMs', 'mostMs'] as const)(
    'is back within half a second of the target five seconds after an outage (%s)',
    (skips) => {
      const made = new Made(1_500, 1_500, skips);
      made.run(10_000);
      made.line.lagMs = 3_300;
      // Nothing comes for three seconds, then all of it.
      made.run(250);
      made.line.lagMs = Number.POSITIVE_INFINITY;
      made.run(3_000);
      expect(made.frozenMs).toBeGreaterThan(0);
      made.line.lagMs = 300;
      made.run(5_000);
      expect(made.latencyMs).toBeLessThanOrEqual(2_000);
    },
  );

  it('takes no measure of what was made before playback began', () => {
    const pace = new LivePace(1_500);
    for (const lagMs of [3_400, 3_100, 2_400, 900, 300, 300, 310]) pace.arrived(lagMs, 250);
    expect(pace.wishedMs).toBe(1_500);
  });

  it('forgets an outage of any length: what comes late because of it comes in a row', () => {
    const made = new Made(1_500, 1_500);
    made.run(10_000);
    made.line.lagMs = Number.POSITIVE_INFINITY;
    made.run(30_000);
    for (let lagMs = 30_000; lagMs > 300; lagMs -= 900) {
      made.line.lagMs = lagMs;
      made.run(100);
    }
    made.line.lagMs = 300;
    made.run(1_700);
    expect(made.latencyMs).toBeLessThanOrEqual(2_000);
  });

  it.each([
    [0.5, 8],
    [0.6, 30],
    [0.8, 60],
    [0.95, 120],
  ])('is back five seconds after a line is fast again that carried %f of the stream for %i s', (share, seconds) => {
    const made = new Made(1_500, 1_500);
    made.run(10_000);
    made.slow(share, seconds);
    expect(made.latencyMs).toBeGreaterThan(3_000);
    made.fast();
    made.run(4_000);
    expect(made.latencyMs).toBeLessThanOrEqual(2_000);
    const { frozenMs } = made;
    made.run(20_000);
    expect([made.frozenMs - frozenMs, Math.abs(made.latencyMs - 1_500) < 200]).toEqual([0, true]);
  });

  it('stays away where the line is too slow again and again, and freezes for it three times at most', () => {
    const made = new Made(1_500, 1_500);
    made.run(10_000);
    let freezes = 0;
    for (let i = 0; i < 20; i++) {
      const { frozenMs } = made;
      made.slow(0.6, 4);
      made.fast();
      made.run(5_000);
      if (made.frozenMs > frozenMs) freezes++;
    }
    expect(freezes).toBeLessThanOrEqual(3);
  });

  it('keeps as far away as parts come late again and again, and does not freeze for them twice', () => {
    const made = new Made(1_000, 1_000);
    const swing = (): void => {
      made.line.lagMs = 1_400;
      made.run(2_000);
      made.line.lagMs = 300;
      made.run(2_000);
    };
    for (let i = 0; i < 8; i++) swing();
    const before = made.frozenMs;
    for (let i = 0; i < 8; i++) swing();
    expect([made.frozenMs - before, made.latencyMs > 1_400]).toEqual([0, true]);
  });

  it('comes nearer by speed alone when parts have ceased to come late, and is there half a minute later', () => {
    const made = new Made(1_500, 1_500);
    for (let i = 0; i < 8; i++) {
      made.line.lagMs = 1_400;
      made.run(2_000);
      made.line.lagMs = 300;
      made.run(2_000);
    }
    expect(made.latencyMs).toBeGreaterThan(2_300);
    const { jumps } = made;
    made.run(35_000);
    expect([made.jumps - jumps, Math.max(...made.rates)]).toEqual([0, 1.1]);
    expect(Math.abs(made.latencyMs - 1_500)).toBeLessThan(200);
  });

  it('does not mind a source whose clock is wrong', () => {
    const made = new Made(1_500, 61_500);
    made.line.lagMs = 60_300;
    made.run(20_000);
    const { latencyMs } = made;
    expect(latencyMs - 60_300).toBeLessThan(2_000);
    made.run(20_000);
    expect([made.frozenMs, Math.abs(made.latencyMs - latencyMs) < 200]).toEqual([0, true]);
  });
});
