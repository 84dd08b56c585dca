import {
  DELEGATED_TOKEN_BYTES_MAX,
  PART_NUMBER_MAX,
  RANGE_TOKEN_LIFE_SECONDS,
  TOKEN_BYTES_MAX,
  TOKEN_ID_BYTES,
} from '../../protocol/limits.ts';
import { nameToText, SIGNATURE_BYTES } from '../../protocol/names.ts';
import { concatBytes, toBase64Url } from '../../protocol/text.ts';
import { decodeToken, encodeToken, OPERATION, type Token, tokenSigned } from '../../protocol/token.ts';
import type { Keys } from './keys.ts';
import {
  type AccountLike,
  accountBytes,
  type CollectionLike,
  collectionBytes,
  keyText,
  type NameLike,
  nameBytes,
  type TokenLike,
  tokenBytes,
  UNLABELLED,
} from './texts.ts';

export type Operation = keyof typeof OPERATION;

/** A server as tokens name it: its key, and where others can dial it. */
export interface ServerId {
  /** The server's public key: 32 bytes, or their base64url. */
  readonly key: AccountLike;
  /** `ws://…` or `wss://…`, at most 256 characters. */
  readonly url: string;
}

/** What a token allows. Left out, a claim sets no bound, but for what a default says. */
export interface TokenClaims {
  /** Default: get alone. */
  readonly operations?: readonly Operation[];
  /** Which objects: these (at most 16); default, without a collection, what was put without a label … */
  readonly names?: readonly NameLike[];
  /** … and those of this collection … */
  readonly collection?: CollectionLike;
  /** … in these tracks; default all … */
  readonly tracks?: readonly number[];
  /** … from this part to that one, both included; default the first and the last. */
  readonly fromPart?: number;
  readonly toPart?: number;
  /** Seconds from now after which it is worth nothing. At most 600, default 90: make new ones, often. */
  readonly lifeSeconds?: number;
  /** Seconds from now before which it is worth nothing. Default 0. */
  readonly startsInSeconds?: number;
  /** Only this account may use it; default whoever has the token. */
  readonly holder?: AccountLike;
  /** How many items it is good for: gets, puts and deletes of one block each, and follows. */
  readonly uses?: number;
  /** Its share beside other tokens of the same application. */
  readonly weight?: number;
  /** Bits of blocks a second, and bytes of blocks in all. */
  readonly rateBps?: number;
  readonly amountBytes?: number;
  /** It is void once our epoch is above this (`revokeTokens`). Default 0. */
  readonly epoch?: number;
  /**
   * A token that we hold, to pass a part of it on: this one opens the same locker and allows no more. It names its holder: the
   * one that is passed on must have us as its `holder`.
   */
  readonly parent?: TokenLike;
}

export interface TokenTools {
  readonly nowMs: number;
  randomBytes(length: number): Uint8Array;
}

/**
 * Makes a token for lockers of the account on the servers (at most 4). No server is asked: it goes by the signature.
 *
 * @returns Text (base64url) to be passed on as it is.
 * @throws TypeError, RangeError for claims that no server would take.
 */
export async function makeToken(
  keys: Keys,
  servers: readonly ServerId[],
  claims: TokenClaims,
  { nowMs, randomBytes }: TokenTools,
): Promise<string> {
  const encoded = encodeToken(tokenOf(keys, servers, claims, Math.floor(nowMs / 1000), randomBytes(TOKEN_ID_BYTES)));
  const bytesMax = claims.parent === undefined ? TOKEN_BYTES_MAX : DELEGATED_TOKEN_BYTES_MAX;
  if (encoded.length + SIGNATURE_BYTES > bytesMax) {
    const over = encoded.length + SIGNATURE_BYTES - bytesMax;
    throw new RangeError(`the token is ${over} bytes too long: name fewer objects or servers, or name a collection`);
  }
  return toBase64Url(concatBytes(encoded, await keys.sign(tokenSigned(encoded))));
}

function tokenOf(
  keys: Keys,
  servers: readonly ServerId[],
  claims: TokenClaims,
  nowSeconds: number,
  id: Uint8Array,
): Token {
  const { operations = ['get'], names, collection, tracks, fromPart, toPart, holder } = claims;
  const { lifeSeconds = RANGE_TOKEN_LIFE_SECONDS, startsInSeconds = 0 } = claims;
  if (servers.length === 0) throw new RangeError('a token names at least one server: the one that has the locker');
  if (names?.length === 0) throw new RangeError('an empty list of names allows nothing: leave it out or name objects');
  return {
    version: 1,
    issuer: keys.publicKey,
    servers: servers.map(({ key, url }) => ({ key: accountBytes(key), url })),
    operations: operations.reduce((bits, operation) => bits | operationBit(operation), 0),
    names: names?.map(nameBytes) ?? null,
    collection: collection === undefined ? (names === undefined ? UNLABELLED : null) : collectionBytes(collection),
    tracks: tracks ?? null,
    from: fromPart ?? 0,
    to: toPart ?? PART_NUMBER_MAX + 1,
    notBefore: nowSeconds + startsInSeconds,
    expires: nowSeconds + lifeSeconds,
    id,
    holder: holder === undefined ? null : accountBytes(holder),
    uses: claims.uses ?? null,
    weight: claims.weight ?? null,
    rateBps: claims.rateBps ?? null,
    amountBytes: claims.amountBytes ?? null,
    epoch: claims.epoch ?? null,
    parent: claims.parent === undefined ? null : tokenBytes(claims.parent),
  };
}

function operationBit(operation: Operation): number {
  const bit = OPERATION[operation];
  if (bit === undefined) throw new TypeError(`"${operation}" is no operation: ${Object.keys(OPERATION).join(', ')}`);
  return bit;
}

/** A token taken apart; what is null limits nothing. For people and for deciding where to take it. Its signature is not checked: servers do that. */
export interface TokenContent {
  /** The account that made it. */
  readonly issuer: string;
  /** The account whose lockers it opens: the issuer, or the one of `parent`. */
  readonly owner: string;
  readonly servers: readonly { readonly key: string; readonly url: string }[];
  readonly operations: readonly Operation[];
  readonly names: readonly string[] | null;
  readonly collection: string | null;
  readonly tracks: readonly number[] | null;
  readonly fromPart: number;
  readonly toPart: number;
  readonly startsAtMs: number;
  readonly expiresAtMs: number;
  /** What it is revoked by. */
  readonly id: string;
  readonly holder: string | null;
  readonly uses: number | null;
  readonly weight: number | null;
  readonly rateBps: number | null;
  readonly amountBytes: number | null;
  readonly epoch: number | null;
  /** The token that it was made from. */
  readonly parent: string | null;
}

/** @throws TypeError when it is none. */
export function readToken(sealed: TokenLike): TokenContent {
  const decoded = decodeToken(tokenBytes(sealed));
  if (decoded === undefined) throw new TypeError('this is no token: expected what generateToken gave, unchanged');
  const { token } = decoded;
  const { uses, weight, rateBps, amountBytes, epoch } = token;
  const parent = token.parent === null ? undefined : decodeToken(token.parent)?.token;
  return {
    issuer: keyText(token.issuer),
    owner: keyText((parent ?? token).issuer),
    servers: token.servers.map(({ key, url }) => ({ key: keyText(key), url })),
    operations: (Object.keys(OPERATION) as Operation[]).filter((name) => (token.operations & OPERATION[name]) !== 0),
    names: token.names?.map(nameToText) ?? null,
    collection: token.collection === null ? null : keyText(token.collection),
    tracks: token.tracks,
    fromPart: token.from,
    toPart: token.to,
    startsAtMs: token.notBefore * 1000,
    expiresAtMs: token.expires * 1000,
    id: toBase64Url(token.id),
    holder: token.holder === null ? null : keyText(token.holder),
    uses,
    weight,
    rateBps,
    amountBytes,
    epoch,
    parent: token.parent === null ? null : toBase64Url(token.parent),
  };
}
