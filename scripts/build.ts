/**
 * Builds what runs: the programs with the compiler, the pages and the INS client for pages with vite.
 *
 *     npm run build                   all of it
 *     tsx scripts/build.ts --if-needed  only what is older than its sources
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
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
// The tracker serves it beside its page, so that another site needs no copy of its own.
copyFileSync(join(ROOT, 'dist/browser/inswarm-player.global.js'), join(ROOT, 'dist/web/inswarm-player.js'));
for (const name of readdirSync(join(ROOT, 'dist/web'), { recursive: true, encoding: 'utf8' })) {
  // A third of the bytes on the wire, packed once instead of for every viewer.
  const path = join(ROOT, 'dist/web', name);
  if (/\.(js|css|html|svg)$/.test(name)) writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
}
