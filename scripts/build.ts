/**
 * Builds what runs: the programs with the compiler, the player page with vite.
 *
 *     npm run build                   all of it
 *     tsx scripts/build.ts --if-needed  only what is older than its sources
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** What the page is made of: its own folder, and what it takes from the house. */
const PAGE_SOURCES = ['web-player', 'hls', 'ins-client', 'machine', 'peer', 'protocol', 'runtime', 'swarm'];

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
const page = join(ROOT, 'dist/web/index.html');
const pageIsNew =
  existsSync(page) && Math.max(...PAGE_SOURCES.map((folder) => newestMs(join(ROOT, folder)))) < newestMs(page);

// The compiler looks by itself what is needed.
run('typescript/bin/tsc', ['-b', 'tsconfig/node.json']);
if (!(ifNeeded && pageIsNew))
  run('vite/bin/vite.js', ['build', '--config', 'web-player/vite.config.ts', '--logLevel', 'warn']);
