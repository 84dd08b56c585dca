/** What a link is taken to carry before anything was measured, in bits per second. */
const FIRST_GUESS_BPS = 2_000_000;
/**
 * What the sockets may hold: a block, or so much time of the uplink. What they hold is before all else, our own requests
 * too: with a second block behind the one that is leaving, 60 viewers froze four times as often.
 */
const WINDOW_MS = 150;
/** Time of sending after which the older half of what was measured is forgotten. */
const MEMORY_MS = 2_000;
/** Time of sending before the measure counts. */
const MEASURED_MS = 20;
/** Ms over which it is measured how much of the uplink is in use. */
const USE_OVER_MS = 2_000;
const RATE_MAX_BPS = 10_000_000_000;

/**
 * The one uplink that all neighbours share: how fast it is, measured while something is being sent, and what was handed to
 * the sockets and has not left them. Sockets are filled with a fraction of a second only, so that what is urgent never
 * waits behind what is not.
 */
export class Uplink {
  inSocketBytes = 0;
  private lastBlockBytes = 0;
  private leftBytes = 0;
  private busyMs = 0;
  private busySinceMs = 0;
  /** When what was sent so far has used up its time under the limit. */
  private limitFreeAtMs = 0;
  /** Bytes handed over lately, fading. */
  private lateBytes = 0;
  private lateAtMs = 0;
  private readonly limitBps: number | undefined;

  /** @param limitBps - What the owner wants to give at most, in bits per second. */
  constructor(limitBps?: number) {
    this.limitBps = limitBps;
  }

  /** Bits per second, measured or given. */
  get bps(): number {
    const measured = this.busyMs < MEASURED_MS ? FIRST_GUESS_BPS : (this.leftBytes * 8000) / this.busyMs;
    return Math.min(measured, this.limitBps ?? RATE_MAX_BPS, RATE_MAX_BPS);
  }

  /** Ms that so many bytes take to leave. */
  msFor(sizeBytes: number): number {
    return (sizeBytes * 8000) / this.bps;
  }

  /** Ms until what the sockets hold has left. */
  backlogMs(nowMs: number): number {
    return Math.max(this.msFor(this.inSocketBytes), this.limitFreeAtMs - nowMs);
  }

  /** Whether a socket may be handed another block now. */
  hasRoom(nowMs: number): boolean {
    if (this.limitFreeAtMs - nowMs > WINDOW_MS) return false;
    return this.inSocketBytes === 0 || this.msFor(this.inSocketBytes + this.lastBlockBytes) <= WINDOW_MS;
  }

  /** When the limit allows the next block; `undefined` when it does not stand in the way. */
  allowedAtMs(nowMs: number): number | undefined {
    const atMs = this.limitFreeAtMs - WINDOW_MS;
    return atMs > nowMs ? atMs : undefined;
  }

  /** The share of the uplink that was in use lately. */
  use(nowMs: number): number {
    this.fade(nowMs);
    return (this.lateBytes * 8000) / USE_OVER_MS / this.bps;
  }

  handed(sizeBytes: number, nowMs: number): void {
    this.fade(nowMs);
    this.lateBytes += sizeBytes;
    if (this.inSocketBytes === 0) this.busySinceMs = nowMs;
    this.inSocketBytes += sizeBytes;
    this.lastBlockBytes = sizeBytes;
    if (this.limitBps !== undefined) {
      this.limitFreeAtMs = Math.max(this.limitFreeAtMs, nowMs) + (sizeBytes * 8000) / this.limitBps;
    }
  }

  /** @param waiting - More waits to be sent: else the time says little, for it may be that of a busy machine. */
  left(sizeBytes: number, waiting: boolean, nowMs: number): void {
    this.inSocketBytes = Math.max(0, this.inSocketBytes - sizeBytes);
    const tookMs = nowMs - this.busySinceMs;
    this.busySinceMs = nowMs;
    if (!waiting && sizeBytes * 8000 <= tookMs * this.bps) return;
    this.leftBytes += sizeBytes;
    this.busyMs += tookMs;
    if (this.busyMs < MEMORY_MS) return;
    this.busyMs /= 2;
    this.leftBytes /= 2;
  }

  /** A link is gone, and what its socket held with it. */
  lost(sizeBytes: number): void {
    this.inSocketBytes = Math.max(0, this.inSocketBytes - sizeBytes);
  }

  private fade(nowMs: number): void {
    this.lateBytes *= Math.exp((this.lateAtMs - nowMs) / USE_OVER_MS);
    this.lateAtMs = nowMs;
  }
}
