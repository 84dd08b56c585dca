import { pack, unpack } from './codec.ts';
import { between, blob, list, optional, type Read, struct, text, u8, u32, u53, view } from './fields.ts';
import {
  BATCH_ITEMS_MAX,
  DELEGATED_TOKEN_BYTES_MAX,
  PART_NUMBER_MAX,
  TOKEN_BYTES_MAX,
  TOKEN_ID_BYTES,
  TOKEN_SERVERS_MAX,
  TRACKS_MAX,
  URL_CHARS_MAX,
} from './limits.ts';
import { HASH_BYTES, KEY_BYTES, nameField, SIGNATURE_BYTES } from './names.ts';
import { asciiBytes, concatBytes } from './text.ts';

/** What a token allows, as bits of `operations` (RFC 7069 A.3: permitted operations). */
export const OPERATION = { get: 1, put: 2, delete: 4, status: 8 } as const;

/**
 * The claims of a token (RFC 7069 6.2.1 and A.3; the claims of the Common Access Token in our words). The issuer owns the
 * locker that the token opens, or holds the token in `parent`, whose issuer owns it. What is null limits nothing.
 */
export const tokenField = struct({
  version: between(1, 1),
  /** Who made it: the locker's owner, or the holder of `parent`. An Ed25519 public key. */
  issuer: view(KEY_BYTES),
  /** The INS servers that hold a locker of the issuer which this token opens: their keys, and where they can be dialled. */
  servers: list(struct({ key: view(KEY_BYTES), url: text(URL_CHARS_MAX) }), TOKEN_SERVERS_MAX),
  operations: u8,
  /** Which objects: those named … */
  names: optional(list(nameField, BATCH_ITEMS_MAX / 4)),
  /** … or those of a collection, in some or (null) all tracks, from one part to another, both included. */
  collection: optional(view(HASH_BYTES)),
  tracks: optional(list(between(0, TRACKS_MAX - 1), TRACKS_MAX)),
  from: between(0, PART_NUMBER_MAX),
  to: between(0, PART_NUMBER_MAX + 1),
  /** Unix seconds by the server's clock. */
  notBefore: u32,
  expires: u32,
  /** Unique for the issuer; revocation and replay checks go by it. */
  id: view(TOKEN_ID_BYTES),
  /** Only this key may use it; null is a bearer token. */
  holder: optional(view(KEY_BYTES)),
  /** How many items it is good for: gets, puts and deletes of one block each, follows. */
  uses: optional(u32),
  /** The share of what runs under it, beside other tokens of the same application; 1 when null. */
  weight: optional(u32),
  /** Bits of blocks a second. */
  rateBps: optional(u53),
  /** Bytes of blocks in all. */
  amountBytes: optional(u53),
  /** It is void once the issuer's epoch is above this; null is 0. */
  epoch: optional(u32),
  /** The sealed token that this one was made from, by its holder, to pass a part of it on. */
  parent: optional(blob(TOKEN_BYTES_MAX)),
});
export type Token = Read<typeof tokenField>;

/** What limits nothing, for tokens that need no more than their first claims. */
export const NO_LIMITS = {
  holder: null,
  uses: null,
  weight: null,
  rateBps: null,
  amountBytes: null,
  epoch: null,
  parent: null,
} as const;

const CONTEXT = asciiBytes('inswarm/token/1\0');

/** The claims as canonical bytes; {@link tokenSigned} of them is what the issuer signs. */
export function encodeToken(token: Token): Uint8Array {
  return pack(tokenField.write(token));
}

export function tokenSigned(claims: Uint8Array): Uint8Array {
  return concatBytes(CONTEXT, claims);
}

/** A token taken apart. What its signature is checked with is made when asked for: most that is refused is refused before. */
export class DecodedToken {
  readonly token: Token;
  private readonly sealed: Uint8Array;

  constructor(token: Token, sealed: Uint8Array) {
    this.token = token;
    this.sealed = sealed;
  }

  get signed(): Uint8Array {
    return tokenSigned(this.sealed.subarray(0, this.sealed.length - SIGNATURE_BYTES));
  }

  get signature(): Uint8Array {
    return new Uint8Array(this.sealed.subarray(this.sealed.length - SIGNATURE_BYTES));
  }
}

/** Takes apart `claims ‖ signature`; `undefined` when malformed. The signature is the caller's to verify. */
export function decodeToken(sealed: Uint8Array): DecodedToken | undefined {
  if (sealed.length <= SIGNATURE_BYTES || sealed.length > DELEGATED_TOKEN_BYTES_MAX) return undefined;
  const claims = sealed.subarray(0, sealed.length - SIGNATURE_BYTES);
  const token = tokenField.read(unpack(claims));
  if (token === undefined) return undefined;
  if (token.parent === null && sealed.length > TOKEN_BYTES_MAX) return undefined;
  return new DecodedToken(token, sealed);
}

/** Whether a token's range covers a label. */
export function tokenCovers(token: Token, collection: Uint8Array, track: number, part: number): boolean {
  if (token.collection === null || part < token.from || part > token.to) return false;
  if (token.tracks !== null && !token.tracks.includes(track)) return false;
  for (let at = 0; at < HASH_BYTES; at++) if (token.collection[at] !== collection[at]) return false;
  return true;
}
