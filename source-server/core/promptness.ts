/** Ms after which a server that owes its word counts as late: in the beginning, and never sooner or later than. */
const FIRST_MS = 1_000;
const LATE_MS = { min: 400, max: 1_000 };
/** In units of the longest that it has taken lately. */
const LATE_TIMES = 2;
/** So much later still it has stopped. */
const STOPPED_MS = 500;
/** What was long ago counts less with every word. */
const FORGET = 0.97;

/** How promptly an INS server says that it has stored what was put there: by put handle. */
export class Promptness {
  /** When each was put that it has said nothing of, oldest first. */
  private readonly openSinceMs = new Map<number, number>();
  private usualMs = FIRST_MS / LATE_TIMES;
  private heardAtMs = Number.NEGATIVE_INFINITY;

  put(handle: number, nowMs: number): void {
    this.openSinceMs.set(handle, nowMs);
  }

  /** It has stored some of a put, or all. */
  heard(handle: number, isAll: boolean, nowMs: number): void {
    this.heardAtMs = nowMs;
    const sinceMs = this.openSinceMs.get(handle);
    if (!isAll || sinceMs === undefined) return;
    this.openSinceMs.delete(handle);
    this.usualMs = Math.max(nowMs - sinceMs, this.usualMs * FORGET);
  }

  /** Its connection is gone, and with it what it owed. */
  forget(): void {
    this.openSinceMs.clear();
  }

  /** When it counts as late unless it is heard before; infinity where it owes nothing. */
  lateAtMs(): number {
    return this.owesSinceMs() + Math.min(LATE_MS.max, Math.max(LATE_MS.min, LATE_TIMES * this.usualMs));
  }

  /** What is sent there now only takes the way of what others wait for. */
  hasStopped(nowMs: number): boolean {
    return this.lateAtMs() + STOPPED_MS <= nowMs;
  }

  private owesSinceMs(): number {
    for (const sinceMs of this.openSinceMs.values()) return Math.max(sinceMs, this.heardAtMs);
    return Number.POSITIVE_INFINITY;
  }
}
