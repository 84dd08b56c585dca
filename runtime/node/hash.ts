import { HASH_BYTES, nameOfHash } from '../../protocol/names.ts';

/** BLAKE3-256: the prebuilt native module where there is one for this platform, else WebAssembly. */

type Hash = (bytes: Uint8Array) => Uint8Array;

/** BLAKE3 of the bytes 0, 1, … 250, 0, 1, … of 2048 bytes: the authors' test vectors (test_vectors.json). */
const KNOWN_INPUT = Uint8Array.from({ length: 2048 }, (_, at) => at % 251);
const KNOWN_HASH = 'e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a';

const loaders: readonly { readonly name: string; readonly load: () => Promise<Hash> }[] = [
  { name: 'native', load: async () => (await import('@napi-rs/blake-hash')).blake3 },
  {
    name: 'wasm',
    load: async () => {
      const { hash } = await import('blake3');
      return (bytes) => hash(bytes) as Uint8Array;
    },
  },
];

async function loadHash(): Promise<{ readonly name: string; readonly hash: Hash }> {
  const causes: unknown[] = [];
  for (const { name, load } of loaders) {
    try {
      const hash = await load();
      if (Buffer.from(hash(KNOWN_INPUT)).toString('hex') === KNOWN_HASH) return { name, hash };
      causes.push(new Error(`the ${name} BLAKE3 gives wrong hashes`));
    } catch (error) {
      causes.push(error);
    }
  }
  throw new AggregateError(causes, 'no BLAKE3 can be loaded: run `npm ci` again on this machine');
}

const loaded = await loadHash();

/** Which one is in use, for logs: `native` or `wasm`. */
export const hashKind: string = loaded.name;

/** 32 bytes. */
export function hashOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(loaded.hash(bytes));
}

/** The name of a block: 33 bytes. */
export function nameOf(bytes: Uint8Array): Uint8Array {
  return nameOfHash(loaded.hash(bytes));
}

/** Whether a block has this name. */
export function hasName(bytes: Uint8Array, name: Uint8Array): boolean {
  const hash = loaded.hash(bytes);
  for (let at = 0; at < HASH_BYTES; at++) if (hash[at] !== name[at + 1]) return false;
  return true;
}
