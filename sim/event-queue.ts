/** Something that is to happen. An object rather than a function: what happens often is made once and planned again. */
export interface Happening {
  happen(): void;
}

/**
 * What is to happen, in order of time; what was planned first goes first at the same time.
 *
 * A heap with four children a node in three arrays side by side: a million events a second go through it, so it allocates nothing.
 */
export class EventQueue {
  nowMs: number;
  private timesMs = new Float64Array(1024);
  private orders = new Float64Array(1024);
  private readonly happenings: (Happening | undefined)[] = [];
  private size = 0;
  private planned = 0;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  /** Has a function run; for what is rare. */
  at(atMs: number, run: () => void): void {
    this.plan(atMs, { happen: run });
  }

  plan(atMs: number, happening: Happening): void {
    if (this.size === this.timesMs.length) this.grow();
    const timeMs = Math.max(atMs, this.nowMs);
    const { timesMs, orders, happenings } = this;
    let at = this.size++;
    while (at > 0) {
      const up = (at - 1) >> 2;
      // What has the same time was planned before.
      if (timesMs[up]! <= timeMs) break;
      timesMs[at] = timesMs[up]!;
      orders[at] = orders[up]!;
      happenings[at] = happenings[up];
      at = up;
    }
    timesMs[at] = timeMs;
    orders[at] = this.planned++;
    happenings[at] = happening;
  }

  /** Runs everything up to a time. @returns The number of events run. */
  runUntil(endMs: number): number {
    let count = 0;
    while (this.size > 0 && this.timesMs[0]! <= endMs) {
      this.nowMs = this.timesMs[0]!;
      this.pop().happen();
      count++;
    }
    this.nowMs = endMs;
    return count;
  }

  private pop(): Happening {
    const { timesMs, orders, happenings } = this;
    const top = happenings[0]!;
    const size = --this.size;
    const timeMs = timesMs[size]!;
    const order = orders[size]!;
    const last = happenings[size];
    happenings[size] = undefined;
    if (size === 0) return top;
    let at = 0;
    for (let first = 1; first < size; first = at * 4 + 1) {
      let least = first;
      const end = Math.min(first + 4, size);
      for (let child = first + 1; child < end; child++) {
        const childMs = timesMs[child]!;
        const leastMs = timesMs[least]!;
        if (childMs < leastMs || (childMs === leastMs && orders[child]! < orders[least]!)) least = child;
      }
      const leastMs = timesMs[least]!;
      if (timeMs < leastMs || (timeMs === leastMs && order < orders[least]!)) break;
      timesMs[at] = leastMs;
      orders[at] = orders[least]!;
      happenings[at] = happenings[least];
      at = least;
    }
    timesMs[at] = timeMs;
    orders[at] = order;
    happenings[at] = last;
    return top;
  }

  private grow(): void {
    const { timesMs, orders } = this;
    this.timesMs = new Float64Array(timesMs.length * 2);
    this.timesMs.set(timesMs);
    this.orders = new Float64Array(orders.length * 2);
    this.orders.set(orders);
  }
}

/**
 * A timer that is set anew again and again. Setting it later costs nothing: it wakes at the earlier time and goes on
 * sleeping, as a shell's timer does.
 */
export class Alarm implements Happening {
  private dueAtMs = Number.POSITIVE_INFINITY;
  private plannedAtMs = Number.POSITIVE_INFINITY;
  private readonly events: EventQueue;
  private readonly target: Happening;

  constructor(events: EventQueue, target: Happening) {
    this.events = events;
    this.target = target;
  }

  set(atMs: number): void {
    const dueAtMs = Math.max(atMs, this.events.nowMs);
    this.dueAtMs = dueAtMs;
    if (dueAtMs >= this.plannedAtMs) return;
    this.plannedAtMs = dueAtMs;
    this.events.plan(dueAtMs, this);
  }

  clear(): void {
    this.dueAtMs = Number.POSITIVE_INFINITY;
  }

  happen(): void {
    // What was planned before an earlier time was set has nothing to say any more.
    if (this.events.nowMs !== this.plannedAtMs) return;
    this.plannedAtMs = Number.POSITIVE_INFINITY;
    if (this.dueAtMs === Number.POSITIVE_INFINITY) return;
    if (this.dueAtMs > this.events.nowMs) {
      this.set(this.dueAtMs);
      return;
    }
    this.dueAtMs = Number.POSITIVE_INFINITY;
    this.target.happen();
  }
}
