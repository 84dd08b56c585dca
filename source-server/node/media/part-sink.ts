import type { Track } from '../../../protocol/media.ts';
import { nowMs } from '../../../runtime/node/clock.ts';
import { writeInit } from '../../core/media/cmaf-writer.ts';
import { GopMeter } from '../../core/media/gop-meter.ts';
import { Packager, type PackedPart } from '../../core/media/packager.ts';
import { roundUpToFrames, Targets } from '../../core/media/targets.ts';
import type { Sample, TrackHeader } from '../../core/media/types.ts';
import type { MediaEvent, MediaOptions } from './options.ts';
import type { Plan } from './plan.ts';
import { ReleaseQueue } from './release-queue.ts';
import { Run } from './run.ts';

/** One run to be opened. */
export interface RunOptions {
  readonly ffmpeg: string;
  readonly plan: Plan;
  readonly stdin: 'pipe' | 'ignore';
  /** It joins the run before it without a jump in time. */
  readonly continuous: boolean;
  /** When its first frame came in; by default when the first sample does. */
  readonly cameAtMs?: number;
  /** Called for every sample of the leading track, with the time since its last key frame in s. */
  onLead(sample: Sample, timescale: number, sinceKeySeconds: number): void;
  /** The run is over; `why` is undefined when the input came to its end. Call `finishRun` then. */
  onEnd(why: string | undefined): void;
}

/** How far finished parts may be ahead of their time before ffmpeg has to wait, in ms. */
const aheadMaxMs = 2000;
/** A run that delivers nothing for so long is ended, in ms. */
const silenceMaxMs = 15_000;

/** From runs of ffmpeg to events: packages their samples, announces tracks, and lets every part out when it is due. */
export class PartSink {
  readonly queue: ReleaseQueue<MediaEvent>;
  private readonly packager: Packager;
  private readonly partMs: number;
  private readonly segmentMs: number;
  private readonly paced: boolean;
  private run: Run | undefined;
  private plan: Plan | undefined;
  private tracks: readonly Track[] = [];
  private targets: Targets;
  private newestEndUs = 0;
  private waitsForParts = false;
  private paceTimer: NodeJS.Timeout | undefined;

  /** @param live the input has a clock of its own, and comes when it comes. */
  constructor(options: MediaOptions, live: boolean, emit: (event: MediaEvent) => void) {
    this.queue = new ReleaseQueue(emit);
    const { partMs = 250, segmentMs = 1000, startPart = 0, startSegment = 0, startTimeUs = 0, paced = true } = options;
    this.partMs = partMs;
    this.segmentMs = segmentMs;
    this.paced = paced;
    this.targets = new Targets(partMs, segmentMs);
    // A file is read ahead of time, and what is not there by then will not come.
    const graceMs = !paced ? Number.POSITIVE_INFINITY : live ? 3000 : 1000;
    this.packager = new Packager({ partMs, segmentMs, startPart, startSegment, startTimeUs, graceMs, live });
  }

  openRun(options: RunOptions): Run {
    const { plan, continuous } = options;
    let begun = false;
    let meter = new GopMeter(1);
    let timescale = 1;
    this.plan = plan;
    const run = new Run(options.ffmpeg, plan, options.stdin, silenceMaxMs, {
      onHeaders: (headers) => {
        this.useHeaders(plan, headers);
        timescale = headers[0]!.timescale;
        meter = new GopMeter(timescale);
      },
      onSample: (track, sample) => {
        const atMs = nowMs();
        if (!begun) this.packager.beginRun(continuous, options.cameAtMs ?? atMs);
        begun = true;
        this.packager.push(track, sample, atMs);
        if (track !== 0) return;
        meter.note(sample);
        options.onLead(sample, timescale, meter.sinceKeySeconds());
      },
      onBatch: () => this.drain(),
      onEnd: (why) => {
        clearTimeout(this.paceTimer);
        this.run = undefined;
        options.onEnd(why);
      },
    });
    this.run = run;
    return run;
  }

  /** @param joins another run follows that continues this one; otherwise all that is there goes out. */
  finishRun(joins: boolean): void {
    if (joins) this.packager.endRun();
    else this.packager.interrupt();
    this.drain();
  }

  /** Lets an event out when all parts so far have been let out. */
  pushLast(event: MediaEvent): void {
    this.push(event, this.newestEndUs);
  }

  /** Says that the input is interrupted, after the parts that are still to go out; the next one is preceded by `resumed`. */
  breakOff(why: string): void {
    if (!this.waitsForParts) this.pushLast({ kind: 'interrupted', why });
    this.waitsForParts = true;
  }

  close(): void {
    clearTimeout(this.paceTimer);
    this.queue.close();
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

  /** The targets that frame rates and key frames promise. */
  private promise(plan: Plan, headers: readonly TrackHeader[]): Targets {
    const lead = plan.tracks[0]!;
    const audioFrames = headers.flatMap(({ kind, sampleRate }) => (kind === 'audio' ? [1_024_000 / sampleRate] : []));
    const leadFrameMs = lead.kind === 'video' ? lead.frameMs : audioFrames[0]!;
    const partMs = lead.steady ? roundUpToFrames(this.partMs, leadFrameMs) : this.partMs + leadFrameMs;
    const longestMs = Math.max(partMs, ...audioFrames.map((frameMs) => roundUpToFrames(partMs, frameMs)));
    return new Targets(
      longestMs,
      lead.kind === 'video' ? lead.segmentMs : roundUpToFrames(this.segmentMs, leadFrameMs),
    );
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
    if (this.waitsForParts) this.push({ kind: 'resumed' }, endUs);
    this.waitsForParts = false;
    this.newestEndUs = endUs;
    this.push({ kind: 'part', part }, endUs);
  }

  private push(event: MediaEvent, dueUs: number): void {
    this.queue.push(event, this.paced ? () => this.packager.line.wallMsAt(dueUs) : undefined);
  }

  private pace(): void {
    clearTimeout(this.paceTimer);
    if (!this.paced || this.run === undefined) return;
    const aheadMs = this.queue.isEmpty() ? 0 : this.packager.line.wallMsAt(this.newestEndUs) - nowMs();
    const paused = aheadMs > aheadMaxMs;
    this.run.setPaused(paused);
    if (paused) this.paceTimer = setTimeout(() => this.pace(), this.partMs);
  }
}

function describeTrack(plan: Plan, header: TrackHeader, id: number): Track {
  const { name, language, frameRate, bandwidthBps } = plan.tracks[id]!;
  const { kind, codecs, width, height, channels } = header;
  const init = writeInit(header, id + 1);
  const tag = language === '' ? '' : shortTag(language);
  return { id, kind, codecs, name, bandwidthBps, width, height, frameRate, channels, init, language: tag };
}

/** As playlists have it (RFC 5646 2.2.1): `de`, where inputs say `deu` or `ger`. */
function shortTag(language: string): string {
  return Intl.getCanonicalLocales(language)[0]!;
}

function sameTracks(one: readonly Track[], other: readonly Track[]): boolean {
  return one.length === other.length && one.every((track, i) => Buffer.compare(track.init, other[i]!.init) === 0);
}
