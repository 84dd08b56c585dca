import type Hls from 'hls.js';
import type { BrowserPeer, BrowserPeerStats } from '../../peer/browser/browser-peer.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import type { Phase, PlayedFrom } from './events.ts';
import type { PlaybackFigures } from './playback-watch.ts';

export interface SessionOptions {
  /** WebSocket address of the tracker. */
  readonly tracker: string;
  readonly stream: string;
  readonly mode: Mode;
  readonly gives?: boolean;
  readonly follow?: boolean;
  /** Live latency that is aimed at, from the camera to the screen, in ms; 1,500 by default. */
  readonly targetLatencyMs?: number;
  /**
   * Where the stream is to be had as plain HLS, to be played from there while nothing comes out of the swarm: an address, or `auto` for
   * what the tracker's list of streams says. Off by default: it costs the source what the swarm saves, and it sees the viewer's address.
   */
  readonly fallback?: string;
}

/** A peer and an hls.js that others have made for each other. */
export interface MadePair {
  readonly peer: BrowserPeer;
  readonly hls: Hls;
}

/** All that the page shows. Times in ms, sizes in bytes. */
export interface SessionStats extends PlaybackFigures {
  readonly stream: string;
  readonly title: string;
  readonly phase: Phase;
  /** Why the phase is `failed`. */
  readonly failure: string | null;
  /** From the press on play; null before it. */
  readonly sincePressMs: number | null;
  /** From the camera to the screen, as the source's and this page's clocks have it; null while nothing is shown. */
  readonly latencyMs: number | null;
  /** Media in the video element ahead of what is on screen. */
  readonly bufferMs: number;
  readonly decodedFrames: number;
  readonly droppedFrames: number;
  readonly quality: string | null;
  /** Where most of what comes now comes from; null before anything did. */
  readonly playedFrom: PlayedFrom | null;
  readonly targetLatencyMs: number;
  /** Media bytes of the source's plain HLS, where that is played for want of a swarm. */
  readonly hlsBytes: number;
  /** Errors after which hls.js could not go on by itself. */
  readonly fatalErrors: number;
  readonly peer: BrowserPeerStats;
}
