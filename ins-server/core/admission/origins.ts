import { TokenBucket } from '../../../machine/rates.ts';
import {
  ORIGIN_FAILURES_BURST,
  ORIGIN_FAILURES_PER_SECOND,
  ORIGIN_VERIFY_BURST,
  ORIGIN_VERIFY_PER_SECOND,
  ORIGINS_MAX,
} from '../limits.ts';

/** What the links from one address may cost together. */
export class Origin {
  private readonly verifications = new TokenBucket(ORIGIN_VERIFY_PER_SECOND, ORIGIN_VERIFY_BURST);
  private readonly failures = new TokenBucket(ORIGIN_FAILURES_PER_SECOND, ORIGIN_FAILURES_BURST);
  links = 0;
  usedAtMs = 0;
  /** Too much that came from there was forged: nobody is let in until it has rested. */
  private failedAtMs = Number.NEGATIVE_INFINITY;

  mayVerify(signatures: number, nowMs: number): boolean {
    this.usedAtMs = nowMs;
    return this.verifications.take(signatures, nowMs);
  }

  failed(nowMs: number): void {
    this.usedAtMs = nowMs;
    if (!this.failures.take(1, nowMs)) this.failedAtMs = nowMs;
  }

  isBarred(nowMs: number): boolean {
    return nowMs - this.failedAtMs < BARRED_MS;
  }
}

/** Ms for which nobody is let in from where too much forged came. */
const BARRED_MS = 10_000;
/** Ms after which an address without links has all of its allowance again. */
const RESTED_MS = (1000 * ORIGIN_FAILURES_BURST) / ORIGIN_FAILURES_PER_SECOND;

/** Where links come from, as far as the shell tells. */
export class Origins {
  private readonly known = new Map<string, Origin>();
  private readonly others = new Origin();

  at(address: string): Origin {
    let origin = this.known.get(address);
    if (origin === undefined) {
      if (this.known.size >= ORIGINS_MAX) return this.others;
      origin = new Origin();
      this.known.set(address, origin);
    }
    return origin;
  }

  tidy(nowMs: number): void {
    for (const [address, { links, usedAtMs }] of this.known) {
      if (links === 0 && nowMs - usedAtMs >= RESTED_MS) this.known.delete(address);
    }
  }
}
