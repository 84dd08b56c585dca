import type { Sample } from './types.ts';

/** What some seconds of a video show of its key frames and timing. */
export interface GopReport {
  /** Longest time from one key frame to the next, or from the last one to the end, in seconds. */
  readonly keyGapSeconds: number;
  readonly keyFrames: number;
  /** Pictures after a key frame that are shown before it: decoding cannot start cleanly there. */
  readonly openGops: boolean;
  readonly longestFrameSeconds: number;
  readonly shortestFrameSeconds: number;
  /** Mean; 0 when there are fewer than 2 frames. */
  readonly framesPerSecond: number;
  /** Of the fullest second. */
  readonly peakBps: number;
  /** How much was looked at. */
  readonly seconds: number;
}

/** Watches a video track go by, in decoding order. */
export class GopMeter {
  private readonly timescale: number;
  private first: number | undefined;
  private end = 0;
  private keyDts = 0;
  private keyPts = 0;
  private keyGap = 0;
  private open = false;
  private frames = 0;
  private keyFrames = 0;
  private longest = 0;
  private shortest = Number.POSITIVE_INFINITY;
  private secondStart = 0;
  private secondBytes = 0;
  private peakBytes = 0;

  constructor(timescale: number) {
    this.timescale = timescale;
  }

  note(sample: Sample): void {
    const pts = sample.dts + sample.ctsOffset;
    if (this.first === undefined) {
      if (!sample.key) return;
      this.first = sample.dts;
      this.secondStart = sample.dts;
    } else if (sample.key) this.keyGap = Math.max(this.keyGap, sample.dts - this.keyDts);
    else if (pts < this.keyPts) this.open = true;
    if (sample.key) {
      this.keyFrames++;
      this.keyDts = sample.dts;
      this.keyPts = pts;
    }
    this.frames++;
    this.longest = Math.max(this.longest, sample.duration);
    if (sample.duration > 0) this.shortest = Math.min(this.shortest, sample.duration);
    this.end = sample.dts + sample.duration;
    this.countBytes(sample);
  }

  /** Time since the last key frame, in seconds. */
  sinceKeySeconds(): number {
    return this.first === undefined ? 0 : (this.end - this.keyDts) / this.timescale;
  }

  report(): GopReport {
    const span = this.end - (this.first ?? 0);
    return {
      keyGapSeconds: Math.max(this.keyGap, this.end - this.keyDts) / this.timescale,
      keyFrames: this.keyFrames,
      openGops: this.open,
      longestFrameSeconds: this.longest / this.timescale,
      shortestFrameSeconds: Number.isFinite(this.shortest) ? this.shortest / this.timescale : 0,
      framesPerSecond: this.frames > 1 && span > 0 ? (this.frames * this.timescale) / span : 0,
      peakBps: Math.max(this.peakBytes, this.secondBytes) * 8,
      seconds: span / this.timescale,
    };
  }

  private countBytes(sample: Sample): void {
    if (sample.dts - this.secondStart >= this.timescale) {
      this.peakBytes = Math.max(this.peakBytes, this.secondBytes);
      this.secondBytes = 0;
      this.secondStart = sample.dts;
    }
    this.secondBytes += sample.bytes.length;
  }
}
