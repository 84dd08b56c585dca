/** A line that many share takes what comes in order, at its rate: a downlink, or a bottleneck that several hosts have in common. */
export class Line {
  bytes = 0;
  private msPerByte: number;
  private freeAtMs = 0;

  constructor(bps: number) {
    this.msPerByte = 8000 / bps;
  }

  /** From now on; what is under way stays as it was. */
  setRate(bps: number): void {
    this.msPerByte = 8000 / bps;
  }

  /** When it has taken all that has come so far. */
  freeFrom(nowMs: number): number {
    return Math.max(this.freeAtMs, nowMs);
  }

  msFor(sizeBytes: number): number {
    return sizeBytes * this.msPerByte;
  }

  /** @param atMs - When it is through where nothing is before it. @returns When it is through. */
  take(sizeBytes: number, atMs: number): number {
    const tookMs = sizeBytes * this.msPerByte;
    this.freeAtMs = Math.max(this.freeAtMs, atMs - tookMs) + tookMs;
    this.bytes += sizeBytes;
    return this.freeAtMs;
  }
}
