import { type Box, findBox, fourCc, readBoxes, readI32, readU32, readU64, requireBox } from './boxes.ts';
import { readSampleEntry } from './codec-strings.ts';
import { MediaFormatError, type Sample, type TrackHeader } from './types.ts';

/** What the reader finds, in the order of the bytes. */
export type Mp4Item =
  | { readonly kind: 'track'; readonly track: TrackHeader }
  | { readonly kind: 'sample'; readonly containerId: number; readonly sample: Sample };

/** A header of a few tracks is a few KiB. */
const moovBytesMax = 1 << 20;
const moofBytesMax = 1 << 18;
/** A key frame of 4K video at 100 Mbit/s stays below this. */
const mdatBytesMax = 1 << 24;
/** Samples in one fragment: ffmpeg writes one; some seconds of audio are allowed for. */
const samplesMax = 4096;

/**
 * Reads fragmented MP4 as it arrives (ISO/IEC 14496-12, 8.8), in pieces of any size. Holds at most one fragment.
 *
 * `push` throws MediaFormatError when the bytes make no sense; the reader is of no use after that.
 */
export class Mp4Reader {
  private readonly queue = new ByteQueue();
  private skipBytes = 0;
  private moof: Uint8Array | undefined;
  private moofAt = 0;
  private position = 0;
  private readonly tracks = new Map<number, TrackHeader>();

  push(chunk: Uint8Array): Mp4Item[] {
    this.queue.push(chunk);
    const items: Mp4Item[] = [];
    while (this.step(items));
    return items;
  }

  /** Handles one box; false when more bytes are needed. */
  private step(items: Mp4Item[]): boolean {
    if (this.skipBytes > 0) {
      const skipped = this.queue.skip(this.skipBytes);
      this.skipBytes -= skipped;
      this.position += skipped;
      return this.skipBytes === 0;
    }
    const head = this.queue.peek(16);
    if (head.length < 8) return false;
    const type = fourCc(head, 4);
    let sizeBytes = readU32(head, 0, head.length);
    if (sizeBytes === 1) {
      if (head.length < 16) return false;
      sizeBytes = readU64(head, 8, 16);
    }
    if (sizeBytes < 8) throw new MediaFormatError('a box has no size');
    const limit = type === 'moov' ? moovBytesMax : type === 'moof' ? moofBytesMax : type === 'mdat' ? mdatBytesMax : 0;
    if (limit === 0) {
      this.skipBytes = sizeBytes;
      return true;
    }
    if (sizeBytes > limit) throw new MediaFormatError(`a ${type} box of ${sizeBytes} bytes is too large`);
    if (this.queue.length < sizeBytes) return false;
    const box = this.queue.take(sizeBytes);
    if (type === 'moov') this.readMoov(box, items);
    else if (type === 'moof') {
      this.moof = box;
      this.moofAt = this.position;
    } else this.readFragment(box, items);
    this.position += sizeBytes;
    return true;
  }

  private readMoov(bytes: Uint8Array, items: Mp4Item[]): void {
    const moov = readBoxes(bytes, 0, bytes.length)[0]!;
    const defaults = readTrackDefaults(bytes, moov);
    for (const trak of readBoxes(bytes, moov.body, moov.end)) {
      if (trak.type !== 'trak') continue;
      const track = readTrackHeader(bytes, trak, defaults);
      this.tracks.set(track.containerId, track);
      items.push({ kind: 'track', track });
    }
  }

  private readFragment(mdat: Uint8Array, items: Mp4Item[]): void {
    const moof = this.moof;
    this.moof = undefined;
    if (moof === undefined) return;
    const root = readBoxes(moof, 0, moof.length)[0]!;
    for (const traf of readBoxes(moof, root.body, root.end)) {
      if (traf.type === 'traf') this.readTraf(moof, traf, mdat, items);
    }
  }

  private readTraf(moof: Uint8Array, traf: Box, mdat: Uint8Array, items: Mp4Item[]): void {
    const head = readTrackFragmentHeader(moof, requireBox(moof, traf, 'tfhd'), this.tracks);
    let dts = readDecodeTime(moof, requireBox(moof, traf, 'tfdt'));
    let at = 0;
    for (const trun of readBoxes(moof, traf.body, traf.end)) {
      if (trun.type !== 'trun') continue;
      const run = readRunHeader(moof, trun);
      const base = head.baseOffset === undefined ? 0 : head.baseOffset - this.moofAt;
      if (run.dataOffset !== undefined) at = base + run.dataOffset - moof.length;
      for (let i = 0, entry = run.entries; i < run.count; i++, entry += run.entryBytes) {
        const sample = readRunEntry(moof, trun.end, run, entry, head, i === 0);
        if (at < 8 || at + sample.sizeBytes > mdat.length) throw new MediaFormatError('a sample lies outside its mdat');
        const bytes = mdat.subarray(at, at + sample.sizeBytes);
        const { duration, ctsOffset, key } = sample;
        items.push({ kind: 'sample', containerId: head.id, sample: { dts, ctsOffset, duration, key, bytes } });
        dts += duration;
        at += sample.sizeBytes;
      }
    }
  }
}

interface TrackDefaults {
  readonly duration: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

function readTrackDefaults(bytes: Uint8Array, moov: Box): Map<number, TrackDefaults> {
  const defaults = new Map<number, TrackDefaults>();
  const mvex = findBox(bytes, moov, 'mvex');
  if (mvex === undefined) return defaults;
  for (const trex of readBoxes(bytes, mvex.body, mvex.end)) {
    if (trex.type !== 'trex') continue;
    defaults.set(readU32(bytes, trex.body + 4, trex.end), {
      duration: readU32(bytes, trex.body + 12, trex.end),
      sizeBytes: readU32(bytes, trex.body + 16, trex.end),
      flags: readU32(bytes, trex.body + 20, trex.end),
    });
  }
  return defaults;
}

function readTrackHeader(bytes: Uint8Array, trak: Box, defaults: Map<number, TrackDefaults>): TrackHeader {
  const tkhd = requireBox(bytes, trak, 'tkhd');
  const mdhd = requireBox(bytes, trak, 'mdia', 'mdhd');
  const facts = readSampleEntry(bytes, requireBox(bytes, trak, 'mdia', 'minf', 'stbl', 'stsd'));
  const containerId = readU32(bytes, tkhd.body + (bytes[tkhd.body] === 1 ? 20 : 12), tkhd.end);
  const timescale = readU32(bytes, mdhd.body + (bytes[mdhd.body] === 1 ? 20 : 12), mdhd.end);
  if (timescale === 0) throw new MediaFormatError('a timescale is 0');
  const trex = defaults.get(containerId);
  return {
    ...facts,
    containerId,
    timescale,
    defaultDuration: trex?.duration ?? 0,
    defaultSizeBytes: trex?.sizeBytes ?? 0,
    defaultFlags: trex?.flags ?? 0,
    trak: bytes.slice(trak.start, trak.end),
  };
}

interface FragmentHeader {
  readonly id: number;
  readonly baseOffset: number | undefined;
  readonly duration: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

function readTrackFragmentHeader(bytes: Uint8Array, tfhd: Box, tracks: Map<number, TrackHeader>): FragmentHeader {
  const flags = readU32(bytes, tfhd.body, tfhd.end) & 0xffffff;
  const id = readU32(bytes, tfhd.body + 4, tfhd.end);
  const track = tracks.get(id);
  if (track === undefined) throw new MediaFormatError(`a fragment belongs to the unknown track ${id}`);
  let at = tfhd.body + 8;
  const baseOffset = flags & 0x1 ? readU64(bytes, at, tfhd.end) : undefined;
  at += (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0);
  const optional = (bit: number, otherwise: number) => {
    if (!(flags & bit)) return otherwise;
    at += 4;
    return readU32(bytes, at - 4, tfhd.end);
  };
  const duration = optional(0x8, track.defaultDuration);
  const sizeBytes = optional(0x10, track.defaultSizeBytes);
  return { id, baseOffset, duration, sizeBytes, flags: optional(0x20, track.defaultFlags) };
}

function readDecodeTime(bytes: Uint8Array, tfdt: Box): number {
  return bytes[tfdt.body] === 1 ? readU64(bytes, tfdt.body + 4, tfdt.end) : readU32(bytes, tfdt.body + 4, tfdt.end);
}

interface RunHeader {
  readonly flags: number;
  readonly version: number;
  readonly count: number;
  readonly dataOffset: number | undefined;
  readonly firstFlags: number | undefined;
  /** First entry, and bytes of each. */
  readonly entries: number;
  readonly entryBytes: number;
}

function readRunHeader(bytes: Uint8Array, trun: Box): RunHeader {
  const flags = readU32(bytes, trun.body, trun.end) & 0xffffff;
  const count = readU32(bytes, trun.body + 4, trun.end);
  let at = trun.body + 8;
  const dataOffset = flags & 0x1 ? readI32(bytes, at, trun.end) : undefined;
  at += flags & 0x1 ? 4 : 0;
  const firstFlags = flags & 0x4 ? readU32(bytes, at, trun.end) : undefined;
  at += flags & 0x4 ? 4 : 0;
  const entryBytes = 4 * [0x100, 0x200, 0x400, 0x800].filter((bit) => flags & bit).length;
  if (count > samplesMax || at + count * entryBytes > trun.end) throw new MediaFormatError('a trun is too long');
  return { flags, version: bytes[trun.body]!, count, dataOffset, firstFlags, entries: at, entryBytes };
}

function readRunEntry(
  bytes: Uint8Array,
  end: number,
  run: RunHeader,
  entry: number,
  head: FragmentHeader,
  first: boolean,
) {
  let at = entry;
  const optional = (bit: number, otherwise: number) => {
    if (!(run.flags & bit)) return otherwise;
    at += 4;
    return readU32(bytes, at - 4, end);
  };
  const duration = optional(0x100, head.duration);
  const sizeBytes = optional(0x200, head.sizeBytes);
  let sampleFlags = optional(0x400, head.flags);
  if (first && run.firstFlags !== undefined) sampleFlags = run.firstFlags;
  const cts = optional(0x800, 0);
  const nonSync = (sampleFlags & 0x10000) !== 0;
  return { duration, sizeBytes, key: !nonSync, ctsOffset: run.version === 0 ? cts : cts | 0 };
}

/** Bytes in the pieces in which they came; joined only where a box crosses a border. */
class ByteQueue {
  length = 0;
  private readonly chunks: Uint8Array[] = [];
  private offset = 0;

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  /** Up to `count` bytes from the front, left in place. */
  peek(count: number): Uint8Array {
    const first = this.chunks[0];
    if (first !== undefined && first.length - this.offset >= count) {
      return first.subarray(this.offset, this.offset + count);
    }
    return this.copy(Math.min(count, this.length));
  }

  take(count: number): Uint8Array {
    const bytes = this.peek(count);
    this.skip(count);
    return bytes;
  }

  skip(count: number): number {
    let left = Math.min(count, this.length);
    const skipped = left;
    this.length -= left;
    while (left > 0) {
      const rest = this.chunks[0]!.length - this.offset;
      if (left < rest) {
        this.offset += left;
        break;
      }
      left -= rest;
      this.offset = 0;
      this.chunks.shift();
    }
    return skipped;
  }

  private copy(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    let at = 0;
    for (let i = 0; at < count; i++) {
      const chunk = this.chunks[i]!.subarray(i === 0 ? this.offset : 0);
      const piece = chunk.subarray(0, count - at);
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
}
