import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext } from 'playwright-core';
import { BrowserPlayer } from './browser-player.ts';
import { type ChromiumOptions, launchChromium } from './chromium.ts';
import { Witness, type WitnessOptions } from './witness.ts';

/** What all processes of a Chromium take together. */
export interface ChromiumUsage {
  /** Since it started, of all processes that it has had when somebody asked. */
  readonly cpuMs: number;
  /** Resident: what each has for itself, and once what they share; 0 where the system does not tell. */
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
const PAGE_BYTES = 4_096;

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
  /** By process. */
  private readonly cpuMs = new Map<number, number>();

  constructor(chromium: Browser) {
    this.chromium = chromium;
  }

  async newPlayer(place: PlayerPlace = {}): Promise<BrowserPlayer> {
    const context = await this.newContext(place);
    return new BrowserPlayer(context, await context.newPage());
  }

  async openWitness(options: WitnessOptions): Promise<Witness> {
    const context = await this.newContext({});
    try {
      return await Witness.open(context, await context.newPage(), options);
    } catch (error) {
      await context.close().catch(() => undefined);
      throw error;
    }
  }

  async usage(): Promise<ChromiumUsage> {
    const session = await this.chromium.newBrowserCDPSession();
    try {
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      for (const { id, cpuTime } of processInfo) this.cpuMs.set(id, cpuTime * 1_000);
      const resident = await Promise.all(processInfo.map(({ id }) => residentBytes(id)));
      return {
        cpuMs: [...this.cpuMs.values()].reduce((sum, ms) => sum + ms, 0),
        memoryBytes: resident.reduce((sum, { own }) => sum + own, Math.max(0, ...resident.map(({ shared }) => shared))),
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

/** What Linux tells in pages. */
async function residentBytes(pid: number): Promise<{ readonly own: number; readonly shared: number }> {
  const pages = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
  const [, resident = 0, shared = 0] = pages.split(' ').map((count) => (Number(count) || 0) * PAGE_BYTES);
  return { own: resident - shared, shared };
}
