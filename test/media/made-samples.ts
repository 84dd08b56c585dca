import { Mp4Reader } from '../../source-server/core/media/mp4-reader.ts';
import { Packager, type PackagerOptions, type PackedPart } from '../../source-server/core/media/packager.ts';
import type { CutPart, Sample } from '../../source-server/core/media/types.ts';

/** Tracks, samples and a packager made by hand, for tests without ffmpeg. */
export const video = { kind: 'video', timescale: 90_000, channels: 0, codecs: 'avc1.64001f' } as const;
export const audio = { kind: 'audio', timescale: 48_000, channels: 2, codecs: 'mp4a.40.2' } as const;

export function makePackager(options: Partial<PackagerOptions> = {}): Packager {
  const numbers = { startPart: 0, startSegment: 0, startTimeUs: 0 };
  return new Packager({ partMs: 250, segmentMs: 1000, ...numbers, graceMs: 3000, live: true, ...options });
}

export interface MadeVideo {
  readonly frames: number;
  /** Ticks per frame; 3000 is 30 fps. */
  readonly frameTicks?: number;
  /** A key frame every so many frames. */
  readonly keyEvery?: number;
  /** Decoding time of the first frame. */
  readonly from?: number;
  /** Composition offset of every frame. */
  readonly reorder?: number;
}

/** Video samples whose bytes are different from one another. */
export function makeVideo({
  frames,
  frameTicks = 3000,
  keyEvery = 30,
  from = 900_000,
  reorder = 0,
}: MadeVideo): Sample[] {
  return Array.from({ length: frames }, (_, i) => ({
    dts: from + i * frameTicks,
    ctsOffset: reorder,
    duration: frameTicks,
    key: i % keyEvery === 0,
    bytes: new Uint8Array([0x56, i >> 8, i & 0xff, from & 0xff]),
  }));
}

export function makeAudio(frames: number, from = 480_000, frameTicks = 1024): Sample[] {
  return Array.from({ length: frames }, (_, i) => ({
    dts: from + i * frameTicks,
    ctsOffset: 0,
    duration: frameTicks,
    key: true,
    bytes: new Uint8Array([0x41, i >> 8, i & 0xff]),
  }));
}

/** Pushes both tracks in the order of their times, as ffmpeg would; `nowMs` goes with the video's time. */
export function pushBoth(packager: Packager, pictures: readonly Sample[], sound: readonly Sample[], startMs = 0): void {
  const items = [
    ...pictures.map((sample) => ({ track: 0, sample, seconds: sample.dts / 90_000 })),
    ...sound.map((sample) => ({ track: 1, sample, seconds: sample.dts / 48_000 })),
  ].sort((a, b) => a.seconds - b.seconds);
  const first = items[0]?.seconds ?? 0;
  for (const { track, sample, seconds } of items) packager.push(track, sample, startMs + (seconds - first) * 1000);
}

export function takeAll(packager: Packager): CutPart[] {
  const parts: CutPart[] = [];
  for (let packed: PackedPart | undefined = packager.take(); packed !== undefined; packed = packager.take()) {
    parts.push(packed.part);
  }
  return parts;
}

/** The samples inside the chunks of one track, read back with its header. */
export function readBack(init: Uint8Array, parts: readonly CutPart[], track: number): Sample[] {
  const reader = new Mp4Reader();
  reader.push(init);
  return parts.flatMap((part) => {
    const cut = part.tracks.find((one) => one.track === track);
    if (cut === undefined) return [];
    return reader.push(cut.bytes).flatMap((item) => (item.kind === 'sample' ? [item.sample] : []));
  });
}
