import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext } from 'playwright-core';
import { BrowserPlayer } from './browser-player.ts';
import { type ChromiumOptions, launchChromium } from './chromium.ts';
import { Witness, type WitnessOptions } from './witness.ts';

/** What all processes of a Chromium take together. */
export interface ChromiumUsage {
  /** Of the processes that run now, since each started. */
  readonly cpuMs: number;
  /** What is resident, what several share shared out among them; 0 where the system does not tell. */
  readonly memoryBytes: number;
  readonly processes: number;
}

export interface PlayerPlace {
  /** A SOCKS5 proxy that all its connections go through, `socks5://HOST:PORT`, also those to this machine. */
  readonly proxy?: string;
}

/** Nobody looks: a screen is as small as the page lets it be, since Chromium paints it without a graphics card. */
const SIZE = { width: 320, height: 240 };
const CLOSE_WITHIN_MS = 5_000;

/** Starts a Chromium for players and witnesses. */
export async function openBrowsers(options: ChromiumOptions = {}): Promise<Browsers> {
  return new Browsers(await launchChromium(options));
}

/**
 * One Chromium. Each player and witness is a page in a context of its own: with its own cache, its own connections and its own
 * process, as on machines of their own, at a fraction of what a Chromium for each would take.
 */
export class Browsers {
  private readonly chromium: Browser;

  constructor(chromium: Browser) {
    this.chromium = chromium;
  }

  async newPlayer(place: PlayerPlace = {}): Promise<BrowserPlayer> {
    const context = await this.newContext(place);
    return new BrowserPlayer(context, await context.newPage());
  }

  async openWitness(options: WitnessOptions): Promise<Witness> {
    const context = await this.newContext({});
    return Witness.open(context, await context.newPage(), options);
  }

  async usage(): Promise<ChromiumUsage> {
    const session = await this.chromium.newBrowserCDPSession();
    try {
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      const bytes = await Promise.all(processInfo.map(({ id }) => memoryBytes(id)));
      return {
        cpuMs: processInfo.reduce((sum, { cpuTime }) => sum + cpuTime * 1_000, 0),
        memoryBytes: bytes.reduce((sum, one) => sum + one, 0),
        processes: processInfo.length,
      };
    } finally {
      await session.detach().catch(() => undefined);
    }
  }

  /** Ends it and all that is open in it; players that are to take their leave are closed before. */
  async close(): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
    await Promise.race([this.chromium.close(), late]);
  }

  private newContext({ proxy }: PlayerPlace): Promise<BrowserContext> {
    const through = proxy === undefined ? {} : { proxy: { server: proxy, bypass: '<-loopback>' } };
    return this.chromium.newContext({ viewport: SIZE, reducedMotion: 'reduce', ...through });
  }
}

async function memoryBytes(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1_024;
}
