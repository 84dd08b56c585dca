import { describe, expect, it } from 'vitest';
import { answer } from '../../hls/answer.ts';
import { LiveParts } from '../../hls/live-parts.ts';
import { GATHERED } from '../../hls/live-window.ts';
import { segmentsBefore } from '../../hls/past.ts';
import { PastParts } from '../../hls/past-parts.ts';
import { makeDescription, makeRecord, VIDEO } from './made-stream.ts';

const block = (byteLength: number): Uint8Array[] => [new Uint8Array(byteLength)];

/** A viewer's parts from `from` to before `to`, where INS servers keep what there is from `reachFrom` on. */
function late(from: number, to: number, reachFrom?: number): LiveParts {
  const parts = new LiveParts(GATHERED);
  parts.setDescription(makeDescription());
  if (reachFrom !== undefined) parts.reach(reachFrom);
  parts.begin(from);
  for (let part = from; part < to; part++) parts.add(makeRecord(part), block(100));
  return parts;
}

function playlist(parts: LiveParts): string {
  const given = answer(parts.window, `${VIDEO}/media.m3u8`, {});
  return given.kind === 'text' ? given.body : given.kind;
}

const numbers = (parts: LiveParts): number[] => parts.window.segments(VIDEO).map(({ number }) => number);

describe('what lies before the first part that came', () => {
  it('is listed as far back as it can be had, by whole segments, cut as the stream is', () => {
    const parts = late(40, 49, 22);
    expect(numbers(parts)).toEqual([6, 7, 8, 9, 10, 11, 12]);
    const past = parts.window.segment(VIDEO, 6)!;
    const listed = parts.window.segment(VIDEO, 10)!;
    expect(past.parts.map(({ part }) => part)).toEqual([24, 25, 26, 27]);
    expect(past.parts[0]!.timeUs).toBe(makeRecord(24).timeUs);
    expect(listed.startsAtMs - past.startsAtMs).toBe(4_000);
    expect(playlist(parts)).toContain('#EXT-X-MEDIA-SEQUENCE:6\n');
    expect(playlist(parts)).toContain('segment-6.m4s');
  });

  it('ends early of a rendition that a player changes to, and a hole in the one that it left still earlier', () => {
    const twin = 7;
    const { tracks } = makeDescription();
    const parts = new LiveParts(GATHERED);
    parts.setDescription(makeDescription({ tracks: [...tracks, { ...tracks[0]!, id: twin }] }));
    parts.reach(0);
    parts.begin(40);
    const take = (track: number, from: number) => {
      parts.begin(from, track);
      for (let part = from; part < from + 8; part++) parts.add(makeRecord(part, { track }), block(100));
    };
    const endsEarlyUs = (track: number, segment: number) => {
      const listed = parts.window.segment(track, segment)!.parts;
      return 1_000_000 - listed.reduce((sum, { durationUs }) => sum + durationUs, 0);
    };
    take(VIDEO, 40);
    parts.window.segments(VIDEO);
    take(twin, 48);
    parts.window.segments(twin);
    take(VIDEO, 56);
    expect([endsEarlyUs(VIDEO, 9), endsEarlyUs(twin, 10), endsEarlyUs(twin, 11)]).toEqual([0, 0, 2_000]);
    expect([endsEarlyUs(VIDEO, 11), endsEarlyUs(VIDEO, 13), endsEarlyUs(VIDEO, 14)]).toEqual([0, 4_000, 0]);
  });

  it('has as many parts a segment as numbers tell, where the longest part makes one believe in fewer', () => {
    const parts = {
      part: 80,
      timeUs: 20_000_000,
      durationUs: 267_000,
      independent: true,
      sizeBytes: 1,
      available: true,
    };
    const first = { number: 10, header: 0, startsAtMs: 0, fromItsStart: true, complete: true, parts: [parts] };
    const before = segmentsBefore(first, 0, { partTargetUs: 267_000, segmentTargetUs: 2_000_000 });
    expect(before.map((segment) => [segment.parts[0]!.part, segment.parts.length]).at(-1)).toEqual([72, 8]);
    expect([before.length, before[0]!.parts[0]!.part]).toEqual([10, 0]);
  });

  it('is not listed where nothing can be had, or where the first part that came is not the first of its segment', () => {
    expect(numbers(late(40, 49))).toEqual([10, 11, 12]);
    const broken = new LiveParts(GATHERED);
    broken.setDescription(makeDescription());
    broken.reach(0);
    broken.begin(41);
    for (let part = 41; part < 50; part++) broken.add(makeRecord(part, { independent: true }), block(100));
    expect(numbers(broken)[0]).toBe(10);
  });

  it('is never listed any further back than in the first playlist: numbers only grow', () => {
    const parts = late(40, 49);
    expect(numbers(parts)[0]).toBe(10);
    parts.reach(0);
    expect(numbers(parts)[0]).toBe(10);
  });

  it('leaves playlists when it cannot be had any more, and is a gap when it is not there after all', () => {
    const parts = late(40, 49, 20);
    expect(numbers(parts)[0]).toBe(5);
    const sought = new PastParts(parts);
    sought.lacks(VIDEO, 30);
    expect(playlist(parts)).toMatch(/#EXT-X-GAP\n#EXTINF:1[^\n]*\nsegment-7\.m4s/);
    expect(sought.lacking(VIDEO, [30])).toBeUndefined();
    parts.reach(29);
    expect(numbers(parts)).toEqual([8, 9, 10, 11, 12]);
  });

  it('comes by its record: one that says that it was cut otherwise makes a gap of the segment', () => {
    const parts = late(40, 49, 20);
    numbers(parts);
    const sought = new PastParts(parts);
    expect(sought.lacking(VIDEO, [24, 25, 40])).toEqual([24, 25]);
    sought.add(makeRecord(24), block(77));
    expect(sought.lacking(VIDEO, [24, 25, 40])).toEqual([25]);
    expect(sought.read(VIDEO, 24)![0]!.byteLength).toBe(77);
    sought.add(makeRecord(29, { segment: 7, indexInSegment: 3 }), block(77));
    expect(sought.read(VIDEO, 29)).toBeUndefined();
    expect(playlist(parts)).toContain('#EXT-X-GAP');
  });
});

describe('what has come and is too old to be kept', () => {
  it('stays listed as long as it can be had, without its bytes; else the window is all there is', () => {
    const kept = late(0, 800, 100);
    const gone = late(0, 800);
    expect(numbers(kept)[0]).toBe(25);
    expect(numbers(gone)[0]).toBeGreaterThan(130);
    expect(kept.readPart(VIDEO, 100)).toBeUndefined();
    expect(kept.readPart(VIDEO, 799)).toBeDefined();
    expect([kept.isPast(100), kept.isPast(799)]).toEqual([true, false]);
    const sought = new PastParts(kept);
    sought.add(makeRecord(100), block(55));
    expect(sought.read(VIDEO, 100)![0]!.byteLength).toBe(55);
  });

  it('is kept within a bound once it was sought, what was used last the longest', () => {
    const parts = new PastParts(late(0, 800, 0));
    const big = 1024 * 1024;
    for (let part = 0; part < 32; part++) parts.add(makeRecord(part), block(big));
    expect(parts.lacking(VIDEO, [0, 31])).toEqual([]);
    for (let part = 32; part < 48; part++) parts.add(makeRecord(part), block(big));
    expect(parts.lacking(VIDEO, [0, 1, 2, 31, 47])).toEqual([1, 2]);
  });
});
