import type { Description } from '../protocol/media.ts';
import type { LiveWindow } from './live-window.ts';
import { masterPlaylist, mediaPlaylist, type PlaylistOptions, targetSeconds } from './playlists.ts';
import type { Why } from './why-not.ts';

/** What a request gets. `maxAgeMs` is how long a cache may give the same. */
export type Answer =
  | { readonly kind: 'text'; readonly contentType: string; readonly body: string; readonly maxAgeMs: number }
  | { readonly kind: 'part'; readonly track: number; readonly part: number }
  | { readonly kind: 'segment'; readonly track: number; readonly parts: readonly number[] }
  | { readonly kind: 'init'; readonly track: number; readonly revision: number; readonly bytes: Uint8Array }
  | WaitAnswer
  | ErrorAnswer;

/** Not yet: ask again after each change of the window; when `waitMs` have passed since the request came, give `otherwise`. */
export interface WaitAnswer {
  readonly kind: 'wait';
  /** The track it is about; undefined for the master playlist. */
  readonly track: number | undefined;
  readonly waitMs: number;
  readonly otherwise: ErrorAnswer;
}

export interface ErrorAnswer {
  readonly kind: 'error';
  readonly status: 400 | 404 | 503;
  /** In words: {@link whyNot}, which pages do not load. */
  readonly why: Why;
}

/** The query of a URL, decoded; of names given twice, the first. */
export type Query = Readonly<Record<string, string | undefined>>;

export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl';
/** Requests for what is yet to come wait this many target durations (RFC 8216bis 6.2.5.2). */
const WAIT_TARGETS = 3;
/** A playlist is not waited for when it is further away than this many segments. */
const AHEAD_SEGMENTS_MAX = 2;

/**
 * Answers a request for anything of a stream.
 * @param path below the stream: `master.m3u8`, `<track>/media.m3u8`, `<track>/init-<revision>.mp4`, `<track>/part-<part>.m4s`,
 *   `<track>/segment-<segment>.m4s`
 * @param query `_HLS_msn`, `_HLS_part`, `_HLS_skip` of media playlists (RFC 8216bis 6.2.5)
 */
export function answer(window: LiveWindow, path: string, query: Query, options: PlaylistOptions = {}): Answer {
  if (path === 'master.m3u8') return answerMaster(window);
  const [, trackText, kind, numberText] = /^(\d{1,2})\/(media\.m3u8|init-|part-|segment-)(\d{1,10})?/.exec(path) ?? [];
  const track = Number(trackText);
  const number = Number(numberText);
  switch (path) {
    case `${track}/media.m3u8`:
      return answerMedia(window, track, query, options);
    case `${track}/init-${number}.mp4`:
      return answerInit(window, track, number);
    case `${track}/part-${number}.m4s`:
      return answerPart(window, track, number);
    case `${track}/segment-${number}.m4s`:
      return answerSegment(window, track, number);
    default:
      return refuse(404, kind ? 'no-file' : 'not-ours');
  }
}

/** The track whose playlist the path asks for, if it does: the sign that someone wants to play it. */
export function wantedTrack(path: string): number | undefined {
  const track = /^(\d{1,2})\/media\.m3u8$/.exec(path)?.[1];
  return track === undefined ? undefined : Number(track);
}

function answerMaster(window: LiveWindow): Answer {
  const description = window.description;
  if (!description) return wait(window, undefined, 'not-begun');
  return playlist(masterPlaylist(description, (track) => window.averageBps(track)));
}

function answerMedia(window: LiveWindow, track: number, query: Query, options: PlaylistOptions): Answer {
  const description = window.description;
  if (!description) return wait(window, track, 'not-begun');
  if (!hasTrack(description, track)) return refuse(404, 'no-track');
  const msn = directive(query._HLS_msn);
  const part = directive(query._HLS_part);
  if (msn === 'bad' || part === 'bad') return refuse(400, 'not-whole');
  if (part !== undefined && msn === undefined) return refuse(400, 'part-alone');
  // A player that reads of nothing but what is over would go back to it.
  if (window.isStale(track)) return wait(window, track, 'stale');
  const last = window.segments(track).at(-1);
  if (msn !== undefined && last && !window.ended) {
    if (msn > last.number + AHEAD_SEGMENTS_MAX) return refuse(400, 'too-far');
    if (!reached(window, track, msn, part)) return wait(window, track, 'not-so-far');
  }
  const skip = query._HLS_skip === 'YES' || query._HLS_skip === 'v2';
  const text = mediaPlaylist(window, track, skip, options);
  if (text !== undefined) return playlist(text);
  if (window.ended) return refuse(404, 'nothing');
  return wait(window, track, 'no-segment-yet');
}

/**
 * Whether the playlist holds what a blocking reload asks for: the whole segment, or with `part` that part of it. A part beyond
 * the end of its segment means the first of the next one (RFC 8216bis 6.2.5.2).
 */
function reached(window: LiveWindow, track: number, msn: number, part: number | undefined): boolean {
  const last = window.segments(track).at(-1);
  if (!last || last.number < msn) return false;
  if (last.number > msn) return true;
  return part !== undefined && part < last.parts.length;
}

function answerInit(window: LiveWindow, track: number, revision: number): Answer {
  const bytes = window.init(track, revision);
  return bytes ? { kind: 'init', track, revision, bytes } : refuse(404, 'no-header');
}

function answerPart(window: LiveWindow, track: number, part: number): Answer {
  const found = window.part(track, part);
  if (found?.available) return { kind: 'part', track, part };
  if (found) return refuse(404, 'hole');
  const hinted = part === window.nextPart(track) || window.isPending(track, part);
  if (hinted && !window.ended) return wait(window, track, 'not-come');
  return refuse(404, 'no-part');
}

function answerSegment(window: LiveWindow, track: number, number: number): Answer {
  const segment = window.segment(track, number);
  const parts = segment?.parts.filter((part) => part.available).map((part) => part.part) ?? [];
  if (!segment?.complete || parts.length === 0) return refuse(404, 'no-segment');
  return { kind: 'segment', track, parts };
}

function hasTrack(description: Description, track: number): boolean {
  return description.tracks.some((candidate) => candidate.id === track);
}

function directive(text: string | undefined): number | undefined | 'bad' {
  if (text === undefined) return undefined;
  return /^\d{1,10}$/.test(text) ? Number(text) : 'bad';
}

function playlist(body: string): Answer {
  return { kind: 'text', contentType: PLAYLIST_TYPE, body, maxAgeMs: 0 };
}

function refuse(status: ErrorAnswer['status'], why: Why): ErrorAnswer {
  return { kind: 'error', status, why };
}

function wait(window: LiveWindow, track: number | undefined, why: Why): WaitAnswer {
  const target = window.description ? targetSeconds(window.description) : 1;
  return { kind: 'wait', track, waitMs: WAIT_TARGETS * target * 1_000, otherwise: refuse(503, why) };
}
