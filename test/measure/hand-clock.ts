import type { Clock } from '../harness/links/buckets/clock.ts';
import type { Sleeper } from '../harness/links/relay/wheel.ts';

/** A clock that a test turns by hand, to the fraction of a millisecond. */
export class HandClock implements Clock {
  private ms = 1_000;
  private planned: { readonly sleeper: Sleeper; readonly atMs: number }[] = [];

  nowMs(): number {
    return this.ms;
  }

  plan(sleeper: Sleeper, atMs: number): void {
    this.planned.push({ sleeper, atMs });
  }

  /** Lets so much time pass, waking each at its time. */
  pass(forMs: number): void {
    const untilMs = this.ms + forMs;
    for (let next = this.earliest(); next <= untilMs; next = this.earliest()) {
      this.ms = Math.max(this.ms, next);
      this.wakeDue();
    }
    this.ms = untilMs;
  }

  /** Time passes, and nobody has been woken yet, as where a process had no time. */
  oversleep(forMs: number): void {
    this.ms += forMs;
  }

  /** Wakes all whose time has come. */
  wake(): void {
    while (this.earliest() <= this.ms) this.wakeDue();
  }

  private earliest(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.planned.map(({ atMs }) => atMs));
  }

  private wakeDue(): void {
    const due = this.planned.filter(({ atMs }) => atMs <= this.ms);
    this.planned = this.planned.filter(({ atMs }) => atMs > this.ms);
    for (const { sleeper } of due) sleeper.wake(this.ms);
  }
}
