import { FREEZES_TOLD, type ToldFreeze } from '../../peer/core/figures.ts';
import { nowMs as unixMs } from '../../runtime/browser/clock.ts';

/** A picture that stands still for longer than this is a freeze. */
const FREEZE_MS = 100;
const LOOK_MS = 40;

/** What the viewer sees of the playback, from the video element itself. */
export interface PlaybackFigures {
  /** From the press on play to the first frame on screen. */
  readonly startupDelayMs: number | null;
  readonly freezes: number;
  /** Of all freezes together, the one that lasts included. */
  readonly frozenMs: number;
  /** The last of them, oldest first. */
  readonly lastFreezes: readonly ToldFreeze[];
  /** How long the picture has been standing still now; 0 when it moves or is meant to stand. */
  readonly frozenForMs: number;
  /** How long the picture has not moved, whatever for; 0 before the first frame. */
  readonly stoodForMs: number;
}

/** What the watch tells at once. */
export interface WatchEvents {
  started(startupDelayMs: number): void;
  freeze(): void;
  resumed(frozenMs: number): void;
  /** Told after every look, several times a second while timers run. */
  looked(): void;
}

/** Watches one video element for as long as it plays one stream. */
export class PlaybackWatch {
  /** The stream is over: the picture has a right to stand. */
  streamIsOver = false;
  private readonly video: HTMLVideoElement;
  private readonly events: WatchEvents;
  private readonly timer: number;
  private pressedAtMs: number | undefined;
  private startupDelayMs: number | null = null;
  private freezes = 0;
  private endedFrozenMs = 0;
  private readonly lastFreezes: ToldFreeze[] = [];
  private place = 0;
  private movedAtMs = 0;
  private told = false;
  /** The viewer has stopped it, or sent it elsewhere: it stands until it moves again without being a freeze. */
  private excused = true;
  private readonly listeners: readonly (readonly [string, () => void])[];

  constructor(video: HTMLVideoElement, events: WatchEvents) {
    this.video = video;
    this.events = events;
    this.timer = window.setInterval(() => this.look(), LOOK_MS);
    this.listeners = [
      ['timeupdate', () => this.look()],
      ['pause', () => this.excuse()],
      ['ended', () => this.excuse()],
      // Something else is played from here on: its times are others.
      ['emptied', () => this.displace()],
    ];
    for (const [name, listener] of this.listeners) video.addEventListener(name, listener);
  }

  /** The viewer has pressed play for the first time. */
  pressed(atMs: number): void {
    this.pressedAtMs = atMs;
    const { video } = this;
    const shown = (): void => {
      if (this.startupDelayMs !== null) return;
      this.startupDelayMs = performance.now() - atMs;
      this.movedAtMs = performance.now();
      this.excused = false;
      this.events.started(this.startupDelayMs);
      this.events.looked();
    };
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(shown);
    else (video as HTMLVideoElement).addEventListener('loadeddata', shown, { once: true });
  }

  /** From here until it moves again, it is not the stream that keeps it. */
  excuse(): void {
    this.close(performance.now());
    this.excused = true;
  }

  figures(): PlaybackFigures {
    const standingMs = this.told ? performance.now() - this.movedAtMs : 0;
    const { startupDelayMs, freezes, endedFrozenMs } = this;
    const stoodForMs = startupDelayMs === null ? 0 : performance.now() - this.movedAtMs;
    return {
      ...{ startupDelayMs, freezes, frozenMs: endedFrozenMs + standingMs, lastFreezes: [...this.lastFreezes] },
      ...{ frozenForMs: standingMs, stoodForMs },
    };
  }

  end(): void {
    window.clearInterval(this.timer);
    for (const [name, listener] of this.listeners) this.video.removeEventListener(name, listener);
  }

  private displace(): void {
    this.place = this.video.currentTime;
  }

  private look(): void {
    this.notice();
    this.events.looked();
  }

  private notice(): void {
    if (this.pressedAtMs === undefined || this.startupDelayMs === null) return;
    const nowMs = performance.now();
    const { currentTime, paused, ended, seeking } = this.video;
    // A jump moves the place, not the picture: that moves when playback goes on from there.
    if (seeking) this.place = currentTime;
    if (currentTime !== this.place) {
      this.place = currentTime;
      this.close(nowMs);
      this.movedAtMs = nowMs;
      this.excused = paused || ended;
    } else if (!this.excused && !this.streamIsOver && !this.told && nowMs - this.movedAtMs > FREEZE_MS) {
      this.told = true;
      this.freezes++;
      this.lastFreezes.push({ atMs: unixMs() - (nowMs - this.movedAtMs), frozenMs: null });
      if (this.lastFreezes.length > FREEZES_TOLD) this.lastFreezes.shift();
      this.events.freeze();
    }
  }

  /** Ends a freeze. */
  private close(nowMs: number): void {
    if (!this.told) return;
    this.told = false;
    const frozenMs = nowMs - this.movedAtMs;
    this.endedFrozenMs += frozenMs;
    this.lastFreezes.push({ ...this.lastFreezes.pop()!, frozenMs });
    this.events.resumed(frozenMs);
  }
}
