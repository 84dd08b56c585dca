/**
 * The straight line between the stream's timeline and the wall clock: when a moment of the stream came, or has to come,
 * into the source. It is laid through the first moment and then keeps its place: what arrives early waits for the line,
 * what arrives late once is late. Only lateness that lasts moves the line; where a live input has made up for it, the line goes
 * back, so that what once held it up does not keep everybody behind for as long as it goes on.
 */
export class PaceLine {
  private offsetMs: number | undefined;
  private windowEndMs = 0;
  private leastLateMs = Number.POSITIVE_INFINITY;
  private mostLateMs = Number.NEGATIVE_INFINITY;
  private readonly live: boolean;
  /** How far lateness has moved the line, all in all. */
  private owedMs = 0;

  /** @param live the far end has a clock of its own, which may run a little faster than ours. */
  constructor(live: boolean) {
    this.live = live;
  }

  isLaid(): boolean {
    return this.offsetMs !== undefined;
  }

  lay(timeUs: number, wallMs: number): void {
    this.offsetMs = wallMs - timeUs / 1000;
    this.windowEndMs = wallMs + windowMs;
  }

  wallMsAt(timeUs: number): number {
    return (this.offsetMs ?? 0) + timeUs / 1000;
  }

  timeUsAt(wallMs: number): number {
    return (wallMs - (this.offsetMs ?? 0)) * 1000;
  }

  /** Notes that this moment of the stream arrived now. Returns how far the line moved in ms, mostly 0. */
  note(timeUs: number, nowMs: number): number {
    if (this.offsetMs === undefined) return 0;
    const lateMs = nowMs - this.wallMsAt(timeUs);
    this.leastLateMs = Math.min(this.leastLateMs, lateMs);
    this.mostLateMs = Math.max(this.mostLateMs, lateMs);
    if (nowMs < this.windowEndMs) return 0;
    const movedMs = this.correctionMs();
    this.owedMs = Math.max(0, this.owedMs + movedMs);
    this.offsetMs += movedMs;
    this.windowEndMs = nowMs + windowMs;
    this.leastLateMs = Number.POSITIVE_INFINITY;
    this.mostLateMs = Number.NEGATIVE_INFINITY;
    return movedMs;
  }

  private correctionMs(): number {
    if (this.leastLateMs > lateMinMs) return this.leastLateMs;
    if (!this.live || this.mostLateMs >= 0) return 0;
    const backMs = Math.max(windowMs * clockErrorMax, Math.min(this.owedMs, backMaxMs));
    return -Math.min(-this.mostLateMs, backMs);
  }
}

const windowMs = 10_000;
const lateMinMs = 20;
/** How far it goes back at a time: so much comes sooner than usual, which players catch up with by gentle speed. */
const backMaxMs = 1_000;
/** Quartz clocks differ by less than 200 millionths. */
const clockErrorMax = 0.0002;
