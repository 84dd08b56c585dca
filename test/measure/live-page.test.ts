import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LiveBoard } from '../harness/live/board.ts';
import type { LiveCommand } from '../harness/live/model.ts';
import { type RunningLive, startLive } from '../harness/live/node/server.ts';
import { layoutOf } from '../harness/live/page/map/layout.ts';
import { launchChromium } from '../support/browser.ts';
import { type BuiltPage, builtPage } from '../support/built.ts';
import { HAPPENINGS, MadeUpRun, SESSION } from './live-sample.ts';

const VIEWERS = 300;

let built: BuiltPage;
let browser: Browser;
let board: LiveBoard;
let live: RunningLive;
let commands: LiveCommand[];
let run: MadeUpRun;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  [browser, built] = await Promise.all([launchChromium(), builtPage('test/harness/live/page/vite.config.ts')]);
});

afterAll(async () => {
  await browser?.close();
  await built?.remove();
});

beforeEach(async () => {
  board = new LiveBoard();
  commands = [];
  const started = await startLive(board, { onCommand: (command) => commands.push(command) }, { folder: built.folder });
  if (!started.ok) throw new Error(started.why);
  live = started.live;
  board.begin(SESSION);
  run = new MadeUpRun(VIEWERS, 'ins');
  board.beginRun(run.hosts, HAPPENINGS);
});

afterEach(async () => {
  await page?.close();
  await live.close();
  // No script, style or connection that its own policy forbids, and nothing thrown.
  expect(complaints.splice(0)).toEqual([]);
});

async function open(width = 1400, height = 900, before?: (page: Page) => Promise<void>): Promise<void> {
  page = await browser.newPage({ viewport: { width, height } });
  await before?.(page);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('ERR_CONNECTION_REFUSED'))
      complaints.push(message.text());
  });
  await page.goto(live.url);
  await page
    .locator('.badge.live')
    .filter({ hasText: /^Live$/ })
    .waitFor();
}

function play(from: number, until: number): void {
  for (let second = from; second < until; second++) board.second(run.second(second));
}

function rows(): Locator {
  return page.locator('.peers tbody tr:not(.spacer)');
}

async function column(key: string): Promise<string[]> {
  return page.locator(`.peers tbody .cell-${key}`).allInnerTexts();
}

async function names(): Promise<string[]> {
  return page.locator('.peers tbody .cell-name .link').allInnerTexts();
}

async function rowCount(): Promise<number> {
  return Number(await page.locator('.peers table').getAttribute('aria-rowcount')) - 1;
}

function sortBy(label: string): Promise<void> {
  return page.locator('.peers thead').getByRole('button', { name: label, exact: true }).click();
}

describe('the live page', () => {
  it('shows 300 viewers at 1 Hz, of the rows only those that are to be seen', async () => {
    play(0, 20);
    await open();
    expect(await rowCount()).toBe(VIEWERS);
    expect(await rows().count()).toBeLessThan(40);
    for (let second = 20; second < 23; second++) {
      board.second(run.second(second));
      await page.locator('.runs').getByText(`${second} s of 60 s`).waitFor();
    }
    await sortBy('Viewer');
    expect((await names()).slice(0, 2)).toEqual(['viewer 0', 'viewer 1']);
    await page.locator('.scroller').evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await rows().getByText('viewer 299', { exact: true }).waitFor();
  });

  it('shows a run for which hosts are still being prepared, and one to which nobody has come yet', async () => {
    board.second({ ...run.second(0), phase: 'preparing', viewers: [], flows: [] });
    await open();
    await page.locator('.runs').getByText('preparing').waitFor();
    expect(await rowCount()).toBe(VIEWERS);
    expect(await page.locator('.act').getByRole('button', { name: 'Kill' }).isDisabled()).toBe(true);
    play(0, 2);
    await page.locator('.runs').getByText('1 s of 60 s').waitFor();
    await page.locator('.plots').scrollIntoViewIfNeeded();
    await expect.poll(() => page.locator('.plots svg').count()).toBe(8);
  });

  it('sorts by what is pressed, and the other way when it is pressed again', async () => {
    play(0, 30);
    await open();
    const startups = run
      .second(30)
      .viewers.flatMap(({ startupMs }) => (startupMs === null ? [] : [startupMs]))
      .sort((a, b) => b - a);
    await sortBy('Startup');
    expect((await column('startup'))[0]).toBe(`${(startups[0]! / 1000).toFixed(2)}\u00a0s`);
    await sortBy('Startup');
    expect((await column('startup'))[0]).toBe(`${(startups.at(-1)! / 1000).toFixed(2)}\u00a0s`);
    expect(await page.locator('.peers thead .cell-startup').getAttribute('aria-sort')).toBe('ascending');
  });

  it('filters by words and by state', async () => {
    run.leave(10, 'left');
    run.leave(14, 'dead');
    run.throttle(18, 0.25);
    play(0, 20);
    await open();
    const filter = page.getByRole('searchbox');
    await filter.fill('asia browser');
    expect(await rowCount()).toBe(run.hosts.filter(({ kind, region }) => kind === 'browser' && region === 3).length);
    await filter.fill('throttled');
    expect(await names()).toEqual(['viewer 12']);
    await filter.fill('');
    await page.locator('.chip[data-state=dead]').click();
    expect(await names()).toEqual(['viewer 8']);
    await page.locator('.chip[data-state=dead]').click();
    expect(await rowCount()).toBe(VIEWERS);
  });

  it('has buttons for one, for those selected, and for all', async () => {
    play(0, 20);
    await open();
    await sortBy('Viewer');
    await page.getByRole('button', { name: 'kill viewer 3', exact: true }).click();
    await expect.poll(() => commands).toEqual([{ do: 'kill', hosts: [9] }]);
    await page.getByRole('checkbox', { name: 'Select viewer 1', exact: true }).click();
    await page.getByRole('checkbox', { name: 'Select viewer 4', exact: true }).click({ modifiers: ['Shift'] });
    await page.getByText('4 selected').waitFor();
    const act = page.locator('.act');
    await act.getByRole('button', { name: 'Stop' }).click();
    await expect.poll(() => commands.at(-1)).toEqual({ do: 'stop', hosts: [7, 8, 9, 10] });
    await act.getByRole('button', { name: 'Throttle' }).click();
    await page.getByRole('menuitem', { name: '10' }).filter({ hasText: /^10/ }).click();
    await expect.poll(() => commands.at(-1)).toEqual({ do: 'throttle', hosts: [7, 8, 9, 10], to: 0.1 });
    await act.getByRole('button', { name: 'clear' }).click();
    await act.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await act.getByRole('button', { name: 'Kill' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Yes' }).click();
    await expect.poll(() => commands.at(-1)).toMatchObject({ do: 'kill' });
    expect(commands).toHaveLength(4);
    const last = commands.at(-1)!;
    expect(last.do === 'end' ? 0 : last.hosts.length).toBe(VIEWERS);
  });

  it('kills servers and starts them, ends the run, and says what is refused', async () => {
    play(0, 30);
    await open();
    const server = (name: string): Locator => page.locator('.servers li').filter({ hasText: name });
    await server('INS server 0').getByRole('button', { name: 'Kill' }).click();
    await server('INS server 1').getByRole('button', { name: 'Start' }).click();
    await expect
      .poll(() => commands)
      .toEqual([
        { do: 'kill', hosts: [2] },
        { do: 'start', hosts: [3] },
      ]);
    await page.locator('.act').getByRole('button', { name: 'Start' }).click();
    await page.getByText(/Not done: .* cannot be started/).waitFor();
    await page.getByRole('button', { name: 'End and report now' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Yes' }).click();
    await expect.poll(() => commands.at(-1)).toEqual({ do: 'end' });
  });

  it('keeps rows in their places while somebody points at them', async () => {
    play(0, 20);
    await open();
    await sortBy('Behind');
    await rows().nth(2).hover();
    const before = await names();
    play(20, 24);
    await page.getByText('23 s of 60 s').waitFor();
    expect(await names()).toEqual(before);
    await page.mouse.move(5, 5);
    await expect.poll(names).not.toEqual(before);
  });

  it('goes from row to row by keys, beyond those that are in the document, and marks with the space bar', async () => {
    play(0, 20);
    await open();
    await sortBy('Viewer');
    await page.getByRole('checkbox', { name: 'Select viewer 0', exact: true }).focus();
    for (let press = 0; press < 40; press++) await page.keyboard.press('ArrowDown');
    await page.keyboard.press(' ');
    await page.getByText('1 selected').waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Select viewer 40');
    await page.keyboard.press('End');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Select viewer 299');
  });

  it('tells about the host on the map that is pressed', async () => {
    play(0, 20);
    await open();
    const canvas = page.locator('.stage canvas');
    const box = (await canvas.boundingBox())!;
    const { hosts } = layoutOf(run.hosts, SESSION.regions.delaysMs, Math.round(box.width), Math.round(box.height));
    const { x, y } = hosts.get(100)!;
    await canvas.hover({ position: { x, y } });
    expect(await page.locator('.hint').textContent()).toMatch(/^viewer 94: plays$/);
    await canvas.click({ position: { x, y } });
    const card = page.getByRole('complementary');
    expect(await card.textContent()).toContain('Fed by');
    expect(await card.getByRole('heading').textContent()).toBe('viewer 94');
    await card.getByRole('button', { name: 'Close' }).click();
    // With the next frame.
    await card.waitFor({ state: 'hidden' });
  });

  it('that opens late has the plots from the start, of both runs', async () => {
    play(0, 30);
    board.beginRun(new MadeUpRun(VIEWERS, 'native').hosts, []);
    run = new MadeUpRun(VIEWERS, 'native');
    play(0, 25);
    await open();
    const behind = page.locator('.plots figure').filter({ hasText: 'Behind the camera' });
    await behind.scrollIntoViewIfNeeded();
    const lines = await behind
      .locator('path.line')
      .evaluateAll((all) => all.map((line) => [line.getAttribute('class'), line.getAttribute('d')!.split('L').length]));
    expect(lines.map(([style]) => style)).toEqual(['line c0 pale', 'line c1']);
    // From the first who plays on.
    for (const [, points] of lines) expect(points).toBeGreaterThan(18);
    expect(await page.locator('.runs li').allInnerTexts()).toEqual([
      expect.stringMatching(/INS\s+done: half started within/),
      expect.stringMatching(/native\s+24.s of 60.s/),
    ]);
  });

  it('says that the machine is busy, that the run is over, and where the report is', async () => {
    play(0, 14);
    await open();
    board.second({ ...run.second(14), machine: { busy: 0.99, saturatedBy: ['Viewers 3 used all of one processor.'] } });
    const badge = page.locator('.badge.machine');
    await badge.getByText('Machine busy: 99').waitFor();
    await page
      .locator('.notice')
      .getByText(/no result. Viewers 3 used all of one processor.$/)
      .waitFor();
    board.end({ ok: true, text: 'Both runs are done.', files: ['/tmp/out/report.html'] });
    await page.locator('.notice').getByText('Both runs are done.').waitFor();
    expect(await page.locator('.notice code').allInnerTexts()).toEqual(['/tmp/out/report.html']);
    await live.close();
    await expect.poll(() => live.pageCount).toBe(0);
    expect(await page.locator('.badge.live').textContent()).toBe('Over');
    expect(await page.locator('.act').getByRole('button', { name: 'Kill' }).isDisabled()).toBe(true);
  });

  it('says that the connection is lost, where nobody has said goodbye, and keeps what it has shown', async () => {
    play(0, 10);
    await open();
    await live.close();
    await page.locator('.notice').getByText('is lost; trying again').waitFor();
    expect(await rowCount()).toBe(VIEWERS);
    expect(await page.locator('.badge.live').textContent()).toBe('Connection lost');
  });

  it('connects again by itself, and knows what it has missed', async () => {
    play(0, 10);
    let cut = () => {};
    await open(1400, 900, (page) =>
      page.routeWebSocket(/live$/, (socket) => {
        const server = socket.connectToServer();
        cut = () => {
          void server.close();
          void socket.close();
        };
      }),
    );
    cut();
    await page.locator('.badge.live').filter({ hasText: 'Connection lost' }).waitFor();
    play(10, 20);
    await page
      .locator('.badge.live')
      .filter({ hasText: /^Live$/ })
      .waitFor();
    await page.locator('.runs').getByText('19 s of 60 s').waitFor();
    play(20, 21);
    await page.locator('.runs').getByText('20 s of 60 s').waitFor();
  });

  it('fits a phone: nothing sticks out', async () => {
    play(0, 20);
    await open(400, 800);
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(widths[0]).toBeLessThanOrEqual(widths[1]!);
    expect(await page.locator('.happenings li').count()).toBe(HAPPENINGS.length);
  });
});
