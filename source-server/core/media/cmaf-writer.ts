import { findBox, readBoxes, requireBox } from './boxes.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Sample, TrackHeader } from './types.ts';

/**
 * A CMAF header (ISO/IEC 23000-19, 7.3.1) for one track alone: `ftyp`, and `moov` with the track's own `trak` without
 * its edit list. The timeline of the parts is the stream's own, so nothing is left to edit.
 *
 * @param trackId the track's id in header and parts, 1 or more.
 */
export function writeInit(track: TrackHeader, trackId: number): Uint8Array {
  const writer = new ByteWriter();
  writer.box('ftyp', () => writer.ascii('iso6').u32(0).ascii('iso6').ascii('mp41').ascii('cmfc'));
  writer.box('moov', () => {
    writer.fullBox('mvhd', 0, 0, () => {
      writer.zeros(8).u32(1000).u32(0).u32(0x00010000).u16(0x0100).zeros(10);
      writeUnityMatrix(writer);
      writer.zeros(24).u32(trackId + 1);
    });
    writer.box('trak', () => writeTrackBody(writer, track, trackId));
    writer.box('mvex', () => writer.fullBox('trex', 0, 0, () => writer.u32(trackId).u32(1).zeros(12)));
  });
  return writer.finish();
}

function writeUnityMatrix(writer: ByteWriter): void {
  for (const value of [0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000]) writer.u32(value);
}

function writeTrackBody(writer: ByteWriter, track: TrackHeader, trackId: number): void {
  const bytes = track.trak;
  const trak = readBoxes(bytes, 0, bytes.length)[0]!;
  const tkhd = requireBox(bytes, trak, 'tkhd');
  const header = bytes.slice(tkhd.start, tkhd.end);
  const idAt = tkhd.body - tkhd.start + (header[8] === 1 ? 20 : 12);
  new DataView(header.buffer).setUint32(idAt, trackId);
  writer.raw(header);
  const mdia = findBox(bytes, trak, 'mdia')!;
  writer.raw(bytes.subarray(mdia.start, mdia.end));
}

const keyFlags = 0x02000000;
const nonKeyFlags = 0x01010000;

/**
 * One CMAF chunk (ISO/IEC 23000-19, 7.3.2): `moof` with one `traf`, and `mdat`. What all samples share is said once, so
 * that a part of audio costs 4 bytes per frame.
 *
 * @param samples at least one, contiguous in decoding time; ctsOffset not negative.
 * @param sequence the `mfhd` number; 32 bits of it are written.
 */
export function writeChunk(samples: readonly Sample[], trackId: number, sequence: number): Uint8Array {
  const first = samples[0]!;
  const flagsOf = (sample: Sample) => (sample.key ? keyFlags : nonKeyFlags);
  const rest = flagsOf(samples[1] ?? first);
  const sameDuration = samples.every((sample) => sample.duration === first.duration);
  const sameFlags = samples.every((sample, i) => i === 0 || flagsOf(sample) === rest);
  const reordered = samples.some((sample) => sample.ctsOffset !== 0);
  const firstDiffers = sameFlags && flagsOf(first) !== rest;
  const payloadBytes = samples.reduce((sum, sample) => sum + sample.bytes.length, 0);

  const writer = new ByteWriter();
  let dataOffsetAt = 0;
  writer.box('moof', () => {
    writer.fullBox('mfhd', 0, 0, () => writer.u32(sequence >>> 0));
    writer.box('traf', () => {
      writer.fullBox('tfhd', 0, 0x020000 | (sameDuration ? 0x8 : 0) | (sameFlags ? 0x20 : 0), () => {
        writer.u32(trackId);
        if (sameDuration) writer.u32(first.duration);
        if (sameFlags) writer.u32(rest);
      });
      writer.fullBox('tfdt', 1, 0, () => writer.u64(first.dts));
      const runFlags =
        0x201 |
        (firstDiffers ? 0x4 : 0) |
        (sameDuration ? 0 : 0x100) |
        (sameFlags ? 0 : 0x400) |
        (reordered ? 0x800 : 0);
      writer.fullBox('trun', 0, runFlags, () => {
        writer.u32(samples.length);
        dataOffsetAt = writer.position();
        writer.u32(0);
        if (firstDiffers) writer.u32(flagsOf(first));
        for (const sample of samples) {
          if (!sameDuration) writer.u32(sample.duration);
          writer.u32(sample.bytes.length);
          if (!sameFlags) writer.u32(flagsOf(sample));
          if (reordered) writer.u32(sample.ctsOffset);
        }
      });
    });
  });
  writer.patchU32(dataOffsetAt, writer.position() + 8);
  writer.u32(payloadBytes + 8).ascii('mdat');
  return join(writer.finish(), samples, payloadBytes);
}

function join(head: Uint8Array, samples: readonly Sample[], payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(head.length + payloadBytes);
  bytes.set(head);
  let at = head.length;
  for (const sample of samples) {
    bytes.set(sample.bytes, at);
    at += sample.bytes.length;
  }
  return bytes;
}
