import { REASONS, type Reason } from '../../protocol/reasons.ts';

/** Why something was not done: a server's reason (PROTOCOL.md, Reasons), or one of this side's own. */
export type InsReason = Reason | 'CLOSED' | 'UNREACHABLE';

const OWN_TEXTS = {
  CLOSED: 'the client was closed',
  UNREACHABLE: 'the server cannot be reached',
} as const;

/** What the application or its user can do about it, where the reason alone does not say. */
const ADVICE: Partial<Record<InsReason, string>> = {
  VERSION: 'use a client and a server of the same major version',
  TOKEN_REQUIRED: 'ask the owner of the locker for a token and give it as `token`',
  TOKEN_INVALID: 'pass the token on exactly as generateToken gave it',
  TOKEN_EXPIRED: 'ask the owner of the locker for a new token',
  TOKEN_NOT_YET: 'wait, or set the clock of the machine that made the token',
  TOKEN_REVOKED: 'ask the owner of the locker for a new token',
  TOKEN_REPLAYED: 'ask the owner of the locker for a new token',
  TOKEN_SCOPE: 'ask for a token for this operation, these objects and this account',
  TOKEN_TOO_WIDE: 'make the token from `parent` with no more operations, objects or time than that has',
  NO_OBJECT: 'look for it in another locker, or have its owner put it',
  GONE: 'have its owner put it again, with a longer ttlSeconds',
  NAME_MISMATCH: 'ask another server; this one, or the way to it, cannot be trusted with this block',
  EXISTS: 'take another label; a label holds one block',
  QUOTA_STORAGE: 'delete blocks, put with a shorter ttlSeconds, or ask the operator for more',
  SIZE: 'cut it into blocks of 1 byte to 1 MiB',
  OVERLOAD: 'ask again after retryAfterMs',
  DEADLINE: 'ask with more time, or do without it',
  REPLACED: 'give each running instance keys of its own (makeKeys)',
  REMOTE_FAIL: 'ask again later, or connect to the other server directly',
  CLOSED: 'connect anew with connectIns',
  UNREACHABLE: 'check the address and that the server runs',
};

export interface Refusal {
  readonly reason: InsReason;
  /** Ms after which asking again may help; 0: it does not help. */
  readonly retryAfterMs: number;
  /** Address of a server that may answer better; null for none. */
  readonly otherServer: string | null;
}

/** Everything that goes wrong at run time; wrong arguments are a TypeError or RangeError. */
export class InsError extends Error implements Refusal {
  override readonly name = 'InsError';
  readonly reason: InsReason;
  readonly retryAfterMs: number;
  readonly otherServer: string | null;

  /** @param refusal - Such as a result with `ok: false`. */
  constructor(refusal: Partial<Refusal> & { readonly reason: InsReason }, detail?: string) {
    super(textOf(refusal.reason, detail));
    this.reason = refusal.reason;
    this.retryAfterMs = refusal.retryAfterMs ?? 0;
    this.otherServer = refusal.otherServer ?? null;
  }
}

function textOf(reason: InsReason, detail: string | undefined): string {
  const text = reason === 'CLOSED' || reason === 'UNREACHABLE' ? OWN_TEXTS[reason] : REASONS[reason].text;
  const advice = ADVICE[reason];
  return `${reason}: ${text}${detail === undefined ? '' : ` (${detail})`}${advice === undefined ? '' : `; ${advice}`}`;
}
