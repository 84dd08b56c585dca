const firstMs = 1000;
const maxMs = 10_000;
/** What ran this long starts again quickly. */
const goodMs = 10_000;

/** How long to wait before the next attempt: 1 s, 2 s, 4 s … up to 10 s. */
export class Backoff {
  private nextMs = firstMs;

  /** @param lastedMs how long the attempt before went well. */
  waitMs(lastedMs: number): number {
    if (lastedMs >= goodMs) this.nextMs = firstMs;
    const waitMs = this.nextMs;
    this.nextMs = Math.min(this.nextMs * 2, maxMs);
    return waitMs;
  }
}
