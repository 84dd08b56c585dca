import { join } from 'node:path';
import { defineConfig } from 'vite';
import { forPages } from './vite-for-pages.ts';

/** The player for other sites as one classic script that needs no other: `dist/browser/inswarm-player.global.js`. */
export default defineConfig({
  ...forPages,
  root: join(import.meta.dirname, '../web-player/library'),
  publicDir: false,
  build: {
    lib: {
      entry: 'global.ts',
      formats: ['iife'],
      name: 'Inswarm',
      fileName: () => 'inswarm-player.global.js',
    },
    outDir: '../../dist/browser',
    emptyOutDir: false,
    target: 'es2022',
    // hls.js is most of it.
    chunkSizeWarningLimit: 900,
    rolldownOptions: { output: { minify: true, codeSplitting: false } },
  },
});
