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
    const longestMs = Math.max(...part.tracks.map((track) => track.durationUs)) / 1000;
    const lengthMs = (lead.timeUs + lead.durationUs - this.segmentStartUs) / 1000;
    const raised = longestMs > this.partMs + roundingMs || lengthMs > this.segmentMs + roundingMs;
    if (longestMs > this.partMs + roundingMs) this.partMs = roundUpToFrames(longestMs, partStepMs);
    if (lengthMs > this.segmentMs + roundingMs) this.segmentMs = roundUpToFrames(lengthMs, segmentStepMs);
    return raised;
  }
}

/** Raised in steps, so that a picture that stands still does not change the stream's description again and again. */
const partStepMs = 100;
const segmentStepMs = 1000;
/** Times in whole µs may be a little over what the ticks say. */
const roundingMs = 0.01;
