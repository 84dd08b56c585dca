import { appendFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partBytes, type StreamShape } from '../../scenarios/plan/scenario.ts';
import { type MadeMedia, type MediaProgress, makeMedia } from '../harness/media/make-media.ts';
import { collect, decode, expectWellCut, partsAtLeast } from '../media/media-tools.ts';

const stream: StreamShape = { bps: 240_000, partMs: 250, partsPerSegment: 4 };
const seconds = 4;
const parts = (seconds * 1000) / stream.partMs;

let folder: string;
let made: MadeMedia;
const progress: MediaProgress[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'inswarm-films-'));
  made = await makeMedia({ stream, seconds, folder, onProgress: (one) => progress.push(one) });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function bytesBySegmentPart(): Promise<{ sizes: number[]; audio: number }> {
  const cut = await collect(made.source, partsAtLeast(parts));
  const sizes = Array.from({ length: stream.partsPerSegment }, () => 0);
  let audio = 0;
  for (const part of cut.parts.slice(0, parts)) {
    const [video, sound] = part.tracks;
    sizes[part.indexInSegment]! += video!.bytes.length / seconds;
    audio += sound!.bytes.length;
  }
  return { sizes, audio };
}

describe('the film of a measured run', () => {
  it('is passed through, and all that is cut of it comes to the rate of the stream within 2 %', async () => {
    const cut = await collect(made.source, partsAtLeast(parts));
    expect(cut.decisions).toEqual(['video passed through', 'audio passed through']);
    const bytes = cut.parts.slice(0, parts).flatMap((part) => part.tracks.map((track) => track.bytes.length));
    const bps = (bytes.reduce((sum, size) => sum + size, 0) * 8) / seconds;
    expect(Math.abs(bps / stream.bps - 1)).toBeLessThan(0.02);
    expect(made.figures).toMatchObject({ bps, parts, seconds });
  });

  it("has parts of the simulator's sizes, sound about a twentieth", async () => {
    const { sizes, audio } = await bytesBySegmentPart();
    for (const [at, size] of sizes.entries()) {
      const { video } = partBytes(stream, at);
      expect(Math.abs(size / video - 1)).toBeLessThan(0.03);
    }
    const share = (audio * 8) / seconds / stream.bps;
    expect(share).toBeGreaterThan(0.03);
    expect(share).toBeLessThan(0.07);
  });

  it('begins each segment with a key frame, has none elsewhere, and goes on over its end without a jump', async () => {
    const cut = await collect(made.source, partsAtLeast(2 * parts + 5));
    expectWellCut(cut);
    expect(cut.parts.some((part) => part.discontinuity)).toBe(false);
    for (const part of cut.parts) {
      expect(part.indexInSegment).toBe(part.part % stream.partsPerSegment);
      expect(part.independent).toBe(part.indexInSegment === 0);
      expect(part.tracks[0]!.durationUs).toBe(stream.partMs * 1000);
    }
    for (const track of cut.tracks) {
      const times = await decode(track, cut.parts, path.join(folder, 'decoded.mp4'));
      expect(new Set(times.slice(1).map((time, at) => time - times[at]!)).size).toBe(1);
    }
  });

  it('tells how far it is while it is made', () => {
    expect([...new Set(progress.map(({ step }) => step))]).toEqual(['encoding', 'filling', 'checking']);
    expect(progress.at(-1)).toEqual({ step: 'checking', share: 1 });
  });
});

describe('a film that is kept', () => {
  it('is not made again, and another stream has another', async () => {
    const before = await stat(made.source.input);
    const again = await makeMedia({ stream, seconds, folder });
    expect(again).toEqual({ ...made, isNew: false });
    expect((await stat(again.source.input)).ino).toBe(before.ino);
    const other = await makeMedia({ stream: { ...stream, bps: 200_000 }, seconds: 2, folder });
    expect(other.isNew).toBe(true);
    expect(other.source.input).not.toBe(made.source.input);
  });

  it('is made anew where it is broken, by two at the same time, and nothing else is left', async () => {
    const before = (await readdir(folder)).filter((name) => name !== 'decoded.mp4').sort();
    await appendFile(made.source.input, 'x');
    const both = await Promise.all([1, 2].map(() => makeMedia({ stream, seconds, folder })));
    expect(both.some(({ isNew }) => isNew)).toBe(true);
    for (const one of both) expect(one.figures).toEqual(made.figures);
    expect((await makeMedia({ stream, seconds, folder })).isNew).toBe(false);
    expect((await readdir(folder)).filter((name) => name !== 'decoded.mp4').sort()).toEqual(before);
  });

  it('leaves nothing behind when making it is called off', async () => {
    const empty = path.join(folder, 'called-off');
    const caller = new AbortController();
    const making = makeMedia({ stream, folder: empty, signal: caller.signal, onProgress: () => caller.abort() });
    await expect(making).rejects.toThrow('called off');
    expect(await readdir(empty)).toEqual([]);
  });
});

describe('a stream that no file can be', () => {
  it.each([
    [{ ...stream, renditions: [100_000] }, 'renditions'],
    [{ ...stream, partMs: 2_000, partsPerSegment: 1 }, 'stream.part is 2000 ms'],
    [{ ...stream, partMs: 500, partsPerSegment: 5 }, 'key frames at most 2000 ms apart'],
    [{ ...stream, bps: 20_000 }, 'stream.rate is 20000 bit/s'],
  ])('is refused with the reason: %o', async (shape, why) => {
    await expect(makeMedia({ stream: shape, folder })).rejects.toThrow(why);
  });
});
