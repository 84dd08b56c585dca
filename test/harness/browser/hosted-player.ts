import type { Mode } from '../../../protocol/swarm-fields.ts';
import type { Transport } from '../../../runtime/node/transport.ts';
import type { FreezeEvent, ViewerFigures } from '../agent/programs.ts';
import type { BrowserPlayer, BrowserSample } from './browser-player.ts';
import type { ChromiumUsage } from './browsers.ts';
import { openGate } from './gate.ts';
import { SharedBrowsers } from './shared-browsers.ts';
import { within } from './within.ts';

export interface HostedPlayerSpec {
  /** Where the tracker serves its page, `http://HOST:PORT`. */
  readonly trackerUrl: string;
  readonly stream: string;
  readonly mode: Mode;
}

/** A page that takes longer to answer has its last figures told again. */
const ANSWER_WITHIN_MS = 500;
const EVENTS_MAX = 1_000;

/**
 * The players in browsers of one process: one Chromium, opened for the first of them and closed with the last, and a gate of its own
 * for each player, through which its connections leave as those of its host.
 */
export class PlayersHost {
  private readonly shared = new SharedBrowsers();

  /** What Chromium took when this was asked for the time before. */
  get usage(): ChromiumUsage {
    return this.shared.usage;
  }

  /**
   * Loads the page for a viewer and leaves it at that: {@link HostedPlayer.play} is the press on play.
   *
   * @throws Error with one sentence: no Chromium, no page.
   */
  async load(spec: HostedPlayerSpec, transport: Transport): Promise<HostedPlayer> {
    const { trackerUrl, stream, mode } = spec;
    const leaves: (() => Promise<unknown>)[] = [() => this.shared.leave()];
    try {
      const browsers = await this.shared.use({
        hosts: ['127.0.0.1'],
        secureOrigins: [trackerUrl],
        endsOnSignals: false,
      });
      const gate = await openGate(transport);
      leaves.unshift(() => gate.close());
      const player = await browsers.newPlayer({ proxy: gate.url });
      leaves.unshift(() => player.close());
      // It joins at its time, as others do, however long before it was loaded.
      await player.open(`${trackerUrl}/?stream=${stream}&mode=${mode}&preload=none`);
      return new HostedPlayer(player, leaves.slice(1));
    } catch (error) {
      for (const leave of leaves) await leave();
      throw error;
    }
  }
}

/** A viewer in a browser whose figures are at hand: they are those of the last {@link HostedPlayer.refresh}. */
export class HostedPlayer {
  readonly player: BrowserPlayer;
  /** What is to be ended when it has left. */
  private readonly after: readonly (() => Promise<unknown>)[];
  private last: BrowserSample | undefined;
  private events: FreezeEvent[] = [];
  private ending: Promise<void> | undefined;

  constructor(player: BrowserPlayer, after: readonly (() => Promise<unknown>)[]) {
    this.player = player;
    this.after = after;
  }

  /** Presses play. Returns the Unix ms of the press, which startup counts from. */
  async play(): Promise<number> {
    const atMs = await this.player.play();
    this.last = await this.look();
    return atMs;
  }

  /** Asks the page, before figures are wanted; no longer than half a second. */
  async refresh(): Promise<void> {
    if (this.last !== undefined) await within(ANSWER_WITHIN_MS, this.look()).catch(() => undefined);
  }

  /** Undefined before the press. Freezes are told once. */
  figures(): ViewerFigures | undefined {
    if (this.last === undefined) return undefined;
    const events = this.events;
    this.events = [];
    return { ...this.last, events };
  }

  /** Takes its leave. */
  close(): Promise<void> {
    this.ending ??= this.end(() => this.player.close());
    return this.ending;
  }

  /** Is gone without a word. */
  crash(): Promise<void> {
    this.ending ??= this.end(() => this.player.kill());
    return this.ending;
  }

  private async look(): Promise<BrowserSample> {
    const sample = await this.player.sample();
    this.last = sample;
    this.events.push(...sample.events.slice(0, EVENTS_MAX - this.events.length));
    return sample;
  }

  private async end(leave: () => Promise<void>): Promise<void> {
    await leave();
    for (const end of this.after) await end();
  }
}
