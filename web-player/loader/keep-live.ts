import type Hls from 'hls.js';
import { Events, type LevelDetails, type Part } from 'hls.js';
import { type Jump, LivePace } from './live-pace.ts';
import { START_BUFFER_MS } from './player-config.ts';

/** How often it looks; the events of a video element do not tell of a stall that lasts. */
const LOOK_MS = 100;
/** Two times closer than this are the same: rounding of the media's clocks, and a frame of sound. */
const NEAR_S = 0.06;
/** Browsers play nothing of so little before a hole, where it came when they stood already; who stands so long does so for that. */
const TOO_LITTLE_S = 0.5;
const STANDS_MS = 1_000;
/** A viewer who seeks back by more than this wants to see something older; nearer to live than this, live again. */
const OLDER_S = 1;
const LIVE_WITHIN_MS = 3_000;
/** Parts by which the clocks are compared: they may be set while it plays. */
const LAGS_KEPT = 16;
/** Live latency that is aimed at where nobody says otherwise, in ms. */
export const TARGET_LATENCY_MS = 1_500;

export interface KeepLiveOptions {
  /** Live latency that is aimed at, from the camera to the screen, in ms. Default {@link TARGET_LATENCY_MS}. */
  readonly targetLatencyMs?: number;
  /** Unix ms by the source's clock, as far as it is known; this machine's by default. */
  readonly nowMs?: () => number;
}

/**
 * Keeps a viewer who follows the live edge at the latency that was aimed at, which hls.js alone does not: by gentle speed, by a
 * jump after a stall, and over a hole in the stream as soon as there is something to play behind it. Who pauses, or seeks back, is
 * left alone until {@link goLive}.
 */
export class KeepLive {
  /** False while the viewer watches something older on purpose. */
  following = true;
  readonly pace: LivePace;
  private readonly hls: Hls;
  private readonly video: HTMLVideoElement;
  private readonly nowMs: () => number;
  private readonly timer: ReturnType<typeof setInterval>;
  private placeS = 0;
  private movedAtMs = performance.now();
  /** How late the last parts came, by clocks that may differ; the source's is ahead by `aheadMs` at least: nothing is here before it was filmed. */
  private readonly lagsMs: number[] = [];
  private aheadMs = 0;
  /** Where we have sent playback ourselves. */
  private sentToS: number | undefined;

  constructor(hls: Hls, video: HTMLVideoElement, options: KeepLiveOptions = {}) {
    this.hls = hls;
    this.video = video;
    this.nowMs = options.nowMs ?? (() => Date.now());
    this.pace = new LivePace(options.targetLatencyMs ?? TARGET_LATENCY_MS);
    this.timer = setInterval(() => this.look(), LOOK_MS);
    hls.on(Events.LEVEL_UPDATED, this.updated);
    video.addEventListener('seeking', this.seeking);
  }

  stop(): void {
    clearInterval(this.timer);
    this.hls.off(Events.LEVEL_UPDATED, this.updated);
    this.video.removeEventListener('seeking', this.seeking);
  }

  /** From the camera to the screen, in ms, by the source's clock; null while nothing is shown. */
  get latencyMs(): number | null {
    const capturedAtMs = this.hls.playingDate?.getTime();
    return capturedAtMs === undefined ? null : this.nowMs() + this.aheadMs - capturedAtMs;
  }

  /** To the live edge, and on with it. */
  goLive(): void {
    this.following = true;
    const edgeS = this.hls.latestLevelDetails?.edge;
    const { latencyMs } = this;
    if (edgeS === undefined) return;
    const beyondS = latencyMs === null ? Number.POSITIVE_INFINITY : (latencyMs - this.pace.wishedMs) / 1_000;
    this.sendTo(Math.min(this.video.currentTime + beyondS, edgeS - START_BUFFER_MS / 1_000));
  }

  /** Timers come late in a hidden page: what comes is looked at, too. */
  private readonly updated = (_: unknown, { details }: { readonly details: LevelDetails }): void => {
    if (!details.live || !details.advanced) return;
    const capturedAtMs = edgeCapturedAtMs(details);
    const partMs = (details.partTarget || details.targetduration) * 1_000;
    if (capturedAtMs !== undefined) this.arrived(this.nowMs() - capturedAtMs, partMs);
    this.look();
  };

  private arrived(lagMs: number, partMs: number): void {
    this.lagsMs.push(lagMs);
    if (this.lagsMs.length > LAGS_KEPT) this.lagsMs.shift();
    this.aheadMs = Math.max(0, -Math.min(...this.lagsMs));
    this.pace.arrived(lagMs + this.aheadMs, partMs);
  }

  private readonly seeking = (): void => {
    const { currentTime } = this.video;
    const isOurs = this.sentToS !== undefined && Math.abs(currentTime - this.sentToS) < NEAR_S;
    this.sentToS = undefined;
    if (isOurs) return;
    if (currentTime < this.placeS - OLDER_S) this.following = false;
    else if ((this.latencyMs ?? Number.POSITIVE_INFINITY) < this.pace.wishedMs + LIVE_WITHIN_MS) this.following = true;
  };

  private look(): void {
    const { video } = this;
    if (video.seeking) return;
    if (video.paused || video.currentTime !== this.placeS) this.movedAtMs = performance.now();
    this.placeS = video.currentTime;
    if (video.paused || video.buffered.length === 0) return;
    const behindHole = this.behindHole();
    if (behindHole !== undefined) this.sendTo(behindHole);
    else if (this.following) this.steer();
    else if (video.playbackRate !== 1) this.speed(1);
  }

  private steer(): void {
    const endS = this.bufferedEnd();
    const { latencyMs, video } = this;
    if (endS === undefined || latencyMs === null || this.hls.latestLevelDetails?.live === false) {
      this.speed(1);
      return;
    }
    const { rate, jump } = this.pace.steer(
      { latencyMs, bufferMs: (endS - video.currentTime) * 1_000 },
      performance.now(),
    );
    this.speed(rate);
    if (jump !== undefined) this.sendTo(this.placeFor(jump));
  }

  /** A jump leads to where a decoder can begin, if that will do: to show another frame it decodes all from there on, and the picture stands meanwhile. */
  private placeFor({ skipMs, leastMs, mostMs }: Jump): number {
    const { currentTime } = this.video;
    const parts = this.hls.latestLevelDetails?.partList ?? [];
    const skipsMs = (part: Part) => (part.start + NEAR_S - currentTime) * 1_000;
    const isPlace = (part: Part) =>
      part.independent && !isHole(part) && skipsMs(part) >= leastMs && skipsMs(part) <= mostMs;
    const place = parts.findLast(isPlace);
    return place === undefined ? currentTime + skipMs / 1_000 : place.start + NEAR_S;
  }

  private speed(rate: number): void {
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
  }

  private sendTo(positionS: number): void {
    this.sentToS = positionS;
    this.video.currentTime = positionS;
  }

  /** Where to go on when playback has come to a hole; undefined when it has not, or nothing is behind it yet. */
  private behindHole(): number | undefined {
    const endS = this.bufferedEnd();
    const details = this.hls.latestLevelDetails;
    const parts = details?.partList;
    const atEndS = performance.now() - this.movedAtMs >= STANDS_MS ? TOO_LITTLE_S : NEAR_S;
    if (!parts || endS === undefined || endS - this.video.currentTime > atEndS) return undefined;
    const next = parts.find((part) => part.end > endS + NEAR_S);
    if (!next || (!isHole(next) && next.start < endS + NEAR_S)) return undefined;
    const playable = parts.find((part) => part.start > endS - NEAR_S && part.independent && !isHole(part));
    if (!playable || details.edge - playable.start < START_BUFFER_MS / 1_000) return undefined;
    return playable.start + NEAR_S;
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

/** When the last frame that the playlist tells of was filmed; undefined where it does not say. */
function edgeCapturedAtMs({ partList, fragments }: LevelDetails): number | undefined {
  const part = partList?.at(-1);
  if (part !== undefined) {
    const { programDateTime } = part.fragment;
    return programDateTime === null ? undefined : programDateTime + (part.fragOffset + part.duration) * 1_000;
  }
  const last = fragments.at(-1);
  return last === undefined || last.programDateTime === null ? undefined : last.programDateTime + last.duration * 1_000;
}

function isHole(part: Part): boolean {
  return part.gap;
}
