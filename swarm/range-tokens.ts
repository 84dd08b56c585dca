import {
  PART_NUMBER_MAX,
  RANGE_TOKEN_LIFE_SECONDS,
  RANGE_TOKEN_RENEW_SECONDS,
  TOKEN_LEEWAY_SECONDS,
  TOKEN_SERVERS_MAX,
} from '../protocol/limits.ts';
import { bytesKey, concatBytes } from '../protocol/text.ts';
import { encodeToken, NO_LIMITS, OPERATION, type Token, tokenSigned } from '../protocol/token.ts';

interface Locker {
  readonly key: Uint8Array;
  readonly url: string;
  readonly clockOffsetMs: number;
}

/**
 * Makes the range tokens of one locker owner: read only, for anybody who bears them, renewed long before they run out, and
 * the same bytes for every neighbour, so that a server verifies one per renewal.
 */
export class RangeTokens {
  /** The newest sealed token; null before the first. */
  current: Uint8Array | null = null;
  private readonly issuer: Uint8Array;
  private readonly collection: Uint8Array;
  private readonly lockers = new Map<string, Locker>();
  private pending: Uint8Array | undefined;
  private renewAtMs: number | undefined;

  constructor(issuer: Uint8Array, collection: Uint8Array) {
    this.issuer = issuer;
    this.collection = collection;
  }

  /** We have a locker at this server: tokens name it from now on. */
  addServer(key: Uint8Array, url: string, clockOffsetMs: number, nowMs: number): void {
    const id = bytesKey(key);
    const known = this.lockers.get(id);
    if (known === undefined && this.lockers.size >= TOKEN_SERVERS_MAX) return;
    this.lockers.set(id, { key, url, clockOffsetMs });
    if (known === undefined || known.url !== url) this.renewAtMs = nowMs;
  }

  removeServer(key: Uint8Array, nowMs: number): void {
    if (this.lockers.delete(bytesKey(key))) this.renewAtMs = nowMs;
    if (this.lockers.size === 0) this.current = null;
  }

  /** What the locker holds has changed: the token is made anew. */
  renew(nowMs: number): void {
    if (this.renewAtMs !== undefined) this.renewAtMs = nowMs;
  }

  nextDeadline(): number | undefined {
    return this.lockers.size === 0 || this.pending !== undefined ? undefined : this.renewAtMs;
  }

  isDue(nowMs: number): boolean {
    return (this.nextDeadline() ?? Number.POSITIVE_INFINITY) <= nowMs;
  }

  /**
   * The bytes to sign when a new token is due.
   *
   * @param newId - Makes 16 bytes that this issuer has never used.
   * @param from - Oldest part that the locker still holds.
   */
  make(newId: () => Uint8Array, from: number, nowMs: number): Uint8Array | undefined {
    if (!this.isDue(nowMs)) return undefined;
    const servers = [...this.lockers.values()];
    // Judged by the servers' clocks; where they differ, the token lives where both agree.
    const earliestMs = nowMs + Math.min(...servers.map((server) => server.clockOffsetMs));
    const latestMs = nowMs + Math.max(...servers.map((server) => server.clockOffsetMs));
    const token: Token = {
      version: 1,
      issuer: this.issuer,
      servers: servers.map(({ key, url }) => ({ key, url })),
      operations: OPERATION.get,
      names: null,
      collection: this.collection,
      tracks: null,
      from,
      to: PART_NUMBER_MAX,
      notBefore: Math.floor(earliestMs / 1000) - TOKEN_LEEWAY_SECONDS,
      expires: Math.floor(latestMs / 1000) + RANGE_TOKEN_LIFE_SECONDS,
      id: newId(),
      ...NO_LIMITS,
    };
    this.pending = encodeToken(token);
    this.renewAtMs = nowMs + RANGE_TOKEN_RENEW_SECONDS * 1000;
    return tokenSigned(this.pending);
  }

  /** @returns The new sealed token. */
  signed(signature: Uint8Array): Uint8Array | undefined {
    if (this.pending === undefined) return undefined;
    const sealed = concatBytes(this.pending, signature);
    this.pending = undefined;
    if (this.lockers.size === 0) return undefined;
    this.current = sealed;
    return sealed;
  }
}
