/** What came further apart than this did not wait for the line. */
const BURST_GAP_MS = 125;
/** Bytes of bursts that make a measure, and after which the older ones count half. */
const BYTES_MIN = 8_000;
const BYTES_MAX = 250_000;
/** A part that comes so much later than the earliest ones do has waited for the line, which was busy all that time. */
const LATE_MS = 200;
/** Lags that are compared: two clocks drift apart in an hour, not in a minute. */
const LAGS_KEPT = 256;
/** Time over which arrivals are remembered. */
const REMEMBERED_MS = 2_000;

/**
 * What a viewer's line was seen to carry while it was busy: in bursts, and, when parts come later and later, over the whole time
 * they are late. Waiting for what does not exist yet counts as nothing. A page is told of whole messages only, so of a block that
 * comes alone nothing can be known but this.
 */
export class LineRate {
  /** Bytes that came over a busy line, and the time they took. */
  private bytes = 0;
  private ms = 0;
  private readonly arrivals: { readonly atMs: number; readonly bytes: number }[] = [];
  private readonly lagsMs: number[] = [];

  /** Bits per second; undefined while nothing was seen. */
  get bps(): number | undefined {
    return this.bytes < BYTES_MIN ? undefined : (this.bytes * 8_000) / Math.max(1, this.ms);
  }

  /** A block has come, over whichever connection: they share the line. */
  came(bytes: number, atMs: number): void {
    const gapMs = atMs - (this.arrivals.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY);
    this.arrivals.push({ atMs, bytes });
    while (atMs - this.arrivals[0]!.atMs > REMEMBERED_MS) this.arrivals.shift();
    if (gapMs > BURST_GAP_MS) return;
    this.bytes += bytes;
    this.ms += gapMs;
    if (this.bytes < BYTES_MAX) return;
    this.bytes /= 2;
    this.ms /= 2;
  }

  /**
   * A part of the live edge is whole.
   * @param lagMs - So long after its last frame was filmed, by clocks that may differ.
   */
  whole(lagMs: number, atMs: number): void {
    this.lagsMs.push(lagMs);
    if (this.lagsMs.length > LAGS_KEPT) this.lagsMs.shift();
    const lateMs = lagMs - Math.min(...this.lagsMs);
    if (lateMs < LATE_MS) return;
    const [first, ...busy] = this.arrivals.filter((arrival) => arrival.atMs >= atMs - lateMs);
    const bytes = busy.reduce((sum, arrival) => sum + arrival.bytes, 0);
    if (first === undefined || bytes < BYTES_MIN) return;
    // Whatever the bursts seemed to say.
    this.bytes = bytes;
    this.ms = atMs - first.atMs;
  }
}
