import type { Sink } from '../../machine/machine.ts';
import { sameBytes } from '../../protocol/text.ts';
import { decodeToken } from '../../protocol/token.ts';
import type { PeerOutput } from './io.ts';

/** A range token and the neighbour that says it is its own. */
export interface ClaimedToken {
  readonly owner: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Neighbours' tokens under verification at once. */
const CHECKS_MAX = 64;

/** Range tokens that neighbours say are their own: only its owner can have signed one. */
export class ClaimedTokens {
  private readonly checks = new Map<number, ClaimedToken>();
  private readonly outputs: Sink<PeerOutput>;
  private readonly nextRef: () => number;

  constructor(outputs: Sink<PeerOutput>, nextRef: () => number) {
    this.outputs = outputs;
    this.nextRef = nextRef;
  }

  get size(): number {
    return this.checks.size;
  }

  get max(): number {
    return CHECKS_MAX;
  }

  /** @param known - The token of this owner that we have. */
  offer(owner: Uint8Array, sealed: Uint8Array, known: Uint8Array | undefined): void {
    const decoded = decodeToken(sealed);
    if (decoded === undefined || !sameBytes(decoded.token.issuer, owner) || this.checks.size >= CHECKS_MAX) return;
    if (known !== undefined && sameBytes(known, sealed)) return;
    const ref = this.nextRef();
    this.checks.set(ref, { owner, sealed });
    const { signed, signature } = decoded;
    this.outputs.push({ kind: 'verify', ref, key: owner, keyHash: null, signed, signature });
  }

  /** @returns What the reference stood for; `undefined` when it is none of ours. */
  verified(ref: number): ClaimedToken | undefined {
    const check = this.checks.get(ref);
    this.checks.delete(ref);
    return check;
  }
}
