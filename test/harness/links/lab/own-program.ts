import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * The command line of a program of ours: as it was built, or from its sources where those are what runs now.
 *
 * @param name - Relative to `from`, without its ending, such as `../relay/relay`.
 * @param from - `import.meta.url` of whoever asks.
 */
export function ownProgram(name: string, from: string): readonly string[] {
  if (!from.endsWith('.ts')) return [process.execPath, fileURLToPath(new URL(`${name}.js`, from))];
  const loader = pathToFileURL(createRequire(from).resolve('tsx')).href;
  return [process.execPath, '--import', loader, fileURLToPath(new URL(`${name}.ts`, from))];
}
