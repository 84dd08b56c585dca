import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The program, as it is installed. */
export const BIN: string = `${ROOT}bin/inswarm.js`;

let built = false;

/** Brings what tests start as processes up to date with its sources, once for all tests. */
export function ensureBuilt(): void {
  if (built) return;
  const { status, stdout } = spawnSync(
    process.execPath,
    [`${ROOT}node_modules/typescript/bin/tsc`, '-b', `${ROOT}tsconfig/node.json`],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`the programs cannot be built:\n${stdout}`);
  built = true;
}
