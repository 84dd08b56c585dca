import type { Sleeper } from '../relay/wheel.ts';

/** The time, and being woken: by timers of the machine, or by the hand of a test. */
export interface Clock {
  nowMs(): number;
  /** Wakes it at that time, or soon after. What is planned cannot be taken back. */
  plan(sleeper: Sleeper, atMs: number): void;
}

/** Clocks need not reach further. Whoever is woken earlier than it wants plans again. */
const FAR_MS = 60_000;

/** Rings at the earliest of the times that it was set to, or before; whoever hears it looks what is due, and sets it again. */
export class Alarm implements Sleeper {
  private readonly clock: Clock;
  private readonly ring: (nowMs: number) => void;
  private setMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, ring: (nowMs: number) => void) {
    this.clock = clock;
    this.ring = ring;
  }

  /** Infinity is never. */
  set(atMs: number): void {
    if (atMs >= this.setMs) return;
    this.setMs = Math.min(atMs, this.clock.nowMs() + FAR_MS);
    this.clock.plan(this, this.setMs);
  }

  wake(nowMs: number): void {
    // Something earlier had come up since this was planned, and has rung.
    if (nowMs < this.setMs) return;
    this.setMs = Number.POSITIVE_INFINITY;
    this.ring(nowMs);
  }
}
