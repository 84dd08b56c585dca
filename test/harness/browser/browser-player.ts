import type { BrowserContext, Page } from 'playwright-core';
import type { PlayerFigures, ToldFreeze } from '../../../peer/core/figures.ts';
import type { FreezeEvent, ViewerFigures } from '../agent/programs.ts';
import { within } from './within.ts';

/** What a viewer in a browser says of itself, as others do; and more. */
export interface BrowserSample extends ViewerFigures {
  /** Whether the page has answered; else these are the figures of the time before. */
  readonly isFresh: boolean;
  readonly freezes: number;
  readonly frozenMs: number;
  /** Why it will play no more; null while all is well. */
  readonly failure: string | null;
  /** What the player model makes of the same parts. */
  readonly model: PlayerFigures['model'];
  readonly links: PlayerFigures['links'];
}

const OPEN_WITHIN_MS = 30_000;
const ANSWER_WITHIN_MS = 3_000;
const CLOSE_WITHIN_MS = 3_000;

const NOTHING: PlayerFigures = {
  ...{ state: 'waiting', failure: null, mode: 'ins', part: -1, bufferMs: 0, latencyMs: null },
  ...{ startupDelayMs: null, freezes: 0, frozenMs: 0, lastFreezes: [], dueBlocks: 0, missedBlocks: 0 },
  ...{ bytesFrom: { ins: 0, peers: 0, source: 0 }, usefulBytes: 0, givenBytes: 0, bad: 0, neighbours: 0, ins: null },
  ...{ sentBytes: { data: 0, control: 0 }, receivedBytes: { data: 0, control: 0 } },
  links: { tracker: noLink(), ins: noLink(), peer: noLink() },
  model: { startupDelayMs: null, freezes: 0, frozenMs: 0 },
};

function noLink() {
  return { controlIn: 0, controlOut: 0, dataIn: 0, dataOut: 0 };
}

/** A viewer with a real screen: the tracker's page in a Chromium. */
export class BrowserPlayer {
  /** What the page has complained of, the first few. */
  readonly complaints: string[] = [];
  private readonly context: BrowserContext;
  private readonly page: Page;
  private last = NOTHING;
  /** Unix ms of the newest freeze that was told, and whether its end was. */
  private told: { readonly atMs: number; readonly ended: boolean } = { atMs: 0, ended: true };

  constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.on('pageerror', (error) => this.complain(String(error)));
    page.on('crash', () => this.complain('the page has crashed'));
  }

  /**
   * Loads the page of a stream, `http://TRACKER/?stream=ID&mode=MODE`, until play can be pressed.
   *
   * @throws Error that says what does not come.
   */
  async open(pageUrl: string): Promise<void> {
    await this.page.goto(pageUrl, { timeout: OPEN_WITHIN_MS });
    await this.playButton.waitFor({ timeout: OPEN_WITHIN_MS });
  }

  /** Presses play, as a person does: startup delay counts from here. Returns the Unix ms of the press. */
  async play(): Promise<number> {
    await this.playButton.click({ timeout: OPEN_WITHIN_MS });
    const atMs = Date.now();
    return within(ANSWER_WITHIN_MS, this.page.evaluate<number>(PRESSED)).catch(() => atMs);
  }

  /** What the player says of itself; wanted once a second. Freezes are told once, and once that they are over. */
  async sample(): Promise<BrowserSample> {
    const figures = await within(ANSWER_WITHIN_MS, this.page.evaluate<PlayerFigures | null>(FIGURES)).catch(() => null);
    this.last = figures ?? this.last;
    const { sentBytes, receivedBytes, mode: _mode, givenBytes: _given, ins: _ins, lastFreezes, ...rest } = this.last;
    const events = figures === null ? [] : this.untold(lastFreezes);
    return { kind: 'viewer', ...rest, sent: sentBytes, received: receivedBytes, events, isFresh: figures !== null };
  }

  /** Closes the page as a person does: the player takes its leave. */
  async close(): Promise<void> {
    const left = this.page.goto('about:blank').then(() => this.context.close());
    await within(CLOSE_WITHIN_MS, left).catch(() => undefined);
    await within(CLOSE_WITHIN_MS, this.context.close()).catch(() => undefined);
  }

  /** The page's process is killed: its connections break without a word. */
  async kill(): Promise<void> {
    const session = await this.context.newCDPSession(this.page);
    const crashed = new Promise<void>((resolve) => this.page.once('crash', () => resolve()));
    session.send('Page.crash').catch(() => undefined);
    await within(CLOSE_WITHIN_MS, crashed).catch(() => undefined);
    await within(CLOSE_WITHIN_MS, this.context.close()).catch(() => undefined);
  }

  private get playButton() {
    return this.page.getByRole('button', { name: 'Play', exact: true });
  }

  private untold(freezes: readonly ToldFreeze[]): FreezeEvent[] {
    const events: FreezeEvent[] = [];
    for (const { atMs, frozenMs } of freezes) {
      if (atMs < this.told.atMs || (atMs === this.told.atMs && this.told.ended)) continue;
      if (atMs > this.told.atMs) events.push({ kind: 'freeze', atMs });
      if (frozenMs !== null) events.push({ kind: 'resumed', atMs: atMs + frozenMs, frozenMs });
      this.told = { atMs, ended: frozenMs !== null };
    }
    return events;
  }

  private complain(what: string): void {
    if (this.complaints.length < COMPLAINTS_MAX) this.complaints.push(what);
  }
}

const COMPLAINTS_MAX = 20;
/** In the page: see `web-player/window-api.ts`. */
const PRESSED = 'Date.now() - inswarm.stats().sincePressMs';
const FIGURES = 'window.inswarm?.figures() ?? null';
