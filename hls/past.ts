import type { WindowPart, WindowSegment } from './track-window.ts';

/** No playlist reaches further back, whatever could be had. */
export const REACH_MS_MAX = 2 * 3_600_000;
/** A timeline on which segments are longer or shorter than they are said to be by more than this is not guessed. */
const DRIFT_SHARE_MAX = 0.1;

/** How a stream is cut, as far as its description says. */
export interface Cut {
  readonly partTargetUs: number;
  readonly segmentTargetUs: number;
}

/**
 * The segments before the first one that is listed of a track, which nobody here has seen: a stream is cut evenly, so those before
 * are as long as it is said and have as many parts. What then comes has a signed record that tells whether that is so.
 *
 * @param first - The first segment listed, from its first part on.
 * @param reachFrom - The oldest part that can be had.
 * @param shortUs - So much earlier than its media the last of them is listed as ending.
 * @returns Oldest first; none where the first segment does not fit what the description says.
 */
export function segmentsBefore(first: WindowSegment, reachFrom: number, cut: Cut, shortUs = 0): WindowSegment[] {
  const lead = first.parts[0];
  if (lead === undefined || !first.fromItsStart) return [];
  // A part target tells how long the longest part is. Numbers that were counted through from the beginning tell how many parts
  // a segment has, and how long it really is.
  const said = cut.segmentTargetUs / cut.partTargetUs;
  const counted = lead.part / first.number;
  const isCounted = Number.isInteger(counted) && Math.abs(counted - said) < 1;
  const parts = isCounted ? counted : Math.round(said);
  const lengthUs = isCounted ? lead.timeUs / first.number : cut.segmentTargetUs;
  if (parts < 1 || Math.abs(lengthUs / cut.segmentTargetUs - 1) > DRIFT_SHARE_MAX) return [];
  const countMax = Math.floor((REACH_MS_MAX * 1_000) / lengthUs);
  const count = Math.min(first.number, Math.floor((lead.part - reachFrom) / parts), countMax);
  const segments: WindowSegment[] = [];
  for (let back = count; back > 0; back--) {
    const firstPart = lead.part - back * parts;
    const startUs = lead.timeUs - back * lengthUs;
    if (startUs < 0) continue;
    const shortAt = back === 1 ? parts - 1 : parts;
    segments.push({
      number: first.number - back,
      header: first.header,
      complete: true,
      fromItsStart: true,
      startsAtMs: first.startsAtMs - (back * lengthUs) / 1_000,
      parts: Array.from({ length: parts }, (_, at) =>
        pastPart(firstPart + at, startUs, at, lengthUs / parts, at === shortAt ? shortUs : 0),
      ),
    });
  }
  return segments;
}

function pastPart(part: number, startUs: number, at: number, lengthUs: number, shortUs: number): WindowPart {
  const timeUs = Math.round(startUs + at * lengthUs);
  return {
    part,
    timeUs,
    durationUs: Math.round(lengthUs - shortUs),
    independent: at === 0,
    sizeBytes: 0,
    available: true,
  };
}
