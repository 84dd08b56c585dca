import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../scripts/bundles.ts';
import { builtScript } from '../support/built.ts';

/** A folder for a tracker to serve, with the script for other sites in it. */
export async function folderWithScript(): Promise<{ readonly folder: string; remove(): Promise<void> }> {
  await builtScript('scripts/vite-player-global.ts');
  const folder = await mkdtemp(join(tmpdir(), 'inswarm-served-'));
  await writeFile(join(folder, 'index.html'), '<!doctype html>');
  await copyFile(join(ROOT, 'dist/browser/inswarm-player.global.js'), join(folder, 'inswarm-player.js'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Somebody else's site: one page, under headers of its own. */
export class OtherSite {
  readonly url: string;
  private readonly server: Server;

  private constructor(server: Server, url: string) {
    this.server = server;
    this.url = url;
  }

  static async open(html: string, headers: Readonly<Record<string, string>>): Promise<OtherSite> {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(html);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new OtherSite(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
