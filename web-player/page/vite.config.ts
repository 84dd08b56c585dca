import { defineConfig, type Plugin } from 'vite';
import { forPages } from '../../scripts/vite-for-pages.ts';

/** On a page that is wide enough for the panel, what it needs comes beside the script and not after it. */
const preloadPanel: Plugin = {
  name: 'preload-panel',
  transformIndexHtml: {
    order: 'post',
    handler(_html, { bundle }) {
      const extras = Object.values(bundle ?? {}).find(({ type, name }) => type === 'chunk' && name === 'extras');
      if (extras === undefined)
        throw new Error('The page has no chunk named extras: its panel is not loaded on demand.');
      const attrs = { rel: 'modulepreload', href: `./${extras.fileName}`, media: '(min-width: 1000px)' };
      return [{ tag: 'link', attrs, injectTo: 'head' }];
    },
  },
};

/** The player page, as the tracker serves it: plain files, nothing from other hosts, no eval. */
export default defineConfig({
  ...forPages,
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  plugins: [...forPages.plugins, preloadPanel],
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
