import { createRequire } from 'node:module';
import type { BrowserContext, Page } from 'playwright-core';
import { within } from './within.ts';
import { WITNESS_PAGE } from './witness-page.ts';

export interface WitnessOptions {
  /** The master playlist of a headless peer's gateway: `gatewayUrl` of a peer that was started with `httpPort`. */
  readonly gatewayUrl: string;
  /** Path of hls.js for pages; the one that is installed by default, as it comes. */
  readonly hlsJs?: string;
}

/** What a plain player shows, by its video element alone. Times in ms. */
export interface WitnessFigures {
  /** From when it was given the playlist to the first frame on screen; null before that. */
  readonly startupDelayMs: number | null;
  /** How often the picture stood for more than 100 ms, and how long all that was, the time that lasts included. */
  readonly freezes: number;
  readonly frozenMs: number;
  readonly isFrozen: boolean;
  /** Unix ms of the beginnings of the last freezes, and how long they were; null while it lasts. */
  readonly lastFreezes: readonly { readonly atMs: number; readonly frozenMs: number | null }[];
  /** Media in the element ahead of what is on screen; how much was played; frames that were shown. */
  readonly bufferMs: number;
  readonly playedMs: number;
  readonly frames: number;
  /** How far behind the camera, by the playlist's dates. */
  readonly latencyMs: number | null;
  /** Fatal errors of hls.js, the first few. */
  readonly errors: readonly string[];
}

const OPEN_WITHIN_MS = 30_000;
const ANSWER_WITHIN_MS = 3_000;

/**
 * An independent player on what a headless peer gives away: hls.js unmodified, in low-latency mode, on a page that has nothing of
 * ours. What it sees is held against what the peer's player model says.
 */
export class Witness {
  private readonly context: BrowserContext;
  private readonly page: Page;

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
  }

  /** Opens it and lets it play at once. */
  static async open(context: BrowserContext, page: Page, options: WitnessOptions): Promise<Witness> {
    const { gatewayUrl, hlsJs = createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js') } = options;
    await page.setContent(WITNESS_PAGE, { timeout: OPEN_WITHIN_MS });
    await page.addScriptTag({ path: hlsJs });
    await page.evaluate(`witness.begin(${JSON.stringify(gatewayUrl)})`);
    return new Witness(context, page);
  }

  /** @throws Error when the page does not answer. */
  sample(): Promise<WitnessFigures> {
    return within(ANSWER_WITHIN_MS, this.page.evaluate<WitnessFigures>('witness.figures()'));
  }

  async close(): Promise<void> {
    await within(ANSWER_WITHIN_MS, this.context.close()).catch(() => undefined);
  }
}
