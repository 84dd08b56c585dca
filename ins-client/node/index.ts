import { nameOfHash, nameToText } from '../../protocol/names.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { keyPairFromSeed, loadOrMakeKeyFile, makeKeyPair, randomBytes } from '../../runtime/node/crypto.ts';
import { hashOf } from '../../runtime/node/hash.ts';
import { InsClient } from '../api/client.ts';
import type { Keys } from '../api/keys.ts';
import type { InsClientOptions } from '../api/options.ts';
import { keyText } from '../api/texts.ts';
import { makeToken, type ServerId, type TokenClaims } from '../api/token.ts';
import { nodePlatform } from './platform.ts';

/** The INS client for Node. `docs/ins-client.md` has the way in. */
export * from '../api/index.ts';

/**
 * A client of the INS server at `url`. It connects at once and stays connected until closed; calls may be made right away.
 *
 * @throws TypeError for an address that is none.
 */
export function connectIns(options: InsClientOptions): InsClient {
  return new InsClient(options, nodePlatform);
}

/** New keys: a new account. */
export async function makeKeys(): Promise<Keys> {
  return makeKeyPair();
}

/**
 * The keys in a file (PKCS#8 PEM, as `inswarm keygen` makes them); new ones, kept there, when there is no such file.
 *
 * @throws Error with one sentence that says what to do.
 */
export async function loadKeys(path: string): Promise<Keys> {
  return loadOrMakeKeyFile(path);
}

/** The keys of 32 secret bytes: the same bytes, the same account. */
export async function keysFromSeed(seed: Uint8Array): Promise<Keys> {
  return keyPairFromSeed(seed);
}

/** Makes a token without a client. `InsClient.generateToken` knows the server's key and clock by itself. */
export function generateToken(keys: Keys, servers: readonly ServerId[], claims: TokenClaims): Promise<string> {
  return makeToken(keys, servers, claims, { nowMs: nowMs(), randomBytes });
}

/** The name of a block: `ni:///blake3;…`. */
export async function nameOf(bytes: Uint8Array): Promise<string> {
  return nameToText(nameOfHash(hashOf(bytes)));
}

/** A collection's id made of any text: the same text, the same id. */
export async function collectionOf(text: string): Promise<string> {
  return keyText(hashOf(new TextEncoder().encode(text)));
}
