import type { CutPart } from './types.ts';

/** Longest duration that whole frames make of `wishedMs`. */
export function roundUpToFrames(wishedMs: number, frameMs: number): number {
  if (frameMs <= 0) return wishedMs;
  return Math.ceil(wishedMs / frameMs - 1e-6) * frameMs;
}

/**
 * The longest part and segment of a stream, in ms: what LL-HLS calls PART-TARGET and TARGETDURATION. They start with
 * what the frame rates promise and are raised when the media breaks the promise (pictures that last longer, key frames
 * farther apart), never lowered.
 */
export class Targets {
  partMs: number;
  segmentMs: number;
  private segment = -1;
  private segmentStartUs = 0;

  constructor(partMs: number, segmentMs: number) {
    this.partMs = Math.ceil(partMs - roundingMs);
    this.segmentMs = Math.ceil(segmentMs - roundingMs);
  }

  /** Looks at a part; true when a target had to be raised for it. */
  note(part: CutPart): boolean {
    const lead = part.tracks[0];
    if (lead === undefined) return false;
    if (part.segment !== this.segment) {
      this.segment = part.segment;
      this.segmentStartUs = lead.timeUs;
    }
    const longestUs = Math.max(...part.tracks.map((track) => track.durationUs));
    const partMs = Math.max(this.partMs, Math.ceil(longestUs / 1000 - roundingMs));
    const lengthUs = lead.timeUs + lead.durationUs - this.segmentStartUs;
    const segmentMs = Math.max(this.segmentMs, Math.ceil(lengthUs / 1000 - roundingMs));
    const raised = partMs > this.partMs || segmentMs > this.segmentMs;
    this.partMs = partMs;
    this.segmentMs = segmentMs;
    return raised;
  }
}

/** Times in whole µs may be a little over what the ticks say. */
const roundingMs = 0.01;
