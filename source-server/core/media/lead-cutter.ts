import type { Sample } from './types.ts';

/** A closed part of the leading track. Times in its ticks. */
export interface LeadPart {
  readonly samples: readonly Sample[];
  /** Decoding times: where the part begins and where the next one does. */
  readonly start: number;
  readonly end: number;
  /** Presentation minus decoding time at the part's run: added to `start`, where the pictures begin to show. */
  readonly reorder: number;
  readonly segment: number;
  readonly indexInSegment: number;
  readonly independent: boolean;
  readonly discontinuity: boolean;
  /** When its last sample came, by the caller's clock. */
  readonly cameAtMs: number;
}

export interface LeadOptions {
  /** Ticks per second. */
  readonly timescale: number;
  readonly partMs: number;
  readonly segmentMs: number;
  /** Number of the first segment. */
  readonly startSegment: number;
}

/** Rounded timestamps (whole ms in FLV and Matroska) may fall this much before a border and still be on it. */
const toleranceMs = 5;

/**
 * Cuts the leading track. A part ends at the first sample border on or after the grid (`partMs` from the segment's
 * start); a segment ends before the first key frame that comes `segmentMs` or more after its start.
 */
export class LeadCutter {
  private readonly partTicks: number;
  private readonly segmentTicks: number;
  private readonly toleranceTicks: number;
  private readonly closed: LeadPart[] = [];
  private open: Sample[] = [];
  private border = 0;
  private segment: number;
  private segmentStart = 0;
  private index = 0;
  private reorder = 0;
  private cameAtMs = 0;
  private started = false;
  private breakPending = false;
  private discontinuity = false;

  constructor(options: LeadOptions) {
    const ticks = (ms: number) => (ms * options.timescale) / 1000;
    this.partTicks = ticks(options.partMs);
    this.segmentTicks = ticks(options.segmentMs);
    this.toleranceTicks = ticks(toleranceMs);
    this.segment = options.startSegment;
  }

  /** @param sample continues exactly where the one before ended, unless `breakOff` was called. */
  push(sample: Sample, nowMs: number): void {
    const age = sample.dts - this.segmentStart;
    const newSegment =
      !this.started || this.breakPending || (sample.key && age >= this.segmentTicks - this.toleranceTicks);
    if (newSegment) this.beginSegment(sample);
    if (this.open.length === 0) {
      const parts = Math.floor((sample.dts - this.segmentStart + this.toleranceTicks) / this.partTicks) + 1;
      this.border = this.segmentStart + parts * this.partTicks - this.toleranceTicks;
    }
    this.open.push(sample);
    this.cameAtMs = nowMs;
    if (sample.dts + sample.duration >= this.border) this.close();
  }

  /** The next sample does not continue from the last: it starts a segment, and says so if `discontinuity`. */
  breakOff(discontinuity: boolean): void {
    this.close();
    this.breakPending = true;
    this.discontinuity ||= discontinuity;
  }

  /** Oldest closed part, left in place. */
  peek(): LeadPart | undefined {
    return this.closed[0];
  }

  take(): LeadPart | undefined {
    return this.closed.shift();
  }

  private beginSegment(sample: Sample): void {
    this.close();
    if (this.started) this.segment++;
    if (!this.started || this.breakPending) this.reorder = sample.ctsOffset;
    this.started = true;
    this.breakPending = false;
    this.segmentStart = sample.dts;
    this.index = 0;
  }

  private close(): void {
    const first = this.open[0];
    const last = this.open.at(-1);
    if (first === undefined || last === undefined) return;
    this.closed.push({
      samples: this.open,
      start: first.dts,
      end: last.dts + last.duration,
      reorder: this.reorder,
      segment: this.segment,
      indexInSegment: this.index++,
      independent: first.key,
      discontinuity: this.discontinuity,
      cameAtMs: this.cameAtMs,
    });
    this.open = [];
    this.discontinuity = false;
  }
}
