import {
  HASH_BYTES,
  KEY_BYTES,
  NAME_BYTES,
  NAME_TYPE_BLAKE3,
  nameFromText,
  SIGNATURE_BYTES,
} from '../../protocol/names.ts';
import { fromBase64Url, toBase64Url } from '../../protocol/text.ts';

/**
 * What stands for something at the border of the API is text, so that it can be printed, compared, put into JSON and be the
 * key of a Map. Bytes are understood, too.
 */

/** A block's name: `ni:///blake3;<base64url>` (RFC 6920 section 3), or the 33 bytes of the wire. */
export type NameLike = string | Uint8Array;
/** An account: its public key as 43 characters of base64url, or 32 bytes. */
export type AccountLike = string | Uint8Array;
/** A collection's id: 43 characters of base64url, or 32 bytes. A live stream's id is one. */
export type CollectionLike = string | Uint8Array;
/** A sealed token: base64url, or bytes. */
export type TokenLike = string | Uint8Array;

/** @throws TypeError when it is no name. */
export function nameBytes(name: NameLike): Uint8Array {
  const bytes = typeof name === 'string' ? nameFromText(name) : name;
  if (bytes?.length === NAME_BYTES && bytes[0] === NAME_TYPE_BLAKE3) return bytes;
  throw new TypeError(`${shown(name)} is no name of a block: expected ni:///blake3;… or 33 bytes`);
}

/** @throws TypeError when it is no key. */
export function accountBytes(account: AccountLike): Uint8Array {
  return fixedBytes(account, KEY_BYTES, 'account (the public key, as `client.account` gives it)');
}

/** @throws TypeError when it is no id. */
export function collectionBytes(collection: CollectionLike): Uint8Array {
  return fixedBytes(collection, HASH_BYTES, 'collection (`collectionOf(text)` makes one from any text)');
}

/** @throws TypeError when it is not base64url. */
export function tokenBytes(token: TokenLike): Uint8Array {
  const bytes = typeof token === 'string' ? fromBase64Url(token) : token;
  if (bytes !== undefined && bytes.length > SIGNATURE_BYTES) return bytes;
  throw new TypeError(`${shown(token)} is no token: expected what generateToken gave, unchanged`);
}

/** @throws TypeError when it is not base64url. */
export function invitationBytes(invitation: string | Uint8Array): Uint8Array {
  const bytes = typeof invitation === 'string' ? fromBase64Url(invitation) : invitation;
  if (bytes !== undefined && bytes.length > SIGNATURE_BYTES) return bytes;
  throw new TypeError(`${shown(invitation)} is no invitation: expected what the provider gave, unchanged`);
}

/** What opens a locker, as the conversation takes it: a token, the key of an account whose locker is open, null for our own. */
export function openerOf({
  token,
  owner,
}: {
  readonly token?: TokenLike;
  readonly owner?: AccountLike;
}): Uint8Array | null {
  if (token !== undefined) return tokenBytes(token);
  return owner === undefined ? null : accountBytes(owner);
}

function fixedBytes(value: string | Uint8Array, length: number, what: string): Uint8Array {
  const bytes = typeof value === 'string' ? fromBase64Url(value) : value;
  if (bytes?.length === length) return bytes;
  throw new TypeError(`${shown(value)} is no ${what}: expected ${length} bytes or their base64url`);
}

export function keyText(key: Uint8Array): string {
  return toBase64Url(key);
}

function shown(value: string | Uint8Array): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
  return value instanceof Uint8Array ? `a byte string of ${value.length}` : String(value);
}

/** The collection of blocks that are put under no label, whatever way. */
export const UNLABELLED: Uint8Array = new Uint8Array(HASH_BYTES);
