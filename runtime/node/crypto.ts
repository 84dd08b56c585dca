import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes as nodeRandomBytes,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { KEY_BYTES, SIGNATURE_BYTES } from '../../protocol/names.ts';
import { bytesKey } from '../../protocol/text.ts';

/** Ed25519 (RFC 8032) with keys as raw bytes, and random bytes. */

export interface KeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array;
  /** The private key as PKCS#8 PEM, as {@link loadOrMakeKeyFile} keeps it. */
  toPem(): string;
}

/** Public keys kept ready for use; making one costs as much as half a verification. */
const READY_KEYS_MAX = 4_096;
const readyKeys = new Map<string, KeyObject>();

export function makeKeyPair(): KeyPair {
  return keyPairOf(generateKeyPairSync('ed25519').privateKey);
}

/** The key pair of a 32-byte seed: the same seed, the same keys. */
export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  if (seed.length !== KEY_BYTES) throw new RangeError(`a seed of ${seed.length} bytes; it must have ${KEY_BYTES}`);
  // PKCS#8 of an Ed25519 key (RFC 8410 section 7) is this header and the seed.
  const header = Buffer.from('302e020100300506032b657004220420', 'hex');
  return keyPairOf(createPrivateKey({ key: Buffer.concat([header, seed]), format: 'der', type: 'pkcs8' }));
}

function keyPairOf(privateKey: KeyObject): KeyPair {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicKey = new Uint8Array(Buffer.from(x!, 'base64url'));
  return {
    publicKey,
    sign: (bytes) => new Uint8Array(nodeSign(null, bytes, privateKey)),
    toPem: () => privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  };
}

/** Whether `key` (32 bytes) signed `bytes`. Never throws: whatever is no key and no signature verifies nothing. */
export function verifySignature(key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  try {
    return nodeVerify(null, bytes, readyKey(key), signature);
  } catch {
    return false;
  }
}

/**
 * Like {@link verifySignature}, in a thread of the pool: the caller goes on meanwhile, and many are verified on several
 * processors. `done` is called later, always once.
 */
export function verifySignatureAside(
  key: Uint8Array,
  bytes: Uint8Array,
  signature: Uint8Array,
  done: (ok: boolean) => void,
): void {
  let wellFormed = key.length === KEY_BYTES && signature.length === SIGNATURE_BYTES;
  try {
    if (wellFormed) nodeVerify(null, bytes, readyKey(key), signature, (error, ok) => done(error === null && ok));
  } catch {
    wellFormed = false;
  }
  if (!wellFormed) queueMicrotask(() => done(false));
}

function readyKey(key: Uint8Array): KeyObject {
  const id = bytesKey(key);
  let ready = readyKeys.get(id);
  if (ready === undefined) {
    // As JWK, which costs a sixth of what the same key costs as SPKI: OpenSSL 3 looks for a decoder for each DER.
    const x = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('base64url');
    ready = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    if (readyKeys.size >= READY_KEYS_MAX) readyKeys.delete(readyKeys.keys().next().value!);
  } else {
    readyKeys.delete(id);
  }
  readyKeys.set(id, ready);
  return ready;
}

/** Unpredictable bytes. */
export function randomBytes(length: number): Uint8Array {
  return new Uint8Array(nodeRandomBytes(length));
}

/** A seed for a {@link Prng} whose numbers nobody has to be kept from guessing. */
export function randomSeed(): string {
  return nodeRandomBytes(16).toString('hex');
}

/**
 * Reads a key file, or makes a new key and keeps it there (PKCS#8 PEM, readable by its owner alone).
 *
 * @throws Error with one sentence for people when the file cannot be read, made, or holds no Ed25519 key.
 */
export function loadOrMakeKeyFile(path: string): KeyPair {
  const there = readKeyFile(path);
  if (there !== undefined) return there;
  const made = makeKeyPair();
  const draft = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(draft, made.toPem(), { mode: 0o600, flag: 'wx' });
    try {
      // A link is made whole or not at all: of two processes that start together, both end up with the first one's key.
      linkSync(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
    return made;
  } catch (error) {
    const other = (error as NodeJS.ErrnoException).code === 'EEXIST' ? readKeyFile(path) : undefined;
    if (other !== undefined) return other;
    throw new Error(`cannot keep a new key in ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** @returns `undefined` when there is no such file. */
function readKeyFile(path: string): KeyPair | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`cannot read the key file ${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyType === 'ed25519') return keyPairOf(key);
  } catch {
    // Told below, with the path.
  }
  throw new Error(`${path} holds no Ed25519 private key (PEM); delete it to have a new one made, or name another file`);
}
