import type { HlsConfig, LoadPolicy } from 'hls.js';
import type { LiveWindow } from '../../hls/live-window.ts';
import { GAP_BEFORE_START_US } from '../../hls/playlists.ts';
import { segmentUs } from '../../hls/track-window.ts';
import { captionsByParts } from './captions-by-parts.ts';

/** Media that is there before playback begins; with parts of 250 ms, two of them. */
export const START_BUFFER_MS = 500;

/**
 * How far into the first part playback starts. Sound begins up to one of its frames (at most 46 ms, 2048 samples at 44.1 kHz) after
 * the picture; before that hls.js would look for it in the gap before the first segment.
 */
const START_INSIDE_MS = 50;

/** A source that is gone for a while must not end the player: it asks again until the page says stop. */
const PATIENT: LoadPolicy = {
  default: {
    maxTimeToFirstByteMs: 20_000,
    maxLoadTimeMs: 20_000,
    timeoutRetry: { maxNumRetry: Number.MAX_SAFE_INTEGER, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry: Number.MAX_SAFE_INTEGER, retryDelayMs: 250, maxRetryDelayMs: 2_000 },
  },
};

/** What hls.js does about a hole in the stream or bytes no longer kept: go on at once, there is no server to be spared. */
const MEDIA: LoadPolicy = {
  default: {
    maxTimeToFirstByteMs: 20_000,
    maxLoadTimeMs: 20_000,
    timeoutRetry: { maxNumRetry: 6, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry: 6, retryDelayMs: 50, maxRetryDelayMs: 500 },
  },
};

/** Captions inside the picture do not say their language; hls.js would call them English, Spanish and unknown. */
export const CAPTIONS: Partial<HlsConfig> = {
  ...captionsByParts(),
  captionsTextTrack1Label: 'Captions',
  captionsTextTrack2Label: 'Captions 2',
  captionsTextTrack3Label: 'Captions 3',
  captionsTextTrack4Label: 'Captions 4',
  captionsTextTrack1LanguageCode: '',
  captionsTextTrack2LanguageCode: '',
};

/** The options of hls.js with which it starts early, stays near the edge, and comes back to it. */
export function playerConfig(window: LiveWindow): Partial<HlsConfig> {
  return {
    lowLatencyMode: true,
    // What is listed is where to start in. Before there is anything, the first playlist says where (EXT-X-START).
    startPosition: hasBegun(window) ? startPosition(window) : -1,
    // Speed is ours (KeepLive): the latency controller of hls.js forgets its target after stalls.
    maxLiveSyncPlaybackRate: 1,
    liveSyncOnStallIncrease: 0,
    backBufferLength: 30,
    ...CAPTIONS,
    testBandwidth: false,
    manifestLoadPolicy: PATIENT,
    playlistLoadPolicy: PATIENT,
    fragLoadPolicy: MEDIA,
  };
}

/**
 * Where to start, in seconds from the start of the first playlist that hls.js will get: the newest part that a decoder can start
 * with and that has enough behind it. hls.js' own choice, a fixed distance from the edge, may lie where nothing is.
 */
export function startPosition(window: LiveWindow, bufferMs = START_BUFFER_MS): number {
  const track = leadingTrack(window);
  const segments = track === undefined ? [] : window.segments(track);
  const first = segments[0];
  if (!first) return GAP_BEFORE_START_US / 1_000_000 + START_INSIDE_MS / 1_000;
  let atUs = first.complete ? 0 : GAP_BEFORE_START_US;
  const edgeUs = atUs + segments.reduce((sum, segment) => sum + segmentUs(segment), 0);
  let startUs = atUs;
  for (const part of segments.flatMap((segment) => segment.parts)) {
    if (part.available && part.independent && edgeUs - atUs >= bufferMs * 1_000) startUs = atUs;
    atUs += part.durationUs;
  }
  return startUs / 1_000_000 + START_INSIDE_MS / 1_000;
}

function hasBegun(window: LiveWindow): boolean {
  return leadingTrack(window) !== undefined;
}

/** The first track, picture before sound, of which something is listed. */
function leadingTrack(window: LiveWindow): number | undefined {
  const tracks = window.description?.tracks.filter((track) => window.segments(track.id).length > 0) ?? [];
  return (tracks.find((track) => track.kind === 'video') ?? tracks[0])?.id;
}
