import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInsServer } from '../../ins-server/node/ins-server.ts';
import { ffmpeg, h264, pictures, tone } from '../media/media-tools.ts';
import { launchChromium } from '../support/browser.ts';
import { buildPage, pageUrl, Stage, Viewer } from './stage.ts';

let built: Awaited<ReturnType<typeof buildPage>>;
let browser: Browser;
let stage: Stage;
let folder: string;

beforeAll(async () => {
  [built, browser, folder] = await Promise.all([
    buildPage(),
    launchChromium(),
    mkdtemp(join(tmpdir(), 'inswarm-subtitles-')),
  ]);
  stage = await Stage.open(built.folder);
});

afterAll(async () => {
  await browser?.close();
  await stage?.close();
  await built?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** A cue for each second, which says the second. */
function srt(seconds: number, word: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const cues = Array.from({ length: seconds }, (_, at) => {
    const time = (second: number) => `00:${two(Math.floor(second / 60))}:${two(second % 60)}`;
    return `${at + 1}\n${time(at)},000 --> ${time(at)},900\n${word} ${at}\n`;
  });
  return cues.join('\n');
}

/** A film with subtitles in English and German. */
async function film(seconds: number): Promise<string> {
  const [english, german] = [join(folder, 'en.srt'), join(folder, 'de.srt')];
  await writeFile(english, srt(seconds, 'second'));
  await writeFile(german, srt(seconds, 'Sekunde'));
  const file = join(folder, 'film.mkv');
  const inputs = `${pictures} ${tone} -i ${english} -i ${german}`;
  const tags = '-metadata:s:s:0 language=eng -metadata:s:s:1 language=deu';
  const maps = '-map 0:v -map 1:a -map 2:s -map 3:s';
  await ffmpeg(`${inputs} ${maps} -t ${seconds} ${h264} -g 30 -c:a aac -c:s srt ${tags}`, file);
  return file;
}

function shownBy({ page }: Viewer): Promise<string[]> {
  return page.evaluate(() => {
    const tracks = [...window.inswarm!.video.textTracks].filter(({ mode }) => mode === 'showing');
    return tracks.flatMap(({ activeCues }) => [...(activeCues ?? [])].map((cue) => (cue as VTTCue).text));
  });
}

describe('subtitles of a film', () => {
  it('are offered by their languages, shown at their time when they are chosen, and not before', async () => {
    const seconds = 40;
    const file = await film(seconds);
    const source = await stage.source({ input: file });
    const viewer = await Viewer.open(browser, pageUrl(stage, source.stream, 'ins'));
    const { page } = viewer;
    await viewer.play(1);
    const shown = () => shownBy(viewer);
    expect(await shown()).toEqual([]);
    await page.keyboard.press('c');
    await expect.poll(shown, { timeout: 15_000 }).toEqual([expect.stringMatching(/^second \d+$/)]);
    // Each cue says the second of the film in which it is to be seen: it is on screen then, whatever the player's own time is.
    const { text, streamMs } = await page.evaluate(async () => {
      const session = document.querySelector('inswarm-player')!.session!;
      for (;;) {
        const track = [...window.inswarm!.video.textTracks].find(({ mode }) => mode === 'showing');
        const cue = track?.activeCues?.[0] as VTTCue | undefined;
        const atMs = session.hls.playingDate?.getTime();
        const segment = session.peer.live.window.segments(0).findLast(({ startsAtMs }) => startsAtMs <= (atMs ?? 0));
        if (cue !== undefined && atMs !== undefined && segment !== undefined)
          return { text: cue.text, streamMs: segment.parts[0]!.timeUs / 1_000 + atMs - segment.startsAtMs };
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    const second = Number(/\d+/.exec(text)![0]);
    const offMs = (streamMs % (seconds * 1_000)) - second * 1_000;
    expect(offMs).toBeGreaterThan(-150);
    expect(offMs).toBeLessThan(900 + 150);
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('menuitem', { name: 'Captions' }).click();
    const choices = page.getByRole('menuitemradio');
    expect(await choices.allTextContents()).toEqual(['Off', 'English', 'German']);
    await choices.nth(2).click();
    await expect.poll(shown, { timeout: 15_000 }).toEqual([expect.stringMatching(/^Sekunde \d+$/)]);
    if (process.env.SHOT) await page.screenshot({ path: process.env.SHOT });
    expect(viewer.complaints).toEqual([]);
  });

  it('stay as they are chosen when plain HLS is played instead of the swarm, and when that is back', async () => {
    const source = await stage.source({ input: await film(40) });
    const url = `${pageUrl(stage, source.stream, 'ins')}&fallback=auto`;
    // The tracker's page may ask its own host alone; a site that allows plain HLS says so in its policy.
    const viewer = await Viewer.open(browser, url, { bypassCSP: true });
    const { page } = viewer;
    await viewer.play(1);
    await page.evaluate(() => {
      document.querySelector('inswarm-player')!.session!.subtitle = 1;
    });
    const isGerman = [expect.stringMatching(/^Sekunde \d+$/)];
    await expect.poll(() => shownBy(viewer), { timeout: 15_000 }).toEqual(isGerman);
    const playedFrom = () => page.evaluate(() => document.querySelector('inswarm-player')!.session!.stats().playedFrom);
    await stage.ins.close();
    await expect.poll(playedFrom, { timeout: 20_000 }).toBe('hls');
    await expect.poll(() => shownBy(viewer), { timeout: 15_000 }).toEqual(isGerman);
    const again = await startInsServer({ port: Number(new URL(stage.ins.url).port) });
    try {
      await expect.poll(playedFrom, { timeout: 20_000 }).toBe('ins');
      await expect.poll(() => shownBy(viewer), { timeout: 15_000 }).toEqual(isGerman);
    } finally {
      await again.close();
    }
  });
});
