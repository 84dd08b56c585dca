import type { Session } from '../playback/session.ts';
import type { ControlIconName } from './control-icons.ts';
import { percent } from './format.ts';

export const VOLUME_STEP = 0.05;
/** Closer to the live edge than this, there is no place of its own to go to. */
const AT_EDGE_S = 2;

/** What the actions act on. */
export interface Acting {
  readonly video: HTMLVideoElement;
  /** Goes full screen: picture and panel. */
  readonly root: HTMLElement;
  readonly session: Session | undefined;
  /** A word over the picture, for a moment. */
  say(text: string, icon: ControlIconName): void;
  togglePlay(pressedAtMs?: number): void;
  togglePanel(): void;
  /** Whoever turned the sound off meant it: the viewer, or the site. Else it was the browser. */
  isSilenceWanted: boolean;
}

type WithFullScreen = HTMLVideoElement & { webkitEnterFullscreen?(): void };

/** What buttons, keys and fingers can do to the player. */
export class Actions {
  private readonly on: Acting;
  /** Where a seek that is under way leads. */
  private soughtS: number | undefined;

  constructor(on: Acting) {
    this.on = on;
    on.video.addEventListener('seeked', () => {
      this.soughtS = undefined;
    });
  }

  togglePlay(pressedAtMs?: number): void {
    this.on.togglePlay(pressedAtMs);
  }

  get isSilenceWanted(): boolean {
    return this.on.isSilenceWanted;
  }

  goLive(): void {
    this.on.session?.goLive();
  }

  /** Forwards and back; what lies beyond the live edge is live. */
  seekBy(seconds: number): void {
    const timeline = this.on.session?.timeline;
    if (timeline === undefined) return;
    this.seekTo((this.soughtS ?? timeline.atS) + seconds);
    const words = `${seconds < 0 ? '−' : '+'}${Math.abs(seconds)} s`;
    this.on.say(this.soughtS === undefined ? 'Live' : words, seconds < 0 ? 'back' : 'forward');
  }

  /** To a place between the oldest that is kept (0) and live (1). */
  seekToShare(share: number): void {
    const timeline = this.on.session?.timeline;
    if (timeline === undefined) return;
    this.seekTo(timeline.startS + share * (timeline.liveS - timeline.startS));
  }

  /** @returns Whether the moment is kept, or as near as can be. */
  seekToMoment(unixMs: number): 'there' | 'too old' | 'not yet' | undefined {
    const timeline = this.on.session?.timeline;
    if (timeline === undefined || timeline.zeroAtMs === null) return undefined;
    const placeS = (unixMs - timeline.zeroAtMs) / 1_000;
    this.seekTo(placeS);
    if (placeS < timeline.startS - 1) return 'too old';
    return placeS > timeline.endS ? 'not yet' : 'there';
  }

  seekTo(positionS: number): void {
    const { session } = this.on;
    const timeline = session?.timeline;
    if (session === undefined || timeline === undefined) return;
    this.soughtS = undefined;
    const placeS = Math.max(timeline.startS + 0.1, positionS);
    if (placeS > timeline.liveS - AT_EDGE_S) {
      session.goLive();
      return;
    }
    this.soughtS = placeS;
    session.seek(placeS);
  }

  toggleMute(): void {
    const { video } = this.on;
    this.on.isSilenceWanted = true;
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 0.5;
    this.sayVolume();
  }

  setVolume(level: number): void {
    const { video } = this.on;
    this.on.isSilenceWanted = true;
    video.volume = Math.round(Math.min(1, Math.max(0, level)) * 100) / 100;
    video.muted = video.volume === 0;
  }

  changeVolume(by: number): void {
    this.setVolume((this.on.video.muted ? 0 : this.on.video.volume) + by);
    this.sayVolume();
  }

  get isFullScreen(): boolean {
    const { root } = this.on;
    return (root.getRootNode() as Document | ShadowRoot).fullscreenElement === root;
  }

  get hasFullScreen(): boolean {
    const { webkitEnterFullscreen } = this.on.video as WithFullScreen;
    return document.fullscreenEnabled === true || webkitEnterFullscreen !== undefined;
  }

  toggleFullScreen(): void {
    const { root, video } = this.on;
    if (this.isFullScreen) void document.exitFullscreen();
    else if (document.fullscreenEnabled) {
      root.requestFullscreen().catch(() => this.on.say('Your browser allows no full screen here', 'full'));
    }
    // A phone that has full screen for the bare video only.
    else (video as WithFullScreen).webkitEnterFullscreen?.();
  }

  get hasPictureInPicture(): boolean {
    return document.pictureInPictureEnabled === true && !this.on.video.disablePictureInPicture;
  }

  get isPictureInPicture(): boolean {
    return (this.on.root.getRootNode() as Document | ShadowRoot).pictureInPictureElement === this.on.video;
  }

  togglePictureInPicture(): void {
    if (!this.hasPictureInPicture) return;
    if (this.isPictureInPicture) void document.exitPictureInPicture();
    else {
      this.on.video
        .requestPictureInPicture()
        .catch(() => this.on.say('Your browser allows no picture in picture here', 'pip'));
    }
  }

  togglePanel(): void {
    this.on.togglePanel();
  }

  private sayVolume(): void {
    const { video } = this.on;
    const silent = video.muted || video.volume === 0;
    this.on.say(silent ? 'Sound off' : percent(video.volume), silent ? 'muted' : 'sound');
  }
}
