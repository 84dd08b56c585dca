import type { StreamShape } from '../../../scenarios/plan/scenario.ts';

/** What of a stream's media is to be made: everything that decides over the bytes. */
export interface FilmShape {
  readonly width: number;
  readonly height: number;
  /** Frames per second: so many frames make a part exactly. */
  readonly framesPerPart: number;
  readonly partMs: number;
  readonly partsPerSegment: number;
  readonly segments: number;
  /** All bytes of all parts, in bits per second. */
  readonly bps: number;
  /** What the audio encoder is asked for, in bits per second. */
  readonly audioBps: number;
  readonly channels: number;
}

/** Sizes of pictures that go with a rate up to this, in bits per second. */
const SIZES = [
  { toBps: 300_000, width: 256, height: 144 },
  { toBps: 600_000, width: 426, height: 240 },
  { toBps: 1_300_000, width: 640, height: 360 },
  { toBps: 3_000_000, width: 854, height: 480 },
  // Larger ones would take a minute to encode, and nobody looks at them.
  { toBps: Number.POSITIVE_INFINITY, width: 1280, height: 720 },
] as const;

/** Below this the smallest sound and the headers of parts leave no room for pictures. */
const BPS_MIN = 80_000;
const BPS_MAX = 50_000_000;
/** What a source cuts and takes as it is; it encodes what has key frames farther apart (`source-server/core/media/decide.ts`). */
const PART_MS = { min: 100, max: 1_000 } as const;
const SEGMENT_MS_MAX = 2_000;

const AUDIO_SHARE = 1 / 20;
export const AUDIO_HZ = 48_000;
/** The native AAC encoder goes no lower and makes nothing better above; below the middle one channel sounds better than two. */
const AUDIO_BPS = { min: 8_000, stereoFrom: 32_000, max: 256_000 } as const;
/** `moof` and box headers of a part of audio, and what each of its frames adds, in bytes. */
const AUDIO_PART_BYTES = { fixed: 112, perFrame: 4, samplesPerFrame: 1024 } as const;

/** Frame rates that are tried in turn for one that parts are a whole number of frames of. */
const USUAL_RATES = [25, 30, 24];

/** Films of these lengths repeat without a seam for the sound: 16 s are 750 frames of AAC. The shorter one where encoding takes longer. */
const FILM_SECONDS = { small: 32, large: 16 } as const;
const LARGE_FROM_LINES = 720;

/**
 * The film that makes a stream of this shape when it is looped.
 *
 * @param seconds about how long it is, by default as long as is good; it has whole segments.
 * @throws Error that says what of the shape no file can be.
 */
export function shapeFilm(stream: StreamShape, seconds?: number): FilmShape {
  const { bps, partMs, partsPerSegment, renditions = [] } = stream;
  const segmentMs = partMs * partsPerSegment;
  if (renditions.length > 0) {
    throw new Error(
      'the stream has renditions, but a source takes the largest picture of a file alone and would have to encode the others: measure without stream.renditions, or use --engine sim',
    );
  }
  if (!(partMs >= PART_MS.min && partMs <= PART_MS.max)) {
    throw new Error(`stream.part is ${partMs} ms: a source cuts parts of ${PART_MS.min} to ${PART_MS.max} ms`);
  }
  if (segmentMs > SEGMENT_MS_MAX) {
    throw new Error(
      `stream.parts-per-segment makes segments of ${segmentMs} ms: a source takes files as they are with key frames at most ${SEGMENT_MS_MAX} ms apart`,
    );
  }
  if (!(bps >= BPS_MIN && bps <= BPS_MAX)) {
    throw new Error(
      `stream.rate is ${bps} bit/s: films can be made from ${BPS_MIN} to ${BPS_MAX} bit/s, or use --engine sim`,
    );
  }
  const size = SIZES.find(({ toBps }) => bps <= toBps)!;
  const { small, large } = FILM_SECONDS;
  const filmMs = (seconds ?? (size.height < LARGE_FROM_LINES ? small : large)) * 1000;
  const audioBps = askedAudioBps(bps, partMs);
  return {
    width: size.width,
    height: size.height,
    framesPerPart: framesPerPart(partMs),
    partMs,
    partsPerSegment,
    segments: Math.max(1, Math.round(filmMs / segmentMs)),
    bps,
    audioBps,
    channels: audioBps < AUDIO_BPS.stereoFrom ? 1 : 2,
  };
}

/** Frames per second as ffmpeg takes it: exact, also for parts of 333 ms. */
export function frameRate(film: FilmShape): string {
  return `${film.framesPerPart * 1000}/${film.partMs}`;
}

export function filmSeconds(film: FilmShape): number {
  return (film.segments * film.partsPerSegment * film.partMs) / 1000;
}

function framesPerPart(partMs: number): number {
  const usual = USUAL_RATES.find((rate) => Number.isInteger((rate * partMs) / 1000)) ?? USUAL_RATES[0]!;
  return Math.max(1, Math.round((usual * partMs) / 1000));
}

function askedAudioBps(bps: number, partMs: number): number {
  const { fixed, perFrame, samplesPerFrame } = AUDIO_PART_BYTES;
  const framesPerSecond = AUDIO_HZ / samplesPerFrame;
  const headersBps = 8 * ((fixed * 1000) / partMs + perFrame * framesPerSecond);
  const wished = Math.round(bps * AUDIO_SHARE - headersBps);
  return Math.min(AUDIO_BPS.max, Math.max(AUDIO_BPS.min, wished));
}
