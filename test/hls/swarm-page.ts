import Hls, { Events } from 'hls.js';
import { LiveParts } from '../../hls/live-parts.ts';
import type { LiveSource } from '../../hls/live-source.ts';
import type { Description } from '../../protocol/media.ts';
import { KeepLive } from '../../web-player/loader/keep-live.ts';
import { playerConfig, START_BUFFER_MS } from '../../web-player/loader/player-config.ts';
import { createSwarmLoader, SWARM_URL } from '../../web-player/loader/swarm-loader.ts';
import type { MediaPart } from './media-live.ts';

/**
 * What the tests put into a page: hls.js, over HTTP or out of a live source that the test fills from outside, and what it reports.
 * Bytes come as base64, because that is what a test can send.
 */

type Sent<T> = { [K in keyof T]: T[K] extends Uint8Array ? string : T[K] };
export interface SentTrack extends Sent<Description['tracks'][number]> {}
export interface SentDescription extends Omit<Description, 'tracks'> {
  readonly tracks: readonly SentTrack[];
}
export interface SentPart {
  readonly record: MediaPart['record'];
  readonly bytes: string;
}

export interface PlayerReport {
  readonly currentTime: number;
  readonly decodedFrames: number;
  readonly errors: readonly string[];
  readonly fatal: boolean;
  readonly partsLoaded: number;
  readonly segmentsLoaded: number;
  readonly levels: number;
  /** Tracks whose playlists, and whose media, hls.js has asked the loader for. */
  readonly wanted: readonly number[];
  readonly played: readonly number[];
}

const live = new LiveParts();
const errors: string[] = [];
let fatal = false;
let partsLoaded = 0;
let segmentsLoaded = 0;
let hls: Hls | undefined;
const wanted = new Set<number>();
const played = new Set<number>();
const source: LiveSource = {
  window: live.window,
  readPart: (track, part) => live.readPart(track, part),
  onChange: (listener) => live.onChange(listener),
  wantTrack: (track) => void wanted.add(track),
  playTrack: (track) => void played.add(track),
};

function video(): HTMLVideoElement {
  return document.querySelector('video') as HTMLVideoElement;
}

function play(made: Hls, url: string): void {
  hls = made;
  made.on(Events.ERROR, (_, data) => {
    errors.push(`${data.details}: ${data.error?.message}`);
    fatal ||= data.fatal;
  });
  made.on(Events.FRAG_LOADED, (_, data) => {
    if (data.part) partsLoaded += 1;
    else segmentsLoaded += 1;
  });
  made.loadSource(url);
  made.attachMedia(video());
  void video().play();
}

const page = {
  playUrl: (url: string) => play(new Hls({ lowLatencyMode: true }), url),
  playSwarm: (startLevel = -1) => {
    const loader = createSwarmLoader(source, { startEarlyMs: START_BUFFER_MS });
    play(new Hls({ ...playerConfig(live.window), loader, startLevel }), SWARM_URL);
    new KeepLive(hls as Hls, video());
  },
  describe: (sent: SentDescription) => {
    live.setDescription({ ...sent, tracks: sent.tracks.map((track) => ({ ...track, init: bytesOf(track.init) })) });
  },
  add: (parts: readonly SentPart[]) => {
    for (const { record, bytes } of parts) live.add(record, [bytesOf(bytes)]);
  },
  begin: (part: number, track: number) => live.begin(part, track),
  giveUp: (part: number) => live.giveUp(part),
  /** As a viewer chooses (`now`), or as the player itself does. */
  changeLevel: (level: number, now: boolean) => {
    if (now) (hls as Hls).nextLevel = level;
    else (hls as Hls).loadLevel = level;
  },
  end: () => live.end(),
  report: (): PlayerReport => ({
    currentTime: video().currentTime,
    decodedFrames: video().getVideoPlaybackQuality().totalVideoFrames,
    errors,
    fatal,
    partsLoaded,
    segmentsLoaded,
    levels: hls?.levels.length ?? 0,
    wanted: [...wanted],
    played: [...played],
  }),
};

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

export type SwarmPage = typeof page;
Object.assign(window, { page });
