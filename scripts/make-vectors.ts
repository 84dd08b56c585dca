import { mkdirSync, writeFileSync } from 'node:fs';
import { makeVectors } from '../test/protocol/vectors.ts';

/**
 * Writes test/vectors/*.json anew: `npx tsx scripts/make-vectors.ts`. A vector that changes is a change of the wire: it goes
 * with PROTOCOL.md, the protocol's version and the changelog in one commit.
 */
const folder = new URL('../test/vectors/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, vectors] of makeVectors()) {
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(vectors, null, 1)}\n`);
  process.stdout.write(`${name}.json: ${vectors.length} vectors\n`);
}
