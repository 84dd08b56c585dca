import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningPeer } from '../../peer/node/peer.ts';
import type { RunningSource } from '../../source-server/node/source.ts';
// Brings `window.inswarm` with it.
import type {} from '../../web-player/page/window-api.ts';
import { launchChromium } from '../support/browser.ts';
import { buildPage, freePort, pageUrl, publish, Stage, Viewer } from './stage.ts';

/** The script that has what it takes to ask neighbours. */
const NATIVE_SIDE = /\/native-side-[^/]*\.js$/;
/** The script that has what it takes to choose among renditions. */
const QUALITY_SIDE = /\/quality-side-[^/]*\.js$/;
/** The script that has what it takes to seek back. */
const PAST_SIDE = /\/past-side-[^/]*\.js$/;

let built: Awaited<ReturnType<typeof buildPage>>;
let browser: Browser;
const viewers: Viewer[] = [];

beforeAll(async () => {
  [built, browser] = await Promise.all([buildPage(), launchChromium()]);
});

afterEach(async () => {
  for (const viewer of viewers.splice(0)) await viewer.close();
});

afterAll(async () => {
  await browser?.close();
  await built?.remove();
});

async function view(url: string, options: Parameters<typeof Viewer.open>[2] = {}): Promise<Viewer> {
  const viewer = await Viewer.open(browser, url, options);
  viewers.push(viewer);
  return viewer;
}

describe('a page with a stream, a source, an INS server and a headless peer', () => {
  let stage: Stage;
  let source: RunningSource;
  let peer: RunningPeer;

  beforeAll(async () => {
    stage = await Stage.open(built.folder);
    source = await stage.source();
    peer = await stage.peer(source.stream);
  });

  afterAll(() => stage?.close());

  it('INS mode: plays, speaks to the tracker and the INS server alone, and sends no block', async () => {
    const viewer = await view(pageUrl(stage, source.stream, 'ins'));
    await viewer.play();
    // A busy machine decodes fewer frames a second than it is shown.
    await viewer.page.waitForFunction(() => (window.inswarm?.stats().decodedFrames ?? 0) > 20);
    const stats = await viewer.stats();
    expect(stats).toMatchObject({ phase: 'playing', fatalErrors: 0, failure: null, title: 'Test pattern' });
    expect(stats.startupDelayMs).toBeGreaterThan(0);
    expect(stats.latencyMs).toBeGreaterThan(0);
    const { bytesFrom, wire, links, hash, signatures } = stats.peer;
    expect(bytesFrom.ins).toBeGreaterThan(20_000);
    expect([bytesFrom.peers, bytesFrom.source, wire.dataOut, stats.peer.givenBytes]).toEqual([0, 0, 0, 0]);
    expect([hash, signatures]).toEqual(['wasm', 'webcrypto']);
    expect(links.map(({ to }) => to).sort()).toEqual(['ins', 'tracker']);
    expect(viewer.sockets.sort()).toEqual([`${stage.tracker.wsUrl}/`, `${stage.ins.url}/`].sort());
    const elsewhere = viewer.requests.filter((url) => !url.startsWith(stage.tracker.url) && !url.startsWith('blob:'));
    expect([elsewhere, viewer.complaints]).toEqual([[], []]);
    // What it takes to ask neighbours is not even loaded.
    expect(viewer.requests.filter((url) => NATIVE_SIDE.test(url))).toEqual([]);
    await viewer.page.getByText('No other viewer learns your address').waitFor();
  });

  it('native mode: plays what it takes from the peers it dials, says that they see its address, and tells their mode', async () => {
    const viewer = await view(pageUrl(stage, source.stream, 'native'));
    await viewer.play();
    const { fatalErrors, peer: stats } = await viewer.stats();
    expect([fatalErrors, stats.bytesFrom.ins]).toEqual([0, 0]);
    expect(stats.bytesFrom.peers).toBeGreaterThan(10_000);
    expect(viewer.sockets).toContain(`${peer.url}/`);
    expect(viewer.sockets).not.toContain(`${stage.ins.url}/`);
    expect(stats.links).toContainEqual(
      expect.objectContaining({ url: peer.url, neighbour: { mode: 'hybrid', source: false, gives: true } }),
    );
    await viewer.page.getByText('see your network address').waitFor();
    await viewer.page.getByText(`${peer.url.slice('ws://'.length)} · hybrid`).waitFor();
  });

  it('INS mode: seeks back to before the page was opened, plays what the INS server keeps of that, and is live again when told', async () => {
    await expect.poll(() => source.stats().part, { timeout: 30_000 }).toBeGreaterThan(48);
    const viewer = await view(pageUrl(stage, source.stream, 'ins'));
    await viewer.play(1);
    const before = await viewer.stats();
    const { page } = viewer;
    const back = await page.evaluate(() => {
      const { video } = window.inswarm!;
      const oldestTaken = video.buffered.start(0) - video.seekable.start(0);
      const from = video.currentTime - video.seekable.start(0);
      video.currentTime = video.seekable.start(0) + 1;
      return { oldestTaken, from, to: video.currentTime, frames: window.inswarm!.stats().decodedFrames };
    });
    // It was opened a moment ago, and the stream is older than that; it began where it was live, and took nothing of what was before.
    expect(back.from).toBeGreaterThan(6);
    expect(back.oldestTaken).toBeGreaterThan(4);
    await page.waitForFunction(({ to, frames }) => {
      const { video } = window.inswarm!;
      return (
        !video.seeking &&
        video.currentTime > to + 1 &&
        video.currentTime < to + 5 &&
        window.inswarm!.stats().decodedFrames > frames + 10
      );
    }, back);
    const { peer, fatalErrors } = await viewer.stats();
    expect([peer.bytesFrom.ins > before.peer.bytesFrom.ins, peer.bytesFrom.peers, peer.bad, fatalErrors]).toEqual([
      true,
      0,
      0,
      0,
    ]);
    await page.evaluate(() => {
      const { video } = window.inswarm!;
      video.currentTime = video.seekable.end(0) - 1;
    });
    await page.waitForFunction((to) => window.inswarm!.video.currentTime > to + 6, back.to);
    await viewer.plays(1);
  });

  it('INS mode: loads what it takes to seek back when that is asked for, and says so and loads it again where it cannot', async () => {
    await expect.poll(() => source.stats().part, { timeout: 30_000 }).toBeGreaterThan(48);
    const viewer = await view(pageUrl(stage, source.stream, 'ins'));
    const { page } = viewer;
    let asked = 0;
    await page.route(PAST_SIDE, (route) => (++asked <= 2 ? route.abort() : route.continue()));
    await viewer.play(1);
    expect(asked).toBe(0);
    const to = await page.evaluate(() => {
      const { video } = window.inswarm!;
      video.currentTime = video.seekable.start(0) + 1;
      return video.currentTime;
    });
    const tells = (kind: string): boolean => window.inswarm!.events.some((event) => event.kind === kind);
    await page.waitForFunction(tells, 'no-past');
    await page.waitForFunction((from) => {
      const { video } = window.inswarm!;
      return !video.seeking && video.currentTime > from + 1 && video.currentTime < from + 5;
    }, to);
    const { fatalErrors, peer: stats } = await viewer.stats();
    expect([asked, stats.bad, fatalErrors]).toEqual([3, 0, 0]);
  });

  it('plays without WebCrypto and WebAssembly, as on a page that is neither https nor localhost', async () => {
    const before = (): void => {
      Object.defineProperty(crypto, 'subtle', { value: undefined });
      Reflect.deleteProperty(globalThis, 'WebAssembly');
    };
    const viewer = await view(pageUrl(stage, source.stream, 'ins'), { before });
    await viewer.play(1);
    const { fatalErrors, peer: stats } = await viewer.stats();
    expect([stats.hash, stats.signatures, stats.bad, fatalErrors]).toEqual(['js', 'js', 0, 0]);
  });

  it('keys: k stops and goes on, m is for the sound; who paused is behind, and l leads back', async () => {
    const { page, ...viewer } = await view(pageUrl(stage, source.stream, 'ins')).then(async (one) => {
      await one.play(1);
      return Object.assign({ page: one.page }, { stats: () => one.stats(), plays: (s: number) => one.plays(s) });
    });
    await page.keyboard.press('m');
    await page.getByRole('button', { name: 'Sound on' }).waitFor();
    expect(await page.evaluate(() => window.inswarm!.video.muted)).toBe(true);
    await page.keyboard.press('k');
    await page.waitForFunction(() => window.inswarm!.stats().phase === 'paused');
    const before = (await viewer.stats()).freezes;
    await page.waitForTimeout(4_000);
    await page.keyboard.press('k');
    await page.waitForFunction(() => window.inswarm!.stats().phase === 'playing');
    const { latencyMs: late, freezes } = await viewer.stats();
    // Standing because the viewer said so is no freeze.
    expect(freezes).toBe(before);
    await page.getByRole('button', { name: 'Go live' }).waitFor();
    await page.keyboard.press('l');
    await page.waitForFunction((was) => window.inswarm!.stats().latencyMs! < was! - 2_000, late);
    await viewer.plays(0.1);
    // Nor is a jump.
    expect((await viewer.stats()).freezes).toBe(before);
    await viewer.plays(1);
  });

  it('goes on after its timers came late, as in a hidden page or after a nap', async () => {
    const viewer = await view(pageUrl(stage, source.stream, 'ins'));
    await viewer.play(0.5);
    await viewer.page.evaluate(() => {
      const endAtMs = performance.now() + 3_000;
      while (performance.now() < endAtMs);
    });
    await viewer.plays(1);
    // The tracker may have given the page up meanwhile; it joins again by itself.
    await viewer.page.waitForFunction(() => window.inswarm!.stats().peer.trackerUp);
    const { fatalErrors, peer: stats } = await viewer.stats();
    expect([fatalErrors, stats.ins]).toEqual([0, stage.ins.url]);
  });

  it('is forgotten by the tracker when it is closed', async () => {
    const before = stage.viewersOf(source.stream);
    const viewer = await view(pageUrl(stage, source.stream, 'ins'));
    await viewer.play(0.2);
    expect(stage.viewersOf(source.stream)).toBe(before + 1);
    await viewer.page.close({ runBeforeUnload: false });
    await expect.poll(() => stage.viewersOf(source.stream), { timeout: 10_000 }).toBe(before);
  });

  it('native mode: says so where what it takes to ask peers cannot be loaded', async () => {
    const viewer = await view('about:blank');
    await viewer.page.route(NATIVE_SIDE, (route) => route.abort());
    await viewer.page.goto(pageUrl(stage, source.stream, 'native'));
    await viewer.page.getByText('to ask other viewers could not be loaded').waitFor();
    expect((await viewer.stats()).phase).toBe('failed');
  });

  it('hybrid mode: goes on from the INS server where what it takes to ask peers cannot be loaded, and says that it cannot', async () => {
    const viewer = await view(pageUrl(stage, source.stream, 'hybrid'));
    await viewer.page.route(NATIVE_SIDE, (route) => route.abort());
    await viewer.play(1);
    const tells = (kind: string): boolean => window.inswarm!.events.some((event) => event.kind === kind);
    await viewer.page.waitForFunction(tells, 'no-neighbours');
    await viewer.plays(1);
    const { fatalErrors, peer: stats } = await viewer.stats();
    expect([fatalErrors, stats.links.map(({ to }) => to).sort()]).toEqual([0, ['ins', 'tracker']]);
  });

  it('hybrid mode: plays from the INS server, and when that is gone from peers, and says so', async () => {
    const viewer = await view(pageUrl(stage, source.stream, 'hybrid'));
    let letIn = (): void => {};
    const held = new Promise<void>((resolve) => {
      letIn = resolve;
    });
    await viewer.page.route(NATIVE_SIDE, async (route) => {
      await held;
      await route.continue();
    });
    await viewer.play();
    // It plays before what it takes to ask peers is there, and dials none.
    expect(viewer.sockets).not.toContain(`${peer.url}/`);
    letIn();
    await expect.poll(() => viewer.sockets, { timeout: 10_000 }).toContain(`${peer.url}/`);
    const { bytesFrom } = (await viewer.stats()).peer;
    expect(bytesFrom.ins).toBeGreaterThan(20_000);
    await stage.ins.close();
    await viewer.page.getByText('The INS server is gone').waitFor();
    const from = await viewer.stats();
    await viewer.plays(3);
    const { peer: stats, fatalErrors } = await viewer.stats();
    const others = ({ peers, source: own }: typeof bytesFrom): number => peers + own;
    expect(others(stats.bytesFrom)).toBeGreaterThan(others(from.peer.bytesFrom) + 20_000);
    expect([stats.ins, fatalErrors]).toEqual([null, 0]);
    const kinds = await viewer.page.evaluate(() => window.inswarm!.events.map(({ kind }) => kind));
    expect(kinds).toEqual(expect.arrayContaining(['joined', 'ins-up', 'ins-lost', 'switched']));
  });
});

describe('the page without a stream in its address', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open(built.folder);
  });

  afterAll(() => stage?.close());

  it('says that nothing is on air, begins with the first stream, and shows several to choose from', async () => {
    const viewer = await view(`${stage.tracker.url}/?mode=ins`);
    await viewer.page.getByRole('heading', { name: 'Nothing is on air' }).waitFor();
    const first = await stage.source({ title: 'First' });
    await viewer.page.getByText('First').first().waitFor();
    await viewer.play(0.2);
    await viewer.close();

    const second = await stage.source({ title: '<b>Second</b>' });
    const chooser = await view(`${stage.tracker.url}/?mode=ins`);
    await chooser.page.getByRole('heading', { name: 'What do you want to watch?' }).waitFor();
    expect(await chooser.page.getByRole('link', { name: 'Live' }).count()).toBe(2);
    await chooser.page.getByRole('link', { name: '<b>Second</b>' }).click();
    await chooser.plays(0.2);
    expect(await chooser.stats()).toMatchObject({ stream: second.stream, peer: { mode: 'ins' } });
    expect(second.stream).not.toBe(first.stream);
    expect(chooser.complaints).toEqual([]);
  });

  it('says what is wrong with a wrong address', async () => {
    const viewer = await view(`${stage.tracker.url}/?stream=short`);
    await viewer.page.getByText('no stream id').waitFor();
    await viewer.page.getByRole('link', { name: 'See what is on air' }).waitFor();
  });
});

describe('a broadcast that is over', () => {
  it('is told; when it begins again, the page plays it by itself', async () => {
    const stage = await Stage.open(built.folder);
    try {
      const keyFile = stage.newKeyFile();
      const source = await stage.source({ keyFile });
      const viewer = await view(pageUrl(stage, source.stream, 'ins'));
      await viewer.play(0.5);
      const { freezes } = await viewer.stats();
      await source.close();
      await viewer.page.getByText('The stream has ended').waitFor();
      await viewer.page.waitForFunction(() => window.inswarm!.stats().phase === 'ended');
      // That a broadcast is over is no fault of the network; what a busy machine did to the start is of before.
      expect(await viewer.stats()).toMatchObject({ freezes, latencyMs: null });
      const again = await stage.source({ keyFile });
      expect(again.stream).toBe(source.stream);
      await viewer.plays(1);
      expect((await viewer.stats()).fatalErrors).toBe(0);
    } finally {
      await stage.close();
    }
  });
});

describe('a broadcast whose last bytes are missing', () => {
  it('is over all the same: the page says so when nothing more can come', async () => {
    const stage = await Stage.open(built.folder);
    try {
      const source = await stage.source();
      // A video element that is never told that all has come waits at the end for more.
      const before = (): void => {
        MediaSource.prototype.endOfStream = () => {};
      };
      const viewer = await view(pageUrl(stage, source.stream, 'ins'), { before });
      await viewer.play(0.5);
      await source.close();
      await viewer.page.getByText('The stream has ended').waitFor();
    } finally {
      await stage.close();
    }
  });
});

describe('a source that is interrupted', () => {
  it('is told in words, before it begins and while it is away; the picture goes on by itself', async () => {
    const stage = await Stage.open(built.folder);
    const address = `rtmp://127.0.0.1:${await freePort()}/live/show`;
    let publisher = await publish(address);
    try {
      const source = await stage.source({ input: address });
      const viewer = await view(pageUrl(stage, source.stream, 'ins'));
      await viewer.play(1);
      await publisher.stop();
      await viewer.page.getByText('The source is interrupted').waitFor();
      await viewer.page.waitForFunction(() => window.inswarm!.stats().phase === 'frozen');
      const late = await view(pageUrl(stage, source.stream, 'ins'));
      await late.page.getByRole('button', { name: 'Play', exact: true }).click();
      // Unless there is enough of the last second to begin with: then it is on, and has stopped.
      await late.page.getByText(/Not on air yet|The source is interrupted/).waitFor();
      publisher = await publish(address);
      await viewer.plays(1);
      await late.plays(1);
      expect([await viewer.stats(), await late.stats()]).toMatchObject([{ fatalErrors: 0 }, { fatalErrors: 0 }]);
    } finally {
      await publisher.stop();
      await stage.close();
    }
  });
});

async function newestParts(viewer: Viewer): Promise<Record<string, number | null>> {
  const { tracks } = (await viewer.stats()).peer;
  return Object.fromEntries(tracks.map(({ name, newestPart }) => [name, newestPart]));
}

describe('a stream with several renditions', () => {
  it('has a quality menu; what is not chosen is not taken', async () => {
    const stage = await Stage.open(built.folder);
    try {
      const source = await stage.source({ input: 'testsrc=432x240', ladder: ['240p', '144p'] });
      const viewer = await view(pageUrl(stage, source.stream, 'ins'));
      await viewer.play(1);
      const { page } = viewer;
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('menuitem', { name: 'Quality' }).click();
      const menu = page.getByRole('menuitemradio');
      expect(await menu.count()).toBe(3);
      await menu.last().click();
      await page.waitForFunction(() => window.inswarm!.video.videoHeight === 144);
      // The rendition that was left is taken for a little longer, in case the change does not come about.
      await viewer.plays(4);
      const before = await newestParts(viewer);
      await viewer.plays(1);
      const after = await newestParts(viewer);
      expect(after['144p']).toBeGreaterThan(before['144p']!);
      expect(after['240p']).toBe(before['240p']);
      expect((await viewer.stats()).fatalErrors).toBe(0);
    } finally {
      await stage.close();
    }
  });

  it('plays on in the rendition it has where what chooses cannot be loaded, says so, and takes what the viewer chooses', async () => {
    const stage = await Stage.open(built.folder);
    try {
      const source = await stage.source({ input: 'testsrc=432x240', ladder: ['240p', '144p'] });
      const viewer = await view(pageUrl(stage, source.stream, 'ins'));
      const { page } = viewer;
      const startedAtMs: (number | null)[] = [];
      await page.route(QUALITY_SIDE, async (route) => {
        startedAtMs.push(await page.evaluate(() => window.inswarm!.stats().peer.model!.startupDelayMs));
        await route.abort();
      });
      await page.evaluate(() => {
        const player = document.querySelector('inswarm-player')!;
        player.addEventListener('error', ({ detail }) => {
          player.dataset.error = detail.code;
        });
      });
      await viewer.play(1);
      await page.locator('inswarm-player[data-error=no-choice]').waitFor();
      // It was not asked for before there was something to play.
      expect(startedAtMs).toEqual([expect.any(Number)]);
      // For longer than it takes to go to the better one, where there is what chooses.
      await viewer.plays(5);
      expect(await page.evaluate(() => window.inswarm!.video.videoHeight)).toBe(144);
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('menuitem', { name: 'Quality' }).click();
      await page.getByRole('menuitemradio', { name: '240p' }).click();
      await page.waitForFunction(() => window.inswarm!.video.videoHeight === 240);
      await viewer.plays(2);
      expect(await viewer.stats()).toMatchObject({ phase: 'playing', fatalErrors: 0, quality: '240p' });
      // Left to the peer again, it stays what it is: there still is nothing that chooses.
      await page.getByRole('button', { name: 'Settings' }).click();
      await page.getByRole('menuitem', { name: 'Quality' }).click();
      await page.getByRole('menuitemradio').first().click();
      await viewer.plays(5);
      expect(await viewer.stats()).toMatchObject({ phase: 'playing', fatalErrors: 0, quality: '240p' });
    } finally {
      await stage.close();
    }
  });
});
