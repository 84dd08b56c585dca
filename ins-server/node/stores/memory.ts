import type { BlockStore } from './store.ts';

/** Keeps blocks in memory, by reference. How much is the server's business, which counts. */
export function memoryStore(): BlockStore {
  const blocks = new Map<string, Uint8Array>();
  return {
    store({ key }, bytes) {
      // A small block can be a view of a large receive buffer, which it would keep alive.
      const pins = bytes.buffer.byteLength > bytes.byteLength * 1.25 + 4_096;
      blocks.set(key, pins ? new Uint8Array(bytes) : bytes);
    },
    load: ({ key }) => blocks.get(key),
    drop({ key }) {
      blocks.delete(key);
    },
    close() {
      blocks.clear();
    },
  };
}
