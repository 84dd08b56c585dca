import { defineConfig } from 'vite';

/** The live page of the harness, as its server serves it: plain files, nothing from other hosts, no eval. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  build: {
    outDir: '../../../../dist/live',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
  },
});
