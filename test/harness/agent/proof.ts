import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Controller and agent each prove that they hold the same key, and say it to nobody: HMAC-SHA-256 (RFC 2104) over who proves it and both sides'
 * nonces.
 */
export type Prover = 'controller' | 'agent';

export function makeNonce(): string {
  return randomBytes(24).toString('base64url');
}

export function proofOf(key: string, by: Prover, controllersNonce: string, agentsNonce: string): string {
  return createHmac('sha256', key).update(`inswarm ${by}\n${controllersNonce}\n${agentsNonce}`).digest('base64url');
}

/** Takes the same time whatever was said. */
export function isProof(said: unknown, right: string): boolean {
  if (typeof said !== 'string') return false;
  const [a, b] = [Buffer.from(said), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A nonce as {@link makeNonce} makes them: what is longer or has line ends could stand for something else. */
export function readNonce(said: unknown): string | undefined {
  return typeof said === 'string' && /^[\w-]{32}$/.test(said) ? said : undefined;
}
