import { SIGNATURE_BYTES } from '../../../protocol/names.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import { bytesKey, sameBytes } from '../../../protocol/text.ts';
import { type DecodedToken, decodeToken, type Token } from '../../../protocol/token.ts';
import { KNOWN_TOKENS_MAX } from '../limits.ts';
import type { Entry } from '../storage/shelf.ts';
import { isWider } from './delegation.ts';
import type { OpenLocker } from './open-lockers.ts';

/** A token whose signature was good, taken apart once for all who bear it. */
export interface KnownToken {
  readonly sealed: Uint8Array;
  readonly token: Token;
  /** Whose locker it opens: its issuer's, or the issuer's of the token that it was made from. */
  readonly ownerKey: string;
  /** Who has made it. */
  readonly madeBy: string;
  readonly idKey: string;
  readonly holderKey: string | null;
  readonly collectionKey: string | null;
  readonly nameKeys: ReadonlySet<string> | null;
  /** It opens a locker on this server. */
  readonly here: boolean;
  /** It, or the token that it was made from, is for so much only. */
  readonly limited: boolean;
  /** The token that it was made from. */
  readonly parent: KnownToken | undefined;
  /** It is no token, but a locker that is open to its user. */
  readonly open: OpenLocker | undefined;
  /** Why its claims can never be good. */
  readonly flaw: Reason | undefined;
}

/** A token as it came: taken apart, its signature not checked. */
export interface UnverifiedToken {
  readonly known: KnownToken;
  readonly decoded: DecodedToken;
  /** The token that it was made from, if that is to be verified too. */
  readonly parent: UnverifiedToken | undefined;
}

/** The tokens that were found genuine, whoever sent them: the same bytes are verified once. */
export class TokenBook {
  /** By the beginning of their signatures, the one used longest ago first. */
  private readonly known = new Map<string, KnownToken>();
  /** The one used last: that a thousand viewers bring the same token one after the other is the usual case. */
  private newest: KnownToken | undefined;
  private readonly server: Uint8Array;

  constructor(server: Uint8Array) {
    this.server = server;
  }

  find(sealed: Uint8Array): KnownToken | undefined {
    const key = signatureKey(sealed);
    const known = this.known.get(key);
    if (known === undefined || !sameBytes(known.sealed, sealed)) return undefined;
    if (known !== this.newest) {
      this.known.delete(key);
      this.known.set(key, known);
      this.newest = known;
    }
    return known;
  }

  /** `undefined` for what is no token. @param decoded - Where it was taken apart already. */
  open(sealed: Uint8Array, decoded: DecodedToken | undefined = decodeToken(sealed)): UnverifiedToken | undefined {
    if (decoded === undefined) return undefined;
    const { token } = decoded;
    if (token.parent === null) return { known: this.describe(sealed, token, undefined), decoded, parent: undefined };
    const found = this.find(token.parent);
    const parent = found === undefined ? this.openParent(token.parent) : undefined;
    const origin = found ?? parent?.known;
    if (origin === undefined) return undefined;
    return { known: this.describe(sealed, token, origin), decoded, parent };
  }

  add(known: KnownToken): void {
    if (this.known.size >= KNOWN_TOKENS_MAX) this.known.delete(this.known.keys().next().value!);
    this.known.set(signatureKey(known.sealed), known);
  }

  /** Of the parent of a parent nobody wants to know. */
  private openParent(sealed: Uint8Array): UnverifiedToken | undefined {
    const decoded = decodeToken(sealed);
    if (decoded === undefined) return undefined;
    return { known: this.describe(sealed, decoded.token, undefined), decoded, parent: undefined };
  }

  private describe(sealed: Uint8Array, token: Token, parent: KnownToken | undefined): KnownToken {
    const madeBy = bytesKey(token.issuer);
    const metered = token.uses !== null || token.rateBps !== null || token.amountBytes !== null;
    const limited = metered || parent?.limited === true;
    return {
      sealed,
      token,
      ownerKey: parent?.ownerKey ?? madeBy,
      madeBy,
      idKey: bytesKey(token.id),
      holderKey: token.holder === null ? null : bytesKey(token.holder),
      collectionKey: token.collection === null ? null : bytesKey(token.collection),
      nameKeys: token.names === null ? null : new Set(token.names.map(bytesKey)),
      here: token.servers.some((server) => sameBytes(server.key, this.server)),
      limited,
      parent,
      open: undefined,
      flaw: flawOf(token, madeBy, limited, parent),
    };
  }
}

/** Enough of the signature to tell genuine tokens apart: whoever can make two that begin alike has the issuer's key. */
function signatureKey(sealed: Uint8Array): string {
  const at = Math.max(0, sealed.length - SIGNATURE_BYTES);
  return bytesKey(sealed.subarray(at, at + 16));
}

function flawOf(token: Token, madeBy: string, limited: boolean, parent: KnownToken | undefined): Reason | undefined {
  // Each server would count by itself.
  if (limited && token.servers.length !== 1) return 'POLICY_DENIED';
  if (parent === undefined) return undefined;
  // One level, so that a check is two signatures at most.
  if (parent.token.parent !== null) return 'POLICY_DENIED';
  if (parent.holderKey !== madeBy) return 'TOKEN_SCOPE';
  return isWider(token, parent.token) ? 'TOKEN_TOO_WIDE' : parent.flaw;
}

export function expired({ token, open }: KnownToken, nowMs: number): boolean {
  return open === undefined && token.expires * 1000 <= nowMs;
}

export function allows({ token }: KnownToken, operation: number): boolean {
  return (token.operations & operation) !== 0;
}

/** Whether a token is for anything in a collection, to be followed. */
export function coversCollection({ open, collectionKey }: KnownToken, collection: string): boolean {
  return open === undefined ? collectionKey === collection : open.permits(collection);
}

/** Whether a token's range covers a label. */
export function coversLabel(
  { token, collectionKey, open }: KnownToken,
  collection: string,
  track: number,
  part: number,
): boolean {
  if (open !== undefined) return open.permits(collection);
  if (collectionKey !== collection || part < token.from || part > token.to) return false;
  return token.tracks === null || token.tracks.includes(track);
}

/** Whether a token covers a block under a label. */
export function covers(known: KnownToken, collection: string, track: number, part: number, name: string): boolean {
  const { nameKeys, parent } = known;
  if (coversLabel(known, collection, track, part)) return true;
  // A range lies within the parent's; of a name, only its label tells.
  return nameKeys?.has(name) === true && (parent === undefined || covers(parent, collection, track, part, name));
}

export function coversEntry(known: KnownToken, { shelf, labelled, block }: Entry): boolean {
  return covers(known, shelf.collectionKey, labelled.track, labelled.part, block.key);
}

/** Why a token that does not cover what is asked for does not. */
export function lackOf({ open }: KnownToken): Reason {
  return open === undefined ? 'TOKEN_SCOPE' : 'TOKEN_REQUIRED';
}
