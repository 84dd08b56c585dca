import { HASH_BYTES, nameOfHash } from '../../protocol/names.ts';
import { sameBytes } from '../../protocol/text.ts';

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
      const [{ default: load }, { default: url }] = await Promise.all([
        import('blake3/browser-async'),
        import('blake3/dist/wasm/web/blake3_js_bg.wasm?url'),
      ]);
      const { hash } = await load(url);
      return (bytes) => new Uint8Array(hash(bytes) as Uint8Array);
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
      if (hex(hash(KNOWN_INPUT)) === KNOWN_HASH) return blake3Of(kind, hash);
      causes.push(new Error(`the ${kind} BLAKE3 gives wrong hashes`));
    } catch (error) {
      causes.push(error);
    }
  }
  throw new AggregateError(causes, 'no BLAKE3 can be loaded in this browser');
}

function blake3Of(kind: Blake3['kind'], hash: Hash): Blake3 {
  return {
    kind,
    hashOf: (bytes) => hash(bytes).slice(0, HASH_BYTES),
    hasName: (bytes, name) => sameBytes(nameOfHash(hash(bytes)), name),
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
