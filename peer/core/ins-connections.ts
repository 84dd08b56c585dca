import type { LinkId, Sink } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import type { LinkNumbers } from '../../swarm/io.ts';
import { InsSession } from './ins-session.ts';
import type { PeerOutput } from './io.ts';

export interface InsConnectionsOptions {
  readonly key: Uint8Array;
  readonly invitation: Uint8Array | undefined;
  readonly numbers: LinkNumbers;
  readonly prng: Prng;
  readonly outputs: Sink<PeerOutput>;
  /** Numbers for what is to be signed, each given once. */
  readonly nextRef: () => number;
}

/**
 * A peer's connections to INS servers: the one in use, at times another one on trial, and further ones to the server in use where it
 * allows several. Dials and signs; what is asked over them, and which is used, others decide.
 */
export class InsConnections {
  /** The one in use, or to be used as soon as it is up. */
  session: InsSession | undefined;
  /** Another one that is tried beside it. */
  trial: InsSession | undefined;
  /** Further connections to the server in use, for gets. */
  extras: InsSession[] = [];
  private readonly signs = new Map<number, { readonly session: InsSession; readonly conversationRef: number }>();
  private readonly options: InsConnectionsOptions;

  constructor(options: InsConnectionsOptions) {
    this.options = options;
  }

  of(link: LinkId): InsSession | undefined {
    if (this.session?.owns(link) === true) return this.session;
    if (this.trial?.owns(link) === true) return this.trial;
    return this.extras.find((extra) => extra.owns(link));
  }

  all(): InsSession[] {
    return [this.session, this.trial, ...this.extras].filter((session) => session !== undefined);
  }

  has(session: InsSession): boolean {
    return session === this.session || session === this.trial || this.extras.includes(session);
  }

  dial(url: string, nowMs: number): InsSession {
    const { key, invitation, numbers, outputs, prng, nextRef } = this.options;
    const known = invitation === undefined ? {} : { invitation };
    const conversation = { url, key, application: 'inswarm/live', prng: prng.fork(`${url} ${nowMs}`), ...known };
    const sign = (session: InsSession, conversationRef: number, bytes: Uint8Array): void => {
      const ref = nextRef();
      this.signs.set(ref, { session, conversationRef });
      outputs.push({ kind: 'sign', ref, bytes });
    };
    const session = new InsSession(conversation, numbers, outputs, sign, nowMs);
    // The dial goes out.
    session.poll();
    return session;
  }

  /** @returns Whose signature it was; null of one that is gone; `undefined` when the reference is none of ours. */
  signed(ref: number, signature: Uint8Array, nowMs: number): InsSession | null | undefined {
    const sign = this.signs.get(ref);
    if (sign === undefined) return undefined;
    this.signs.delete(ref);
    const { session, conversationRef } = sign;
    if (!this.has(session)) return null;
    session.input({ kind: 'signed', ref: conversationRef, signature }, nowMs);
    return session;
  }
}
