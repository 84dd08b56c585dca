import { createReadStream, type Stats } from 'node:fs';
import { lstat, realpath, stat } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpServer } from './http.ts';

export interface StaticOptions {
  /** Folder to serve; `index.html` stands for it and for folders in it. */
  readonly folder: string;
  /** Headers on every file, such as a Content-Security-Policy. */
  readonly headers?: Readonly<Record<string, string>>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

/**
 * Serves the files of one folder at every path that no other route takes. Links that lead out of the folder are not followed.
 * Where `name.br` or `name.gz` lies beside `name`, that is what those get who can read it.
 */
export function serveStatic(server: HttpServer, options: StaticOptions): void {
  const folder = resolve(options.folder);
  server.app.get('/*', async (request, reply) => {
    const path = (request.params as { '*': string })['*'];
    const found = await findFile(folder, path);
    if (!found) return reply.callNotFound();
    reply.headers({ ...options.headers });
    return sendFile(request, reply, found.path, found.stats);
  });
}

interface Found {
  readonly path: string;
  readonly stats: Stats;
}

async function findFile(folder: string, path: string): Promise<Found | undefined> {
  if (path.includes('\0') || path.split(/[\\/]/).includes('..')) return undefined;
  try {
    const root = await realpath(folder);
    const real = await realpath(join(root, path));
    if (real !== root && !real.startsWith(root + sep)) return undefined;
    const stats = await stat(real);
    if (stats.isFile()) return { path: real, stats };
    if (!stats.isDirectory()) return undefined;
    const index = await stat(join(real, 'index.html'));
    return index.isFile() ? { path: join(real, 'index.html'), stats: index } : undefined;
  } catch {
    return undefined;
  }
}

/** How files are packed beside themselves, the smallest first. Browsers read `br` over https and on localhost. */
const PACKINGS = [
  { coding: 'br', ending: '.br' },
  { coding: 'gzip', ending: '.gz' },
] as const;

/** Files are always asked for anew and mostly answered with 304: a page and its scripts must not come from two builds. */
async function sendFile(request: FastifyRequest, reply: FastifyReply, path: string, stats: Stats) {
  const packed = await packedFile(path, stats, String(request.headers['accept-encoding'] ?? ''));
  const sent = packed ?? { path, stats };
  const mark = packed === undefined ? '' : `-${packed.coding}`;
  const etag = `"${stats.size.toString(36)}-${Math.round(stats.mtimeMs).toString(36)}${mark}"`;
  reply.header('etag', etag).header('cache-control', 'no-cache').header('vary', 'accept-encoding');
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  if (packed !== undefined) reply.header('content-encoding', packed.coding);
  reply.type(CONTENT_TYPES[extname(path)] ?? 'application/octet-stream').header('content-length', sent.stats.size);
  return reply.send(createReadStream(sent.path));
}

/** Whether an `accept-encoding` names a coding, and not only to refuse it (RFC 9110, 12.5.3). */
function accepts(header: string, coding: string): boolean {
  return new RegExp(`(^|[\\s,])${coding}(?![\\w-])(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$))`).test(header);
}

/** The file as the build has packed it, beside itself; not one from an earlier build. */
async function packedFile(path: string, { mtimeMs }: Stats, accepted: string) {
  for (const { coding, ending } of PACKINGS) {
    const stats = accepts(accepted, coding) ? await lstat(path + ending).catch(() => undefined) : undefined;
    if (stats?.isFile() && stats.mtimeMs >= mtimeMs) return { path: path + ending, stats, coding };
  }
  return undefined;
}
