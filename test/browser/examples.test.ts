import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../scripts/bundles.ts';
import type { RunningSource } from '../../source-server/node/source.ts';
// Brings the type of the element with it.
import type {} from '../../web-player/element/inswarm-player.ts';
import type * as Library from '../../web-player/library/global.ts';
import { launchChromium } from '../support/browser.ts';
import { builtScript } from '../support/built.ts';
import { Stage } from './stage.ts';

/** What the page of a test has made by hand. */
declare const mine: {
  readonly peer: Library.InswarmPeer;
  readonly hls: { destroy(): void };
  readonly told: string[];
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

/** What `docs/player.md` asks a site to allow, and no more. */
const POLICY = {
  'default-src': "'none'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'font-src': 'data:',
  'media-src': 'blob:',
  'worker-src': 'blob:',
};

/** No text becomes markup or code, whoever writes it. Video.js and Vidstack do not hold to that. */
const STRICTER = { 'require-trusted-types-for': "'script'" };

/** A site with the built examples, that allows nothing but what it must. */
class Site {
  readonly url: string;
  /** The policy of each answer. */
  policy: Readonly<Record<string, string>> = POLICY;
  private readonly server: Server;

  private constructor(server: Server, url: string) {
    this.server = server;
    this.url = url;
  }

  static async open(folder: string): Promise<Site> {
    const server = createServer((request, response) => {
      const path = normalize(new URL(request.url ?? '', 'http://web').pathname);
      const policy = Object.entries(site.policy).map(([name, value]) => `${name} ${value}`);
      const headers = { 'content-type': TYPES[extname(path)] ?? '', 'content-security-policy': policy.join('; ') };
      readFile(join(folder, path)).then(
        (bytes) => response.writeHead(200, headers).end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const site = new Site(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return site;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

let browser: Browser;
let folder: string;
let site: Site;
let stage: Stage;
let source: RunningSource;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inswarm-examples-'));
  const quiet = { logLevel: 'error' } as const;
  for (const name of ['vite-player.ts', 'vite-player-global.ts']) await builtScript(`scripts/${name}`);
  await build({
    configFile: join(ROOT, 'examples/player/vite.config.ts'),
    ...quiet,
    build: { outDir: folder, emptyOutDir: true },
  });
  [browser, site, stage] = await Promise.all([launchChromium(), Site.open(folder), Stage.open(folder)]);
  source = await stage.source();
}, 360_000);

afterEach(async () => {
  await page?.close();
  complaints.length = 0;
  site.policy = POLICY;
});

afterAll(async () => {
  await browser?.close();
  await stage?.close();
  site?.close();
  await rm(folder, { recursive: true, force: true });
});

async function visit(
  name: string,
  policy: Readonly<Record<string, string>> = {},
  before: () => void = () => {},
): Promise<void> {
  const connections = `${stage.tracker.wsUrl} ${stage.ins.url} ${source.url}`;
  site.policy = { ...POLICY, 'connect-src': connections, ...policy };
  page = await browser.newPage();
  await page.addInitScript(before);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  const query = new URLSearchParams({ tracker: `${stage.tracker.wsUrl}/`, stream: source.stream });
  await page.goto(`${site.url}/${name}.html?${query}`);
}

/** Waits until every picture of the page, so many, moves; also those inside elements. */
async function plays(pictures: number): Promise<void> {
  await page.waitForFunction((count) => {
    const inside = [...document.querySelectorAll('inswarm-player')].map(({ shadowRoot }) => shadowRoot);
    const videos = [document, ...inside].flatMap((root) => [...(root?.querySelectorAll('video') ?? [])]);
    const moving = videos.filter(
      (video) => video.currentTime > 1 && video.getVideoPlaybackQuality().totalVideoFrames > 20,
    );
    return videos.length === count && moving.length === count;
  }, pictures);
}

describe('under a policy that allows scripts of the site alone, and no eval', () => {
  test.each([
    ['plain', 1, STRICTER],
    ['video-js', 1, {}],
    // Its menus bring style elements of their own.
    ['vidstack', 1, { 'style-src': "'self' 'unsafe-inline'" }],
    ['script-tag', 1, STRICTER],
    ['wall', 6, STRICTER],
  ])('%s plays from the INS server, and the browser complains of nothing', async (name, pictures, policy) => {
    const before = stage.ins.stats().sentBytes;
    await visit(name, policy);
    await plays(pictures);
    expect(stage.ins.stats().sentBytes - before).toBeGreaterThan(10_000 * pictures);
    expect(complaints).toEqual([]);
  });

  test('one script is enough for an hls.js of one’s own, too; it tells what happens, and leaves', async () => {
    await visit('script-tag');
    await plays(1);
    await page.evaluate(() => document.querySelector('inswarm-player')!.remove());
    await page.evaluate(
      ([tracker, stream]) => {
        const { createPeer, hlsConfigFor, Hls } = (window as unknown as { Inswarm: typeof Library }).Inswarm;
        const video = document.body.appendChild(document.createElement('video'));
        const peer = createPeer({ tracker: tracker!, stream: stream!, mode: 'ins' });
        const hls = new Hls(hlsConfigFor(peer));
        hls.loadSource(peer.src);
        peer.attach(hls);
        hls.attachMedia(video);
        const told: string[] = [];
        for (const kind of ['started', 'source-changed', 'phase'] as const) peer.on(kind, () => told.push(kind));
        video.muted = true;
        void video.play();
        Object.assign(window, { mine: { peer, hls, told } });
      },
      [`${stage.tracker.wsUrl}/`, source.stream],
    );
    await plays(1);
    await page.waitForFunction(() => mine.told.includes('source-changed'));
    const { told, figures } = await page.evaluate(() => ({ told: mine.told, figures: mine.peer.stats() }));
    expect(told).toEqual(expect.arrayContaining(['phase', 'started']));
    expect(figures).toMatchObject({ phase: 'playing', playedFrom: 'ins', fatalErrors: 0 });
    expect(figures?.startupDelayMs).toBeGreaterThan(0);
    expect(stage.viewersOf(source.stream)).toBe(1);
    await page.evaluate(() => {
      mine.hls.destroy();
      mine.peer.close();
    });
    await expect.poll(() => stage.viewersOf(source.stream)).toBe(0);
    expect(await page.evaluate(() => mine.peer.stats())).toBeUndefined();
    expect(complaints).toEqual([]);
  });

  test('without Media Source Extensions it says so, and offers the plain HLS address', async () => {
    await visit('script-tag', {}, () => {
      for (const name of ['MediaSource', 'WebKitMediaSource', 'ManagedMediaSource'])
        Reflect.deleteProperty(window, name);
    });
    const said = await page.evaluate(() => {
      const { createPlayer, isSupported } = (window as unknown as { Inswarm: typeof Library }).Inswarm;
      document.querySelector('inswarm-player')!.setAttribute('fallback', 'https://studio.example/master.m3u8');
      try {
        createPlayer(document.createElement('video'), { tracker: 'wss://studio.example/', stream: '' });
        return [isSupported(), ''];
      } catch (error) {
        return [isSupported(), String(error)];
      }
    });
    expect(said).toEqual([false, expect.stringContaining('Media Source Extensions')]);
    await page.getByText('Media Source Extensions').waitFor();
    const offered = await page.getByRole('link').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    expect(offered).toContain('https://studio.example/master.m3u8');
    expect(stage.viewersOf(source.stream)).toBe(0);
  });

  test('where not even WebAssembly may be compiled, it plays all the same', async () => {
    await visit('script-tag', { 'script-src': "'self'" });
    await plays(1);
    expect(await page.evaluate(() => document.querySelector('inswarm-player')?.stats()?.peer.hash)).toBe('js');
  });
});
