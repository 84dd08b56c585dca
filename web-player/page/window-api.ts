import type { PlayerFigures } from '../../peer/core/figures.ts';
import { figuresOf } from '../playback/figures.ts';
import type { Session, SessionStats } from '../playback/session.ts';

/**
 * `window.inswarm`: the page as scripts and tests see it. It is there as soon as the page has a stream to play.
 *
 * ```js
 * await inswarm.play();                  // what the play button does
 * inswarm.figures().startupDelayMs;      // the measures, in the words of headless peers, see PlayerFigures
 * inswarm.stats().decodedFrames;         // all figures of the page, see SessionStats
 * inswarm.stats().peer.bytesFrom.ins;    // bytes by where they came from
 * inswarm.stats().peer.links;            // every connection of the page
 * inswarm.events;                        // what has happened so far, oldest first, the last 500
 * ```
 */
export interface InswarmPage {
  play(): Promise<void>;
  pause(): void;
  goLive(): void;
  /** The video element, which is inside of the player's element. */
  readonly video: HTMLVideoElement;
  stats(): SessionStats;
  figures(): PlayerFigures;
  /** Each with the time it happened, in Unix ms. */
  readonly events: readonly InswarmEvent[];
}

export interface InswarmEvent {
  readonly atMs: number;
  readonly kind: string;
  readonly [detail: string]: unknown;
}

declare global {
  interface Window {
    inswarm?: InswarmPage;
  }
}

const EVENTS_MAX = 500;

export function exposePage(session: Session, video: HTMLVideoElement): void {
  const events: InswarmEvent[] = [];
  session.onPeerEvent((event) => {
    events.push({ atMs: Date.now(), ...event });
    if (events.length > EVENTS_MAX) events.shift();
  });
  window.inswarm = {
    play: () => session.play(),
    pause: () => session.pause(),
    goLive: () => session.goLive(),
    video,
    stats: () => session.stats(),
    figures: () => figuresOf(session),
    events,
  };
}
