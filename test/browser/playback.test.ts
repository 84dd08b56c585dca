import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startInsServer } from '../../ins-server/node/ins-server.ts';
import type { RunningSource } from '../../source-server/node/source.ts';
import { launchChromium } from '../support/browser.ts';
import { Line } from './line.ts';
import { type PlaybackOptions, PlaybackPage, playbackScript } from './playback-page.ts';
import { Stage } from './stage.ts';

let script: string;
let browser: Browser;
let stage: Stage;
let source: RunningSource;
const pages: PlaybackPage[] = [];

beforeAll(async () => {
  [script, browser, stage] = await Promise.all([playbackScript(), launchChromium(), Stage.open()]);
  source = await stage.source();
});

afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});

afterAll(async () => {
  await Promise.all([browser?.close(), stage?.close()]);
});

async function open(options: PlaybackOptions = {}): Promise<PlaybackPage> {
  const page = await PlaybackPage.open(browser, script, stage, { stream: source.stream, ...options });
  pages.push(page);
  return page;
}

describe('before the press on play', () => {
  it('a session that is prepared has joined and knows the stream and its newest parts, and takes no media', async () => {
    const page = await open();
    await page.call('prepare');
    await page.until(({ peer }) => peer.trackerUp && peer.ins !== null);
    await page.until(({ title }) => title === 'Test pattern');
    const { phase, peer } = await page.stats();
    expect([phase, peer.bytesFrom, peer.wire.dataIn]).toEqual(['idle', { ins: 0, peers: 0, source: 0 }, 0]);
    const dials = page.sockets.length;
    await page.call('play');
    await page.until(({ phase }) => phase === 'playing');
    expect(page.sockets.length).toBe(dials);
    const kinds = (await page.events()).map(({ kind }) => kind);
    expect(kinds).toContain('started');
    await page.until(({ playedFrom }) => playedFrom === 'ins');
  });
});

describe('a line that does not hold', () => {
  let line: Line;

  beforeAll(async () => {
    line = await Line.open();
  });

  afterAll(() => line?.close());

  it('dials anew when nothing comes any more, and is back at the target as soon as something does', async () => {
    const page = await open({ line });
    await page.call('play');
    await page.until(({ phase, bufferMs }) => phase === 'playing' && bufferMs > 500);
    const dials = page.sockets.length;
    line.leave();
    await page.until(({ phase }) => phase === 'frozen');
    await expect.poll(() => page.sockets.length, { timeout: 10_000 }).toBeGreaterThan(dials);
    // For longer than it takes to give up what is over.
    await page.until(({ frozenForMs }) => frozenForMs > 4_000);
    line.back();
    await page.until(({ phase, latencyMs, aimMs }) => phase === 'playing' && latencyMs! < aimMs + 500);
    const { fatalErrors, peer } = await page.stats();
    expect([fatalErrors, peer.trackerUp]).toEqual([0, true]);
    const kinds = (await page.events()).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'freeze' || kind === 'resumed')).toContain('resumed');
  });

  it('takes another rendition when it carries less, and a better one when it carries more', async () => {
    const two = await stage.source({ input: 'testsrc=432x240', ladder: ['240p', '144p'] });
    const page = await open({ line, stream: two.stream });
    await page.call('play');
    await page.until(({ phase, quality }) => phase === 'playing' && quality === '144p');
    await page.until(({ quality }) => quality === '240p');
    line.rateBps = 300_000;
    await page.until(({ quality }) => quality === '144p');
    line.rateBps = 20_000_000;
    await page.until(({ phase }) => phase === 'playing');
    expect((await page.stats()).fatalErrors).toBe(0);
    await two.close();
  });

  it('plays on without a freeze in what a viewer chooses, also while the rule changes to another, and when he chooses again', async () => {
    const two = await stage.source({ input: 'testsrc=432x240', ladder: ['240p', '144p'] });
    const page = await open({ line, stream: two.stream });
    await page.call('play');
    await page.until(({ phase, quality }) => phase === 'playing' && quality === '144p');
    // The rule has begun to take the better one, which is not on screen yet.
    await page.until(({ peer: { tracks } }) => tracks[0]!.newestPart! > tracks[1]!.newestPart!);
    const { freezes } = await page.stats();
    await page.call('choose', 0);
    await page.until(({ peer: { tracks } }) => tracks[1]!.newestPart! > tracks[0]!.newestPart! + 12);
    // Told by hand, hls.js would begin inside a segment that it has, and often freeze.
    expect(await page.call('chosen')).toEqual({ level: 0, isLed: true });
    // There and back, with a segment of each on screen, and at last before anything of it is.
    for (const level of [1, 0]) {
      await page.call('choose', level);
      if (level === 0) await page.until(({ quality }) => quality === '144p');
      else await page.until(({ quality }) => quality === '240p');
      await new Promise((resolve) => setTimeout(resolve, 1_300));
    }
    await page.call('choose', 1);
    await page.until(({ peer: { tracks } }) => tracks[0]!.newestPart! > tracks[1]!.newestPart!);
    await page.call('choose', -1);
    expect(await page.call('chosen')).toEqual({ level: -1, isLed: true });
    await page.until(({ quality }) => quality === '240p');
    const after = await page.stats();
    expect([after.phase, after.freezes - freezes, after.fatalErrors]).toEqual(['playing', 0, 0]);
    await two.close();
  });
});

describe('when the swarm is gone', () => {
  it('plays the source’s plain HLS where that is allowed, and the swarm again when that is back', async () => {
    const allowed = await open({ fallback: 'auto' });
    const other = await open();
    for (const page of [allowed, other]) await page.call('play');
    await allowed.until(({ phase, playedFrom }) => phase === 'playing' && playedFrom === 'ins');
    await other.until(({ phase }) => phase === 'playing');
    await stage.ins.close();
    await allowed.until(
      ({ phase, playedFrom, hlsBytes }) => playedFrom === 'hls' && phase === 'playing' && hlsBytes > 50_000,
    );
    const { hostname, port } = new URL(source.hlsUrl);
    expect(allowed.requests.some((url) => url.includes(`${hostname}:${port}`))).toBe(true);
    expect(other.requests.some((url) => url.includes(`${hostname}:${port}`))).toBe(false);
    const again = await startInsServer({ port: Number(new URL(stage.ins.url).port) });
    try {
      await allowed.until(({ phase, playedFrom }) => playedFrom === 'ins' && phase === 'playing');
      await other.until(({ phase }) => phase === 'playing');
      const froms = (await allowed.events()).flatMap((event) => (event.kind === 'source-changed' ? event.from : []));
      expect(froms).toEqual(['ins', 'hls', 'ins']);
      expect((await allowed.stats()).fatalErrors).toBe(0);
    } finally {
      await again.close();
    }
  });
});
