import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { StreamShape } from '../../../scenarios/plan/scenario.ts';
import { writeChunk, writeInit } from '../../../source-server/core/media/cmaf-writer.ts';
import { findFfmpeg } from '../../../source-server/node/media/ffmpeg.ts';
import { type Cut, cutFile, openTrack, partSize } from './cut.ts';
import { encodeFilm, joinTracks } from './encode.ts';
import { FILLER_BYTES_MIN, fillPart } from './fill.ts';
import { type FilmShape, filmSeconds, shapeFilm } from './film.ts';
import { filmsFolder, KeptFolders, sha256OfFile } from './kept.ts';

export interface MediaWish {
  readonly stream: StreamShape;
  /** Where films are kept; by default a folder of the user's own under the system's temporary one. */
  readonly folder?: string;
  /** Length of the film, which is looped; 32 by default, half of that for large pictures. */
  readonly seconds?: number;
  readonly onProgress?: (progress: MediaProgress) => void;
  /** Ends ffmpeg and leaves nothing behind. */
  readonly signal?: AbortSignal;
}

export interface MediaProgress {
  /** 0 … 1 of the step. */
  readonly share: number;
  readonly step: 'encoding' | 'filling' | 'checking';
}

/** A film, and what a source makes of it. */
export interface MadeMedia {
  /** What `startSource` is to be given, so that it is cut as it was made. */
  readonly source: { readonly input: string; readonly partMs: number; readonly segmentMs: number };
  /** False where it was there already. */
  readonly isNew: boolean;
  readonly figures: MediaFigures;
}

/** As counted on the parts that a source cuts of the whole film, boxes included. */
export interface MediaFigures {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly seconds: number;
  readonly parts: number;
  readonly bps: number;
  readonly audioBps: number;
  /** Mean bytes of video in a segment's first part over those in its others; 1 where segments have one part. */
  readonly keyPartTimes: number;
  /** Share of the video's bytes that is filler. */
  readonly fillerShare: number;
}

/** Beyond this the film is not what was asked for. */
const RATE_ERROR_MAX = 0.02;
/** Raised whenever the same wish makes another film. */
const VERSION = 1;
const FILM = 'film.mp4';
const NOTE = 'film.json';

/** The quality that is tried first, and the worst: x264's. */
const CRF = { first: 31, last: 51 } as const;
/** A step of so much halves the bytes. */
const CRF_HALVES = 6;
const SAMPLE_SEGMENTS = 4;

interface Note {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly figures: MediaFigures;
}

/**
 * The media of a stream as a scenario describes it: a file of H.264 and AAC that a source passes through as it is and loops.
 * Its parts have the sizes that the simulator's have: all the bytes of a second together are the stream's rate, sound is
 * about a twentieth, and a segment's first part weighs four of its others. It is made once and kept.
 *
 * @throws Error that says what of the stream cannot be made, or what is wrong with ffmpeg.
 */
export async function makeMedia(wish: MediaWish): Promise<MadeMedia> {
  const { stream, signal = new AbortController().signal } = wish;
  const film = shapeFilm(stream, wish.seconds);
  const ffmpeg = await findFfmpeg();
  const kept = new KeptFolders(wish.folder ?? filmsFolder());
  const folder = kept.folderOf({ version: VERSION, film, ffmpeg: ffmpeg.version });
  const source = {
    input: path.join(folder, FILM),
    partMs: film.partMs,
    segmentMs: film.partMs * film.partsPerSegment,
  };
  const there = await readNote(folder);
  if (there !== undefined) return { source, isNew: false, figures: there.figures };
  const maker = new FilmMaker(ffmpeg.path, film, signal, wish.onProgress ?? (() => undefined));
  await kept.make(
    folder,
    (work) => maker.make(work),
    async (other) => (await readNote(other)) !== undefined,
  );
  const made = await readNote(folder);
  if (made === undefined) throw new Error(`${folder} was changed while the film was made: try again`);
  return { source, isNew: true, figures: made.figures };
}

/** What was noted of a film, if it is there and nobody has changed a byte of it. */
async function readNote(folder: string): Promise<Note | undefined> {
  try {
    const note: Note = JSON.parse(await readFile(path.join(folder, NOTE), 'utf8'));
    const file = path.join(folder, FILM);
    if ((await stat(file)).size !== note.sizeBytes || (await sha256OfFile(file)) !== note.sha256) return undefined;
    return note;
  } catch {
    return undefined;
  }
}

/** Makes one film: encodes it somewhat too small, cuts it as a source does, and fills every part up to its size. */
class FilmMaker {
  private readonly ffmpeg: string;
  private readonly film: FilmShape;
  private readonly signal: AbortSignal;
  private readonly onProgress: (progress: MediaProgress) => void;

  constructor(ffmpeg: string, film: FilmShape, signal: AbortSignal, onProgress: (progress: MediaProgress) => void) {
    this.ffmpeg = ffmpeg;
    this.film = film;
    this.signal = signal;
    this.onProgress = onProgress;
  }

  async make(work: string): Promise<void> {
    const encoded = path.join(work, 'encoded.mp4');
    const { cut, sizes } = await this.encodeSmallEnough(encoded);
    this.onProgress({ step: 'filling', share: 0 });
    const filled = path.join(work, 'filled.mp4');
    const filler = await this.fill(cut, sizes, filled);
    const file = path.join(work, FILM);
    await joinTracks({ ffmpeg: this.ffmpeg, signal: this.signal }, { pictures: filled, sound: encoded }, file);
    this.onProgress({ step: 'checking', share: 0 });
    const figures = this.check(await this.cut(file, this.film), filler);
    const note: Note = { sizeBytes: (await stat(file)).size, sha256: await sha256OfFile(file), figures };
    await writeFile(path.join(work, NOTE), `${JSON.stringify(note, null, 2)}\n`);
    this.onProgress({ step: 'checking', share: 1 });
  }

  /** Encodes until no part of video is larger than it is to be; a few segments show about where that is. */
  private async encodeSmallEnough(file: string): Promise<{ cut: Cut; sizes: readonly number[] }> {
    const { ffmpeg, film, signal } = this;
    const sample = { ...film, segments: Math.min(film.segments, SAMPLE_SEGMENTS) };
    const tries = { ffmpeg, signal, file: `file:${file}` };
    let crf: number = CRF.first;
    await encodeFilm({ ...tries, film: sample, crf, onProgress: () => undefined });
    for (crf = this.nextCrf(crf, await this.cut(file, sample)); ; ) {
      await encodeFilm({ ...tries, film, crf, onProgress: (share) => this.onProgress({ step: 'encoding', share }) });
      const cut = await this.cut(file, film);
      const next = this.nextCrf(crf, cut);
      if (next === crf) return { cut, sizes: this.wishedSizes(cut) };
      crf = next;
    }
  }

  /** The same where all parts fit. */
  private nextCrf(crf: number, cut: Cut): number {
    const sizes = this.wishedSizes(cut);
    const fullest = Math.max(
      ...cut.parts.map((part, at) => (partSize(cut, part, 'video') + FILLER_BYTES_MIN) / sizes[at]!),
    );
    if (fullest <= 1) return crf;
    const { bps, width, height } = this.film;
    if (crf === CRF.last) throw new Error(`${bps} bit/s are too few for pictures of ${width}x${height}`);
    return Math.min(CRF.last, crf + Math.max(1, Math.round(CRF_HALVES * Math.log2(fullest))));
  }

  private cut(file: string, { partMs, partsPerSegment, segments }: FilmShape): Promise<Cut> {
    const segmentMs = partMs * partsPerSegment;
    return cutFile(file, { partMs, segmentMs, parts: segments * partsPerSegment, signal: this.signal });
  }

  /** What the video of each part is to weigh: what the sound leaves of the rate, four shares for a segment's first part. */
  private wishedSizes(cut: Cut): number[] {
    const { film } = this;
    const sound = cut.parts.reduce((sum, part) => sum + partSize(cut, part, 'audio'), 0);
    const videoBytes = (film.bps * film.partMs * cut.parts.length) / 8000 - sound;
    const keyParts = cut.parts.length / film.partsPerSegment;
    const shareBytes = videoBytes / (cut.parts.length + keyParts * (KEY_PART_TIMES - 1));
    let owed = 0;
    return cut.parts.map((part) => {
      owed += shareBytes * (part.indexInSegment === 0 ? KEY_PART_TIMES : 1);
      const size = Math.floor(owed);
      owed -= size;
      return size;
    });
  }

  /** Writes the pictures with their filler; returns how many bytes of filler there are. */
  private async fill(cut: Cut, sizes: readonly number[], file: string): Promise<number> {
    const { header, parts } = openTrack(cut, 'video');
    let filler = 0;
    const chunks = parts.map(({ samples }, at) => {
      const fillerBytes = sizes[at]! - partSize(cut, cut.parts[at]!, 'video');
      filler += fillerBytes;
      return writeChunk(fillPart(samples, fillerBytes), 1, at + 1);
    });
    await writeFile(file, Buffer.concat([writeInit(header, 1), ...chunks]));
    return filler;
  }

  /** @throws Error when a source does not take the film as it is, or the film is not as it was asked for. */
  private check(cut: Cut, filler: number): MediaFigures {
    const { film } = this;
    const seconds = filmSeconds(film);
    const sum = (kind: 'video' | 'audio', index?: 'first' | 'others') =>
      cut.parts
        .filter((part) => index === undefined || (part.indexInSegment === 0) === (index === 'first'))
        .reduce((bytes, part) => bytes + partSize(cut, part, kind), 0);
    const bps = ((sum('video') + sum('audio')) * 8) / seconds;
    const untouched = cut.decisions.every((decision) => decision.endsWith('passed through'));
    const asAsked = cut.parts.every(
      (part, at) =>
        part.indexInSegment === at % film.partsPerSegment && part.independent === (part.indexInSegment === 0),
    );
    if (!untouched) throw new Error(`a source would not pass the film through: ${cut.decisions.join(', ')}`);
    if (!asAsked) throw new Error('the film is not cut at its key frames');
    if (Math.abs(bps / film.bps - 1) > RATE_ERROR_MAX) {
      throw new Error(`the film came to ${Math.round(bps)} bit/s instead of ${film.bps}`);
    }
    const others = film.partsPerSegment - 1;
    return {
      width: film.width,
      height: film.height,
      framesPerSecond: (film.framesPerPart * 1000) / film.partMs,
      seconds,
      parts: cut.parts.length,
      bps,
      audioBps: (sum('audio') * 8) / seconds,
      keyPartTimes: others === 0 ? 1 : (sum('video', 'first') * others) / sum('video', 'others'),
      fillerShare: filler / sum('video'),
    };
  }
}

/** A segment's first part weighs so many of its others, as `partBytes` of the simulator has it. */
const KEY_PART_TIMES = 4;
