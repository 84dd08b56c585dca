import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type RunningInsServer, startInsServer } from '../../ins-server/node/ins-server.ts';
import { type PeerConfig, type RunningPeer, startPeer } from '../../peer/node/peer.ts';
import { streamIdFromText } from '../../protocol/names.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import { silentLog } from '../../runtime/log.ts';
import { findFfmpeg } from '../../source-server/node/media/ffmpeg.ts';
import {
  type RunningSource,
  type SourceConfig,
  type SourceShellEvent,
  startSource,
} from '../../source-server/node/source.ts';
import { startTracker, type TrackerServer } from '../../tracker/node/tracker.ts';
// Brings `window.inswarm` with it.
import type { InswarmPage } from '../../web-player/page/window-api.ts';
import { type BuiltPage, builtPage } from '../support/built.ts';

/** The player page. */
export function buildPage(): Promise<BuiltPage> {
  return builtPage('web-player/page/vite.config.ts');
}

/** A tracker with the player page, an INS server, and as many sources and peers as a test starts; all in this process. */
export class Stage {
  readonly tracker: TrackerServer;
  readonly ins: RunningInsServer;
  private readonly keys: string;
  private readonly closers: (() => Promise<unknown>)[];
  private sources = 0;

  private constructor(tracker: TrackerServer, ins: RunningInsServer, keys: string) {
    this.tracker = tracker;
    this.ins = ins;
    this.keys = keys;
    this.closers = [() => tracker.close(), () => ins.close(), () => rm(keys, { recursive: true, force: true })];
  }

  static async open(playerFolder?: string): Promise<Stage> {
    const keys = await mkdtemp(join(tmpdir(), 'inswarm-keys-'));
    const tracker = await startTracker({
      port: 0,
      ...(playerFolder === undefined ? {} : { playerFolder }),
      log: silentLog,
    });
    return new Stage(tracker, await startInsServer({ port: 0 }), keys);
  }

  /** A small test pattern on air, its INS server fed, once the first part is there. */
  async source(options: Partial<SourceConfig> = {}): Promise<RunningSource> {
    let told: (event: SourceShellEvent) => void = () => {};
    const ready = new Promise<void>((resolve, reject) => {
      told = (event) => {
        if (event.kind === 'ready') resolve();
        if (event.kind === 'failed') reject(new Error(event.why));
      };
    });
    const source = await startSource({
      tracker: this.tracker.wsUrl,
      ins: [{ url: this.ins.url, region: '' }],
      input: 'testsrc=320x180',
      title: 'Test pattern',
      keyFile: this.newKeyFile(),
      onEvent: (event) => told(event),
      ...options,
    });
    this.closers.unshift(() => source.close());
    await ready;
    return source;
  }

  newKeyFile(): string {
    return join(this.keys, `source-${++this.sources}.pem`);
  }

  async peer(stream: string, options: Partial<PeerConfig> = {}): Promise<RunningPeer> {
    const config = { tracker: this.tracker.wsUrl, stream: streamIdFromText(stream)!, mode: 'hybrid' } as const;
    const peer = await startPeer({ ...config, ...options });
    this.closers.unshift(() => peer.close());
    return peer;
  }

  /** How many viewers the tracker counts. */
  viewersOf(stream: string): number {
    const id = streamIdFromText(stream)!;
    const report = this.tracker.stats().streams.find((one) => Buffer.from(one.stream).equals(id));
    return report?.viewers ?? 0;
  }

  async close(): Promise<void> {
    for (const close of this.closers) await close();
  }
}

/** For who looks for a fault. */
const STATE = `JSON.stringify({
  events: window.inswarm?.events.slice(-10), stats: window.inswarm?.stats(),
  video: ((video) => video && [video.readyState, video.currentTime, video.paused, video.seeking, video.error?.message,
    ...Array.from({ length: video.buffered.length }, (_, at) => [video.buffered.start(at), video.buffered.end(at)])])(window.inswarm?.video),
})`;

/** A page of the player, with what it has asked the network for and what it has complained about. */
export class Viewer {
  readonly page: Page;
  readonly sockets: string[] = [];
  readonly requests: string[] = [];
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('websocket', (socket) => this.sockets.push(socket.url()));
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions & { readonly before?: () => void } = {},
  ): Promise<Viewer> {
    const { before, ...context } = options;
    const page = await browser.newPage(context);
    if (before !== undefined) await page.addInitScript(before);
    const viewer = new Viewer(page);
    await page.goto(url);
    return viewer;
  }

  /** Presses play and waits until the picture has moved for so many seconds. */
  async play(seconds = 2): Promise<void> {
    await this.page.getByRole('button', { name: 'Play', exact: true }).click();
    await this.plays(seconds);
  }

  /** Waits until the picture moves, and has moved for so many seconds from now on. */
  async plays(seconds = 2): Promise<void> {
    try {
      await this.page.waitForFunction(() => window.inswarm?.stats().phase === 'playing');
      const from = await this.currentTime();
      await this.page.waitForFunction(
        ([start, more]) => window.inswarm!.video.currentTime > start! + more!,
        [from, seconds],
      );
    } catch (error) {
      const seen = await this.page.evaluate(STATE).catch(() => 'the page does not answer');
      throw new Error(`${(error as Error).message}: ${seen}; ${this.complaints.join('; ')}`, { cause: error });
    }
  }

  currentTime(): Promise<number> {
    return this.page.evaluate(() => window.inswarm!.video.currentTime);
  }

  stats(): Promise<ReturnType<InswarmPage['stats']>> {
    return this.page.evaluate(() => window.inswarm!.stats());
  }

  close(): Promise<void> {
    return this.page.close();
  }
}

/** Address of a stream's page. */
export function pageUrl(stage: Stage, stream: string, mode: Mode): string {
  return `${stage.tracker.url}/?stream=${stream}&mode=${mode}`;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Publishes a test pattern over RTMP, as OBS does, until `stop`. */
export async function publish(address: string): Promise<{ stop(): Promise<void> }> {
  const { path } = await findFfmpeg();
  const input = '-re -f lavfi -i testsrc2=size=160x90:rate=25 -f lavfi -i sine=frequency=440:sample_rate=48000';
  const coding = '-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -c:a aac -f flv';
  const start = (): ChildProcess =>
    spawn(path, ['-v', 'error', '-nostdin', ...input.split(' '), ...coding.split(' '), address], { stdio: 'ignore' });
  let stopped = false;
  let child = start();
  // The source may not listen yet: a publisher tries again, as OBS does.
  const watch = (): void => {
    child.once('exit', () => {
      if (stopped) return;
      setTimeout(() => {
        if (stopped) return;
        child = start();
        watch();
      }, 300);
    });
  };
  watch();
  return {
    async stop() {
      stopped = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
