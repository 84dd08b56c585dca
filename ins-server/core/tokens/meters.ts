import { PacedBucket } from '../../../machine/rates.ts';
import { TOKEN_LEEWAY_SECONDS } from '../../../protocol/limits.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import { METERS_MAX, METERS_PER_OWNER_MAX, RETRY_MS } from '../limits.ts';
import type { KnownToken } from './tokens.ts';

/** What is left of one limited token. */
interface Meter {
  readonly owner: string;
  uses: number;
  bytes: number;
  readonly rate: PacedBucket | undefined;
  /** Unix ms from which on no token of this id is good. */
  forgetAtMs: number;
}

/** What a token does not allow any more, or not yet. `retryMs` 0: it never will. */
export interface Shortage {
  readonly reason: Reason;
  readonly retryMs: number;
}

/**
 * What has been used of limited tokens, by issuer and id, however many bear them and on however many connections. A
 * delegated token uses up the one it was made from too. Where there is no room to count, nothing is allowed.
 */
export class Meters {
  private readonly meters = new Map<string, Meter>();
  private readonly perOwner = new Map<string, number>();

  get size(): number {
    return this.meters.size;
  }

  /** Uses a token so often and for so many bytes, or not at all. What goes beyond a rate makes the next wait for longer. */
  use(known: KnownToken, uses: number, bytes: number, nowMs: number): Shortage | undefined {
    for (let token: KnownToken | undefined = known; token !== undefined; token = token.parent) {
      const short = isLimited(token) ? this.shortage(token, uses, bytes, nowMs) : undefined;
      if (short !== undefined) return short;
    }
    this.charge(known, uses, bytes);
    return undefined;
  }

  /** What was used for nothing. */
  giveBack(known: KnownToken, uses: number, bytes: number): void {
    this.charge(known, -uses, -bytes);
  }

  /** Whether nothing can be done with a token any more. */
  usedUp(known: KnownToken): boolean {
    for (let token: KnownToken | undefined = known; token !== undefined; token = token.parent) {
      if (token.token.uses === 0 || this.meters.get(keyOf(token))?.uses === 0) return true;
    }
    return false;
  }

  tidy(nowMs: number): void {
    for (const [key, { forgetAtMs, owner }] of this.meters) {
      if (forgetAtMs > nowMs) continue;
      this.meters.delete(key);
      const left = this.perOwner.get(owner)! - 1;
      if (left === 0) this.perOwner.delete(owner);
      else this.perOwner.set(owner, left);
    }
  }

  private shortage(known: KnownToken, uses: number, bytes: number, nowMs: number): Shortage | undefined {
    const meter = this.meterOf(known);
    if (meter === undefined) return { reason: 'OVERLOAD', retryMs: RETRY_MS };
    if (meter.uses < uses) return { reason: 'TOKEN_REPLAYED', retryMs: 0 };
    if (meter.bytes < bytes) return { reason: 'QUOTA_AMOUNT', retryMs: 0 };
    const waitMs = bytes === 0 ? 0 : (meter.rate?.waitMs(nowMs) ?? 0);
    if (waitMs === 0) return undefined;
    return { reason: 'QUOTA_AMOUNT', retryMs: Number.isFinite(waitMs) ? waitMs : 0 };
  }

  private charge(known: KnownToken, uses: number, bytes: number): void {
    for (let token: KnownToken | undefined = known; token !== undefined; token = token.parent) {
      const meter = isLimited(token) ? this.meters.get(keyOf(token)) : undefined;
      if (meter === undefined) continue;
      meter.uses -= uses;
      meter.bytes -= bytes;
      meter.rate?.take(bytes);
    }
  }

  private meterOf(known: KnownToken): Meter | undefined {
    const { token, ownerKey: owner } = known;
    const key = keyOf(known);
    const forgetAtMs = (token.expires + TOKEN_LEEWAY_SECONDS) * 1000;
    let meter = this.meters.get(key);
    if (meter === undefined) {
      const mine = this.perOwner.get(owner) ?? 0;
      if (this.meters.size >= METERS_MAX || mine >= METERS_PER_OWNER_MAX) return undefined;
      meter = {
        owner,
        uses: token.uses ?? Number.POSITIVE_INFINITY,
        bytes: token.amountBytes ?? Number.POSITIVE_INFINITY,
        rate: token.rateBps === null ? undefined : new PacedBucket(token.rateBps),
        forgetAtMs,
      };
      this.meters.set(key, meter);
      this.perOwner.set(owner, mine + 1);
    }
    meter.forgetAtMs = Math.max(meter.forgetAtMs, forgetAtMs);
    return meter;
  }
}

function isLimited({ token }: KnownToken): boolean {
  return token.uses !== null || token.rateBps !== null || token.amountBytes !== null;
}

function keyOf({ madeBy, idKey }: KnownToken): string {
  return madeBy + idKey;
}
