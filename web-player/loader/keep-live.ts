import type Hls from 'hls.js';
import type { Part } from 'hls.js';
import { START_BUFFER_MS } from './player-config.ts';

/** How often it looks; the events of a video element do not tell of a stall that lasts. */
const LOOK_MS = 100;
/** Beyond this distance from the target hls.js no longer catches up by speed (its latency controller). */
const JUMP_BEYOND_S = 1;
/** Two times closer than this are the same: rounding of the media's clocks, and a frame of sound. */
const NEAR_S = 0.06;

/**
 * Keeps a viewer who follows the live edge near it, where hls.js alone does not: jumps over a hole in the stream as soon as there
 * is something to play behind it, and after a stall back to the latency that was aimed at.
 */
export class KeepLive {
  /** False while the viewer watches something older on purpose. */
  following = true;
  private readonly hls: Hls;
  private readonly video: HTMLVideoElement;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(hls: Hls, video: HTMLVideoElement) {
    this.hls = hls;
    this.video = video;
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** To the live edge, and on with it. */
  goLive(): void {
    this.following = true;
    const position = this.hls.liveSyncPosition;
    if (position !== null) this.video.currentTime = position;
  }

  private look(): void {
    const { video } = this;
    if (video.paused || video.seeking || video.buffered.length === 0) return;
    const behindHole = this.behindHole();
    if (behindHole !== undefined) video.currentTime = behindHole;
    else if (this.following) this.returnToTarget();
  }

  /** Where to go on when playback has come to a hole; undefined when it has not, or nothing is behind it yet. */
  private behindHole(): number | undefined {
    const endS = this.bufferedEnd();
    const details = this.hls.latestLevelDetails;
    const parts = details?.partList;
    if (!parts || endS === undefined || endS - this.video.currentTime > NEAR_S) return undefined;
    const next = parts.find((part) => part.end > endS + NEAR_S);
    if (!next || (!isHole(next) && next.start < endS + NEAR_S)) return undefined;
    const playable = parts.find((part) => part.start > endS - NEAR_S && part.independent && !isHole(part));
    if (!playable || details.edge - playable.start < START_BUFFER_MS / 1_000) return undefined;
    return playable.start + NEAR_S;
  }

  /** Within what is buffered: there the jump costs no wait. */
  private returnToTarget(): void {
    const { hls, video } = this;
    const endS = this.bufferedEnd();
    const tooLateS = hls.latency - (hls.targetLatency ?? Number.POSITIVE_INFINITY);
    if (endS === undefined || !(tooLateS > JUMP_BEYOND_S)) return;
    const position = Math.min(video.currentTime + tooLateS, endS - NEAR_S);
    const gainS = position - video.currentTime;
    if (gainS > JUMP_BEYOND_S / 2) video.currentTime = position;
  }

  /** End of the buffered range that playback is in. */
  private bufferedEnd(): number | undefined {
    const { buffered, currentTime } = this.video;
    for (let i = 0; i < buffered.length; i++) {
      if (buffered.start(i) - NEAR_S <= currentTime && currentTime <= buffered.end(i) + NEAR_S) return buffered.end(i);
    }
    return undefined;
  }
}

function isHole(part: Part): boolean {
  return part.gap;
}
