import { join } from 'node:path';
import { defineConfig } from 'vite';
import { forPages } from './vite-for-pages.ts';

/** The INS client for pages as one file that needs no other: `dist/browser/ins-client.js`. */
export default defineConfig({
  ...forPages,
  root: join(import.meta.dirname, '../ins-client/browser'),
  publicDir: false,
  build: {
    lib: { entry: 'index.ts', formats: ['es'], fileName: 'ins-client' },
    outDir: '../../dist/browser',
    // The player lies there, too.
    emptyOutDir: false,
    target: 'es2022',
    rolldownOptions: { output: { codeSplitting: false } },
  },
});
