/**
 * Builds what runs: the programs with the compiler, the pages and the INS client for pages with vite.
 *
 *     npm run build                   all of it
 *     tsx scripts/build.ts --if-needed  only what is older than its sources
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** What is built with vite, and what it is made of: a folder of its own, and what it takes from the house. */
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
];
const BUNDLES = [
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
    sources: ['ins-client', 'machine', 'protocol', 'runtime', 'scripts/vite-ins-client.ts'],
  },
  {
    config: 'test/harness/live/page/vite.config.ts',
    made: 'dist/live/index.html',
    sources: ['test/harness/live', 'report', 'web-player/element/dom.ts', 'web-player/page/icon.svg'],
  },
];

function run(program: string, args: readonly string[]): void {
  const path = join(ROOT, 'node_modules', program);
  const { status, signal } = spawnSync(process.execPath, [path, ...args], { cwd: ROOT, stdio: 'inherit' });
  if (signal !== null || status !== 0) process.exit(status ?? 1);
}

/** When anything in a folder, or a file, changed last; Unix ms. */
function newestMs(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

const ifNeeded = process.argv.includes('--if-needed');

// The compiler looks by itself what is needed.
run('typescript/bin/tsc', ['-b', 'tsconfig/node.json', 'tsconfig/browser.json']);
for (const { config, made, sources } of BUNDLES) {
  const path = join(ROOT, made);
  const isNew = existsSync(path) && Math.max(...sources.map((source) => newestMs(join(ROOT, source)))) < newestMs(path);
  if (!(ifNeeded && isNew)) run('vite/bin/vite.js', ['build', '--config', config, '--logLevel', 'warn']);
}
// The tracker serves it beside its page, so that another site needs no copy of its own.
copyFileSync(join(ROOT, 'dist/browser/inswarm-player.global.js'), join(ROOT, 'dist/web/inswarm-player.js'));
for (const name of readdirSync(join(ROOT, 'dist/web'), { recursive: true, encoding: 'utf8' })) {
  // A third of the bytes on the wire, packed once instead of for every viewer.
  const path = join(ROOT, 'dist/web', name);
  if (/\.(js|css|html|svg)$/.test(name)) writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
}
