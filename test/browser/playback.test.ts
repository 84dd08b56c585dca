import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningSource } from '../../source-server/node/source.ts';
import { launchChromium } from '../support/browser.ts';
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
