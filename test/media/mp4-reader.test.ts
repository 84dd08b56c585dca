import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../source-server/core/media/byte-writer.ts';
import { writeChunk, writeInit } from '../../source-server/core/media/cmaf-writer.ts';
import { type Mp4Item, Mp4Reader } from '../../source-server/core/media/mp4-reader.ts';
import { MediaFormatError, type Sample, type TrackHeader } from '../../source-server/core/media/types.ts';
import { makeMoov } from './made-header.ts';
import { makeAudio, makeVideo } from './made-samples.ts';

function header(items: readonly Mp4Item[]): TrackHeader {
  const track = items.find((item) => item.kind === 'track');
  if (track === undefined) throw new Error('no track was found');
  return track.track;
}

function samplesOf(items: readonly Mp4Item[]): Sample[] {
  return items.flatMap((item) => (item.kind === 'sample' ? [item.sample] : []));
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A header and two chunks of B-frame video. */
function makeFile(): { bytes: Uint8Array; samples: Sample[] } {
  const init = writeInit(header(new Mp4Reader().push(makeMoov('video', 7, 90_000))), 3);
  const samples = makeVideo({ frames: 16, keyEvery: 8, reorder: 6000 });
  const bytes = concat(init, writeChunk(samples.slice(0, 8), 3, 1), writeChunk(samples.slice(8), 3, 2));
  return { bytes, samples };
}

describe('reading fragmented MP4', () => {
  it('takes the codec string, size and timescale of an H.264 track from its header', () => {
    const track = header(new Mp4Reader().push(makeMoov('video', 7, 90_000)));
    expect(track).toMatchObject({ kind: 'video', codecs: 'avc1.64001e', width: 640, height: 360, timescale: 90_000 });
  });

  it('takes the codec string, channels and rate of an AAC track from its decoder configuration', () => {
    const track = header(new Mp4Reader().push(makeMoov('audio', 2, 48_000)));
    expect(track).toMatchObject({ kind: 'audio', codecs: 'mp4a.40.2', channels: 2, sampleRate: 48_000 });
  });

  it('gives back the samples that were written, whatever pieces the bytes come in', () => {
    const { bytes, samples } = makeFile();
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        const reader = new Mp4Reader();
        const items: Mp4Item[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length]!;
          items.push(...reader.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(samplesOf(items)).toEqual(samples);
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  it('keeps durations that differ, and times beyond 32 bits', () => {
    const reader = new Mp4Reader();
    reader.push(writeInit(header(new Mp4Reader().push(makeMoov('audio', 1, 48_000))), 1));
    const far = 2 ** 40;
    const samples = makeAudio(3, far).map((sample, i) => ({
      ...sample,
      dts: far + i * 1000 + i,
      duration: 1000 + (i < 2 ? 1 : 0),
    }));
    expect(samplesOf(reader.push(writeChunk(samples, 1, 9)))).toEqual(samples);
  });

  it('leaves out the edit list and renames the track in a CMAF header', () => {
    const init = writeInit(header(new Mp4Reader().push(makeMoov('video', 7, 90_000))), 3);
    expect(Buffer.from(init).includes('edts')).toBe(false);
    expect(header(new Mp4Reader().push(init)).containerId).toBe(3);
  });

  it('steps over boxes it does not know without keeping them', () => {
    const reader = new Mp4Reader();
    const huge = new ByteWriter()
      .u32(1)
      .ascii('free')
      .u64(2 ** 45)
      .finish();
    expect(reader.push(huge)).toEqual([]);
    for (let i = 0; i < 100; i++) expect(reader.push(new Uint8Array(1 << 16))).toEqual([]);
  });
});

describe('reading bytes that make no sense', () => {
  it.each([
    ['moov', 2 ** 21],
    ['moof', 2 ** 19],
    ['mdat', 2 ** 25],
  ])('refuses a %s that claims %d bytes before they come', (type, size) => {
    const head = new ByteWriter().u32(size).ascii(type).zeros(8).finish();
    expect(() => new Mp4Reader().push(head)).toThrow(MediaFormatError);
  });

  it('refuses a box that claims less than its own header', () => {
    const head = new ByteWriter().u32(4).ascii('moov').zeros(8).finish();
    expect(() => new Mp4Reader().push(head)).toThrow(MediaFormatError);
  });

  it('refuses a run that claims more samples than its box holds', () => {
    const { bytes } = makeFile();
    const at = Buffer.from(bytes).indexOf('trun') + 8;
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, 0x7fffffff);
    expect(() => new Mp4Reader().push(bytes)).toThrow(MediaFormatError);
  });

  it('refuses a run of endless samples that take no bytes', () => {
    const { bytes } = makeFile();
    const body = Buffer.from(bytes).indexOf('trun') + 4;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint32(body, 0x000001);
    view.setUint32(body + 4, 0x7fffffff);
    expect(() => new Mp4Reader().push(bytes)).toThrow(MediaFormatError);
  });

  it('refuses a sample that lies outside its mdat', () => {
    const { bytes } = makeFile();
    const at = Buffer.from(bytes).indexOf('trun') + 12;
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, 0x00ffffff);
    expect(() => new Mp4Reader().push(bytes)).toThrow(MediaFormatError);
  });

  it('refuses a fragment of a track that no header announced', () => {
    const chunk = writeChunk(makeAudio(2), 5, 1);
    expect(() => new Mp4Reader().push(chunk)).toThrow(MediaFormatError);
  });

  it('never throws anything but its own error, whatever is changed or cut off', () => {
    const { bytes } = makeFile();
    const change = fc.record({ at: fc.nat(bytes.length - 1), value: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(bytes.length), (changes, length) => {
        const broken = bytes.slice(0, length);
        for (const { at, value } of changes) if (at < length) broken[at] = value;
        try {
          for (const item of new Mp4Reader().push(broken)) if (item.kind === 'track') writeInit(item.track, 1);
        } catch (error) {
          expect(error).toBeInstanceOf(MediaFormatError);
        }
      }),
      { numRuns: 1000, seed: 2 },
    );
  });
});
