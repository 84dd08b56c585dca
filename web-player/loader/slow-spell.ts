/** So much earlier than in the spell parts come when it may be over, */
const EARLIER_MS = 600;
/** and so many of them none earlier than the ones before: then what it had held up has come. */
const CALM_PARTS = 8;
/** Earlier than the ones before by more than this share of a part. */
const EARLIER_SHARE = 1 / 16;
/** One that is over within so many parts of the last one is what comes again: with parts of 250 ms, half a minute. */
const APART_PARTS = 120;

/**
 * A line that has been too slow for the stream for a while: parts came ever later, and when it was fast again, early as before.
 * However late they came, that says nothing of what is to come.
 */
export class SlowSpell {
  private worstUsualMs = Number.NEGATIVE_INFINITY;
  private earliestMs = Number.POSITIVE_INFINITY;
  private calm = 0;
  private partsSince = APART_PARTS;

  /** A part came so late, the last ones usually so. True where a spell is over that was not one of several. */
  isOver(lagMs: number, usualMs: number, partMs: number): boolean {
    this.partsSince++;
    this.worstUsualMs = Math.max(this.worstUsualMs, usualMs);
    if (this.worstUsualMs - usualMs <= EARLIER_MS) {
      this.calm = 0;
      this.earliestMs = Number.POSITIVE_INFINITY;
      return false;
    }
    this.calm = lagMs < this.earliestMs - partMs * EARLIER_SHARE ? 0 : this.calm + 1;
    this.earliestMs = Math.min(this.earliestMs, lagMs);
    if (this.calm < CALM_PARTS) return false;
    const isAlone = this.partsSince >= APART_PARTS;
    this.worstUsualMs = usualMs;
    this.partsSince = 0;
    return isAlone;
  }
}
