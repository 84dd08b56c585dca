import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../support/browser.ts';
import { makeCaptionedFile } from '../support/captions-608.ts';
import { buildPage, pageUrl, Stage, Viewer } from './stage.ts';

let built: Awaited<ReturnType<typeof buildPage>>;
let browser: Browser;
let stage: Stage;
let folder: string;

beforeAll(async () => {
  [built, browser, folder] = await Promise.all([
    buildPage(),
    launchChromium(),
    mkdtemp(join(tmpdir(), 'inswarm-captions-')),
  ]);
  stage = await Stage.open(built.folder);
});

afterAll(async () => {
  await browser?.close();
  await stage?.close();
  await built?.remove();
  await rm(folder, { recursive: true, force: true });
});

describe('captions inside the picture (CTA-608 in H.264)', () => {
  it('pass through the source from MPEG-TS, are offered by button, menu and key, and shown', async () => {
    const file = join(folder, 'captioned.ts');
    await makeCaptionedFile(file, 60, 'HELLO FROM THE STUDIO');
    const source = await stage.source({ input: file });
    const viewer = await Viewer.open(browser, pageUrl(stage, source.stream, 'ins'));
    const { page } = viewer;
    await viewer.play(1);
    await page.getByRole('button', { name: 'Captions (c)' }).waitFor();
    const shown = (): Promise<string[]> =>
      page.evaluate(() => {
        const tracks = [...window.inswarm!.video.textTracks].filter(({ mode }) => mode === 'showing');
        return tracks.flatMap(({ activeCues }) => [...(activeCues ?? [])].map((cue) => (cue as VTTCue).text));
      });
    expect(await shown()).toEqual([]);
    await page.keyboard.press('c');
    await expect.poll(shown, { timeout: 15_000 }).toContain('HELLO FROM THE STUDIO');
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('menuitem', { name: 'Captions' }).click();
    const choices = page.getByRole('menuitemradio');
    expect(await choices.allTextContents()).toEqual(['Off', 'Captions']);
    if (process.env.SHOT) await page.screenshot({ path: process.env.SHOT });
    await choices.first().click();
    await expect.poll(shown).toEqual([]);
    expect(viewer.complaints).toEqual([]);
  });
});
