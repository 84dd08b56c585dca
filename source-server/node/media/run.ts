import type { Writable } from 'node:stream';
import { Mp4Reader } from '../../core/media/mp4-reader.ts';
import { textHeader } from '../../core/media/ttml.ts';
import type { Sample, TrackHeader } from '../../core/media/types.ts';
import { type FfmpegExit, FfmpegProcess } from './ffmpeg-process.ts';
import { ffmpegArgs, type Plan } from './plan.ts';
import { TextReader } from './text-reader.ts';

export interface RunHandlers {
  /** All tracks have shown their headers. Comes before the first sample. */
  onHeaders(headers: readonly TrackHeader[]): void;
  onSample(track: number, sample: Sample): void;
  /** A batch of samples is over: the moment to see whether to read on. */
  onBatch(): void;
  /** Nothing follows. `why` is undefined when the input came to its end. */
  onEnd(why: string | undefined): void;
}

/** Samples that wait until every track has shown its header: 20 s of audio and video. */
const earlyMax = 4000;
/** Words among them: more are left out, as they may all come before the first picture. */
const earlyWordsMax = 256;

/** One run of ffmpeg for a plan, as samples. */
export class Run {
  private readonly process: FfmpegProcess;
  private readonly readers: (Mp4Reader | TextReader)[];
  private readonly headers: (TrackHeader | undefined)[];
  private readonly handlers: RunHandlers;
  private early: { readonly track: number; readonly sample: Sample }[] | undefined = [];
  private earlyWords = 0;
  private failure: string | undefined;
  private readonly silenceMaxMs: number;
  private watch: NodeJS.Timeout | undefined;
  private paused = false;
  private readonly hasWords: boolean;

  /** @param silenceMaxMs a run that delivers nothing for so long is ended. */
  constructor(program: string, plan: Plan, stdin: 'pipe' | 'ignore', silenceMaxMs: number, handlers: RunHandlers) {
    this.handlers = handlers;
    this.silenceMaxMs = silenceMaxMs;
    this.readers = plan.tracks.map(({ kind }) => (kind === 'text' ? new TextReader() : new Mp4Reader()));
    // Text has a header of our own making, and may say nothing for long.
    this.headers = plan.tracks.map(({ kind, language }) => (kind === 'text' ? textHeader(language) : undefined));
    this.hasWords = plan.tracks.some(({ kind }) => kind === 'text');
    this.process = new FfmpegProcess(program, ffmpegArgs(plan), plan.tracks.length, stdin, {
      onData: (output, bytes) => this.came(output, bytes),
      onExit: (exit) => this.afterWords(() => this.end(exit)),
    });
    this.watchSilence();
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Where to write live bytes; null when the run reads none, or none any more. */
  get stdin(): Writable | null {
    return this.failure === undefined ? this.process.stdin : null;
  }

  /** While paused nothing is read, and ffmpeg waits. */
  setPaused(paused: boolean): void {
    if (paused === this.paused) return;
    this.paused = paused;
    this.readers.forEach((reader, i) => {
      if (!(reader instanceof TextReader)) this.process.setPaused(i, paused);
    });
    this.watchSilence();
  }

  /** Ends the run; `onEnd` follows with this reason. */
  stop(why: string): void {
    this.failure ??= why;
    this.process.kill();
  }

  private came(output: number, bytes: Uint8Array): void {
    if (this.readers[output] instanceof TextReader) this.read(output, bytes);
    else this.afterWords(() => this.read(output, bytes));
  }

  /**
   * No part waits for words, so they are read first: ffmpeg has written those that belong to a picture before it, but into another pipe.
   * One round of the event loop reads what was there, the second what came while it did.
   */
  private afterWords(act: () => void): void {
    if (this.hasWords) setImmediate(() => setImmediate(act));
    else act();
  }

  private read(output: number, bytes: Uint8Array): void {
    if (this.failure !== undefined) return;
    this.watchSilence();
    try {
      for (const item of this.readers[output]!.push(bytes)) {
        if (this.failure !== undefined) break;
        if (item.kind === 'track') this.noteHeader(output, item.track);
        else this.noteSample(output, item.sample);
      }
    } catch (error) {
      this.stop(`ffmpeg's output makes no sense: ${error instanceof Error ? error.message : error}`);
    }
    this.handlers.onBatch();
  }

  private noteHeader(output: number, header: TrackHeader): void {
    this.headers[output] = header;
    const known = this.headers.filter((one) => one !== undefined);
    if (this.early === undefined || known.length < this.headers.length) return;
    const early = this.early;
    this.early = undefined;
    this.handlers.onHeaders(known);
    for (const { track, sample } of early) this.handlers.onSample(track, sample);
  }

  private noteSample(track: number, sample: Sample): void {
    if (this.early === undefined) {
      this.handlers.onSample(track, sample);
      return;
    }
    if (this.readers[track] instanceof TextReader && ++this.earlyWords > earlyWordsMax) return;
    if (this.early.push({ track, sample }) > earlyMax) this.stop('one of the tracks delivers nothing');
  }

  private watchSilence(): void {
    clearTimeout(this.watch);
    if (this.paused) return;
    const seconds = Math.round(this.silenceMaxMs / 1000);
    this.watch = setTimeout(() => this.stop(`nothing came for ${seconds} s`), this.silenceMaxMs);
  }

  private end(exit: FfmpegExit): void {
    clearTimeout(this.watch);
    this.handlers.onEnd(this.failure ?? describeFailure(exit));
  }
}

function describeFailure(exit: FfmpegExit): string | undefined {
  if (exit.code === 0) return undefined;
  if (exit.signal !== null) return `ffmpeg was ended by ${exit.signal}`;
  return exit.lastWords || `ffmpeg ended with code ${exit.code}`;
}
