import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import type { SessionOptions } from '../../web-player/playback/session.ts';
import type { Line } from './line.ts';
import type { PageCalls, PageStats } from './playback-in-page.ts';
import type { Stage } from './stage.ts';

/** One script with the session in it, for a page that has nothing else. */
export async function playbackScript(): Promise<string> {
  const entry = join(import.meta.dirname, 'playback-in-page.ts');
  const lib = { entry, formats: ['iife' as const], name: 'playbackInPage' };
  const made = await build({ configFile: false, logLevel: 'error', build: { write: false, minify: false, lib } });
  const output = (Array.isArray(made) ? made[0] : made) as { output: { code: string }[] };
  return output.output[0]?.code ?? '';
}

export interface PlaybackOptions extends Partial<SessionOptions> {
  /** Run in the page before anything else. */
  readonly before?: () => void;
  /** The viewer's line. */
  readonly line?: Line;
}

/** A page with a session and a video element alone: how it plays, without what people see. */
export class PlaybackPage {
  readonly page: Page;
  /** Addresses of all WebSockets it has opened. */
  readonly sockets: string[] = [];
  readonly requests: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('websocket', (socket) => this.sockets.push(socket.url()));
    page.on('request', (request) => this.requests.push(request.url()));
  }

  static async open(
    browser: Browser,
    script: string,
    stage: Stage,
    { before, line, ...options }: PlaybackOptions & { readonly stream: string },
  ): Promise<PlaybackPage> {
    const context = await browser.newContext(
      line === undefined ? {} : { proxy: { server: line.url, bypass: '<-loopback>' } },
    );
    const page = await context.newPage();
    if (before !== undefined) await page.addInitScript(before);
    // The tracker's origin, of which nothing else is used.
    await page.goto(`${stage.tracker.url}/api/streams`);
    await page.setContent('<!doctype html><video muted playsinline></video>');
    const playback = new PlaybackPage(page);
    await page.addScriptTag({ content: script });
    await playback.call('open', { tracker: stage.tracker.wsUrl, mode: 'ins', ...options });
    return playback;
  }

  call<K extends keyof PageCalls>(
    name: K,
    ...values: Parameters<PageCalls[K]>
  ): Promise<Awaited<ReturnType<PageCalls[K]>>> {
    return this.page.evaluate(
      ([called, given]) =>
        (window as unknown as { calls: Record<string, (...v: unknown[]) => never> }).calls[called]!(...given),
      [name, values] as const,
    );
  }

  stats(): Promise<PageStats> {
    return this.call('stats');
  }

  events(): Promise<ReturnType<PageCalls['events']>> {
    return this.call('events');
  }

  /** Waits until the figures satisfy; the page's own function, so it may use nothing from outside. */
  async until(satisfies: (stats: PageStats) => boolean, timeout = 15_000): Promise<void> {
    const source = `(${satisfies.toString()})(window.calls.stats())`;
    await this.page.waitForFunction(source, undefined, { timeout, polling: 50 }).catch(async (error: Error) => {
      const seen = [await this.stats(), await this.call('state')].map((one) => JSON.stringify(one));
      throw new Error(`${error.message}\n${satisfies}\n${seen.join('\n')}`);
    });
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}
