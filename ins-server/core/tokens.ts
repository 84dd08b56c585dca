import { TOKEN_LEEWAY_SECONDS, TOKEN_LIFE_SECONDS_MAX } from '../../protocol/limits.ts';
import type { Reason } from '../../protocol/reasons.ts';
import { bytesKey } from '../../protocol/text.ts';
import { decodeToken, type Token } from '../../protocol/token.ts';
import { KNOWN_TOKENS_MAX } from './limits.ts';
import type { Entry } from './shelf.ts';

/** A token whose signature was good, taken apart once for all who bear it. */
export interface KnownToken {
  readonly sealed: Uint8Array;
  readonly token: Token;
  readonly issuerKey: string;
  readonly collectionKey: string | null;
  readonly nameKeys: ReadonlySet<string> | null;
  /** It opens a locker on this server. */
  readonly here: boolean;
}

/** A token as it came: taken apart, its signature not checked. */
export interface UnverifiedToken {
  readonly known: KnownToken;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** The tokens that were found genuine, whoever sent them: the same bytes are verified once. */
export class TokenBook {
  /** Oldest use first. */
  private readonly known = new Map<string, KnownToken>();
  private readonly serverKey: string;

  constructor(server: Uint8Array) {
    this.serverKey = bytesKey(server);
  }

  find(sealed: Uint8Array): KnownToken | undefined {
    const key = bytesKey(sealed);
    const known = this.known.get(key);
    if (known !== undefined) {
      this.known.delete(key);
      this.known.set(key, known);
    }
    return known;
  }

  /** `undefined` for what is no token. */
  open(sealed: Uint8Array): UnverifiedToken | undefined {
    const decoded = decodeToken(sealed);
    if (decoded === undefined) return undefined;
    const { token, signed, signature } = decoded;
    const known = {
      sealed,
      token,
      issuerKey: bytesKey(token.issuer),
      collectionKey: token.collection === null ? null : bytesKey(token.collection),
      nameKeys: token.names === null ? null : new Set(token.names.map(bytesKey)),
      here: token.servers.some((server) => bytesKey(server.key) === this.serverKey),
    };
    return { known, signed, signature };
  }

  add(known: KnownToken): void {
    if (this.known.size >= KNOWN_TOKENS_MAX) this.known.delete(this.known.keys().next().value!);
    this.known.set(bytesKey(known.sealed), known);
  }
}

/** Why a token may not be used now by this account, whatever for. Needs no signature check. */
export function refusalOf({ token }: KnownToken, account: Uint8Array, nowMs: number): Reason | undefined {
  const nowSeconds = nowMs / 1000;
  if (token.expires <= nowSeconds) return 'TOKEN_EXPIRED';
  if (token.notBefore > nowSeconds + TOKEN_LEEWAY_SECONDS) return 'TOKEN_NOT_YET';
  if (token.expires > nowSeconds + TOKEN_LIFE_SECONDS_MAX + TOKEN_LEEWAY_SECONDS) return 'POLICY_DENIED';
  if (token.holder !== null && bytesKey(token.holder) !== bytesKey(account)) return 'TOKEN_SCOPE';
  // A limit that is not kept would be no limit.
  if (token.uses !== null || token.rateBps !== null || token.amountBytes !== null) return 'POLICY_DENIED';
  if (token.parent !== null) return 'POLICY_DENIED';
  return undefined;
}

export function expired({ token }: KnownToken, nowMs: number): boolean {
  return token.expires * 1000 <= nowMs;
}

export function allows({ token }: KnownToken, operation: number): boolean {
  return (token.operations & operation) !== 0;
}

/** Whether a token's range covers a label. */
export function coversLabel(
  { token, collectionKey }: KnownToken,
  collection: string,
  track: number,
  part: number,
): boolean {
  if (collectionKey !== collection || part < token.from || part > token.to) return false;
  return token.tracks === null || token.tracks.includes(track);
}

export function coversEntry(known: KnownToken, { shelf, labelled, block }: Entry): boolean {
  if (known.nameKeys?.has(block.key) === true) return true;
  return coversLabel(known, shelf.collectionKey, labelled.track, labelled.part);
}
