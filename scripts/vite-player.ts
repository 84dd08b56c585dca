import { join } from 'node:path';
import { defineConfig } from 'vite';
import { forPages } from './vite-for-pages.ts';
import { terser } from './vite-terser.ts';

/** The player for other sites, as ES modules for builders: hls.js is the site's own, what is seldom needed is loaded when it is. */
export default defineConfig({
  ...forPages,
  plugins: [...forPages.plugins, terser()],
  root: join(import.meta.dirname, '../web-player/library'),
  publicDir: false,
  build: {
    lib: { entry: { 'inswarm-player': 'player.ts', 'inswarm-peer': 'peer.ts' }, formats: ['es'] },
    outDir: '../../dist/browser',
    // The INS client for pages and the single file lie there, too.
    emptyOutDir: false,
    target: 'es2022',
    rolldownOptions: {
      external: ['hls.js'],
      optimization: { inlineConst: { mode: 'all', pass: 2 } },
      output: {
        minify: true,
        comments: { legal: true, annotation: false, jsdoc: false },
        chunkFileNames: 'inswarm/[name].js',
        hashCharacters: 'hex',
        // What is loaded at once stays together, whatever chunks share it: smaller as one file than as several.
        codeSplitting: {
          groups: [
            { name: 'peer', test: /library\/peer\.ts$/, priority: 1 },
            { name: 'player', tags: ['$initial'] },
          ],
        },
      },
    },
  },
});
