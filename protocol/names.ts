import { bytes } from './fields.ts';
import { fromBase64Url, toBase64Url } from './text.ts';

/** Bytes of a block's name: one type byte and the hash (RFC 7069 4.3: names say how they are validated). */
export const NAME_BYTES = 33;
/** Bytes of a BLAKE3-256 hash, of an Ed25519 public key, and of an Ed25519 signature. */
export const HASH_BYTES = 32;
export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
/** Type byte of BLAKE3-256: its code in the multihash table. */
export const NAME_TYPE_BLAKE3 = 0x1e;

/** A block's name on the wire. */
export const nameField = {
  read(value: unknown): Uint8Array | undefined {
    const name = bytes(NAME_BYTES).read(value);
    return name !== undefined && name[0] === NAME_TYPE_BLAKE3 ? name : undefined;
  },
  write: (value: Uint8Array): unknown => value,
  size: ({ length }: Uint8Array): number => length + 2,
};

/** Puts the type byte before a BLAKE3-256 hash. */
export function nameOfHash(hash: Uint8Array): Uint8Array {
  const name = new Uint8Array(NAME_BYTES);
  name[0] = NAME_TYPE_BLAKE3;
  name.set(hash, 1);
  return name;
}

/** `ni:///blake3;<base64url>`, the form of RFC 6920 section 3. */
export function nameToText(name: Uint8Array): string {
  return `ni:///blake3;${toBase64Url(name.subarray(1))}`;
}

/** Reads the text form; `undefined` for another algorithm or a wrong length. An authority is allowed and ignored. */
export function nameFromText(text: string): Uint8Array | undefined {
  const match = /^ni:\/\/[^/]*\/blake3;([\w-]{43})$/.exec(text);
  const hash = match === null ? undefined : fromBase64Url(match[1]!);
  return hash === undefined ? undefined : nameOfHash(hash);
}

/** A stream's id as people pass it on: 43 characters of base64url. */
export function streamIdToText(id: Uint8Array): string {
  return toBase64Url(id);
}

/** Reads a stream's id; `undefined` when it is not 32 bytes of base64url. */
export function streamIdFromText(text: string): Uint8Array | undefined {
  const id = text.length === 43 ? fromBase64Url(text) : undefined;
  return id?.length === HASH_BYTES ? id : undefined;
}
