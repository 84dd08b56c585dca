/** A picture that stands for so long, as the player model's, goes on without what it waits for. */
const GIVE_UP_AFTER_MS = 1_000;
/** A player that waits may try to get over it by a nudge of a few ms. */
const STANDS_WITHIN_MS = 50;

/** Notices that a real player waits for media: its picture stands though nobody paused it. */
export class Standing {
  private atMs = Number.NEGATIVE_INFINITY;
  private sinceMs = 0;

  /**
   * @param capturedAtMs - The frame on screen.
   * @param rate - How fast it should play; 0 when it is paused.
   * @returns Whether what playback waits for is given up.
   */
  tell(capturedAtMs: number, rate: number, nowMs: number): boolean {
    if (rate === 0 || Math.abs(capturedAtMs - this.atMs) > STANDS_WITHIN_MS) {
      this.sinceMs = nowMs;
      this.atMs = capturedAtMs;
    }
    return nowMs - this.sinceMs >= GIVE_UP_AFTER_MS;
  }
}
