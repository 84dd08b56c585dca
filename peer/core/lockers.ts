import { bytesKey, sameBytes } from '../../protocol/text.ts';
import { decodeToken, type Token } from '../../protocol/token.ts';
import { Availability } from '../../swarm/availability.ts';

/** A locker of the swarm that a range token opens for us. */
export interface Locker {
  readonly owner: string;
  sealed: Uint8Array;
  token: Token;
  /** It lacked what it was said to hold: not asked before this time. */
  restUntilMs: number;
  readonly availability: Availability;
}

/** Lockers that are remembered: the source's, and those of the neighbours we know. */
const LOCKERS_MAX = 64;

/** The range tokens and bitmaps that reached us, by owner. The signature of a token is the server's to judge. */
export class Lockers {
  private readonly byOwner = new Map<string, Locker>();
  private sourceOwner: string | undefined;
  private ofSource: Locker | undefined;

  /** The source's locker, which holds everything. */
  get source(): Locker | undefined {
    return this.ofSource;
  }

  /** Says whose locker is the source's: the description's signing key, or before there is one, whom the tracker names. */
  nameSource(owner: Uint8Array): void {
    this.sourceOwner = bytesKey(owner);
    this.ofSource = this.byOwner.get(this.sourceOwner);
  }

  get(owner: string): Locker | undefined {
    return this.byOwner.get(owner);
  }

  /**
   * Takes in a token that came from its owner, the tracker or the INS server.
   *
   * @returns The sealed token it replaces; null when the owner is new; `undefined` when nothing changed.
   */
  addToken(owner: Uint8Array, sealed: Uint8Array): Uint8Array | null | undefined {
    const decoded = decodeToken(sealed);
    if (decoded === undefined || !sameBytes(decoded.token.issuer, owner)) return undefined;
    const id = bytesKey(owner);
    const known = this.byOwner.get(id);
    if (known === undefined) {
      if (this.byOwner.size >= LOCKERS_MAX) this.evict();
      const { token } = decoded;
      const locker = { owner: id, sealed, token, restUntilMs: 0, availability: new Availability() };
      this.byOwner.set(id, locker);
      if (id === this.sourceOwner) this.ofSource = locker;
      return null;
    }
    if (known.token.expires >= decoded.token.expires) return undefined;
    const old = known.sealed;
    known.sealed = sealed;
    known.token = decoded.token;
    return old;
  }

  /** Leaves a locker alone for a while; the source's never, for there everything comes from. */
  rest(owner: string, untilMs: number): void {
    const locker = this.byOwner.get(owner);
    if (locker !== undefined && owner !== this.sourceOwner) locker.restUntilMs = untilMs;
  }

  remove(owner: string): void {
    this.byOwner.delete(owner);
    if (owner === this.sourceOwner) this.ofSource = undefined;
  }

  /** The locker to take a part from: on `server` if any is, the source's else; never one known to lack it. */
  choose(server: Uint8Array, track: number, part: number, nowMs: number, clockOffsetMs: number): Locker | undefined {
    let best: Locker | undefined;
    let bestScore = -1;
    for (const locker of this.byOwner.values()) {
      if (locker.token.expires * 1000 <= nowMs + clockOffsetMs || locker.restUntilMs > nowMs) continue;
      const has = locker.availability.has(track, part);
      const source = locker.owner === this.sourceOwner;
      if (!has && !source) continue;
      const near = locker.token.servers.some((entry) => sameBytes(entry.key, server));
      const score = (near ? 4 : 0) + (has ? 2 : 0) + (source ? 1 : 0);
      if (score > bestScore) {
        best = locker;
        bestScore = score;
      }
    }
    return best;
  }

  /** Makes room: whose token runs out first goes. */
  private evict(): void {
    let first: Locker | undefined;
    for (const locker of this.byOwner.values()) {
      if (locker.owner === this.sourceOwner) continue;
      if (first === undefined || locker.token.expires < first.token.expires) first = locker;
    }
    if (first !== undefined) this.byOwner.delete(first.owner);
  }
}
