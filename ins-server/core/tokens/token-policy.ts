import { TOKEN_LEEWAY_SECONDS, TOKEN_LIFE_SECONDS_MAX } from '../../../protocol/limits.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import { bytesKey } from '../../../protocol/text.ts';
import type { Token } from '../../../protocol/token.ts';
import type { Entry } from '../storage/shelf.ts';
import type { Meters } from './meters.ts';
import type { Revocations } from './revocations.ts';
import { coversEntry, type KnownToken } from './tokens.ts';

/** What is asked of a token besides its signature, which none of this needs. */
export class TokenPolicy {
  readonly revocations: Revocations;
  readonly meters: Meters;
  private readonly serverKey: string;
  private readonly startedAtSeconds: number;

  /** @param startedAtMs - Since when uses are counted: what was used before, nobody knows. */
  constructor(server: Uint8Array, startedAtMs: number, revocations: Revocations, meters: Meters) {
    this.serverKey = bytesKey(server);
    this.startedAtSeconds = startedAtMs / 1000;
    this.revocations = revocations;
    this.meters = meters;
  }

  /** Why a token may not be used now by the account of this key, whatever for. */
  refusal(known: KnownToken, account: string, nowMs: number): Reason | undefined {
    if (known.open !== undefined) return undefined;
    const { token } = known;
    const untimely = untimelinessOf(token, nowMs);
    if (untimely !== undefined) return untimely;
    if (known.flaw !== undefined) return known.flaw;
    if (known.holderKey !== null && !this.mayHold(known, account)) return 'TOKEN_SCOPE';
    if (this.revocations.cover(known)) return 'TOKEN_REVOKED';
    if (!known.limited) return undefined;
    const counted = known.parent?.limited === true ? known.parent.token : token;
    return counted.notBefore < this.startedAtSeconds || this.meters.usedUp(known) ? 'TOKEN_REPLAYED' : undefined;
  }

  /** Why a block that is about to be sent under a token may not be: much may have happened since it was asked for. */
  objection(known: KnownToken, entry: Entry): Reason | undefined {
    if (known.open !== undefined) return coversEntry(known, entry) ? undefined : 'TOKEN_REQUIRED';
    return this.revocations.cover(known) ? 'TOKEN_REVOKED' : undefined;
  }

  /** Its holder; or, of a token whose holder is this server, who has made it for the server to fetch with. */
  private mayHold({ holderKey, madeBy }: KnownToken, account: string): boolean {
    return holderKey === account || (holderKey === this.serverKey && madeBy === account);
  }
}

/** Why a token cannot be good now, by its times alone. */
export function untimelinessOf({ notBefore, expires }: Token, nowMs: number): Reason | undefined {
  const nowSeconds = nowMs / 1000;
  if (expires <= nowSeconds) return 'TOKEN_EXPIRED';
  if (notBefore > nowSeconds + TOKEN_LEEWAY_SECONDS) return 'TOKEN_NOT_YET';
  return expires > nowSeconds + TOKEN_LIFE_SECONDS_MAX + TOKEN_LEEWAY_SECONDS ? 'POLICY_DENIED' : undefined;
}
