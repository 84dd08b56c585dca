import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'vite';
import { BUNDLES, isBuilt, ROOT } from '../../scripts/bundles.ts';

export interface BuiltPage {
  readonly folder: string;
  remove(): Promise<void>;
}

/** A page: as it was built, or, when that is older than its sources, built anew into a folder of its own. */
export async function builtPage(config: string): Promise<BuiltPage> {
  const bundle = BUNDLES.find((one) => one.config === config)!;
  if (isBuilt(bundle)) return { folder: join(ROOT, dirname(bundle.made)), remove: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), 'inswarm-page-'));
  await build({
    configFile: join(ROOT, config),
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A script, in its place under `dist`. */
export async function builtScript(config: string): Promise<void> {
  if (isBuilt(BUNDLES.find((one) => one.config === config)!)) return;
  await build({ configFile: join(ROOT, config), logLevel: 'error' });
}
