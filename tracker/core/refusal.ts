import { CLOSE, REASONS, type Reason } from '../../protocol/reasons.ts';

/** Why a link is turned away. */
export interface Refusal {
  readonly reason: Reason;
  /** For people: at most 200 characters. */
  readonly text: string;
}

export function refusal(reason: Reason, text: string): Refusal {
  return { reason, text };
}

const CODES: Partial<Record<Reason, number>> = {
  MALFORMED: CLOSE.violation,
  UNAUTHENTICATED: CLOSE.unauthenticated,
  OVERLOAD: CLOSE.tryLater,
  QUOTA_CONNECTIONS: CLOSE.tryLater,
  REPLACED: CLOSE.replaced,
};

/** The WebSocket close code that goes with a reason. */
export function closeCode(reason: Reason): number {
  return CODES[reason] ?? CLOSE.policy;
}

/** Ms after which trying again may help; 0 when it does not. */
export function retryAfterMs(reason: Reason): number {
  return REASONS[reason].retry ? 5_000 : 0;
}
