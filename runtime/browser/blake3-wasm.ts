/** What the module of the blake3 package exports, as wasm-bindgen lays it out. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  /** Frees its input. */
  hash(data: number, dataBytes: number, out: number, outBytes: number): void;
  __wbindgen_malloc(bytes: number): number;
}

const HASH_BYTES = 32;

/**
 * BLAKE3-256 in WebAssembly, out of the module's bytes. The package's own way there fetches the module, which a page's
 * Content-Security-Policy may forbid (`connect-src`), and comes with three times the code.
 *
 * Rejects where WebAssembly is not to be had: an old browser, or a policy without `wasm-unsafe-eval`.
 */
export async function blake3Of(module: BufferSource): Promise<(bytes: Uint8Array) => Uint8Array> {
  const fail = (): never => {
    throw new Error('the BLAKE3 module failed');
  };
  const { instance } = await WebAssembly.instantiate(module, { wbg: { __wbindgen_throw: fail } });
  const { memory, hash, __wbindgen_malloc: malloc } = instance.exports as unknown as Exports;
  const out = malloc(HASH_BYTES);
  return (bytes) => {
    const data = malloc(bytes.length);
    // Anew each time: the memory's buffer is another one after it has grown.
    new Uint8Array(memory.buffer).set(bytes, data);
    hash(data, bytes.length, out, HASH_BYTES);
    return new Uint8Array(memory.buffer).slice(out, out + HASH_BYTES);
  };
}

/** The bytes of a `data:` address in base64, which needs no `fetch`. */
export function bytesOfDataUrl(url: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(url.slice(url.indexOf(',') + 1)), (char) => char.charCodeAt(0));
}
