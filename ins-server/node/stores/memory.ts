import type { BlockStore } from './store.ts';

/** Keeps blocks in memory, by reference. How much is the server's business, which counts. */
export function memoryStore(): BlockStore {
  const blocks = new Map<string, Uint8Array>();
  return {
    store({ key }, bytes) {
      blocks.set(key, bytes);
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
