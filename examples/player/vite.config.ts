import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';

const folder = import.meta.dirname;

/**
 * All pages here, as a site's builder would make them. To try them:
 *
 *     npm start                      and, in another terminal:
 *     npx vite examples/player       then open http://localhost:5173/plain.html
 */
export default defineConfig({
  root: folder,
  // Where the single file lies.
  publicDir: join(folder, '../../dist/browser'),
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      input: readdirSync(folder)
        .filter((name) => name.endsWith('.html'))
        .map((name) => join(folder, name)),
    },
  },
});
