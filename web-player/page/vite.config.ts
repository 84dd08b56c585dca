import { defineConfig } from 'vite';
import { forPages } from '../../scripts/vite-for-pages.ts';

/** The player page, as the tracker serves it: plain files, nothing from other hosts, no eval. */
export default defineConfig({
  ...forPages,
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  build: {
    outDir: '../../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // The page preloads by itself what it needs; the helper for that would be a second script.
    modulePreload: { polyfill: false },
    // hls.js is most of it.
    chunkSizeWarningLimit: 900,
  },
});
