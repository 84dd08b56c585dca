import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startInsServer } from '../../ins-server/node/ins-server.ts';
import type { RunningSource } from '../../source-server/node/source.ts';
import type * as Library from '../../web-player/library/global.ts';
import { launchChromium } from '../support/browser.ts';
import { Line } from './line.ts';
import { folderWithScript, OtherSite } from './site.ts';
import { Stage } from './stage.ts';

/** What the page has made by hand, as a site does that has an hls.js of its own. */
declare const mine: {
  readonly peer: Library.InswarmPeer;
  readonly hls: InstanceType<typeof Library.Hls>;
  /** Of the picture, what hls.js has asked for: height, segment, part or `all`; and `hole` where it found one. */
  readonly asked: readonly (readonly [height: number | 'hole', segment: number, part: number | 'all'])[];
};

let browser: Browser;
let served: Awaited<ReturnType<typeof folderWithScript>>;
let stage: Stage;
let source: RunningSource;
let site: OtherSite;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  [browser, served] = await Promise.all([launchChromium(), folderWithScript()]);
  stage = await Stage.open(served.folder);
  source = await stage.source();
  const { tracker, ins } = stage;
  // Isolated from all others, and under no more than docs/player.md asks for.
  site = await OtherSite.open(
    `<!doctype html><script src="${tracker.url}/inswarm-player.js"></script><video muted playsinline></video>`,
    {
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'content-security-policy': [
        `default-src 'none'; script-src ${tracker.url} 'wasm-unsafe-eval'; media-src blob:; worker-src blob:`,
        `connect-src ${tracker.wsUrl} ${tracker.url} ${ins.url} ${new URL(source.hlsUrl).origin}`,
      ].join('; '),
    },
  );
});

afterEach(async () => {
  await page?.context().close();
  complaints.length = 0;
});

afterAll(async () => {
  await browser?.close();
  await stage?.close();
  site?.close();
  await served?.remove();
});

async function visit(options: Partial<Library.PeerOptions>, line?: Line): Promise<void> {
  const context = await browser.newContext(
    line === undefined ? {} : { proxy: { server: line.url, bypass: '<-loopback>' } },
  );
  page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(site.url);
  await page.evaluate(
    (settings) => {
      const { createPeer, hlsConfigFor, Hls } = (window as unknown as { Inswarm: typeof Library }).Inswarm;
      const peer = createPeer(settings);
      const hls = new Hls(hlsConfigFor(peer));
      hls.loadSource(peer.src);
      hls.attachMedia(document.querySelector('video')!);
      peer.attach(hls);
      void document.querySelector('video')!.play();
      const asked: unknown[] = [];
      hls.on(Hls.Events.FRAG_LOADING, (_, { frag, part }) => {
        if (frag.type === 'main' && frag.sn !== 'initSegment')
          asked.push([hls.levels[frag.level]?.height, frag.sn, part?.index ?? 'all']);
      });
      hls.on(Hls.Events.ERROR, (_, { details, frag }) => {
        if (details === Hls.ErrorDetails.FRAG_GAP) asked.push(['hole', frag?.sn, 'all']);
      });
      Object.assign(window, { mine: { peer, hls, asked } });
    },
    { tracker: `${stage.tracker.wsUrl}/`, stream: source.stream, mode: 'ins' as const, ...options },
  );
}

async function until(holds: () => boolean): Promise<void> {
  await page.waitForFunction(holds, undefined, { polling: 50, timeout: 20_000 }).catch(async (error: Error) => {
    const seen = await page.evaluate(() => ({ bps: mine.hls.bandwidthEstimate, stats: mine.peer.stats() }));
    throw new Error(`${error.message}\n${holds}\n${JSON.stringify(seen)}\n${complaints.join('\n')}`);
  });
}

describe('an hls.js of a site’s own, in a page of another origin that is isolated from all others', () => {
  it('chooses what the line carries, though most parts are one block: the better one, the lower one on a slow line', async () => {
    const line = await Line.open();
    const two = await stage.source({ input: 'testsrc=432x240', ladder: ['240p', '144p'] });
    try {
      await visit({ stream: two.stream }, line);
      await until(() => mine.hls.levels[mine.hls.currentLevel]?.height === 240);
      line.rateBps = 300_000;
      await until(() => mine.hls.levels[mine.hls.currentLevel]?.height === 144);
      // What hls.js shows as its bandwidth is that of the line, too: not that of a page's memory, from which it gets the bytes.
      await until(() => mine.hls.bandwidthEstimate < 1_000_000);
      expect(complaints).toEqual([]);
    } finally {
      await two.close();
      await line.close();
    }
  });

  it('goes on after a change to a better one with the first part of that, and asks for no hole before it', async () => {
    const two = await stage.source({ input: 'testsrc=432x240', ladder: ['240p', '144p'] });
    try {
      await visit({ stream: two.stream });
      await until(() => mine.asked.filter(([height]) => height === 240).length > 4);
      const asked = await page.evaluate(() => mine.asked);
      const at = asked.findIndex(([height]) => height !== 144);
      const [, last] = asked[at - 1]!;
      expect(asked.slice(at, at + 3)).toEqual([0, 1, 2].map((part) => [240, last + 1, part]));
      expect(asked.filter(([height]) => height === 'hole')).toEqual([]);
      expect(complaints).toEqual([]);
    } finally {
      await two.close();
    }
  });

  it('is told to load the source’s plain HLS where that is allowed, and the swarm again; it stays the same', async () => {
    await visit({ fallback: 'auto' });
    await until(() => mine.peer.stats()?.phase === 'playing' && mine.peer.stats()?.playedFrom === 'ins');
    await page.evaluate(() => {
      const { hls } = mine;
      Object.assign(window, { sameHls: hls });
    });
    await stage.ins.close();
    await until(() => mine.hls.url !== mine.peer.src && mine.peer.stats()!.hlsBytes > 50_000);
    await until(() => mine.peer.stats()?.phase === 'playing' && mine.peer.stats()?.playedFrom === 'hls');
    const again = await startInsServer({ port: Number(new URL(stage.ins.url).port) });
    try {
      await until(() => mine.peer.stats()?.playedFrom === 'ins' && mine.peer.stats()?.phase === 'playing');
      const kept = await page.evaluate(() => mine.peer.session?.hls === mine.hls && mine.hls.url === mine.peer.src);
      expect([kept, await page.evaluate(() => mine.peer.stats()?.fatalErrors)]).toEqual([true, 0]);
    } finally {
      await again.close();
    }
  });
});
