import { nameOfHash, nameToText } from '../../protocol/names.ts';
import { browserClock, nowMs } from '../../runtime/browser/clock.ts';
import { loadEd25519 } from '../../runtime/browser/crypto.ts';
import { loadBlake3 } from '../../runtime/browser/hash.ts';
import { dialLink } from '../../runtime/browser/ws-link.ts';
import { InsClient } from '../api/client.ts';
import type { Keys } from '../api/keys.ts';
import type { InsClientOptions } from '../api/options.ts';
import type { Platform } from '../api/platform.ts';
import { keyText } from '../api/texts.ts';
import { makeToken, type ServerId, type TokenClaims } from '../api/token.ts';

/** The INS client for pages. `docs/ins-client.md` has the way in. */
export * from '../api/index.ts';

const platform: Platform = {
  clock: browserClock,
  dial: dialLink,
  loadHash: loadBlake3,
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

/**
 * A client of the INS server at `url`. It connects at once and stays connected until closed; calls may be made right away.
 *
 * @throws TypeError for an address that is none.
 */
export function connectIns(options: InsClientOptions): InsClient {
  return new InsClient(options, platform);
}

/** New keys: a new account. They never leave the page. */
export async function makeKeys(): Promise<Keys> {
  return (await loadEd25519()).makeKeyPair();
}

/** Makes a token without a client. `InsClient.generateToken` knows the server's key and clock by itself. */
export function generateToken(keys: Keys, servers: readonly ServerId[], claims: TokenClaims): Promise<string> {
  return makeToken(keys, servers, claims, { nowMs: nowMs(), randomBytes: platform.randomBytes });
}

/** The name of a block: `ni:///blake3;…`. */
export async function nameOf(bytes: Uint8Array): Promise<string> {
  return nameToText(nameOfHash((await loadBlake3()).hashOf(bytes)));
}

/** A collection's id made of any text: the same text, the same id. */
export async function collectionOf(text: string): Promise<string> {
  return keyText((await loadBlake3()).hashOf(new TextEncoder().encode(text)));
}
