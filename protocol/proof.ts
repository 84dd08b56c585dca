import { asciiBytes, concatBytes } from './text.ts';

const CONTEXT = asciiBytes('inswarm/proof/1\0');

/**
 * What a client puts before a block's bytes to prove that it has them, so that it need not send them (RFC 7069 A.1.3): the proof
 * is the BLAKE3-256 hash of both. The nonce makes it good for one connection, the key for one account.
 *
 * @param nonce - Of the connection, from `welcome`.
 * @param key - The account's.
 */
export function proofPrefix(nonce: Uint8Array, key: Uint8Array): Uint8Array {
  return concatBytes(CONTEXT, nonce, key);
}
