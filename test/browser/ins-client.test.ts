import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { ROOT } from '../../scripts/bundles.ts';
import { launchChromium } from '../support/browser.ts';
import { builtScript } from '../support/built.ts';

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

let browser: Browser;
let web: Server;
let ins: RunningInsServer;
let page: string;
beforeAll(async () => {
  await builtScript('scripts/vite-ins-client.ts');
  web = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '', 'http://web').pathname);
    readFile(join(ROOT, path)).then(
      (bytes) => response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? '' }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  ins = await startInsServer({ port: 0 });
  const { port } = web.address() as AddressInfo;
  page = `http://127.0.0.1:${port}/examples/ins-in-a-page.html?ins=${encodeURIComponent(ins.url)}`;
  browser = await launchChromium();
}, 360_000);
afterAll(async () => {
  await browser?.close();
  await ins?.close();
  web?.closeAllConnections();
  web?.close();
});

const says = (tab: Page, text: string): Promise<void> => tab.getByRole('status').filter({ hasText: text }).waitFor();

describe('the INS client in a page', () => {
  test('puts a note; another page with the link reads it, and one without a good token is told why not', async () => {
    const complaints: string[] = [];
    const open = async (url: string): Promise<Page> => {
      const tab = await browser.newPage();
      tab.on('pageerror', (error) => complaints.push(String(error)));
      await tab.goto(url);
      return tab;
    };
    const writer = await open(page);
    await writer.getByText('The server: ready').waitFor();
    await writer.locator('textarea').fill('Hello, network! Größe: 5 µm');
    await writer.getByRole('button').click();
    await says(writer, 'stored');
    const link = await writer.locator('a').evaluate((anchor) => (anchor as HTMLAnchorElement).href);

    const reader = await open(link);
    await says(reader, 'read');
    expect(await reader.locator('textarea').inputValue()).toBe('Hello, network! Größe: 5 µm');

    const stranger = await open(link.replace(/(?<=token=.{20})./, (char) => (char === 'A' ? 'B' : 'A')));
    await says(stranger, 'TOKEN_');
    expect(complaints).toEqual([]);
  });
});
