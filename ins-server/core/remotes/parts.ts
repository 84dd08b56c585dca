import type { Reason } from '../../../protocol/reasons.ts';
import { RETRY_MS } from '../limits.ts';
import type { Sender } from '../sending/sender.ts';
import type { Intake } from '../storage/intake.ts';
import type { Storage } from '../storage/storage.ts';
import type { KnownToken } from '../tokens/tokens.ts';
import type { Mirror } from './mirror.ts';
import type { Upstreams } from './upstreams.ts';

/** What everything that is done at other servers has in common. */
export interface RemoteParts {
  readonly upstreams: Upstreams;
  readonly mirror: Mirror;
  readonly storage: Storage;
  readonly sender: Sender;
  readonly intake: Intake;
  /** Another server says that a token was revoked. */
  readonly tokenRevoked: (known: KnownToken, nowMs: number) => void;
}

/** Reasons of another server that are about what was asked; all others are about the server. */
const PASSED_ON: ReadonlySet<Reason> = new Set<Reason>([
  'TOKEN_INVALID',
  'TOKEN_EXPIRED',
  'TOKEN_NOT_YET',
  'TOKEN_REVOKED',
  'TOKEN_REPLAYED',
  'TOKEN_SCOPE',
  'TOKEN_TOO_WIDE',
  'POLICY_DENIED',
  'NO_OBJECT',
  'GONE',
  'NOT_YET',
  'OVERLOAD',
  'EXISTS',
  'SIZE',
  'NAME_MISMATCH',
  'QUOTA_STORAGE',
  'QUOTA_AMOUNT',
]);

/** What an asker is told of another server's refusal. */
export function passedOn(reason: Reason, retryMs: number): { readonly reason: Reason; readonly retryMs: number } {
  if (PASSED_ON.has(reason)) return { reason, retryMs };
  return { reason: 'REMOTE_FAIL', retryMs: Math.max(retryMs, RETRY_MS) };
}
