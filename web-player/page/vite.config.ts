import { defineConfig, type Plugin } from 'vite';
import { forPages } from '../../scripts/vite-for-pages.ts';

/** What is loaded later comes beside the script and not after it: the controls, and on a page that is wide enough for the panel the rest. */
const PRELOADED = { 'controls-chunk': {}, extras: { media: '(min-width: 1000px)' } } as const;

const preloadChunks: Plugin = {
  name: 'preload-chunks',
  transformIndexHtml: {
    order: 'post',
    handler(_html, { bundle }) {
      const chunks = Object.values(bundle ?? {}).filter((output) => output.type === 'chunk');
      // What both of them need is a file of its own; the page's own script is there anyway.
      const named = new Set(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
      return Object.entries(PRELOADED).flatMap(([wanted, attributes]) => {
        const chunk = chunks.find(({ name }) => name === wanted);
        if (chunk === undefined) throw new Error(`The page has no chunk named ${wanted}: it is not loaded later.`);
        const files = [chunk.fileName, ...chunk.imports].filter((fileName) => !named.has(fileName));
        return files.map((fileName) => {
          named.add(fileName);
          const attrs = { rel: 'modulepreload', href: `./${fileName}`, ...attributes };
          return { tag: 'link', attrs, injectTo: 'head' as const };
        });
      });
    },
  },
};

/** The player page, as the tracker serves it: plain files, nothing from other hosts, no eval. */
export default defineConfig({
  ...forPages,
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  plugins: [...forPages.plugins, preloadChunks],
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
