import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startInsServer } from '../../../ins-server/node/ins-server.ts';
import { silentLog } from '../../../runtime/log.ts';
import { startSource } from '../../../source-server/node/source.ts';
import { startTracker } from '../../../tracker/node/tracker.ts';
import { launchChromium } from '../../harness/browser/chromium.ts';
import { figure } from '../report.ts';
import { type PlayerScenario, pause } from './scenario.ts';

/** Seen from `dist/test/bench/player`. */
const PAGE = join(import.meta.dirname, '../../../web');
const FIRST_PAINT_MS_MAX = 1_000;
/** A hundredth of what is called good: figures grow by a digit, and nothing else moves. */
const SHIFT_MAX = 0.001;
const PLAY_MS = 5_000;
const WITHIN_MS = 30_000;

/** Run in the page: keeps when it first painted, and how far things have moved (Layout Instability, without what a press has moved). */
const WATCH = `
const painted = { firstMs: null, shift: 0 };
new PerformanceObserver((list) => { for (const { name, startTime } of list.getEntries())
  if (name === 'first-contentful-paint') painted.firstMs = startTime; }).observe({ type: 'paint', buffered: true });
new PerformanceObserver((list) => { for (const { value, hadRecentInput } of list.getEntries())
  if (!hadRecentInput) painted.shift += value; }).observe({ type: 'layout-shift', buffered: true });
window.painted = painted;`;

interface Painted {
  readonly firstMs: number;
  readonly shift: number;
}

export const page: PlayerScenario = {
  name: 'page',
  about:
    'the tracker’s page over loopback, nothing in the cache: until something is painted, and what moves after that',
  async run({ quick, result, say }) {
    const keys = mkdtempSync(join(tmpdir(), 'inswarm-bench-'));
    const tracker = await startTracker({ port: 0, playerFolder: PAGE, log: silentLog });
    const ins = await startInsServer({ port: 0 });
    const source = await startSource({
      tracker: tracker.wsUrl,
      ins: [{ url: ins.url, region: '' }],
      input: 'testsrc=320x180',
      title: 'Test pattern',
      keyFile: join(keys, 'source.pem'),
      onEvent: () => {},
    });
    const chromium = await launchChromium();
    try {
      const all: Painted[] = [];
      for (let round = 0; round < (quick ? 2 : 10); round++) {
        const seen = await visit(chromium, `${tracker.url}/?stream=${source.stream}&mode=ins`);
        say(`round ${round + 1}: painted after ${Math.round(seen.firstMs)} ms, moved by ${seen.shift.toFixed(5)}`);
        all.push(seen);
      }
      const first = all.map(({ firstMs }) => firstMs);
      const shifts = all.map(({ shift }) => shift);
      result(figure('first contentful paint', first, 'ms', { atMost: FIRST_PAINT_MS_MAX }));
      result(figure('layout shift, loading and playing', shifts, '', { atMost: SHIFT_MAX }));
    } finally {
      await chromium.close();
      await source.close();
      await ins.close();
      await tracker.close();
      rmSync(keys, { recursive: true, force: true });
    }
  },
};

async function visit(chromium: Browser, url: string): Promise<Painted> {
  const context = await chromium.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    await context.addInitScript(WATCH);
    const tab = await context.newPage();
    await tab.goto(url);
    await until(tab, 'painted.firstMs !== null && window.inswarm !== undefined');
    await tab.evaluate('void inswarm.play()');
    await until(tab, "inswarm.stats().phase === 'playing'");
    await pause(PLAY_MS);
    return await tab.evaluate<Painted>('window.painted');
  } finally {
    await context.close();
  }
}

/** Asked from here: the page's policy lets nobody compile what Playwright would wait with. */
async function until(tab: Page, expression: string): Promise<void> {
  const endAtMs = performance.now() + WITHIN_MS;
  while (!(await tab.evaluate<boolean>(expression))) {
    if (performance.now() > endAtMs) throw new Error(`the page did not come to ${expression}`);
    await pause(50);
  }
}
