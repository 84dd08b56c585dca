import Hls, { type ErrorData, ErrorTypes, Events, type FragLoadedData, type LevelSwitchedData } from 'hls.js';
import type { BrowserPeer, BrowserPeerEvent } from '../../peer/browser/browser-peer.ts';
import { Listeners } from '../../peer/browser/listeners.ts';
import { onScreen } from '../../peer/browser/on-screen.ts';
import { createPeer } from '../../peer/browser/peer.ts';
import { nowMs } from '../../runtime/browser/clock.ts';
import { KeepLive, TARGET_LATENCY_MS } from '../loader/keep-live.ts';
import { createLedAbr, isUnlimited, levelOf, trackOf } from '../loader/led-abr.ts';
import { playerConfig, START_BUFFER_MS } from '../loader/player-config.ts';
import { createSwarmLoader, SWARM_URL } from '../loader/swarm-loader.ts';
import { OnDemandChangeover } from './changeover-on-demand.ts';
import type { ErrorCode, Phase, PlayedFrom, SessionEvent } from './events.ts';
import { History, mostFrom, SAMPLE_EVERY_MS } from './history.ts';
import { type PlaybackFigures, PlaybackWatch } from './playback-watch.ts';
import { PutAside } from './put-aside.ts';
import type { MadePair, SessionOptions, SessionStats } from './session-types.ts';
import { Sound } from './sound.ts';
import { type Timeline, timelineOf } from './timeline.ts';
import { type Choice, choicesOf, type Quality, qualitiesOf, qualityName } from './tracks.ts';

export { TARGET_LATENCY_MS } from '../loader/keep-live.ts';
export type { ErrorCode, Phase, PlayedFrom, SessionEvent } from './events.ts';
export type { MadePair, SessionOptions, SessionStats } from './session-types.ts';

/** Once the playlists have ended, a picture that stands for longer has reached its end. */
const OVER_AFTER_MS = 1_000;

/** Behind the live edge by more than this, the way back is offered. */
const BEHIND_MS = 3_000;
const TELL_SCREEN_EVERY_MS = 250;
/** Ms after a change of players in which a video element stops. */
const CHANGE_MS = 1_000;
/** Rates are those of so long at most. */
const RATES_CLEAR_MS = 3_000;
/** Who has not pressed play by then is no viewer. */
const PREPARED_MS = 300_000;

/** What can be asked for, in ms. */
export const TARGET_LATENCY_MS_MIN = 500;
export const TARGET_LATENCY_MS_MAX = 30_000;

/** One stream on one video element: the peer that takes it, hls.js that plays it, and what is to be known of both. */
export class Session {
  readonly peer: BrowserPeer;
  readonly history = new History();
  /** The one that plays now; ours is another one while the source's plain HLS plays. */
  private player: Hls;
  private readonly video: HTMLVideoElement;
  private readonly options: SessionOptions;
  private readonly watch: PlaybackWatch;
  private keepLive: KeepLive;
  private readonly changeover: OnDemandChangeover;
  private readonly putAside: PutAside;
  private readonly sound = new Sound();
  private readonly timers: number[];
  private readonly leavePeer: () => void;
  private readonly listeners = new Listeners<SessionEvent>();
  private phaseTold: Phase = 'idle';
  private playedFrom: PlayedFrom | null = null;
  private targetMs = TARGET_LATENCY_MS;
  private pressedAtMs: number | undefined;
  private failure: string | null = null;
  private fatalErrors = 0;
  private readonly isMade: boolean;
  private restTimer: number | undefined;
  private hlsBytes = 0;
  private recoveredAtMs = Number.NEGATIVE_INFINITY;

  /**
   * Loading what the peer takes begins at once, joining with {@link play}.
   *
   * @param made - To watch over what is there, instead of making both. Whoever made them ends with {@link release}.
   * @throws RangeError when the stream's id is none.
   */
  constructor(video: HTMLVideoElement, options: SessionOptions, made?: MadePair) {
    this.video = video;
    this.options = options;
    this.targetMs = sensible(options.targetLatencyMs ?? TARGET_LATENCY_MS);
    this.peer = made?.peer ?? createPeer({ ...options, choosesQuality: true });
    this.watch = new PlaybackWatch(video, {
      started: (startupDelayMs) => this.tell({ kind: 'started', startupDelayMs }),
      freeze: () => this.tell({ kind: 'freeze' }),
      resumed: (frozenMs) => this.tell({ kind: 'resumed', frozenMs }),
      looked: () => this.tellPhase(),
    });
    this.isMade = made !== undefined;
    this.player = made?.hls ?? this.swarmPlayer();
    this.changeover = this.toPlainHls();
    this.keepLive = this.mount(true);
    video.addEventListener('play', this.onPlay);
    this.putAside = new PutAside(video, { paused: () => this.paused(), back: () => this.back() });
    if (!video.paused) this.onPlay();
    this.leavePeer = this.peer.onEvent((event) => this.peerEvent(event));
    this.timers = [
      window.setInterval(() => this.sample(), SAMPLE_EVERY_MS),
      window.setInterval(() => this.tellScreen(), TELL_SCREEN_EVERY_MS),
    ];
  }

  /** Whether this browser can play at all. */
  static get supported(): boolean {
    return Hls.isSupported();
  }

  /** What plays now; another one after a change to the source's plain HLS, and after that. */
  get hls(): Hls {
    return this.player;
  }

  /** Calls for every event; gives back what ends that. */
  onEvent(listener: (event: SessionEvent) => void): () => void {
    return this.listeners.add(listener);
  }

  /** The swarm's own events, for panels and reports. */
  onPeerEvent(listener: (event: BrowserPeerEvent) => void): () => void {
    return this.peer.onEvent(listener);
  }

  /**
   * Does all that can be done before the press on play: joins, dials an INS server, and makes hls.js ready, so that the press has
   * only to ask for media. Takes none, dials no other viewer; the tracker counts a viewer from here, for five minutes at most, after
   * which connections are closed until this is called again, or play pressed. After {@link play}, it does nothing.
   */
  prepare(): void {
    if (this.pressedAtMs !== undefined || this.failure !== null) return;
    this.peer.prepare();
    this.load();
    void this.changeover.find();
    window.clearTimeout(this.restTimer);
    this.restTimer = window.setTimeout(() => this.peer.rest(), PREPARED_MS);
  }

  /**
   * Plays, and with the first call begins to take the stream.
   * @param pressedAtMs - `performance.now()` of the press: startup delay counts from there.
   */
  async play(pressedAtMs = performance.now()): Promise<void> {
    this.press(pressedAtMs);
    try {
      await this.video.play();
    } catch (error) {
      if ((error as Error).name !== 'NotAllowedError' || this.video.muted) return;
      // Without a press, browsers let a page play in silence only.
      this.video.muted = true;
      await this.video.play().catch(() => {});
    }
  }

  /** Who pauses goes on from there later, behind the live edge; {@link goLive} leads back. */
  pause(): void {
    this.keepLive.following = false;
    this.putAside.pause();
  }

  /** To the live edge, at once. */
  goLive(): void {
    this.watch.excuse();
    this.keepLive.goLive();
    void this.play();
  }

  /** Live latency that is aimed at, in ms. */
  get targetLatencyMs(): number {
    return this.targetMs;
  }

  set targetLatencyMs(ms: number) {
    this.targetMs = sensible(ms);
    this.keepLive.pace.targetMs = this.targetMs;
  }

  /**
   * To another place that is kept, and on from there, behind the live edge.
   * @param positionS - In the video element's time: see {@link Session.timeline}.
   */
  seek(positionS: number): void {
    this.watch.excuse();
    this.keepLive.following = false;
    this.video.currentTime = positionS;
  }

  /** What can be sought; undefined while there is nothing. */
  get timeline(): Timeline | undefined {
    return timelineOf(this.hls, this.video);
  }

  get isBehind(): boolean {
    const { latencyMs, pace } = this.keepLive;
    return latencyMs !== null && latencyMs - pace.wishedMs > BEHIND_MS;
  }

  /** The stream has ended here and begun again at the source: this session cannot show that. */
  get isOutlived(): boolean {
    return this.peer.live.window.ended && this.peer.stats().streamState === 'live';
  }

  /** Those that a viewer can choose between; fewer than two: nothing to choose. */
  qualities(): readonly Quality[] {
    return qualitiesOf(this.hls);
  }

  /** The level that the viewer has chosen; -1 for the automatic choice. */
  get quality(): number {
    const { hls, peer } = this;
    return hls.autoLevelEnabled && peer.choosesQuality ? levelOf(hls, peer.preferred) : hls.manualLevel;
  }

  /**
   * Where the peer can lead hls.js to it, it does, at the end of what is there. Told to change at the live edge, hls.js begins inside a
   * segment that it has, and loses parts of it; further back it throws away what it has of the old one, of which there is much.
   */
  set quality(level: number) {
    const { hls, peer } = this;
    const track = trackOf(hls.levels[level]?.uri);
    const mayLead = !this.isMade || peer.choosesQuality;
    const isLive = !this.changeover.playsHls && this.keepLive.following;
    const wouldLead = mayLead && isLive && track >= 0 && isUnlimited(hls);
    const leads = peer.prefer(wouldLead ? track : undefined) && (wouldLead || level < 0);
    if (!this.isMade) peer.choosesQuality = leads;
    if (!leads) hls.nextLevel = level;
    else if (hls.manualLevel >= 0) hls.loadLevel = -1;
  }

  /** Sounds to choose from; fewer than two: nothing to choose. */
  audioTracks(): readonly Choice[] {
    return choicesOf(this.hls.audioTracks);
  }

  get audioTrack(): number {
    return this.sound.of(this.hls);
  }

  set audioTrack(id: number) {
    void this.sound.change(this.hls, this.peer.live, id);
  }

  /** Subtitles to choose from. */
  subtitles(): readonly Choice[] {
    return choicesOf(this.hls.subtitleTracks);
  }

  /** -1 is none. */
  get subtitle(): number {
    return this.hls.subtitleTrack;
  }

  set subtitle(id: number) {
    this.hls.subtitleTrack = id;
    this.hls.subtitleDisplay = id >= 0;
  }

  /** The part on screen; undefined while nothing is shown. */
  get partOnScreen(): number | undefined {
    const capturedAtMs = this.capturedAtMs();
    const isShown = this.watch.figures().startupDelayMs !== null;
    return capturedAtMs === null || !isShown ? undefined : onScreen(this.peer.live.window, capturedAtMs)?.part;
  }

  stats(): SessionStats {
    const figures = this.watch.figures();
    const frames = this.video.getVideoPlaybackQuality();
    const { stream } = this.options;
    const description = this.peer.live.window.description;
    const level = this.hls.levels[this.hls.currentLevel];
    return {
      ...figures,
      stream,
      title: description?.title ?? '',
      phase: this.phase(figures),
      failure: this.failure,
      sincePressMs: this.pressedAtMs === undefined ? null : performance.now() - this.pressedAtMs,
      latencyMs: figures.startupDelayMs === null || this.isOver(figures) ? null : this.keepLive.latencyMs,
      bufferMs: this.bufferMs(),
      decodedFrames: frames.totalVideoFrames,
      droppedFrames: frames.droppedVideoFrames,
      quality: level === undefined ? null : qualityName(level),
      playedFrom: this.playedFrom,
      targetLatencyMs: this.targetMs,
      hlsBytes: this.hlsBytes,
      fatalErrors: this.fatalErrors,
      peer: this.peer.stats(),
    };
  }

  /** Ends watching over hls.js and the peer, and leaves both as they are: for those who made them. */
  release(): void {
    this.changeover.close();
    this.sound.end();
    window.clearTimeout(this.restTimer);
    for (const timer of this.timers) window.clearInterval(timer);
    this.watch.end();
    this.unmount();
    this.leavePeer();
    this.video.removeEventListener('play', this.onPlay);
    this.putAside.end();
    this.listeners.clear();
  }

  close(): void {
    this.release();
    this.hls.destroy();
    this.peer.close();
  }

  private phase(figures: PlaybackFigures): Phase {
    const { startupDelayMs, frozenForMs } = figures;
    if (this.failure !== null) return 'failed';
    if (this.pressedAtMs === undefined) return 'idle';
    if (this.isOver(figures)) return 'ended';
    if (startupDelayMs === null) return this.video.paused && this.video.readyState > 0 ? 'paused' : 'starting';
    if (this.video.paused) return 'paused';
    return frozenForMs > 0 ? 'frozen' : 'playing';
  }

  /**
   * The last frame is on screen. The video element says so when every byte up to the end has come; where the last ones are missing
   * it waits for them for ever.
   */
  private isOver({ stoodForMs }: PlaybackFigures): boolean {
    return this.video.ended || (this.peer.live.window.ended && !this.video.paused && stoodForMs > OVER_AFTER_MS);
  }

  /** When the frame on screen was filmed, by the source's clock. */
  private capturedAtMs(): number | null {
    return this.hls.playingDate?.getTime() ?? null;
  }

  /** The source's time, as far as the tracker's clock is that. */
  private sourceMs(): number {
    return nowMs() + this.peer.clockOffsetMs;
  }

  private bufferMs(): number {
    const { buffered, currentTime } = this.video;
    for (let at = 0; at < buffered.length; at++) {
      if (buffered.start(at) <= currentTime + 0.1 && currentTime < buffered.end(at)) {
        return (buffered.end(at) - currentTime) * 1_000;
      }
    }
    return 0;
  }

  private sample(): void {
    if (this.pressedAtMs === undefined) return;
    const { latencyMs, bufferMs, peer, hlsBytes } = this.stats();
    const bytesFrom = { ...peer.bytesFrom, source: peer.bytesFrom.source + hlsBytes };
    this.history.add(performance.now(), latencyMs, bufferMs, bytesFrom);
    this.tellSource();
  }

  private tell(event: SessionEvent): void {
    this.listeners.tell(event);
  }

  private tellError(code: ErrorCode, message: string, fatal: boolean): void {
    this.tell({ kind: 'error', code, message, fatal });
  }

  private tellPhase(): void {
    const was = this.phaseTold;
    const phase = this.phase(this.watch.figures());
    if (phase === was) return;
    this.phaseTold = phase;
    this.tell({ kind: 'phase', phase, was });
  }

  private tellSource(): void {
    // The rates of what came before a change are still in those of now.
    const isClear = this.changeover.playsHls || performance.now() - this.changeover.changedAtMs > RATES_CLEAR_MS;
    const bps = isClear ? this.history.samples.at(-1)?.bps : undefined;
    const ofSwarm = bps === undefined ? undefined : mostFrom(bps, this.playedFrom);
    const from = this.changeover.playsHls ? 'hls' : ofSwarm;
    if (from === undefined || from === null || from === this.playedFrom) return;
    this.playedFrom = from;
    this.tell({ kind: 'source-changed', from });
  }

  private tellQuality(level: number): void {
    const name = qualityName(this.hls.levels[level] ?? { name: '', height: 0 });
    this.tell({ kind: 'quality', level, name, auto: this.quality < 0 });
  }

  /** Whoever makes the video element play, a button of the page's own or the browser's, has pressed play. */
  private readonly onPlay = (): void => this.press(performance.now());

  private paused(): void {
    // A video element stops when it changes players.
    if (performance.now() - this.changeover.changedAtMs >= CHANGE_MS) this.keepLive.following = false;
  }

  /** Who followed the live edge is brought there; who watched something older goes on with that. */
  private back(): void {
    if (this.keepLive.following) this.goLive();
    else void this.play();
  }

  private press(atMs: number): void {
    if (this.pressedAtMs !== undefined || this.failure !== null) return;
    this.pressedAtMs = atMs;
    window.clearTimeout(this.restTimer);
    this.watch.pressed(atMs);
    this.peer.start();
    this.load();
    void this.changeover.find();
  }

  private readonly onError = (_: unknown, { fatal, type, details }: ErrorData): void => {
    if (fatal) this.recover(type, details);
  };

  private readonly onQuality = (_: unknown, { level }: LevelSwitchedData): void => this.tellQuality(level);

  private peerEvent(event: BrowserPeerEvent): void {
    switch (event.kind) {
      case 'failed':
        this.fail('unsupported', event.why);
        return;
      case 'stream-state':
        this.watch.streamIsOver = event.state === 'ended';
        this.tell(event);
        return;
      case 'refused':
      case 'tracker-lost':
      case 'ins-lost':
      case 'no-past':
      case 'no-choice':
        this.tellError(event.kind, event.why, false);
        return;
      case 'no-neighbours':
        this.tellError('no-peers', event.why, false);
        return;
      default:
        return;
    }
  }

  private swarmPlayer(): Hls {
    const { live } = this.peer;
    const loader = createSwarmLoader(live, { startEarlyMs: START_BUFFER_MS });
    const abrController = createLedAbr(this.peer);
    return new Hls({ ...playerConfig(live.window), loader, abrController });
  }

  private toPlainHls(): OnDemandChangeover {
    const { options, peer } = this;
    return new OnDemandChangeover({
      options,
      make: ({ Changeover, Reloading, Replacing }, events) => {
        const { player } = this;
        const { window } = peer.live;
        const changer = this.isMade ? new Reloading(player, window) : new Replacing(player, () => this.swarmPlayer());
        return new Changeover(options, peer, changer, events);
      },
      events: {
        play: (next, change) => this.playNext(next, change),
        failed: (url) => this.tellError('fallback', `${url} cannot be played`, false),
      },
      missed: (why) => this.tellError('fallback', `what plain HLS takes could not be loaded: ${why}`, false),
    });
  }

  /** Watches over what plays now, and puts it on the video element. */
  private mount(following: boolean): KeepLive {
    const { player, video } = this;
    player.on(Events.ERROR, this.onError);
    player.on(Events.LEVEL_SWITCHED, this.onQuality);
    player.on(Events.FRAG_LOADED, this.onMedia);
    if (player.media !== video) player.attachMedia(video);
    const keepLive = new KeepLive(player, video, { targetLatencyMs: this.targetMs, nowMs: () => this.sourceMs() });
    keepLive.following = following;
    return keepLive;
  }

  private unmount(): void {
    const { player } = this;
    this.keepLive.stop();
    player.off(Events.ERROR, this.onError);
    player.off(Events.LEVEL_SWITCHED, this.onQuality);
    player.off(Events.FRAG_LOADED, this.onMedia);
  }

  private readonly onMedia = (_: unknown, { frag, part }: FragLoadedData): void => {
    if (this.changeover.playsHls) this.hlsBytes += (part ?? frag).stats.total;
  };

  private tellScreen(): void {
    this.lookAtChangeover();
    const capturedAtMs = this.capturedAtMs();
    if (capturedAtMs === null || this.watch.figures().startupDelayMs === null) return;
    this.peer.playing({
      capturedAtMs,
      rate: this.video.paused ? 0 : this.video.playbackRate,
      live: this.keepLive.following,
    });
  }

  private lookAtChangeover(): void {
    if (this.pressedAtMs === undefined || this.failure !== null) return;
    const started = this.watch.figures().startupDelayMs !== null;
    this.changeover.look({ bufferMs: this.bufferMs(), started, paused: this.video.paused });
  }

  private playNext(next: Hls, change: () => void): void {
    const { following } = this.keepLive;
    const level = this.quality;
    const subtitle = this.player.subtitleTracks[this.player.subtitleTrack];
    this.unmount();
    change();
    if (next !== this.player) {
      if (level >= 0) next.nextLevel = level;
      next.setSubtitleOption(subtitle);
    }
    this.sound.keep(this.player, next);
    this.player = next;
    this.keepLive = this.mount(following);
    void this.play();
  }

  private load(): void {
    if (this.hls.url === null) this.hls.loadSource(SWARM_URL);
  }

  /** What hls.js gives up, it is made to begin anew; a second time within seconds means that it is of no use. */
  private recover(type: string, details: string): void {
    this.fatalErrors++;
    const atMs = performance.now();
    const again = atMs - this.recoveredAtMs < 3_000;
    this.recoveredAtMs = atMs;
    if (this.changeover.playsHls) this.changeover.lost();
    else if (type === ErrorTypes.NETWORK_ERROR) this.hls.startLoad();
    else if (type === ErrorTypes.MEDIA_ERROR && !again) this.hls.recoverMediaError();
    else this.fail('media', `the video cannot be played (${details})`);
  }

  private fail(code: ErrorCode, why: string): void {
    if (this.failure !== null) return;
    this.failure = why;
    this.changeover.close();
    this.peer.close();
    this.tellError(code, why, true);
    this.tellPhase();
  }
}

function sensible(targetMs: number): number {
  const ms = Number.isFinite(targetMs) ? targetMs : TARGET_LATENCY_MS;
  return Math.min(Math.max(ms, TARGET_LATENCY_MS_MIN), TARGET_LATENCY_MS_MAX);
}
