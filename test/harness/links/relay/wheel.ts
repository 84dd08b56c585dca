/** What wants to be woken. */
export interface Sleeper {
  wake(nowMs: number): void;
}

/** Ms that the wheel reaches into the future: three round trips of the longest delay, or the longest that something stands still. */
export const REACH_MS = 65_536;
const TICKS_PER_MS = 4;
const SLOTS = REACH_MS * TICKS_PER_MS;

/** Wakes thousands at their times, with one timer: all whose times are within a tick, a quarter of a ms, are woken together. */
export class Wheel {
  private readonly slots: (Sleeper[] | undefined)[] = new Array(SLOTS).fill(undefined);
  /** All up to this tick were woken. */
  private turned: number;
  private sleepers = 0;
  /** Nobody is to be woken before. */
  private nobodyBefore = Number.POSITIVE_INFINITY;

  constructor(nowMs: number) {
    this.turned = Math.floor(nowMs * TICKS_PER_MS);
  }

  /**
   * Wakes it at the first turn at this time or later.
   *
   * @throws RangeError beyond {@link REACH_MS}.
   */
  plan(sleeper: Sleeper, atMs: number, nowMs: number): void {
    if (this.sleepers === 0) this.turned = Math.max(this.turned, Math.floor(nowMs * TICKS_PER_MS));
    const tick = Math.max(Math.ceil(atMs * TICKS_PER_MS), this.turned + 1);
    if (tick >= this.turned + SLOTS) throw new RangeError(`${atMs - nowMs} ms are beyond what the wheel reaches`);
    const slot = tick % SLOTS;
    const others = this.slots[slot];
    if (others === undefined) this.slots[slot] = [sleeper];
    else others.push(sleeper);
    this.sleepers++;
    this.nobodyBefore = Math.min(this.nobodyBefore, tick);
  }

  /** When it has to be turned next; infinite where everybody is awake. */
  get nextMs(): number {
    return this.next() / TICKS_PER_MS;
  }

  /** Wakes all whose time has come. They may plan again. */
  turn(nowMs: number): void {
    const until = Math.floor(nowMs * TICKS_PER_MS);
    for (let tick = this.next(); tick <= until; tick = this.next()) {
      const slot = tick % SLOTS;
      const woken = this.slots[slot]!;
      this.slots[slot] = undefined;
      this.sleepers -= woken.length;
      this.turned = tick;
      this.nobodyBefore = tick + 1;
      for (const sleeper of woken) sleeper.wake(nowMs);
    }
    this.turned = Math.max(this.turned, until);
  }

  private next(): number {
    if (this.sleepers === 0) return Number.POSITIVE_INFINITY;
    let tick = Math.max(this.nobodyBefore, this.turned + 1);
    while (this.slots[tick % SLOTS] === undefined) tick++;
    this.nobodyBefore = tick;
    return tick;
  }
}
