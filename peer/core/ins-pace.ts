/** Parts over which the pace counts: two seconds of parts of 250 ms. */
const PARTS = 8;
/** Gaps between arrivals that are remembered, as far as they are longer than those inside a part: eight seconds of them. */
const GAPS = 32;
const GAP_MS_MIN = 50;

/**
 * How late a server's live parts come, after their last frame, by our own clock: good for comparing servers with each
 * other and with their past, whatever the clock shows.
 */
export class InsPace {
  private readonly lagsMs: number[] = [];
  private readonly gapsMs: number[] = [];
  private heardAtMs: number | undefined;
  /** Both are asked for in every decision, and change with what comes alone. */
  private longestMs = 0;
  private leastLagMs: number | undefined;

  /** So much has come that gaps say something. */
  get settled(): boolean {
    return this.gapsMs.length >= GAPS / 4;
  }

  /** A part came whole. */
  note(lagMs: number): void {
    this.lagsMs.push(lagMs);
    if (this.lagsMs.length > PARTS) this.lagsMs.shift();
    this.leastLagMs = this.lagsMs.length < PARTS ? undefined : Math.min(...this.lagsMs);
  }

  /** A live block came. */
  tick(nowMs: number): void {
    const gapMs = nowMs - (this.heardAtMs ?? nowMs);
    this.heardAtMs = nowMs;
    if (gapMs < GAP_MS_MIN) return;
    this.gapsMs.push(gapMs);
    if (this.gapsMs.length > GAPS) this.gapsMs.shift();
    this.longestMs = Math.max(...this.gapsMs);
  }

  /** Even the promptest of the last parts came so late; undefined until there are enough of them. */
  usualMs(parts = PARTS): number | undefined {
    if (parts === PARTS) return this.leastLagMs;
    return this.lagsMs.length < parts ? undefined : Math.min(...this.lagsMs.slice(-parts));
  }

  /** The longest that nothing came lately. */
  get longestGapMs(): number {
    return this.longestMs;
  }
}
