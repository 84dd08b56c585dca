import { KEY_BYTES, SIGNATURE_BYTES } from '../../protocol/names.ts';
import { bytesKey } from '../../protocol/text.ts';

/** Ed25519 (RFC 8032) in a page, keys as raw bytes. */

export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

export interface Ed25519 {
  readonly kind: 'webcrypto' | 'js';
  /** A new key that never leaves the page. */
  makeKeyPair(): Promise<KeyPair>;
  /** Whether `key` (32 bytes) signed `bytes`. Never rejects: whatever is no key and no signature verifies nothing. */
  verify(key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

let loaded: Promise<Ed25519> | undefined;

/**
 * The browser's own where there is one: it exists on https and localhost only, and not in every browser. Else plain
 * JavaScript, loaded when it is needed.
 */
export function loadEd25519(): Promise<Ed25519> {
  loaded ??= choose();
  return loaded;
}

async function choose(): Promise<Ed25519> {
  const { subtle } = crypto as { readonly subtle?: SubtleCrypto };
  try {
    if (subtle !== undefined) {
      await makeWebCryptoKey(subtle);
      return webCrypto(subtle);
    }
  } catch {
    // A browser that knows WebCrypto without Ed25519.
  }
  return noble();
}

function webCrypto(subtle: SubtleCrypto): Ed25519 {
  const ready = new ReadyKeys(subtle);
  return {
    kind: 'webcrypto',
    makeKeyPair: () => makeWebCryptoKey(subtle),
    async verify(key, bytes, signature) {
      if (key.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
      try {
        return await subtle.verify('Ed25519', await ready.get(key), plain(signature), plain(bytes));
      } catch {
        return false;
      }
    },
  };
}

async function makeWebCryptoKey(subtle: SubtleCrypto): Promise<KeyPair> {
  const pair = (await subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
  const publicKey = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
  return {
    publicKey,
    sign: async (bytes) => new Uint8Array(await subtle.sign('Ed25519', pair.privateKey, plain(bytes))),
  };
}

/** Public keys kept ready for use: a viewer sees few, the source's above all. */
class ReadyKeys {
  private static readonly MAX = 64;
  private readonly keys = new Map<string, Promise<CryptoKey>>();
  private readonly subtle: SubtleCrypto;

  constructor(subtle: SubtleCrypto) {
    this.subtle = subtle;
  }

  get(key: Uint8Array): Promise<CryptoKey> {
    const id = bytesKey(key);
    const ready = this.keys.get(id) ?? this.subtle.importKey('raw', plain(key), 'Ed25519', false, ['verify']);
    this.keys.delete(id);
    this.keys.set(id, ready);
    if (this.keys.size > ReadyKeys.MAX) this.keys.delete(this.keys.keys().next().value!);
    return ready;
  }
}

async function noble(): Promise<Ed25519> {
  const { ed25519 } = await import('@noble/curves/ed25519.js');
  return {
    kind: 'js',
    async makeKeyPair() {
      const { secretKey, publicKey } = ed25519.keygen();
      return { publicKey, sign: async (bytes) => ed25519.sign(bytes, secretKey) };
    },
    async verify(key, bytes, signature) {
      if (key.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
      try {
        return ed25519.verify(signature, bytes, key);
      } catch {
        return false;
      }
    },
  };
}

/** WebCrypto's types leave out shared memory, which none of ours is. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

/** A seed for a {@link Prng} whose numbers nobody has to be kept from guessing. */
export function randomSeed(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(16)).join('-');
}
