import { writeChunk } from './cmaf-writer.ts';
import { AudioChain, type Follower, VideoFollower } from './follower.ts';
import { LeadCutter, type LeadPart } from './lead-cutter.ts';
import { PaceLine } from './pace-line.ts';
import { TextFollower } from './text-follower.ts';
import type { CutPart, CutTrack, Sample, TrackHeader } from './types.ts';

export interface PackagerOptions {
  readonly partMs: number;
  readonly segmentMs: number;
  /** Numbers to continue from; a stream that continues starts with a discontinuity. */
  readonly startPart: number;
  readonly startSegment: number;
  readonly startTimeUs: number;
  /** How long a part waits for a track that has not delivered, in ms: after it was due and its pictures were there. */
  readonly graceMs: number;
  /** The far end has a clock of its own. */
  readonly live: boolean;
}

/** A track of the stream; the first of the list leads. */
export interface PackagerTrack {
  readonly id: number;
  readonly header: Pick<TrackHeader, 'kind' | 'timescale' | 'channels' | 'codecs'>;
}

/** A part with the moment at which it is due. */
export interface PackedPart {
  readonly part: CutPart;
  /** Where the part ends on the stream's timeline. */
  readonly endUs: number;
}

/** A pause in the leading track that is longer than this is a discontinuity, not a long picture. */
const pauseMaxSeconds = 3;
/** Pictures that do not join by more than this are a jump in time, not a rounding. */
const jumpMinSeconds = 0.002;
/** How far another track may be behind the leading one, whatever the clock says: bounds what is held in memory. */
const lagMaxSeconds = 30;
/** Less lateness than this is not worth a word, in ms. */
const lateNoticeMs = 500;
/** Samples of other tracks that wait for the leading track's first key frame: 20 s of audio. */
const earlyMax = 1000;

/**
 * Turns the samples of one run after the other into the parts of one stream: puts every run on the stream's timeline,
 * cuts the leading track, sorts the other tracks in, and numbers the parts. Pure: the caller says what time it is.
 *
 * Order of calls: `setTracks`, then for each run `beginRun`, `push` …, and `endRun` when it ended by itself or
 * `interrupt` when it broke; `take` at any time.
 */
export class Packager {
  readonly line: PaceLine;
  private readonly options: PackagerOptions;
  private readonly ready: PackedPart[] = [];
  private readonly notices: string[] = [];
  private tracks: readonly PackagerTrack[] = [];
  private followers: (Follower | undefined)[] = [];
  private cutter: LeadCutter | undefined;
  /** Only where sound leads. */
  private leadChain: AudioChain | undefined;
  private part: number;
  private nextSegment: number;
  private run: Run | undefined;
  private early: { readonly index: number; readonly sample: Sample }[] = [];
  /** Where the leading track ends so far: decoding time in its ticks, on the stream's timeline. */
  private leadEnd = 0;
  private lastDuration = 0;
  private endUs: number;
  private discontinuityNext: boolean;
  /** A run that another can join is under way or has just ended. */
  private joinable = false;
  private readonly lagging = new Set<number>();

  constructor(options: PackagerOptions) {
    this.options = options;
    this.line = new PaceLine(options.live);
    this.part = options.startPart;
    this.nextSegment = options.startSegment;
    this.endUs = options.startTimeUs;
    this.discontinuityNext = options.startPart > 0;
  }

  /**
   * New tracks, and with them a new start: what follows is not joined to what was before. The first track leads.
   * Call `interrupt` first when a run is under way.
   */
  setTracks(tracks: readonly PackagerTrack[]): void {
    this.tracks = tracks;
    const lead = tracks[0]!;
    const { partMs, segmentMs } = this.options;
    this.cutter = new LeadCutter({
      timescale: lead.header.timescale,
      partMs,
      segmentMs,
      startSegment: this.nextSegment,
    });
    this.followers = tracks.map(({ header }, i) => {
      if (i === 0) return undefined;
      if (header.kind === 'video') return new VideoFollower();
      if (header.kind === 'text') return new TextFollower();
      return new AudioChain(header.timescale, header.channels, header.codecs);
    });
    const { kind, timescale, channels, codecs } = lead.header;
    this.leadChain = kind === 'audio' ? new AudioChain(timescale, channels, codecs) : undefined;
    this.run = undefined;
    this.joinable = false;
    this.leadEnd = Math.ceil((this.endUs * lead.header.timescale) / 1e6);
  }

  /**
   * @param continuous the run joins the one before without a jump in time: a file that starts again.
   * @param cameAtMs when the run's first frame came in; decides how far the timeline moves on over an interruption.
   */
  beginRun(continuous: boolean, cameAtMs: number): void {
    this.run = { continuous, cameAtMs, shift: undefined };
    this.early = [];
  }

  /** One sample of the current run. Times are the run's own, in ticks of the track at `index`. */
  push(index: number, sample: Sample, nowMs: number): void {
    if (this.run === undefined) return;
    if (index === 0) this.pushLead(this.run, sample, nowMs);
    else if (this.run.shift !== undefined) this.pushFollower(index, sample, this.run.shift);
    else if (this.early.length < earlyMax) this.early.push({ index, sample });
    this.assemble(nowMs);
  }

  /** The run ended by itself, and another joins it. */
  endRun(): void {
    this.run = undefined;
  }

  /** The run broke: all that is there goes out, and the next part is a discontinuity. */
  interrupt(): void {
    this.run = undefined;
    this.joinable = false;
    this.cutter?.breakOff(true);
    this.assemble(undefined);
    if (this.cutter !== undefined) this.dropFollowersFrom(0, 0);
    this.discontinuityNext = this.part > 0;
  }

  /** The next part, in order. */
  take(): PackedPart | undefined {
    return this.ready.shift();
  }

  /** What a person should know: a track that lags, a track that is back. */
  takeNotice(): string | undefined {
    return this.notices.shift();
  }

  private pushLead(run: Run, sample: Sample, nowMs: number): void {
    if (run.shift === undefined) {
      if (!sample.key) return;
      this.placeRun(run, sample);
    }
    const placed = { ...sample, dts: sample.dts + run.shift! };
    const joined = this.leadChain === undefined ? this.joinPicture(placed) : this.joinSound(this.leadChain, placed);
    for (const one of joined) {
      this.cutter!.push(one, nowMs);
      this.leadEnd = one.dts + one.duration;
    }
    const movedMs = this.line.note(this.leadUs(placed.dts + placed.ctsOffset), nowMs);
    if (movedMs > lateNoticeMs) {
      const behind = `fell ${(movedMs / 1000).toFixed(1)} s behind`;
      this.notices.push(
        this.options.live ? `the input ${behind}` : `this machine is too slow for the input: it ${behind}`,
      );
    }
  }

  /** Decides where on the stream's timeline a run begins, by its first key frame. */
  private placeRun(run: Run, first: Sample): void {
    const lead = this.tracks[0]!.header;
    const ticks = (timeUs: number) => Math.round((timeUs * lead.timescale) / 1e6);
    const joins = run.continuous && this.joinable;
    if (joins) {
      this.cutter!.breakOff(false);
      this.dropFollowersFrom(this.leadEnd, first.ctsOffset);
    } else {
      const reachedUs = this.line.isLaid() ? this.line.timeUsAt(run.cameAtMs) : 0;
      const start = ticks(Math.max(this.endUs, reachedUs)) - first.ctsOffset;
      this.beginAt(Math.max(start, this.leadEnd), first.ctsOffset, this.discontinuityNext);
      this.discontinuityNext = false;
    }
    this.joinable = true;
    run.shift = this.leadEnd - first.dts;
    if (!this.line.isLaid()) this.line.lay(this.leadUs(this.leadEnd + first.ctsOffset), run.cameAtMs);
    for (const { index, sample } of this.early) this.pushFollower(index, sample, run.shift);
    this.early = [];
  }

  /** The timeline goes on here, not where it ended. */
  private beginAt(start: number, reorder: number, discontinuity: boolean): void {
    this.cutter!.breakOff(discontinuity);
    this.assemble(undefined);
    this.followers.forEach((follower, i) => {
      follower?.skipTo(this.borderOf(i, start, reorder));
    });
    this.leadEnd = start;
    this.leadChain?.skipTo(start);
  }

  private dropFollowersFrom(leadTicks: number, reorder: number): void {
    this.followers.forEach((follower, i) => {
      follower?.dropFrom(this.borderOf(i, leadTicks, reorder));
    });
  }

  /** A picture so that it joins the one before to the tick; nothing while a jump in the run waits for its key frame. */
  private joinPicture(sample: Sample): Sample[] {
    const { timescale } = this.tracks[0]!.header;
    const gap = sample.dts - this.leadEnd;
    if (gap > timescale * jumpMinSeconds) {
      if (!sample.key) return [];
      this.beginAt(sample.dts, sample.ctsOffset, true);
    }
    // Times that are off by a rounding, or that go back: decoding times join, presentation stays where it was.
    const dts = this.leadEnd;
    const ctsOffset = Math.max(0, sample.ctsOffset + sample.dts - dts);
    const tooLong = sample.duration > pauseMaxSeconds * timescale;
    const duration = tooLong ? this.lastDuration || 1 : sample.duration || this.lastDuration || 1;
    this.lastDuration = duration;
    return [{ ...sample, dts, ctsOffset, duration }];
  }

  /** Sound so that it joins the frame before, with silence in front of it where it must. */
  private joinSound(chain: AudioChain, sample: Sample): Sample[] {
    if (sample.dts - this.leadEnd > pauseMaxSeconds * this.tracks[0]!.header.timescale) {
      this.beginAt(sample.dts, 0, true);
    }
    chain.push(sample);
    return chain.takeUntil(Number.POSITIVE_INFINITY);
  }

  private pushFollower(index: number, sample: Sample, shift: number): void {
    const lead = this.tracks[0]!.header.timescale;
    const own = this.tracks[index]!.header.timescale;
    const dts = sample.dts + Math.round((shift * own) / lead);
    this.followers[index]!.push({ ...sample, dts });
  }

  /** A border of the leading track in the ticks of another: pictures share decoding times, sound and text go by what shows. */
  private borderOf(index: number, leadTicks: number, reorder: number): number {
    const { header } = this.tracks[index]!;
    if (header.kind === 'video') return leadTicks;
    return Math.ceil(((leadTicks + reorder) * header.timescale) / this.tracks[0]!.header.timescale - 1e-3);
  }

  /** Hands on the closed parts that all tracks have reached; without a time, those too that they have not. */
  private assemble(nowMs: number | undefined): void {
    for (let lead = this.cutter?.peek(); lead !== undefined; lead = this.cutter!.peek()) {
      if (nowMs !== undefined && !this.isComplete(lead) && !this.isOverdue(lead, nowMs)) return;
      this.cutter!.take();
      this.emit(lead, nowMs === undefined);
    }
  }

  private isOverdue(lead: LeadPart, nowMs: number): boolean {
    const dueMs = this.line.wallMsAt(this.leadUs(lead.end + lead.reorder));
    const lagTicks = this.leadEnd - lead.end;
    return (
      nowMs > Math.max(dueMs, lead.cameAtMs) + this.options.graceMs ||
      lagTicks > lagMaxSeconds * this.tracks[0]!.header.timescale
    );
  }

  private isComplete(lead: LeadPart): boolean {
    return this.followers.every((follower, i) => {
      return follower === undefined || follower.isCompleteTo(this.borderOf(i, lead.end, lead.reorder));
    });
  }

  private emit(lead: LeadPart, force: boolean): void {
    const tracks: CutTrack[] = [this.chunk(0, lead.samples, lead.reorder)];
    this.followers.forEach((follower, i) => {
      if (follower === undefined) return;
      const border = this.borderOf(i, lead.end, lead.reorder);
      const complete = follower.isCompleteTo(border);
      if (!force) this.noteLag(i, !complete);
      const samples = complete || follower.giveUpTo(border) || force ? follower.takeUntil(border) : [];
      if (samples.length > 0) tracks.push(this.chunk(i, samples, this.reorderOf(i, lead)));
    });
    this.endUs = this.leadUs(lead.end + lead.reorder);
    this.nextSegment = lead.segment + 1;
    const { segment, indexInSegment, independent, discontinuity } = lead;
    const capturedAtMs = Math.round(this.line.wallMsAt(tracks[0]!.timeUs));
    const part = { part: this.part, segment, indexInSegment, independent, discontinuity, capturedAtMs, tracks };
    this.ready.push({ part, endUs: this.endUs });
    this.part++;
  }

  private noteLag(index: number, lags: boolean): void {
    if (lags === this.lagging.has(index)) return;
    const { id, header } = this.tracks[index]!;
    if (lags) this.lagging.add(index);
    else this.lagging.delete(index);
    this.notices.push(`track ${id} (${header.kind}) ${lags ? 'delivers nothing; going on without it' : 'is back'}`);
  }

  private reorderOf(index: number, lead: LeadPart): number {
    return this.tracks[index]!.header.kind === 'video' ? lead.reorder : 0;
  }

  private chunk(index: number, samples: readonly Sample[], reorder: number): CutTrack {
    const { id, header } = this.tracks[index]!;
    const last = samples.at(-1)!;
    const us = (ticks: number) => Math.round((ticks * 1e6) / header.timescale);
    const timeUs = us(samples[0]!.dts + reorder);
    const durationUs = us(last.dts + last.duration + reorder) - timeUs;
    return { track: id, timeUs, durationUs, bytes: writeChunk(samples, id + 1, this.part + 1) };
  }

  private leadUs(ticks: number): number {
    return Math.round((ticks * 1e6) / this.tracks[0]!.header.timescale);
  }
}

/** One run of the input. `shift` brings its times to the stream's timeline, in ticks of the leading track. */
interface Run {
  readonly continuous: boolean;
  readonly cameAtMs: number;
  shift: number | undefined;
}
