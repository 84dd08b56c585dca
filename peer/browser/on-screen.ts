import type { LiveWindow } from '../../hls/live-window.ts';

/** A place in the stream: a part, and ms from its start. */
export interface Place {
  readonly part: number;
  readonly offsetMs: number;
}

/** Which part a time of the stream's clock lies in; undefined when nothing listed does. */
export function onScreen(window: LiveWindow, capturedAtMs: number): Place | undefined {
  const tracks = window.description?.tracks ?? [];
  const lead = tracks.find(({ kind, id }) => kind === 'video' && window.segments(id).length > 0) ?? tracks[0];
  const segment = lead && window.segments(lead.id).findLast(({ startsAtMs }) => startsAtMs <= capturedAtMs);
  if (segment === undefined) return undefined;
  let offsetMs = capturedAtMs - segment.startsAtMs;
  for (const { part, durationUs } of segment.parts) {
    const durationMs = durationUs / 1000;
    if (offsetMs < durationMs) return { part, offsetMs };
    offsetMs -= durationMs;
  }
  // Beyond the last one listed: playback waits for the one behind it, or plays something else than what is listed.
  const last = segment.parts.at(-1);
  return last && { part: last.part + 1 + Math.floor((offsetMs * 1000) / last.durationUs), offsetMs: 0 };
}
