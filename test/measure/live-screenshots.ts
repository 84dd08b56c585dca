/**
 * Pictures of the live page with a crowd that nobody has measured, to see what it looks like:
 *
 *     npx tsx scripts/build.ts --if-needed && npx tsx test/measure/live-screenshots.ts FOLDER [VIEWERS]
 *
 * of one that is being measured, whose address `inswarm measure` says:
 *
 *     npx tsx test/measure/live-screenshots.ts FOLDER http://127.0.0.1:PORT/KEY/
 *
 * and, with `--time` in the place of the folder, what a second of a crowd costs the page.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { LiveBoard } from '../harness/live/board.ts';
import { type RunningLive, startLive } from '../harness/live/node/server.ts';
import { launchChromium } from '../support/browser.ts';
import { HAPPENINGS, MadeUpRun, SESSION } from './live-sample.ts';

const TAKES = [
  { name: 'dark', colorScheme: 'dark', width: 1400, height: 900 },
  { name: 'light', colorScheme: 'light', width: 1400, height: 900 },
  { name: 'phone', colorScheme: 'light', width: 400, height: 800 },
  { name: 'phone-dark', colorScheme: 'dark', width: 400, height: 800 },
] as const;

const [folder = 'live-screenshots', of = '300'] = process.argv.slice(2);
const browser = await launchChromium();
try {
  if (of.startsWith('http')) await take(await openAll(of), 'live');
  else await madeUp(Number(of), folder === '--time' ? time : screenshots);
} finally {
  await browser.close();
}

type Look = (board: LiveBoard, live: RunningLive, viewers: number) => Promise<void>;

async function madeUp(viewers: number, look: Look): Promise<void> {
  const board = new LiveBoard();
  board.begin(SESSION);
  const started = await startLive(board, { onCommand() {} });
  if (!started.ok) throw new Error(started.why);
  await look(board, started.live, viewers).finally(() => started.live.close());
}

function play(board: LiveBoard, viewers: number, mode: string, until: number): MadeUpRun {
  const run = new MadeUpRun(viewers, mode);
  board.beginRun(run.hosts, HAPPENINGS);
  board.say('news', `${viewers} viewers are ready`);
  for (let second = 0; second < until; second++) {
    if (second === 25) board.say('bad', 'INS server 1 dies', 3);
    if (second === 26) board.say('warning', 'viewer 18 stands still', 24);
    if (second === 40) board.say('good', 'INS server 1 is back', 3);
    if (second === 20) run.leave(40, 'left');
    if (second === 21) run.leave(44, 'dead');
    if (second === 15) run.throttle(50, 0.25);
    board.second(run.second(second));
  }
  return run;
}

async function openAll(url: string): Promise<Page[]> {
  const pages: Page[] = [];
  for (const { colorScheme, width, height } of TAKES) {
    const page = await browser.newPage({ colorScheme, viewport: { width, height } });
    await page.goto(url);
    pages.push(page);
  }
  return pages;
}

/** Each page as a screen shows it, and all of it. */
async function take(pages: readonly Page[], what: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [at, page] of pages.entries()) {
    const { name, width, height } = TAKES[at]!;
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(folder, `${what}-${name}.png`) });
    const whole = await page.evaluate(() => document.documentElement.scrollHeight);
    // High enough that all of it is seen, and drawn.
    await page.setViewportSize({ width, height: whole });
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(folder, `${what}-${name}-all.png`) });
    await page.setViewportSize({ width, height });
  }
}

async function screenshots(board: LiveBoard, live: RunningLive, viewers: number): Promise<void> {
  const first = play(board, viewers, 'ins', 27);
  const pages = await openAll(live.url);
  await take(pages, 'ins');
  for (let second = 27; second < 60; second++) board.second(first.second(second));
  play(board, viewers, 'native', 38);
  for (const page of pages) {
    await page.locator('tbody tr:not(.spacer)').first().getByRole('button').first().click();
    const marks = page.locator('tbody [type=checkbox]');
    await marks.nth(2).click();
    await marks.nth(5).click({ modifiers: ['Shift'] });
  }
  await take(pages, 'native');
  const files = ['measured/report.html', 'measured/report.json', 'measured/peers.csv'];
  board.end({ ok: true, text: 'Both runs are done.', files });
  await take(pages, 'over');
}

/** Feeds a second every second, and asks Chromium what it did. */
async function time(board: LiveBoard, live: RunningLive, viewers: number): Promise<void> {
  for (const mode of ['ins', 'native']) {
    const run = play(board, viewers, mode, 20);
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    const session = await page.context().newCDPSession(page);
    await page.goto(live.url);
    await page.waitForTimeout(2_000);
    for (const place of ['top', 'table', 'plots']) {
      const where = place === 'top' ? 'header' : place === 'table' ? '.peers' : '.plots';
      await page.locator(where).evaluate((element) => element.scrollIntoView());
      await page.waitForTimeout(1_000);
      // Time of the page's own thread: what else the machine does is none of the page's.
      await session.send('Performance.enable', { timeDomain: 'threadTicks' });
      const before = await metrics();
      const seconds = 8;
      for (let second = 0; second < seconds; second++) {
        board.second(run.second(20 + second));
        await page.waitForTimeout(1_000);
      }
      const after = await metrics();
      const per = (name: string): string =>
        ((((after.get(name) ?? 0) - (before.get(name) ?? 0)) * 1000) / seconds).toFixed(1);
      console.log(
        `${mode}, ${viewers} viewers, at the ${place}: script ${per('ScriptDuration')} ms, style ${per('RecalcStyleDuration')} ms, ` +
          `layout ${per('LayoutDuration')} ms, all ${per('TaskDuration')} ms a second`,
      );
    }
    await page.close();

    async function metrics(): Promise<Map<string, number>> {
      const { metrics } = await session.send('Performance.getMetrics');
      return new Map(metrics.map(({ name, value }) => [name, value]));
    }
  }
}
