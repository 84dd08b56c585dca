import type { Track } from '../../../protocol/media.ts';
import { writeInit } from '../../core/media/cmaf-writer.ts';
import { type Input, parseInput } from '../../core/media/input.ts';
import { Packager, type PackedPart } from '../../core/media/packager.ts';
import { roundUpToFrames, Targets } from '../../core/media/targets.ts';
import type { TrackHeader } from '../../core/media/types.ts';
import { type Ffmpeg, findFfmpeg } from './ffmpeg.ts';
import { checkMediaOptions, type MediaEvent, type MediaOptions } from './open-media.ts';
import { type Plan, testPlan } from './plan.ts';
import { ReleaseQueue } from './release-queue.ts';
import { Run } from './run.ts';

/** How far finished parts may be ahead of their time before ffmpeg has to wait, in ms. */
const aheadMaxMs = 2000;
const silenceMaxMs = 15_000;
const backoffMaxMs = 10_000;
/** A run that lasted this long makes the next restart quick again. */
const goodRunMs = 10_000;

/** The machine behind `openMedia`: keeps one run going after the other and hands out parts when they are due. */
export class MediaSource {
  private readonly options: MediaOptions;
  private readonly onEvent: (event: MediaEvent) => void;
  private readonly queue: ReleaseQueue<MediaEvent>;
  private readonly packager: Packager;
  private readonly partMs: number;
  private readonly segmentMs: number;
  private ffmpeg: Ffmpeg | undefined;
  private plan: Plan | undefined;
  private run: Run | undefined;
  private runStartedMs = 0;
  private tracks: readonly Track[] = [];
  private targets: Targets;
  private newestEndUs = 0;
  private interrupted = false;
  private backoffMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private resumeTimer: NodeJS.Timeout | undefined;
  private closed = false;
  private readonly runEnded = new Set<() => void>();

  constructor(options: MediaOptions, onEvent: (event: MediaEvent) => void) {
    this.options = options;
    this.onEvent = onEvent;
    this.queue = new ReleaseQueue((event) => this.emit(event));
    this.partMs = options.partMs ?? 250;
    this.segmentMs = options.segmentMs ?? 1000;
    this.targets = new Targets(this.partMs, this.segmentMs);
    const { startPart = 0, startSegment = 0, startTimeUs = 0 } = options;
    const numbers = { startPart, startSegment, startTimeUs };
    this.packager = new Packager({
      partMs: this.partMs,
      segmentMs: this.segmentMs,
      ...numbers,
      lagMaxMs: 10_000,
      live: false,
    });
    this.timer = setTimeout(() => void this.start(), 0);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.resumeTimer);
    this.queue.close();
    if (this.run === undefined) return;
    const gone = new Promise<void>((resolve) => this.runEnded.add(resolve));
    this.run.stop('closed');
    await gone;
  }

  private async start(): Promise<void> {
    try {
      const problem = checkMediaOptions(this.options);
      if (problem !== undefined) return this.fail(problem);
      const { input: text, testSize } = this.options;
      const parsed = parseInput(testSize === undefined ? text : `testsrc=${testSize}`);
      if (!parsed.ok) return this.fail(parsed.error);
      this.ffmpeg = await findFfmpeg();
      this.plan = await this.makePlan(parsed.value);
      this.startRun(this.plan, false);
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  private async makePlan(input: Input): Promise<Plan> {
    if (input.kind === 'testsrc') return testPlan(input.width, input.height, this.segmentMs);
    throw new Error(`--input ${this.options.input} is not built yet`);
  }

  private startRun(plan: Plan, continuous: boolean): void {
    if (this.closed) return;
    this.runStartedMs = Date.now();
    let begun = false;
    this.run = new Run(this.ffmpeg!.path, plan, 'ignore', silenceMaxMs, {
      onHeaders: (headers) => this.useHeaders(plan, headers),
      onSample: (track, sample) => {
        const nowMs = Date.now();
        if (!begun) this.packager.beginRun(continuous, nowMs);
        begun = true;
        this.packager.push(track, sample, nowMs);
      },
      onBatch: () => this.drain(),
      onEnd: (why) => this.endRun(plan, why),
    });
  }

  private useHeaders(plan: Plan, headers: readonly TrackHeader[]): void {
    const tracks = headers.map((header, id) => describeTrack(plan, header, id));
    if (sameTracks(tracks, this.tracks)) return;
    this.packager.interrupt();
    this.drain();
    this.packager.setTracks(headers.map((header, id) => ({ id, header })));
    this.tracks = tracks;
    this.targets = this.promise(plan, headers);
    this.queue.push(this.tracksEvent(), undefined);
  }

  /** The targets that the frame rates promise. */
  private promise(plan: Plan, headers: readonly TrackHeader[]): Targets {
    const videoMs = 1000 / (plan.tracks[0]!.frameRate || 1000);
    const partMs = roundUpToFrames(this.partMs, videoMs);
    const audioMs = headers.map((header) => (header.kind === 'audio' ? 1_024_000 / header.sampleRate : 0));
    const longestMs = Math.max(partMs, ...audioMs.map((frameMs) => roundUpToFrames(partMs, frameMs)));
    return new Targets(longestMs, roundUpToFrames(this.segmentMs, videoMs));
  }

  private tracksEvent(): MediaEvent {
    const { partMs: partTargetMs, segmentMs: segmentTargetMs } = this.targets;
    return { kind: 'tracks', tracks: this.tracks, partTargetMs, segmentTargetMs, decisions: this.plan!.decisions };
  }

  /** Queues the parts that are finished, and lets ffmpeg wait when they are far ahead of their time. */
  private drain(): void {
    for (let text = this.packager.takeNotice(); text !== undefined; text = this.packager.takeNotice()) {
      this.queue.push({ kind: 'notice', text }, undefined);
    }
    for (let packed = this.packager.take(); packed !== undefined; packed = this.packager.take()) this.queuePart(packed);
    this.pace();
  }

  private queuePart({ part, endUs }: PackedPart): void {
    if (this.targets.note(part)) this.queue.push(this.tracksEvent(), undefined);
    const dueMs = () => this.packager.line.wallMsAt(endUs);
    this.newestEndUs = endUs;
    if (this.interrupted) this.queue.push({ kind: 'resumed' }, this.isPaced() ? dueMs : undefined);
    this.interrupted = false;
    this.queue.push({ kind: 'part', part }, this.isPaced() ? dueMs : undefined);
  }

  private pace(): void {
    clearTimeout(this.resumeTimer);
    if (!this.isPaced() || this.run === undefined) return;
    const aheadMs = this.queue.isEmpty() ? 0 : this.packager.line.wallMsAt(this.newestEndUs) - Date.now();
    this.run.setPaused(aheadMs > aheadMaxMs);
    if (aheadMs > aheadMaxMs) this.resumeTimer = setTimeout(() => this.pace(), this.partMs);
  }

  private isPaced(): boolean {
    return this.options.paced ?? true;
  }

  private endRun(_plan: Plan, why: string | undefined): void {
    this.run = undefined;
    if (this.closed) {
      for (const resolve of this.runEnded) resolve();
      return;
    }
    this.packager.interrupt();
    this.drain();
    this.interrupt(why ?? 'ffmpeg came to an end');
  }

  private interrupt(why: string): void {
    if (!this.interrupted) this.emit({ kind: 'interrupted', why });
    this.interrupted = true;
    const lasted = Date.now() - this.runStartedMs >= goodRunMs;
    this.backoffMs = lasted || this.backoffMs === 0 ? 1000 : Math.min(this.backoffMs * 2, backoffMaxMs);
    this.timer = setTimeout(() => this.startRun(this.plan!, false), this.backoffMs);
  }

  private fail(why: string): void {
    this.emit({ kind: 'failed', why });
    void this.close();
  }

  private emit(event: MediaEvent): void {
    if (!this.closed) this.onEvent(event);
  }
}

function describeTrack(plan: Plan, header: TrackHeader, id: number): Track {
  const { name, frameRate, bandwidthBps } = plan.tracks[id]!;
  const { kind, codecs, width, height, channels } = header;
  return { id, kind, codecs, name, bandwidthBps, width, height, frameRate, channels, init: writeInit(header, id + 1) };
}

function sameTracks(one: readonly Track[], other: readonly Track[]): boolean {
  return one.length === other.length && one.every((track, i) => Buffer.compare(track.init, other[i]!.init) === 0);
}
