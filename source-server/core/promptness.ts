/** Ms after which a server that owes its word counts as late: in the beginning, and never sooner or later than. */
const FIRST_MS = 1_000;
const LATE_MS = { min: 400, max: 1_000 };
/** In units of the longest that it has taken lately. */
const LATE_TIMES = 2;
/** So much later still it has stopped. */
const STOPPED_MS = 500;
/** What was long ago counts less with every word. */
const FORGET = 0.97;

interface Open {
  readonly sinceMs: number;
  readonly urgentBytes: number;
}

/** How promptly an INS server says that it has stored what was put there: by put handle. */
export class Promptness {
  /** When each was put that it has said nothing of, oldest first. */
  private readonly open = new Map<number, Open>();
  private usualMs = FIRST_MS / LATE_TIMES;
  private heardAtMs = Number.NEGATIVE_INFINITY;

  put(handle: number, urgentBytes: number, nowMs: number): void {
    this.open.set(handle, { sinceMs: nowMs, urgentBytes });
  }

  get owesNothing(): boolean {
    return this.open.size === 0;
  }

  /** Urgent bytes that it has said nothing of; 0 once it is late, when what it owes may never be taken. */
  owedBytes(nowMs: number): number {
    if (this.isLate(nowMs)) return 0;
    let sum = 0;
    for (const { urgentBytes } of this.open.values()) sum += urgentBytes;
    return sum;
  }

  /** It has stored some of a put, or all. */
  heard(handle: number, isAll: boolean, nowMs: number): void {
    this.heardAtMs = nowMs;
    const sinceMs = this.open.get(handle)?.sinceMs;
    if (!isAll || sinceMs === undefined) return;
    this.open.delete(handle);
    this.usualMs = Math.max(nowMs - sinceMs, this.usualMs * FORGET);
  }

  /** Its connection is gone, and with it what it owed. */
  forget(): void {
    this.open.clear();
  }

  /** When it counts as late unless it is heard before; infinity where it owes nothing. */
  lateAtMs(): number {
    return this.owesSinceMs() + Math.min(LATE_MS.max, Math.max(LATE_MS.min, LATE_TIMES * this.usualMs));
  }

  isLate(nowMs: number): boolean {
    return this.lateAtMs() <= nowMs;
  }

  /** What is sent there now is of no use for long. */
  hasStopped(nowMs: number): boolean {
    return this.lateAtMs() + STOPPED_MS <= nowMs;
  }

  private owesSinceMs(): number {
    for (const { sinceMs } of this.open.values()) return Math.max(sinceMs, this.heardAtMs);
    return Number.POSITIVE_INFINITY;
  }
}
