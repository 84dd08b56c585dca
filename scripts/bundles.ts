import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** What the player is made of: a folder of its own, and what it takes from the house. */
const PLAYER = [
  'web-player',
  'hls',
  'ins-client',
  'machine',
  'peer',
  'protocol',
  'runtime',
  'swarm',
  'scripts/vite-for-pages.ts',
  'scripts/vite-short-names.ts',
];

export interface Bundle {
  /** For vite. */
  readonly config: string;
  /** A file that is made, from the root. */
  readonly made: string;
  /** Folders and files. */
  readonly sources: readonly string[];
}

/** What is built with vite. */
export const BUNDLES: readonly Bundle[] = [
  { config: 'web-player/page/vite.config.ts', made: 'dist/web/index.html', sources: PLAYER },
  {
    config: 'scripts/vite-player.ts',
    made: 'dist/browser/inswarm-player.js',
    sources: [...PLAYER, 'scripts/vite-player.ts'],
  },
  {
    config: 'scripts/vite-player-global.ts',
    made: 'dist/browser/inswarm-player.global.js',
    sources: [...PLAYER, 'scripts/vite-player-global.ts'],
  },
  {
    config: 'scripts/vite-ins-client.ts',
    made: 'dist/browser/ins-client.js',
    sources: [
      'ins-client',
      'machine',
      'protocol',
      'runtime',
      'scripts/vite-ins-client.ts',
      'scripts/vite-short-names.ts',
    ],
  },
  {
    config: 'test/harness/live/page/vite.config.ts',
    made: 'dist/live/index.html',
    sources: ['test/harness/live', 'report', 'web-player/element/dom.ts', 'web-player/page/icon.svg'],
  },
];

/** Whether it was built after its sources were last changed. */
export function isBuilt({ made, sources }: Bundle): boolean {
  const path = join(ROOT, made);
  return existsSync(path) && Math.max(...sources.map((source) => newestMs(join(ROOT, source)))) < newestMs(path);
}

/** When anything in a folder, or a file, changed last; Unix ms. */
function newestMs(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}
