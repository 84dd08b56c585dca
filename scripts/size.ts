/**
 * What a page loads for the player, gzipped: `npm run size` prints it, by what it is made of.
 *
 * Counted are our own bytes. hls.js, the hash's WebAssembly and what stands in where a browser lacks WebCrypto's Ed25519 or WebAssembly
 * are told apart.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

interface Chunk {
  readonly type: 'chunk' | 'asset';
  readonly fileName: string;
  readonly code: string;
  readonly imports: readonly string[];
  readonly dynamicImports: readonly string[];
  readonly modules: Readonly<Record<string, { readonly renderedLength: number }>>;
}

/** What one entry costs, in gzipped bytes. */
export interface EntrySize {
  readonly name: string;
  /** Loaded at once: the entry and all that it imports, without hls.js. */
  readonly ownBytes: number;
  /** Loaded later and gzipped one by one: the hash's wasm in text, and what stands in where something is missing. */
  readonly later: readonly { readonly name: string; readonly bytes: number }[];
  /** Shares of {@link ownBytes} by folder, as the code before it is gzipped has them; the biggest first. */
  readonly folders: readonly { readonly name: string; readonly bytes: number }[];
}

/** Builds the ES modules, in memory, and measures each entry. */
export async function playerSizes(): Promise<readonly EntrySize[]> {
  const configFile = join(ROOT, 'scripts/vite-player.ts');
  const made = await build({ configFile, logLevel: 'error', build: { write: false } });
  const { output } = (Array.isArray(made) ? made[0] : made) as unknown as { readonly output: readonly Chunk[] };
  const chunks = new Map(output.filter(({ type }) => type === 'chunk').map((chunk) => [chunk.fileName, chunk]));
  return ['inswarm-peer.js', 'inswarm-player.js'].map((name) => sizeOf(name, chunks));
}

function sizeOf(entry: string, chunks: ReadonlyMap<string, Chunk>): EntrySize {
  const now = reached(entry, chunks, ({ imports }) => imports);
  const all = reached(entry, chunks, ({ imports, dynamicImports }) => [...imports, ...dynamicImports]);
  const ownBytes = now.reduce((sum, { code }) => sum + gzipped(code), 0);
  const later = all.filter((chunk) => !now.includes(chunk));
  return {
    ...{ name: entry, ownBytes, folders: shares(now, ownBytes) },
    later: later.map(({ fileName, code }) => ({ name: fileName, bytes: gzipped(code) })),
  };
}

/** The chunk itself and all that it leads to. */
function reached(
  entry: string,
  chunks: ReadonlyMap<string, Chunk>,
  next: (chunk: Chunk) => readonly string[],
): readonly Chunk[] {
  const found = new Set<Chunk>();
  const visit = (name: string): void => {
    const chunk = chunks.get(name);
    if (chunk === undefined || found.has(chunk)) return;
    found.add(chunk);
    for (const other of next(chunk)) visit(other);
  };
  visit(entry);
  return [...found];
}

function shares(chunks: readonly Chunk[], ownBytes: number): EntrySize['folders'] {
  const lengths = new Map<string, number>();
  for (const [id, { renderedLength }] of chunks.flatMap(({ modules }) => Object.entries(modules))) {
    const name = dirname(id.split('?')[0]!.replace(`${ROOT}/`, ''));
    lengths.set(name, (lengths.get(name) ?? 0) + renderedLength);
  }
  const total = [...lengths.values()].reduce((sum, length) => sum + length, 0);
  return [...lengths]
    .map(([name, length]) => ({ name, bytes: Math.round((length / total) * ownBytes) }))
    .sort((a, b) => b.bytes - a.bytes);
}

function gzipped(code: string): number {
  return gzipSync(code, { level: 9 }).length;
}

function print(): void {
  const line = (bytes: number, name: string): void =>
    console.log(`${(bytes / 1_000).toFixed(1).padStart(8)} kB  ${name}`);
  void playerSizes().then((sizes) => {
    for (const { name, ownBytes, folders, later } of sizes) {
      console.log(`\n${name}, gzipped, without hls.js`);
      line(ownBytes, 'at once, of which about');
      for (const folder of folders.filter(({ bytes }) => bytes >= 500)) line(folder.bytes, `  ${folder.name}`);
      for (const chunk of later) line(chunk.bytes, `later: ${chunk.name}`);
    }
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) print();
