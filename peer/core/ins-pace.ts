/** Parts over which the pace counts: two seconds of parts of 250 ms. */
const PARTS = 8;
/** Gaps between arrivals that are remembered: four seconds of them. */
const GAPS = 16;

/**
 * How late a server's live parts come, after their last frame, by our own clock: good for comparing servers with each
 * other and with their past, whatever the clock shows.
 */
export class InsPace {
  private readonly lagsMs: number[] = [];
  private readonly gapsMs: number[] = [];
  private heardAtMs: number | undefined;

  /** A part came whole. */
  note(lagMs: number): void {
    this.lagsMs.push(lagMs);
    if (this.lagsMs.length > PARTS) this.lagsMs.shift();
  }

  /** A block came. */
  heard(nowMs: number): void {
    if (this.heardAtMs !== undefined) this.gapsMs.push(nowMs - this.heardAtMs);
    if (this.gapsMs.length > GAPS) this.gapsMs.shift();
    this.heardAtMs = nowMs;
  }

  /** Even the promptest of the last parts came so late; undefined until there are enough of them. */
  usualMs(parts = PARTS): number | undefined {
    return this.lagsMs.length < parts ? undefined : Math.min(...this.lagsMs.slice(-parts));
  }

  /** The longest that nothing came lately. */
  get longestGapMs(): number {
    return this.gapsMs.length === 0 ? 0 : Math.max(...this.gapsMs);
  }
}
