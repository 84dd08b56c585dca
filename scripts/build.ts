/**
 * Builds what runs: the programs with the compiler, the pages and the INS client for pages with vite.
 *
 *     npm run build                   all of it
 *     tsx scripts/build.ts --if-needed  only what is older than its sources
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { BUNDLES, isBuilt, ROOT } from './bundles.ts';

function run(program: string, args: readonly string[]): void {
  const path = join(ROOT, 'node_modules', program);
  const { status, signal } = spawnSync(process.execPath, [path, ...args], { cwd: ROOT, stdio: 'inherit' });
  if (signal !== null || status !== 0) process.exit(status ?? 1);
}

const ifNeeded = process.argv.includes('--if-needed');

// The compiler looks by itself what is needed.
run('typescript/bin/tsc', ['-b', 'tsconfig/node.json', 'tsconfig/browser.json']);
for (const bundle of BUNDLES) {
  if (!(ifNeeded && isBuilt(bundle)))
    run('vite/bin/vite.js', ['build', '--config', bundle.config, '--logLevel', 'warn']);
}

/** Whether a file was made of another one after that was last changed. */
function isMadeOf(source: string, made: string): boolean {
  return existsSync(made) && statSync(made).mtimeMs >= statSync(source).mtimeMs;
}

const web = join(ROOT, 'dist/web');
const script = join(ROOT, 'dist/browser/inswarm-player.global.js');
// The tracker serves it beside its page, so that another site needs no copy of its own.
if (!isMadeOf(script, join(web, 'inswarm-player.js'))) copyFileSync(script, join(web, 'inswarm-player.js'));
// A third of the bytes on the wire, or a quarter for those who can read that, packed once instead of for every viewer.
for (const name of readdirSync(web, { recursive: true, encoding: 'utf8' })) {
  const path = join(web, name);
  if (!/\.(js|css|html|svg)$/.test(name) || isMadeOf(path, `${path}.br`)) continue;
  const bytes = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(bytes));
}
