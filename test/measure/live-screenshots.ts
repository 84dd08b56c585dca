/**
 * Pictures of the live page with a crowd that nobody has measured, to see what it looks like:
 *
 *     npx tsx scripts/build.ts --if-needed && npx tsx test/measure/live-screenshots.ts FOLDER [VIEWERS]
 *
 * and, with `--time` in the place of the folder, what a second of such a crowd costs the page.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { LiveBoard } from '../harness/live/board.ts';
import { startLive } from '../harness/live/node/server.ts';
import { launchChromium } from '../support/browser.ts';
import { HAPPENINGS, MadeUpRun, SESSION } from './live-sample.ts';

const [folder = 'live-screenshots', viewers = '300'] = process.argv.slice(2);

const board = new LiveBoard();
board.begin(SESSION);
const started = await startLive(board, { onCommand() {} });
if (!started.ok) throw new Error(started.why);
const { live } = started;
const browser = await launchChromium();
try {
  if (folder === '--time') await time(browser);
  else await screenshots(browser, folder);
} finally {
  await browser.close();
  await live.close();
}

function play(mode: string, until: number): MadeUpRun {
  const run = new MadeUpRun(Number(viewers), mode);
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

async function screenshots(browser: Browser, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const first = play('ins', 27);
  const takes = [
    { name: 'dark', colorScheme: 'dark', width: 1400, height: 900 },
    { name: 'light', colorScheme: 'light', width: 1400, height: 900 },
    { name: 'phone', colorScheme: 'light', width: 400, height: 800 },
    { name: 'phone-dark', colorScheme: 'dark', width: 400, height: 800 },
  ] as const;
  const pages: Page[] = [];
  for (const { colorScheme, width, height } of takes) {
    const page = await browser.newPage({ colorScheme, viewport: { width, height } });
    await page.goto(live.url);
    pages.push(page);
  }
  const take = async (what: string): Promise<void> => {
    for (const [at, page] of pages.entries()) {
      const { name, width, height } = takes[at]!;
      // High enough that all of it is seen, and drawn.
      await page.setViewportSize({ width, height: 5_500 });
      await page.waitForTimeout(700);
      await page.screenshot({ path: join(folder, `${what}-${name}-all.png`), fullPage: true });
      await page.setViewportSize({ width, height });
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(folder, `${what}-${name}.png`) });
    }
  };
  await take('ins');
  for (let second = 27; second < 60; second++) board.second(first.second(second));
  play('native', 38);
  for (const page of pages) {
    await page.locator('tbody tr:not(.spacer)').first().getByRole('button').first().click();
    await page.locator('tbody [type=checkbox]').nth(2).click();
    await page
      .locator('tbody [type=checkbox]')
      .nth(5)
      .click({ modifiers: ['Shift'] });
  }
  await take('native');
  board.end({
    ok: true,
    text: 'Both runs are done.',
    files: ['measured/report.html', 'measured/report.json', 'measured/peers.csv'],
  });
  await take('over');
}

/** Feeds a second every second, and asks Chromium what it did. */
async function time(browser: Browser): Promise<void> {
  for (const mode of ['ins', 'native']) {
    const run = play(mode, 20);
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    const session = await page.context().newCDPSession(page);
    await page.goto(live.url);
    await page.waitForTimeout(2_000);
    for (const place of ['top', 'table', 'plots']) {
      const where = place === 'top' ? 'header' : place === 'table' ? '.peers' : '.plots';
      await page.locator(where).evaluate((element) => element.scrollIntoView());
      await page.waitForTimeout(1_000);
      await session.send('Performance.enable');
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
