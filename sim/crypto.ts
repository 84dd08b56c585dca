import type { Body } from '../machine/machine.ts';
import { nameOfHash } from '../protocol/names.ts';
import { decodeRecord } from '../protocol/records.ts';
import { concatBytes, sameBytes } from '../protocol/text.ts';

/**
 * Stand-ins for BLAKE3 and Ed25519 with the same shapes: a key signs by hashing itself with the bytes, so whoever changes
 * a byte or uses another key is found out. Real cryptography is exercised where there are real sockets.
 */

/** 32 bytes, different for different inputs as far as a simulation can tell. */
export function simHash(bytes: Uint8Array): Uint8Array {
  const state = new Uint32Array(8);
  for (let lane = 0; lane < 8; lane++) state[lane] = 0x811c9dc5 + lane * 0x9e3779b1;
  for (let at = 0; at < bytes.length; at++) {
    const lane = at & 7;
    state[lane] = Math.imul(state[lane]! ^ bytes[at]!, 0x01000193);
  }
  for (let round = 0; round < 16; round++) {
    const lane = round & 7;
    const mixed = state[lane]! ^ (state[(lane + 7) & 7]! >>> 15) ^ bytes.length;
    state[lane] = Math.imul(mixed ^ (mixed >>> 13), 0x85ebca6b);
  }
  return new Uint8Array(state.buffer);
}

export function simSign(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const digest = simHash(concatBytes(key, bytes));
  return concatBytes(digest, digest);
}

/** What was verified before, by the identity of what was signed: a thousand peers check the same record. */
const verified = new WeakMap<Uint8Array, { readonly key: Uint8Array; readonly signature: Uint8Array }>();

export function simVerify(key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  const before = verified.get(bytes);
  if (before !== undefined && before.signature === signature && sameBytes(before.key, key)) return true;
  const isGood = sameBytes(simSign(key, bytes), signature);
  if (isGood) verified.set(bytes, { key, signature });
  return isGood;
}

/** A block without bytes: it knows its length and what its content is called. */
export interface SimBody extends Body {
  readonly content: string;
}

const names = new WeakMap<Body, Uint8Array>();

/** Made once for each body: it never changes, and everybody who gets it checks its name. */
export function simName(body: Body): Uint8Array {
  let name = names.get(body);
  if (name === undefined) {
    const { content } = body as SimBody;
    name = nameOfHash(simHash(Uint8Array.from(content, (char) => char.charCodeAt(0))));
    names.set(body, name);
  }
  return name;
}

/** Reads index records, each once for all peers of a stream: what is read is read-only. */
export function sharedRecords(): typeof decodeRecord {
  const read = new WeakMap<Uint8Array, ReturnType<typeof decodeRecord>>();
  return (stream, sealed) => {
    if (read.has(sealed)) return read.get(sealed);
    const record = decodeRecord(stream, sealed);
    read.set(sealed, record);
    return record;
  };
}
