import type { BlockEntry, Description, IndexRecord, Track } from '../../protocol/media.ts';

/** A stream made of numbers alone: one video and one audio track, parts of 250 ms, four to a segment. */

export const VIDEO = 1;
export const AUDIO = 2;

export const videoTrack: Track = {
  id: VIDEO,
  kind: 'video',
  codecs: 'avc1.64001f',
  name: '720p',
  bandwidthBps: 2_000_000,
  width: 1280,
  height: 720,
  frameRate: 30,
  channels: 0,
  language: '',
  init: Uint8Array.of(1, 1, 1),
};

export const audioTrack: Track = {
  id: AUDIO,
  kind: 'audio',
  codecs: 'mp4a.40.2',
  name: 'Audio',
  bandwidthBps: 128_000,
  width: 0,
  height: 0,
  frameRate: 0,
  channels: 2,
  language: '',
  init: Uint8Array.of(2, 2),
};

export function makeDescription(change: Partial<Description> = {}): Description {
  return {
    rootKey: new Uint8Array(32),
    signingKey: new Uint8Array(32),
    revision: 0,
    issuedAtMs: 0,
    expiresAtMs: 1e15,
    title: 'Made',
    partTargetMs: 250,
    segmentTargetMs: 1_000,
    tracks: [videoTrack, audioTrack],
    ...change,
  };
}

/** 2024-02-29T12:00:00.000Z: a leap day, when the made stream began. */
export const BEGAN_AT_MS = 1_709_208_000_000;

/** Blocks of 31,250 bytes in all: 1 Mbit/s. */
const blocks: readonly BlockEntry[] = [
  { name: new Uint8Array(33), sizeBytes: 31_000 },
  { name: new Uint8Array(33).fill(1), sizeBytes: 250 },
];

export function makeRecord(part: number, change: Partial<IndexRecord> = {}): IndexRecord {
  return {
    track: VIDEO,
    part,
    revision: 0,
    segment: Math.floor(part / 4),
    indexInSegment: part % 4,
    independent: part % 4 === 0,
    discontinuity: false,
    timeUs: part * 250_000,
    durationUs: 250_000,
    capturedAtMs: BEGAN_AT_MS + part * 250,
    blocks,
    previous: new Uint8Array(32),
    ...change,
  };
}
