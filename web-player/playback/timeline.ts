import type Hls from 'hls.js';

/** What can be sought, in seconds of the video element's time. */
export interface Timeline {
  /** The oldest place that is kept. */
  readonly startS: number;
  /** The newest. */
  readonly endS: number;
  /** Where those play who follow the live edge. */
  readonly liveS: number;
  readonly atS: number;
  /** Unix ms, by the source's clock, of the time 0; null while nobody knows. */
  readonly zeroAtMs: number | null;
}

/** Undefined while there is nothing to seek in. */
export function timelineOf(hls: Hls, video: HTMLVideoElement): Timeline | undefined {
  const details = hls.latestLevelDetails;
  const first = details?.fragments.find(({ gap }) => gap !== true);
  if (details === null || first === undefined) return undefined;
  const startS = Math.max(0, first.start);
  const endS = Math.max(startS, details.edge);
  const atS = video.currentTime;
  const playingAtMs = hls.playingDate?.getTime();
  const zeroAtMs = playingAtMs === undefined ? null : playingAtMs - atS * 1_000;
  const liveS = details.live ? Math.min(endS, hls.liveSyncPosition ?? endS) : endS;
  return { startS, endS, liveS, atS, zeroAtMs };
}
