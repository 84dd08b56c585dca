import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, h264, pictures } from '../media/media-tools.ts';
import { launchChromium } from '../support/browser.ts';
import { buildPage, pageUrl, Stage, Viewer } from './stage.ts';

let built: Awaited<ReturnType<typeof buildPage>>;
let browser: Browser;
let stage: Stage;
let folder: string;

/** Of the English and the German sound: two that no rounding takes for each other. */
const [ENGLISH_HZ, GERMAN_HZ] = [500, 1_500];

beforeAll(async () => {
  [built, browser, folder] = await Promise.all([
    buildPage(),
    launchChromium(),
    mkdtemp(join(tmpdir(), 'inswarm-sounds-')),
  ]);
  stage = await Stage.open(built.folder);
});

afterAll(async () => {
  await browser?.close();
  await stage?.close();
  await built?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Begins to listen to what comes out of the video element. */
async function listen(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(async () => {
    const { video } = window.inswarm!;
    video.muted = false;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 4096 });
    context.createMediaElementSource(video).connect(analyser);
    await context.resume();
    Object.assign(window, { analyser });
  });
  // The loudest frequency, to the nearest 100 Hz; 0 for silence.
  return () =>
    page.evaluate(() => {
      const { analyser } = window as unknown as { analyser: AnalyserNode };
      const levels = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(levels);
      const most = levels.reduce((best, level, at) => (level > levels[best]! ? at : best), 0);
      const hz = (most * analyser.context.sampleRate) / analyser.fftSize;
      return levels[most]! < -60 ? 0 : Math.round(hz / 100) * 100;
    });
}

describe('sounds of a film', () => {
  it('are offered by their languages, and the one that is chosen is heard, without a freeze', async () => {
    const file = join(folder, 'film.mkv');
    const tone = (hz: number) => `-f lavfi -i sine=frequency=${hz}:sample_rate=48000`;
    const tags = '-metadata:s:a:0 language=eng -metadata:s:a:1 language=deu';
    const inputs = `${pictures} ${tone(ENGLISH_HZ)} ${tone(GERMAN_HZ)} -map 0:v -map 1:a -map 2:a`;
    await ffmpeg(`${inputs} -t 60 ${h264} -g 30 -c:a aac ${tags}`, file);
    const source = await stage.source({ input: file });
    const viewer = await Viewer.open(browser, pageUrl(stage, source.stream, 'ins'));
    const { page } = viewer;
    await viewer.play(1);
    const heard = await listen(page);
    await expect.poll(heard, { timeout: 10_000 }).toBe(ENGLISH_HZ);
    const taken = (): Promise<(number | null)[]> =>
      page.evaluate(() => window.inswarm!.stats().peer.tracks.map(({ newestPart }) => newestPart));
    expect((await taken())[2]).toBeNull();
    const freezes = (): Promise<number> => page.evaluate(() => window.inswarm!.stats().freezes);
    const before = await freezes();
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('menuitem', { name: 'Sound' }).click();
    const choices = page.getByRole('menuitemradio');
    expect(await choices.allTextContents()).toEqual(['English', 'German']);
    await choices.nth(1).click();
    await expect.poll(heard, { timeout: 10_000 }).toBe(GERMAN_HZ);
    await viewer.plays(2);
    const [picture, english, german] = await taken();
    expect([german! >= picture! - 2, english! < picture! - 2]).toEqual([true, true]);
    // A player that changes by itself, without waiting for anything, is served as well.
    await page.evaluate(() => {
      document.querySelector('inswarm-player')!.session!.hls.audioTrack = 0;
    });
    await expect.poll(heard, { timeout: 10_000 }).toBe(ENGLISH_HZ);
    expect(await freezes()).toBe(before);
    if (process.env.SHOT) await page.screenshot({ path: process.env.SHOT });
    expect(viewer.complaints).toEqual([]);
  });
});
