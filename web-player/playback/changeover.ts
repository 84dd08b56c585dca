import type Hls from 'hls.js';
import type { BrowserPeer } from '../../peer/browser/browser-peer.ts';
import { SWARM_URL } from '../loader/swarm-loader.ts';
import type { Changer } from './changers.ts';
import { FallbackRule, type PlayedOut } from './fallback.ts';
import { findHlsUrl } from './plain-hls.ts';

/** A tracker that did not answer is asked for the address again so often, while that is wanted. */
const ASK_AGAIN_MS = 5_000;

/** Where the source's plain HLS is to be had. */
export interface FallbackOptions {
  readonly tracker: string;
  readonly stream: string;
  /** An address, `auto` for what the tracker says, `off` or nothing for never. */
  readonly fallback?: string;
}

export interface Screen {
  readonly bufferMs: number;
  /** The first frame has been shown. */
  readonly started: boolean;
  readonly paused: boolean;
}

export interface ChangeoverEvents {
  /** Ends watching over what plays, calls `change`, and plays the next one. */
  play(next: Hls, change: () => void): void;
  /** What was to be played instead cannot be. */
  failed(url: string): void;
}

/** Changes to the source's plain HLS while nothing comes out of the swarm, where that is allowed, and back. */
export class Changeover {
  playedOut: PlayedOut = 'swarm';
  /** When it last changed, by `performance.now()`. */
  changedAtMs = Number.NEGATIVE_INFINITY;
  private readonly options: FallbackOptions;
  private readonly peer: BrowserPeer;
  private readonly changer: Changer;
  private readonly events: ChangeoverEvents;
  /** Null for nowhere; undefined until somebody has said. */
  private url: string | null | undefined;
  private askedAtMs = Number.NEGATIVE_INFINITY;
  private rule: FallbackRule | undefined;
  private changing = false;
  private closed = false;
  private usefulBytes = 0;

  constructor(options: FallbackOptions, peer: BrowserPeer, changer: Changer, events: ChangeoverEvents) {
    this.options = options;
    this.peer = peer;
    this.changer = changer;
    this.events = events;
  }

  /** The address is asked for while there is somebody to ask. */
  async find(): Promise<void> {
    const { fallback = 'off', tracker, stream } = this.options;
    if (fallback === 'off' || typeof this.url === 'string') return;
    this.askedAtMs = performance.now();
    const found = fallback === 'auto' ? await findHlsUrl(tracker, stream) : fallback;
    // Whoever asked at the same time may have been told.
    if (typeof this.url !== 'string' && found !== undefined) this.url = found;
  }

  /** To be called several times a second once play is pressed. */
  look({ bufferMs, started, paused }: Screen): void {
    const { url, playedOut } = this;
    if (url === null || this.changing || this.closed) return;
    const atMs = performance.now();
    this.rule ??= new FallbackRule(atMs);
    const { streamState, usefulBytes } = this.peer.stats();
    if (usefulBytes > this.usefulBytes) this.rule.came(atMs);
    this.usefulBytes = usefulBytes;
    if (paused) return;
    const onAir = streamState === 'live' || streamState === 'unknown';
    const to = this.rule.look({ playedOut, bufferMs, started, onAir }, atMs);
    if (to === undefined) return;
    if (url !== undefined) void this.changeTo(to, to === 'hls' ? url : SWARM_URL, this.rule);
    else if (atMs - this.askedAtMs > ASK_AGAIN_MS) void this.find();
  }

  /** hls.js has given up: what is plain HLS cannot be had there any more either, and the swarm's player waits for what comes. */
  lost(): void {
    if (this.changing) return;
    this.rule?.failed(performance.now());
    this.play(this.changer.prepareAtOnce(), 'swarm', SWARM_URL);
  }

  close(): void {
    this.closed = true;
  }

  private async changeTo(to: PlayedOut, url: string, rule: FallbackRule): Promise<void> {
    this.changing = true;
    const next = await this.changer.prepare(to, url);
    this.changing = false;
    if (this.closed) {
      this.changer.drop(next);
      return;
    }
    if (next === undefined) {
      rule.failed(performance.now());
      if (to === 'hls') this.events.failed(url);
      return;
    }
    rule.changed();
    this.play(next, to, url);
  }

  private play(next: Hls, to: PlayedOut, url: string): void {
    this.events.play(next, () => {
      this.playedOut = to;
      this.changedAtMs = performance.now();
      this.changer.play(next, to, url);
    });
  }
}
