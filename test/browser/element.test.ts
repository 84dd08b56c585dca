import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningSource } from '../../source-server/node/source.ts';
// Brings `inswarm-player` among the elements with it.
import type {} from '../../web-player/element/inswarm-player.ts';
import { launchChromium } from '../support/browser.ts';
import { type Look, violations } from './axe.ts';
import { buildPage, pageUrl, Stage, Viewer } from './stage.ts';

let built: Awaited<ReturnType<typeof buildPage>>;
let browser: Browser;
let stage: Stage;
let source: RunningSource;
const viewers: Viewer[] = [];

beforeAll(async () => {
  [built, browser] = await Promise.all([buildPage(), launchChromium()]);
  stage = await Stage.open(built.folder);
  source = await stage.source();
});

afterEach(async () => {
  for (const viewer of viewers.splice(0)) await viewer.close();
});

afterAll(async () => {
  await stage?.close();
  await browser?.close();
  await built?.remove();
});

async function view(url: string, options: Parameters<typeof Viewer.open>[2] = {}): Promise<Viewer> {
  const viewer = await Viewer.open(browser, url, options);
  viewers.push(viewer);
  return viewer;
}

const DARK_DESK: Look = { size: 'desk', colorScheme: 'dark' };
const LIGHT_DESK: Look = { size: 'desk', colorScheme: 'light' };
const DARK_PHONE: Look = { size: 'phone', colorScheme: 'dark' };
const LIGHT_PHONE: Look = { size: 'phone', colorScheme: 'light' };

/** How far things on the page have moved by themselves so far; those that a press moved are left out. */
function shifted(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        new PerformanceObserver((list, observer) => {
          observer.disconnect();
          const shifts = list.getEntries() as unknown as readonly {
            readonly value: number;
            readonly hadRecentInput: boolean;
          }[];
          resolve(shifts.reduce((sum, { value, hadRecentInput }) => sum + (hadRecentInput ? 0 : value), 0));
        }).observe({ type: 'layout-shift', buffered: true });
        window.setTimeout(() => resolve(0), 300);
      }),
  );
}

describe('what people see of the player', () => {
  it('has nothing that bars anybody (WCAG 2.2 AA, by axe), in all its states; and nothing on the page jumps', async () => {
    const viewer = await view(`${pageUrl(stage, source.stream, 'hybrid')}&panel=open`);
    const { page } = viewer;
    await page.getByText('Test pattern').first().waitFor();
    const wrong: string[] = [];
    const look = async (...looks: readonly Look[]): Promise<void> => {
      for (const one of looks) wrong.push(...(await violations(page, one)));
    };
    await look(DARK_DESK, LIGHT_PHONE);
    await page.setViewportSize({ width: 1280, height: 800 });
    await viewer.play(3);
    // Figures that grow by a digit are all that moves; 0.1 is what the web calls good.
    expect(await shifted(page)).toBeLessThan(0.001);
    await look(DARK_DESK, LIGHT_DESK, DARK_PHONE);
    await page.getByRole('button', { name: 'Settings' }).click();
    await look(DARK_DESK);
    await page.getByRole('menuitem', { name: 'Latency' }).click();
    await look(LIGHT_PHONE);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await look(LIGHT_DESK);
    await page.keyboard.press('Escape');
    await page.keyboard.press('s');
    await look(DARK_PHONE);
    expect(wrong).toEqual([]);
    expect(viewer.complaints).toEqual([]);
  });

  it('shows the list of streams, the page without any, and an error as well as that', async () => {
    const empty = await Stage.open(built.folder);
    const nothing = await view(`${empty.tracker.url}/`);
    await nothing.page.getByRole('heading', { name: 'Nothing is on air' }).waitFor();
    const wrong = await violations(nothing.page, LIGHT_DESK);
    await empty.close();
    const second = await stage.source({ ins: [], title: 'Second' });
    const chooser = await view(`${stage.tracker.url}/`);
    await chooser.page.getByRole('heading', { name: 'What do you want to watch?' }).waitFor();
    for (const look of [DARK_DESK, LIGHT_PHONE]) wrong.push(...(await violations(chooser.page, look)));
    const over = await view(pageUrl(stage, second.stream, 'hybrid'));
    await over.play(0.2);
    await over.page.getByRole('heading', { name: 'Also on air' }).waitFor();
    await second.close();
    await over.page.getByText('The stream has ended').waitFor();
    wrong.push(...(await violations(over.page, LIGHT_DESK)));
    expect(wrong).toEqual([]);
  });

  it('is moved through time by keys: back, to the live edge; the link that is shared begins at the moment on screen', async () => {
    const viewer = await view(pageUrl(stage, source.stream, 'ins'));
    const { page } = viewer;
    await viewer.play(7);
    const near = (await viewer.stats()).latencyMs!;
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction((was) => (window.inswarm?.stats().latencyMs ?? 0) > was + 3_000, near);
    await page.keyboard.press('s');
    await page.getByRole('checkbox').check();
    const link = await page.getByRole('textbox', { name: 'Link' }).inputValue();
    const moment = Number(new URL(link).searchParams.get('t'));
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    // The focus is in a closed sheet for a moment yet: its keys are the player's again.
    await page.getByRole('checkbox', { includeHidden: true }).dispatchEvent('keydown', { key: 'End' });
    // How near to live that is depends on how late parts come to a busy machine: near what is aimed at there.
    await page.waitForFunction(() => document.querySelector('inswarm-player')?.session?.isBehind === false);
    expect(new URL(link).searchParams.get('stream')).toBe(source.stream);
    // Within what this viewer keeps; another viewer begins there when the moment is kept for them.
    const onScreen = await page.evaluate(() => Date.now() - window.inswarm!.stats().latencyMs!);
    expect(moment).toBeLessThan(onScreen / 1_000);
    expect(moment).toBeGreaterThan(onScreen / 1_000 - 60);
  });

  it('has a menu of captions where there are some, and c for them', async () => {
    const viewer = await view(pageUrl(stage, source.stream, 'ins'));
    const { page } = viewer;
    await viewer.play(0.5);
    const mode = (): Promise<string> => page.evaluate(() => window.inswarm!.video.textTracks[0]!.mode);
    await page.evaluate(() => {
      window.inswarm!.video.addTextTrack('captions', 'English', 'en').mode = 'hidden';
    });
    await page.getByRole('button', { name: 'Captions' }).waitFor();
    await page.keyboard.press('c');
    expect(await mode()).toBe('showing');
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('menuitem', { name: 'Captions' }).click();
    await page.getByRole('menuitemradio', { name: 'Off' }).click();
    expect(await mode()).toBe('hidden');
  });

  it('offers the sound where the browser took it away; who watches goes on watching when an attribute opens another session', async () => {
    const viewer = await view(pageUrl(stage, source.stream, 'ins'));
    const { page } = viewer;
    await viewer.play(0.2);
    await page.evaluate(() => {
      window.inswarm!.video.muted = true;
    });
    await page.getByRole('button', { name: 'Turn the sound on' }).click();
    expect(await page.evaluate(() => window.inswarm!.video.muted)).toBe(false);
    await page.keyboard.press('m');
    await page.getByRole('button', { name: 'Sound on' }).waitFor();
    await page.waitForTimeout(300);
    expect(await page.getByRole('button', { name: 'Turn the sound on' }).count()).toBe(0);
    await page.evaluate(() => {
      document.querySelector('inswarm-player')!.mode = 'hybrid';
    });
    await page.waitForFunction(() => window.inswarm?.stats().peer.mode === 'hybrid');
    await viewer.plays(0.2);
  });

  it('plays without what is loaded later, says it when that cannot be had, and has it when it can', async () => {
    const viewer = await view('about:blank', { viewport: { width: 600, height: 800 } });
    const { page } = viewer;
    const isControls = (url: URL): boolean => url.pathname.includes('controls-chunk');
    const isExtras = (url: URL): boolean => url.pathname.includes('extras-');
    await page.route(isControls, (route) => route.abort());
    await page.route(isExtras, (route) => route.abort());
    await page.goto(pageUrl(stage, source.stream, 'ins'));
    // Play waits for none of it.
    await viewer.play(0.5);
    await page.getByText('Part of the player did not load').waitFor();
    await page.keyboard.press('k');
    await page.waitForFunction(() => window.inswarm?.stats().phase === 'paused');
    await page.unroute(isControls);
    await page.getByRole('button', { name: 'Play (k)' }).waitFor();
    await page.getByText('Part of the player did not load').waitFor({ state: 'hidden', timeout: 1_500 });
    await page.getByRole('button', { name: 'Play (k)' }).click();
    await viewer.plays(0.2);
    // A press is answered, and takes nothing with it that does not come.
    const button = page.getByRole('button', { name: 'What is going on' });
    await button.click();
    await page.getByText('Part of the player did not load').waitFor();
    await page.waitForFunction(() => document.querySelector('inswarm-player')?.panel === 'closed');
    await page.unroute(isExtras);
    // Who presses a second time because nothing comes yet wants it as much.
    let come = (): void => {};
    const held = new Promise<void>((resolve) => {
      come = resolve;
    });
    await page.route(isExtras, (route) => held.then(() => route.continue()));
    const settings = page.getByRole('button', { name: 'Settings' });
    await settings.click();
    await settings.click();
    come();
    await page.getByRole('menu', { name: 'Settings' }).waitFor();
    await settings.click();
    await page.getByRole('menu', { name: 'Settings' }).waitFor({ state: 'hidden' });
    await button.click();
    await page.getByRole('heading', { name: 'Where the video comes from' }).waitFor();
    expect(await page.locator('inswarm-player').getAttribute('panel')).toBe('open');
  });

  it('asks again for what the source’s plain HLS takes where that is allowed and did not come', async () => {
    const viewer = await view('about:blank');
    const { page } = viewer;
    const isChangeover = (url: URL): boolean => url.pathname.includes('changeover-chunk');
    await page.route(isChangeover, (route) => route.abort());
    await page.goto(`${pageUrl(stage, source.stream, 'ins')}&fallback=auto`);
    await viewer.play(0.5);
    expect(viewer.requests.some((url) => isChangeover(new URL(url)))).toBe(true);
    await page.unroute(isChangeover);
    await page.waitForResponse((response) => isChangeover(new URL(response.url())) && response.ok());
    await viewer.plays(0.2);
  });

  it('is played, paused, taken out and put back before what it is handled with has come, and has it once then', async () => {
    const viewer = await view('about:blank', { viewport: { width: 600, height: 800 } });
    const { page } = viewer;
    let come: () => void = () => {};
    const hasCome = new Promise<void>((resolve) => {
      come = resolve;
    });
    await page.route(
      (url) => url.pathname.includes('controls-chunk'),
      async (route) => {
        await hasCome;
        await route.continue();
      },
    );
    await page.goto(pageUrl(stage, source.stream, 'ins'));
    const phase = (wanted: string) => page.waitForFunction((is) => window.inswarm?.stats().phase === is, wanted);
    await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
    await page.keyboard.press('k');
    await viewer.plays(0.2);
    await page.keyboard.press(' ');
    await phase('paused');
    // Beside the big button, which is in the middle.
    await page.locator('inswarm-player video').click({ position: { x: 40, y: 40 } });
    await phase('playing');
    // What has no meaning yet does no harm.
    for (const key of ['m', 'c', 's', '?', 'ArrowLeft']) await page.keyboard.press(key);
    const before = stage.viewersOf(source.stream);
    await page.evaluate(() => {
      const player = document.querySelector('inswarm-player')!;
      Object.assign(window, { player, place: player.parentElement });
      player.remove();
    });
    await expect.poll(() => stage.viewersOf(source.stream)).toBe(before - 1);
    const putBack = (): Promise<void> =>
      page.evaluate(() => {
        const { place, player } = window as unknown as { place: HTMLElement; player: HTMLElement };
        place.append(player);
      });
    await putBack();
    await viewer.plays(0.2);
    await page.evaluate(() => document.querySelector('inswarm-player')!.remove());
    const loaded = page.waitForResponse((response) => response.url().includes('controls-chunk'));
    come();
    await loaded;
    await page.waitForTimeout(300);
    await putBack();
    await viewer.plays(0.2);
    await page.getByRole('button', { name: 'Pause (k)' }).waitFor({ state: 'attached' });
    expect(await page.locator('inswarm-player .controls').count()).toBe(1);
    await page.keyboard.press('m');
    await page.waitForFunction(() => window.inswarm?.video.muted === true);
    await page.keyboard.press('k');
    await phase('paused');
    expect(viewer.complaints).toEqual([]);
  });

  it('copies a report that holds no address of anybody', async () => {
    const viewer = await view(`${pageUrl(stage, source.stream, 'hybrid')}&panel=open`, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await viewer.play(0.5);
    await viewer.page.getByRole('button', { name: 'Copy report' }).click();
    await viewer.page.getByText('The report is copied').waitFor();
    const text = await viewer.page.evaluate(() => navigator.clipboard.readText());
    const report = JSON.parse(text);
    expect(report).toMatchObject({ inswarm: 1, player: { stream: source.stream, phase: 'playing' } });
    expect(report.links.length).toBeGreaterThan(1);
    expect(text).not.toMatch(/127\.0\.0\.1|wss?:\/\//);
  });

  it('makes a report where no panel was opened, also before the picture', async () => {
    const { page } = await view(pageUrl(stage, source.stream, 'ins'));
    const text = await page.evaluate(() => document.querySelector('inswarm-player')!.report());
    expect(JSON.parse(text)).toMatchObject({ inswarm: 1, player: { stream: source.stream, phase: 'idle' } });
  });
});

describe('<inswarm-player> on a page of somebody else', () => {
  it('plays beside another, has keys of its own, leaves the swarm when it is taken out, and begins anew when it is put back', async () => {
    const viewer = await view(`${stage.tracker.url}/?stream=short`);
    const { page } = viewer;
    const before = stage.viewersOf(source.stream);
    await page.evaluate(
      ([tracker, stream]) => {
        for (const id of ['one', 'two']) {
          const player = document.createElement('inswarm-player');
          Object.assign(player, { id, mode: 'ins', autoplay: true });
          player.addEventListener('started', ({ detail }) => {
            player.dataset.startup = String(detail.startupDelayMs);
          });
          document.body.append(player);
          // Two attributes that come one after the other open one session.
          player.tracker = tracker!;
          player.stream = stream!;
          player.muted = true;
        }
      },
      [`${stage.tracker.wsUrl}/`, source.stream],
    );
    const phases = (phase: string, id: string) =>
      page.waitForFunction(
        ([wanted, which]) =>
          document.querySelector<HTMLElementTagNameMap['inswarm-player']>(`#${which}`)?.stats()?.phase === wanted,
        [phase, id] as const,
      );
    await phases('playing', 'one');
    await phases('playing', 'two');
    await page.locator('#two[data-startup]').waitFor();
    expect(stage.viewersOf(source.stream)).toBe(before + 2);
    // Two players: keys without focus are nobody's.
    await page.keyboard.press('k');
    await page.locator('#two').getByRole('button', { name: 'Live' }).focus();
    await page.keyboard.press('k');
    await phases('paused', 'two');
    await phases('playing', 'one');
    await page.evaluate(() => {
      const one = document.getElementById('one')!;
      // A move is no leaving.
      document.body.prepend(one);
      document.getElementById('two')!.remove();
    });
    await expect.poll(() => stage.viewersOf(source.stream)).toBe(before + 1);
    await phases('playing', 'one');
    await page.evaluate(() => {
      const one = document.getElementById('one')!;
      one.remove();
      window.setTimeout(() => document.body.append(one), 100);
    });
    await phases('starting', 'one');
    await phases('playing', 'one');
    expect(viewer.complaints).toEqual([]);
  });

  it('says what is wrong with its attributes, and where media cannot be put together offers the plain HLS', async () => {
    const before = (): void => {
      for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource'])
        Reflect.deleteProperty(globalThis, name);
    };
    const { page } = await view(`${stage.tracker.url}/?stream=short`, { before });
    await page.evaluate(
      ([tracker]) => {
        const player = document.createElement('inswarm-player');
        player.addEventListener('error', ({ detail }) => {
          player.dataset.error = detail.code;
        });
        player.tracker = tracker!;
        document.body.append(player);
      },
      [stage.tracker.wsUrl],
    );
    await page.getByText('No stream is named').waitFor();
    await page.locator('inswarm-player[data-error=settings]').waitFor();
    await page.evaluate(
      ([stream]) => {
        const player = document.querySelector('inswarm-player')!;
        player.stream = stream!;
        player.fallback = 'https://example.org/live.m3u8';
      },
      [source.stream],
    );
    await page.getByText('no Media Source Extensions').waitFor();
    const link = page.getByRole('link', { name: 'Play plain HLS' });
    expect(await link.getAttribute('href')).toBe('https://example.org/live.m3u8');
    await page.locator('inswarm-player[data-error=unsupported]').waitFor();
  });
});
