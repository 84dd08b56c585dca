/**
 * Takes the pictures of the player in docs/screenshots, from real servers:
 *
 *     npx tsx test/browser/screenshots.ts             all of them
 *     npx tsx test/browser/screenshots.ts phone menu  those whose names begin so
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import type { RunningSource } from '../../source-server/node/source.ts';
import { launchChromium } from '../support/browser.ts';
import { buildPage, pageUrl, Stage, Viewer } from './stage.ts';

const FOLDER = process.env.SCREENSHOTS ?? join(import.meta.dirname, '../../docs/screenshots');
const DARK = { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' } as const;
const LIGHT = { ...DARK, colorScheme: 'light' } as const;
const TELEVISION = { ...DARK, viewport: { width: 1920, height: 1080 } } as const;
const PHONE = {
  viewport: { width: 390, height: 844 },
  colorScheme: 'dark',
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 2,
} as const;
const PHONE_LIGHT = { ...PHONE, colorScheme: 'light' } as const;

const wanted = process.argv.slice(2);
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.some((start) => name.startsWith(start));

mkdirSync(FOLDER, { recursive: true });
const built = await buildPage();
const browser = await launchChromium();

interface Shot {
  readonly name: string;
  readonly options: BrowserContextOptions;
  readonly url: string;
  readonly fullPage?: boolean;
  act(viewer: Viewer): Promise<void>;
}

async function take({ name, options, url, fullPage, act }: Shot): Promise<void> {
  if (!isWanted(name)) return;
  const viewer = await Viewer.open(browser, url, options);
  await act(viewer);
  await viewer.page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage: fullPage === true });
  await viewer.close();
}

/** Plays for a while, with the controls in view. */
const playing =
  (seconds: number, then: (viewer: Viewer) => Promise<void> = async () => {}) =>
  async (viewer: Viewer): Promise<void> => {
    await viewer.play(1);
    await viewer.page.waitForTimeout(seconds * 1_000);
    const isTouch = await viewer.page.evaluate(() => matchMedia('(hover: none)').matches);
    if (isTouch) await viewer.page.touchscreen.tap(200, 150);
    else await viewer.page.mouse.move(400, 400);
    await then(viewer);
    await viewer.page.waitForTimeout(600);
  };

const wait =
  (ms: number) =>
  (viewer: Viewer): Promise<void> =>
    viewer.page.waitForTimeout(ms);

async function openMenu({ page }: Viewer): Promise<void> {
  await page.getByRole('button', { name: 'Settings' }).click();
}

async function whileOnAir(stage: Stage, { stream }: RunningSource): Promise<void> {
  const hybrid = pageUrl(stage, stream, 'hybrid');
  const ins = pageUrl(stage, stream, 'ins');
  await take({ name: 'before-play', options: DARK, url: `${ins}&panel=closed`, act: wait(1_200) });
  await take({ name: 'phone-before-play', options: PHONE_LIGHT, url: hybrid, act: wait(1_200) });
  await take({ name: 'playing', options: DARK, url: hybrid, act: playing(25) });
  await take({ name: 'native-light', options: LIGHT, url: pageUrl(stage, stream, 'native'), act: playing(25) });
  await take({ name: 'television', options: TELEVISION, url: `${hybrid}&panel=closed`, act: playing(20) });
  await take({ name: 'phone', options: PHONE, url: ins, act: playing(15) });
  await take({ name: 'phone-panel', options: PHONE_LIGHT, url: `${ins}&panel=open`, fullPage: true, act: playing(15) });
  await take({ name: 'menu', options: DARK, url: `${hybrid}&panel=closed`, act: playing(12, openMenu) });
  const share = async ({ page }: Viewer): Promise<void> => {
    await page.keyboard.press('s');
    await page.getByRole('checkbox').check();
  };
  await take({ name: 'share', options: LIGHT, url: `${hybrid}&panel=closed`, act: playing(3, share) });
  const keys = ({ page }: Viewer): Promise<void> => page.keyboard.press('?');
  await take({ name: 'keys', options: DARK, url: `${hybrid}&panel=closed`, act: playing(3, keys) });
  const menu = async (viewer: Viewer): Promise<void> => {
    await openMenu(viewer);
    await viewer.page.getByRole('menuitem', { name: 'Latency' }).click();
  };
  await take({ name: 'phone-menu', options: PHONE, url: ins, act: playing(8, menu) });
}

async function whenThingsGo(stage: Stage, source: RunningSource): Promise<void> {
  const insGone = async (viewer: Viewer): Promise<void> => {
    await viewer.play(8);
    await stage.ins.close();
    await viewer.plays(6);
    await viewer.page.mouse.move(400, 400);
    await viewer.page.waitForTimeout(600);
  };
  await take({ name: 'ins-gone', options: DARK, url: pageUrl(stage, source.stream, 'hybrid'), act: insGone });
  const over = async (viewer: Viewer): Promise<void> => {
    await viewer.play(2);
    await source.close();
    await viewer.page.getByText('The stream has ended').waitFor();
    await viewer.page.waitForTimeout(1_000);
  };
  await take({
    name: 'ended',
    options: LIGHT,
    url: `${pageUrl(stage, source.stream, 'hybrid')}&panel=closed`,
    act: over,
  });
  await source.close();
}

async function list(stage: Stage): Promise<void> {
  for (const title of ['Harbour camera, pier 4', 'Lecture hall 2', 'Choir rehearsal', 'Test pattern']) {
    await stage.source({ title, input: 'testsrc=128x72', ins: [] });
  }
  const url = `${stage.tracker.url}/`;
  await take({ name: 'streams', options: DARK, url, act: wait(1_000) });
  await take({ name: 'phone-streams', options: PHONE_LIGHT, url, act: wait(1_000) });
}

const stage = await Stage.open(built.folder);
try {
  await take({ name: 'nothing-on-air', options: DARK, url: `${stage.tracker.url}/`, act: wait(2_000) });
  const source = await stage.source({ input: 'testsrc=960x540', title: 'Test pattern' });
  await stage.peer(source.stream);
  await stage.peer(source.stream, { mode: 'native' });
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await whileOnAir(stage, source);
  await whenThingsGo(stage, source);
  await list(stage);
} finally {
  await browser.close();
  await stage.close();
  await built.remove();
}
