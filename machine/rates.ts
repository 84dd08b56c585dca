/** Bytes per second over the last seconds: a ring of one-second counters. */
export class RateMeter {
  totalBytes = 0;
  private readonly slots: Float64Array;
  private slotSecond = Number.NaN;

  constructor(windowSeconds = 4) {
    this.slots = new Float64Array(windowSeconds);
  }

  add(bytes: number, nowMs: number): void {
    this.turn(nowMs);
    this.totalBytes += bytes;
    this.slots[this.slotSecond % this.slots.length]! += bytes;
  }

  /** Mean over the window, in bits per second. */
  bps(nowMs: number): number {
    this.turn(nowMs);
    let sum = 0;
    for (const slot of this.slots) sum += slot;
    return (sum * 8) / this.slots.length;
  }

  private turn(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (Number.isNaN(this.slotSecond)) this.slotSecond = second;
    const steps = Math.min(second - this.slotSecond, this.slots.length);
    for (let step = 0; step < steps; step++) this.slots[(second - step) % this.slots.length] = 0;
    if (second > this.slotSecond) this.slotSecond = second;
  }
}

/** Keeps the mean of what goes to a rate: a second of it may go at once, and what is larger goes too and is waited for after. */
export class PacedBucket {
  private level: number;
  private atMs: number | undefined;
  private readonly bytesPerMs: number;

  /** @param rateBps - Bits per second; 0 lets nothing through, ever. */
  constructor(rateBps: number) {
    this.bytesPerMs = rateBps / 8_000;
    this.level = this.bytesPerMs * 1_000;
  }

  /** Ms until something may go: 0 is now, infinity never. */
  waitMs(nowMs: number): number {
    const passedMs = Math.max(0, nowMs - (this.atMs ?? nowMs));
    this.level = Math.min(this.bytesPerMs * 1_000, this.level + passedMs * this.bytesPerMs);
    this.atMs = nowMs;
    if (this.level > 0) return 0;
    return this.bytesPerMs === 0 ? Number.POSITIVE_INFINITY : Math.floor(-this.level / this.bytesPerMs) + 1;
  }

  /** Below 0 it is given back. */
  take(bytes: number): void {
    this.level -= bytes;
  }
}

/** An allowance that refills at a rate: takes are allowed until it is empty. */
export class TokenBucket {
  private level: number;
  private atMs: number | undefined;
  private readonly perSecond: number;
  private readonly burst: number;

  constructor(perSecond: number, burst: number) {
    this.perSecond = perSecond;
    this.burst = burst;
    this.level = burst;
  }

  take(amount: number, nowMs: number): boolean {
    this.refill(nowMs);
    if (this.level < amount) return false;
    this.level -= amount;
    return true;
  }

  private refill(nowMs: number): void {
    if (this.atMs !== undefined) {
      this.level = Math.min(this.burst, this.level + ((nowMs - this.atMs) / 1000) * this.perSecond);
    }
    this.atMs = nowMs;
  }
}

/** A moving average that forgets with each new value. */
export class Smoothed {
  value: number | undefined;
  private readonly weight: number;

  constructor(weight = 0.25) {
    this.weight = weight;
  }

  add(value: number): number {
    this.value = this.value === undefined ? value : this.value + (value - this.value) * this.weight;
    return this.value;
  }
}

/** Grows with each failure and starts again after a success; `unit` (0 … 1) spreads those who failed together. */
export class Backoff {
  private failures = 0;
  private readonly firstMs: number;
  private readonly lastMs: number;

  constructor(firstMs: number, lastMs: number) {
    this.firstMs = firstMs;
    this.lastMs = lastMs;
  }

  /** Ms to wait before the next try: half of the step is fixed, half is chance. */
  fail(unit: number): number {
    const stepMs = Math.min(this.lastMs, this.firstMs * 2 ** this.failures++);
    return stepMs / 2 + (stepMs / 2) * unit;
  }

  succeed(): void {
    this.failures = 0;
  }
}

/** What is gone for less than this is soon asked after, however often in vain. */
const SOON_MS = 1_000;

/**
 * Pauses between tries to reach what is gone: longer with each, as those of a {@link Backoff}, but than a second no longer than an
 * eighth of the time for which it has been gone. So what comes back is found again within an eighth of its absence.
 */
export class RedialPause {
  private goneAtMs: number | undefined;
  private failures = 0;
  private readonly firstMs: number;
  private readonly lastMs: number;

  constructor(firstMs: number, lastMs: number) {
    this.firstMs = firstMs;
    this.lastMs = lastMs;
  }

  /** Ms to wait before the next try: half of the step is fixed, half is chance. */
  fail(unit: number, nowMs: number): number {
    this.goneAtMs ??= nowMs;
    const patienceMs = Math.max(SOON_MS, (nowMs - this.goneAtMs) / 8);
    const stepMs = Math.min(this.lastMs, patienceMs, this.firstMs * 2 ** this.failures++);
    return stepMs / 2 + (stepMs / 2) * unit;
  }

  succeed(): void {
    this.failures = 0;
    this.goneAtMs = undefined;
  }
}
