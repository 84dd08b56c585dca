import { join } from 'node:path';
import { build } from 'vite';
import { beforeAll, describe, expect, test } from 'vitest';
import { REASONS } from '../../protocol/reasons.ts';
import { type EntrySize, playerSizes } from '../../scripts/size.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Gzipped bytes that are loaded at once. Who must raise one says in the commit what for. */
const BUDGETS = { 'inswarm-peer.js': 52_050, 'inswarm-player.js': 59_990 };

describe('what sites load', () => {
  let sizes: readonly EntrySize[];
  beforeAll(async () => {
    sizes = await playerSizes();
  });

  test.each(Object.entries(BUDGETS))('%s stays within %i bytes, without hls.js and the hash', (name, budget) => {
    const size = sizes.find((one) => one.name === name)!;
    expect(size.ownBytes).toBeLessThan(budget);
    // Something was measured at all, and what is seldom needed is not loaded at once.
    expect(size.folders.map((folder) => folder.name)).toContain('peer/core');
    const later = size.later.map((chunk) => chunk.name).join();
    expect(later).toMatch(/ed25519/);
    expect(later).toMatch(/native-side/);
    expect(later).toMatch(/past-side/);
    expect(later).toMatch(/quality-side/);
    expect(later).toMatch(/changeover-chunk/);
    if (name === 'inswarm-player.js') expect(later).toMatch(/controls-chunk.*extras/);
  });

  test('none of it compiles code at run time, and hls.js is not in it', async () => {
    const configFile = join(ROOT, 'scripts/vite-player.ts');
    const made = await build({ configFile, logLevel: 'error', build: { write: false } });
    const { output } = (Array.isArray(made) ? made[0] : made) as { output: { code?: string; imports?: string[] }[] };
    const code = output.map((chunk) => chunk.code ?? '').join('\n');
    expect(code).not.toMatch(/\bFunction\(|[^.\w]eval\((?!\w,\w,\w)/);
    expect(output.flatMap((chunk) => chunk.imports ?? [])).toContain('hls.js');
    // Nor the words for reasons: those are for tools.
    expect(code).not.toContain(REASONS.QUOTA_AMOUNT.text);
    expect(code.length).toBeLessThan(500_000);
  });
});
