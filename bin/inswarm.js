#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(main)) await import(main);
else {
  process.stderr.write('inswarm: it is not built yet; run: npm run build\n');
  process.exitCode = 1;
}
