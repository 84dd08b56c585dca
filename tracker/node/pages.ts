import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { streamIdToText } from '../../protocol/names.ts';
import type { HttpServer } from '../../runtime/node/http.ts';
import { serveStatic } from '../../runtime/node/static-files.ts';
import type { StreamReport } from '../core/io.ts';

/** What the tracker serves over HTTP besides its WebSocket: the player, the list of streams, a sign of life. */
export interface Pages {
  /** The built player; a page that says how to build it stands in its place where the folder has no index.html. */
  readonly playerFolder: string | undefined;
  streams(): readonly StreamReport[];
  linkCount(): number;
}

export function servePages(server: HttpServer, pages: Pages): void {
  const { app } = server;
  app.get('/healthz', async () => ({ ok: true, connections: pages.linkCount() }));
  app.get('/api/streams', async (_request, reply) => {
    // Streams that viewers wait for and nobody has published are no news to anybody.
    const published = pages.streams().filter(({ title }) => title !== null);
    return reply.header('cache-control', 'no-store').send(
      published.map(({ stream, title, state, viewers, hlsUrl }) => {
        return { id: streamIdToText(stream), title, state, viewers, hlsUrl };
      }),
    );
  });
  const { playerFolder } = pages;
  if (playerFolder !== undefined && existsSync(join(playerFolder, 'index.html'))) {
    serveStatic(server, { folder: playerFolder });
  } else app.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(NOT_BUILT));
}

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>inswarm tracker</title>
<style>body { font: 16px/1.5 system-ui; max-width: 36rem; margin: 4rem auto; padding: 0 1rem }</style>
<h1>The tracker runs</h1>
<p>The player page is not built yet. Build it with <code>npm run build</code>, then start the tracker again.</p>
<p><a href="/api/streams">The streams it knows</a></p>
</html>
`;
