import { HASH_BYTES, nameOfHash } from '../../protocol/names.ts';
import { sameBytes } from '../../protocol/text.ts';
import { blake3Of, bytesOfDataUrl } from './blake3-wasm.ts';

/** BLAKE3-256 in a page: WebAssembly where it may run, else plain JavaScript (about ten times slower, fast enough for one viewer). */
export interface Blake3 {
  readonly kind: 'wasm' | 'js';
  /** 32 bytes. */
  hashOf(bytes: Uint8Array): Uint8Array;
  /** Whether a block has this name. */
  hasName(bytes: Uint8Array, name: Uint8Array): boolean;
}

type Hash = (bytes: Uint8Array) => Uint8Array;

/** BLAKE3 of "abc". */
const KNOWN_INPUT = Uint8Array.of(0x61, 0x62, 0x63);
const KNOWN_HASH = '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85';

const loaders: readonly { readonly kind: Blake3['kind']; readonly load: () => Promise<Hash> }[] = [
  {
    kind: 'wasm',
    load: async () => {
      // In the script itself: no address to find, nothing to fetch, whatever the site's builder does.
      const { default: url } = await import('blake3/dist/wasm/web/blake3_js_bg.wasm?url&inline');
      return blake3Of(bytesOfDataUrl(url));
    },
  },
  { kind: 'js', load: async () => (await import('@noble/hashes/blake3.js')).blake3 },
];

let loaded: Promise<Blake3> | undefined;

/** Loads it once for the page. Rejects when neither way gives right hashes: nothing could be verified then. */
export function loadBlake3(): Promise<Blake3> {
  loaded ??= loadFirst();
  return loaded;
}

async function loadFirst(): Promise<Blake3> {
  const causes: unknown[] = [];
  for (const { kind, load } of loaders) {
    try {
      const hash = await load();
      if (hex(hash(KNOWN_INPUT)) === KNOWN_HASH) return checked(kind, hash);
      causes.push(new Error(`the ${kind} BLAKE3 gives wrong hashes`));
    } catch (error) {
      causes.push(error);
    }
  }
  throw new AggregateError(causes, 'no BLAKE3 can be loaded in this browser');
}

function checked(kind: Blake3['kind'], hash: Hash): Blake3 {
  return {
    kind,
    hashOf: (bytes) => hash(bytes).slice(0, HASH_BYTES),
    hasName: (bytes, name) => sameBytes(nameOfHash(hash(bytes)), name),
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
