/** Ms of the rate that may go out at once, after a time in which less was sent. */
const BURST_MS = 20;
const BURST_BYTES_MIN = 64 * 1024;

/** A rate of bytes: it is open until more was spent than has come in, and open again when that is paid back. */
export class Allowance {
  private readonly bytesPerMs: number;
  private readonly burstBytes: number;
  private levelBytes: number;
  private atMs: number | undefined;

  /** @param bps - Bits per second; infinite is always open. */
  constructor(bps: number) {
    this.bytesPerMs = bps / 8_000;
    this.burstBytes = Math.max(BURST_BYTES_MIN, this.bytesPerMs * BURST_MS);
    this.levelBytes = this.burstBytes;
  }

  isOpen(nowMs: number): boolean {
    if (this.atMs !== nowMs) {
      const comeBytes = (nowMs - (this.atMs ?? nowMs - 1)) * this.bytesPerMs;
      this.levelBytes = Math.min(this.burstBytes, this.levelBytes + comeBytes);
      this.atMs = nowMs;
    }
    return this.levelBytes > 0;
  }

  spend(bytes: number): void {
    this.levelBytes -= bytes;
  }

  /** When it is open again; undefined while it is. */
  opensAtMs(): number | undefined {
    if (this.levelBytes > 0) return undefined;
    return this.atMs! + Math.floor(-this.levelBytes / this.bytesPerMs) + 1;
  }
}
