import { readFileSync } from 'node:fs';
import { findProblems, rulesIn, testNames } from './rules.ts';

/** Says where PROTOCOL.md, the code and the names of the tests differ: `npx tsx scripts/check-rules.ts`. */
const problems = findProblems();
for (const problem of problems) process.stderr.write(`${problem}\n`);
const names = testNames().map(({ name }) => name);
const protocol = readFileSync(new URL('../PROTOCOL.md', import.meta.url), 'utf8');
const untested = rulesIn(protocol).filter((rule) => !names.some((name) => new RegExp(`\\b${rule}\\b`).test(name)));
process.stdout.write(`rules that no test names: ${untested.join(' ') || 'none'}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
