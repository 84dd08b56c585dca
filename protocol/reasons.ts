import { word } from './fields.ts';

/** The codes of {@link REASONS}, apart from their texts: a page has no use for those. */
const CODES = [
  'VERSION',
  'MALFORMED',
  'UNAUTHENTICATED',
  'TOKEN_REQUIRED',
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
  'NAME_MISMATCH',
  'EXISTS',
  'QUOTA_STORAGE',
  'QUOTA_AMOUNT',
  'QUOTA_CONNECTIONS',
  'SIZE',
  'OVERLOAD',
  'DEADLINE',
  'CANCELLED',
  'REPLACED',
  'DRAINING',
  'REMOTE_FAIL',
  'NO_STREAM',
  'NOT_ALLOWED',
] as const;

export type Reason = (typeof CODES)[number];

export const reasonField = word(CODES);

/** To whom another connection is preferred. */
export const REPLACED_TEXT = 'a newer connection of the same account took over';

/** Why something is refused, and whether asking again can help. The codes extend RFC 7069's error conditions (6.3, 8.1). */
export const REASONS = {
  VERSION: { retry: false, text: 'no common protocol version' },
  MALFORMED: { retry: false, text: 'the message breaks the protocol' },
  UNAUTHENTICATED: { retry: false, text: 'no valid hello came before the request' },
  TOKEN_REQUIRED: { retry: false, text: 'the locker is not yours and the request names no token' },
  TOKEN_INVALID: { retry: false, text: 'the token is malformed, forged, or of an unknown issuer' },
  TOKEN_EXPIRED: { retry: false, text: 'the token has expired' },
  TOKEN_NOT_YET: { retry: true, text: 'the token is not valid yet' },
  TOKEN_REVOKED: { retry: false, text: 'the token was revoked' },
  TOKEN_REPLAYED: { retry: false, text: 'the token was used up' },
  TOKEN_SCOPE: { retry: false, text: 'the token does not cover this' },
  TOKEN_TOO_WIDE: { retry: false, text: 'the token allows more than the one that it was made from' },
  POLICY_DENIED: { retry: false, text: 'the server does not do this' },
  NO_OBJECT: { retry: false, text: 'the block is not there' },
  GONE: { retry: false, text: 'the block was deleted or has expired' },
  NOT_YET: { retry: true, text: 'the block is not there yet' },
  NAME_MISMATCH: { retry: false, text: 'the bytes do not have the name they came under' },
  EXISTS: { retry: false, text: 'another block has this label' },
  QUOTA_STORAGE: { retry: true, text: 'the locker is full' },
  QUOTA_AMOUNT: { retry: true, text: 'the allowance of bytes is used up' },
  QUOTA_CONNECTIONS: { retry: true, text: 'too many connections' },
  SIZE: { retry: false, text: 'too large or too small' },
  OVERLOAD: { retry: true, text: 'too busy' },
  DEADLINE: { retry: false, text: 'the deadline passed before the block could be sent' },
  CANCELLED: { retry: false, text: 'the request was cancelled' },
  REPLACED: { retry: false, text: REPLACED_TEXT },
  DRAINING: { retry: true, text: 'the server is shutting down' },
  REMOTE_FAIL: { retry: true, text: 'the other server could not be reached or refused' },
  NO_STREAM: { retry: true, text: 'the tracker does not know this stream' },
  NOT_ALLOWED: { retry: false, text: 'this role may not do that' },
} as const satisfies Record<Reason, { readonly retry: boolean; readonly text: string }>;

/** WebSocket close codes of ours (4000 … 4999 are private use, RFC 6455 section 7.4.2). */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  policy: 1008,
  tooBig: 1009,
  tryLater: 1013,
  /** The bytes break the protocol. */
  violation: 4400,
  unauthenticated: 4401,
  /** Nothing came for too long. */
  idle: 4408,
  /** A newer connection of the same account took over. */
  replaced: 4409,
  /** The reader did not keep up. */
  slow: 4410,
} as const;
