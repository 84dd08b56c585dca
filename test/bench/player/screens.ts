import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { InswarmPage } from '../../../web-player/page/window-api.ts';
import { launchChromium } from '../../harness/browser/chromium.ts';
import { type Gate, openGate } from '../../harness/browser/gate.ts';
import { within } from '../../harness/browser/within.ts';
import type { Theatre } from './theatre.ts';
import { WATCH_SCRIPT, type Watched } from './watch-script.ts';

const OPEN_WITHIN_MS = 30_000;
const FIRST_FRAME_WITHIN_MS = 30_000;
const ANSWER_WITHIN_MS = 10_000;
const SIZE = { width: 640, height: 480 };

/** One Chromium; each screen in it is a viewer with connections, cache and process of its own. */
export class Screens {
  private readonly chromium: Browser;
  private readonly open = new Set<Screen>();

  private constructor(chromium: Browser) {
    this.chromium = chromium;
  }

  static async launch(theatre: Theatre): Promise<Screens> {
    return new Screens(await launchChromium({ hosts: ['127.*'], secureOrigins: [theatre.pageUrl] }));
  }

  /** The player's page, loaded and ready for the press. */
  async player(theatre: Theatre, mode: 'ins' | 'hybrid' | 'native'): Promise<Screen> {
    const screen = await this.screen(theatre);
    await screen.page.goto(theatre.streamUrl(mode), { timeout: OPEN_WITHIN_MS });
    await screen.page.waitForFunction('window.inswarm !== undefined', undefined, { timeout: OPEN_WITHIN_MS });
    screen.play = 'inswarm.play()';
    return screen;
  }

  /** hls.js as it comes, in low-latency mode, on the source's own playlist: the manifest is there, and its connection. */
  async plain(theatre: Theatre): Promise<Screen> {
    const screen = await this.screen(theatre);
    await screen.page.setContent('<!doctype html><video muted playsinline width="640"></video>');
    await screen.page.addScriptTag({ path: createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js') });
    await within(OPEN_WITHIN_MS, screen.page.evaluate(preparePlain(theatre.source.hlsUrl)));
    screen.play = 'plain.play()';
    return screen;
  }

  /** A page of the tracker's origin with nothing on it. */
  async empty(theatre: Theatre): Promise<Screen> {
    const screen = await this.screen(theatre);
    await screen.page.goto(`${theatre.pageUrl}/api/streams`, { timeout: OPEN_WITHIN_MS });
    await screen.page.setContent('<!doctype html><body></body>');
    return screen;
  }

  async closeAll(): Promise<void> {
    for (const screen of this.open) await screen.close();
  }

  async close(): Promise<void> {
    await this.closeAll();
    await this.chromium.close();
  }

  private async screen(theatre: Theatre): Promise<Screen> {
    const { host, address } = theatre.home();
    const gate = await openGate(host.transport);
    const proxy = { server: gate.url, bypass: '<-loopback>' };
    const context = await this.chromium.newContext({ viewport: SIZE, reducedMotion: 'reduce', proxy });
    await context.addInitScript(WATCH_SCRIPT);
    const screen = new Screen(context, await context.newPage(), gate, {
      order: (order) => host.order({ ...order, host: address }),
      closed: () => this.open.delete(screen),
    });
    this.open.add(screen);
    return screen;
  }
}

/** Fatal errors are mended as hls.js' documentation has it. */
function preparePlain(hlsUrl: string): string {
  return `new Promise((resolve) => {
    const video = document.querySelector('video');
    const hls = new Hls({ lowLatencyMode: true, autoStartLoad: false });
    hls.on(Hls.Events.ERROR, (_, { fatal, type }) => {
      if (!fatal) return;
      if (type === Hls.ErrorTypes.NETWORK_ERROR) setTimeout(() => hls.startLoad(), 250);
      else hls.recoverMediaError();
    });
    hls.on(Hls.Events.MANIFEST_PARSED, () => resolve());
    hls.attachMedia(video);
    hls.loadSource(${JSON.stringify(hlsUrl)});
    window.plain = { hls, play() { hls.startLoad(-1); video.play().catch(() => {}); } };
  })`;
}

/** For who looks for a fault. */
const STATE = `JSON.stringify(window.inswarm?.stats() ?? [...document.querySelectorAll('video')].map((video) => ({
  ready: video.readyState, at: video.currentTime, buffered: video.buffered.length, paused: video.paused, error: video.error?.message,
})))`;
const COMPLAINTS_MAX = 20;

/** What a screen has around it. */
interface Around {
  order(order: { readonly do: 'hold'; readonly forMs: number } | { readonly do: 'drop' }): void;
  closed(): void;
}

/** A viewer's browser. */
export class Screen {
  readonly page: Page;
  /** What a press on play does. */
  play = '';
  private readonly context: BrowserContext;
  private readonly gate: Gate;
  /** What the page has complained of, the first few. */
  private readonly complaints: string[] = [];
  private readonly around: Around;

  constructor(context: BrowserContext, page: Page, gate: Gate, around: Around) {
    this.context = context;
    this.page = page;
    this.gate = gate;
    this.around = around;
    const complain = (what: string): void => {
      if (this.complaints.length < COMPLAINTS_MAX) this.complaints.push(what);
    };
    page.on('pageerror', (error) => complain(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') complain(message.text());
    });
  }

  /** Nothing comes to it or goes from it for so long; then all of it does. */
  hold(forMs: number): void {
    this.around.order({ do: 'hold', forMs });
  }

  /** All its connections break. */
  drop(): void {
    this.around.order({ do: 'drop' });
  }

  /** Presses play. @returns Ms until the first frame is on screen. @throws Error where none is. */
  async press(): Promise<number> {
    const pressed = this.page.evaluate<number>(`watcher.press(() => ${this.play})`);
    try {
      return await within(FIRST_FRAME_WITHIN_MS, pressed);
    } catch (error) {
      const seen = await this.ask<string>(STATE).catch(() => 'the page does not answer');
      throw new Error(`no picture after ${this.play}: ${seen}; ${this.complaints.join('; ')}`, { cause: error });
    }
  }

  watched(): Promise<Watched> {
    return this.ask<Watched>('watcher.figures()');
  }

  /** What has been seen so far is not counted. */
  forgive(): Promise<void> {
    return this.ask<void>('watcher.forgive()');
  }

  /** Latency as the pixels have it; null where there is no picture. */
  shownLatencyMs(): Promise<number | null> {
    return this.ask<number | null>('watcher.shownLatencyMs()');
  }

  /** What our player says of itself. */
  stats(): Promise<ReturnType<InswarmPage['stats']>> {
    return this.ask('inswarm.stats()');
  }

  ask<T>(script: string): Promise<T> {
    return within(ANSWER_WITHIN_MS, this.page.evaluate<T>(script));
  }

  async close(): Promise<void> {
    this.around.closed();
    await within(ANSWER_WITHIN_MS, this.context.close()).catch(() => undefined);
    await this.gate.close();
  }
}
