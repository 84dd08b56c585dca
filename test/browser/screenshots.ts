/**
 * Takes the pictures of the player page in docs/screenshots, from real servers:
 *
 *     npx tsx test/browser/screenshots.ts
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { launchChromium } from '../support/browser.ts';
import { buildPage, pageUrl, Stage, Viewer } from './stage.ts';

const FOLDER = join(import.meta.dirname, '../../docs/screenshots');
const DESK = { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' } as const;
const PHONE = {
  viewport: { width: 390, height: 844 },
  colorScheme: 'dark',
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 2,
} as const;

mkdirSync(FOLDER, { recursive: true });
const built = await buildPage();
const stage = await Stage.open(built.folder);
const browser = await launchChromium();

async function picture(
  name: string,
  url: string,
  options: BrowserContextOptions,
  act: (viewer: Viewer) => Promise<void>,
): Promise<void> {
  const viewer = await Viewer.open(browser, url, options);
  await act(viewer);
  await viewer.page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage: options.isMobile === true });
  await viewer.close();
}

/** Plays for a while, with the controls in view. */
const playing =
  (seconds: number) =>
  async (viewer: Viewer): Promise<void> => {
    await viewer.play(1);
    await viewer.page.waitForTimeout(seconds * 1_000);
    await viewer.page.mouse.move(400, 400);
    await viewer.page.waitForTimeout(500);
  };

try {
  await picture('nothing-on-air', `${stage.tracker.url}/`, DESK, (viewer) => viewer.page.waitForTimeout(2_000));
  const source = await stage.source({ input: 'testsrc=1280x720', title: 'Test pattern' });
  await stage.peer(source.stream);
  await stage.peer(source.stream, { mode: 'native' });
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await picture('playing', pageUrl(stage, source.stream, 'hybrid'), DESK, playing(25));
  const light = { ...DESK, colorScheme: 'light' } as const;
  await picture('native-light', pageUrl(stage, source.stream, 'native'), light, playing(25));
  await picture('phone', pageUrl(stage, source.stream, 'ins'), PHONE, playing(15));
  await picture('ins-gone', pageUrl(stage, source.stream, 'hybrid'), DESK, async (viewer) => {
    await viewer.play(8);
    await stage.ins.close();
    await viewer.plays(6);
  });
  await source.close();
  for (const title of ['Harbour camera, pier 4', 'Lecture hall 2', 'Choir rehearsal', 'Test pattern']) {
    await stage.source({ title, input: 'testsrc=128x72', ins: [] });
  }
  await picture('streams', `${stage.tracker.url}/`, DESK, (viewer) => viewer.page.waitForTimeout(1_000));
} finally {
  await browser.close();
  await stage.close();
  await built.remove();
}
