import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GATHERED, LiveWindow } from '../../hls/live-window.ts';
import { holeCounts } from '../../hls/track-window.ts';
import { AUDIO, audioTrack, makeDescription, makeRecord, VIDEO, videoTrack } from './made-stream.ts';

function begun(options = {}): LiveWindow {
  const window = new LiveWindow(options);
  window.setDescription(makeDescription());
  return window;
}

/** `7:28.29-31!` is segment 7 with parts 28, 29, a hole at 30, 31, complete. */
function shape(window: LiveWindow, track = VIDEO): string[] {
  return window.segments(track).map((segment) => {
    const parts = segment.parts.map((part) => (part.available ? String(part.part) : `(${part.part})`));
    return `${segment.number}:${parts.join(' ')}${segment.complete ? '!' : ''}`;
  });
}

function addAll(window: LiveWindow, parts: Iterable<number>, change = {}): void {
  for (const part of parts) window.addRecord(makeRecord(part, change));
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('a live window', () => {
  it('lists parts in order and completes a segment when the next one begins', () => {
    const window = begun();
    addAll(window, range(0, 5));
    expect(shape(window)).toEqual(['0:0 1 2 3!', '1:4']);
  });

  it('shows the same whatever order the records came in, and ignores duplicates', () => {
    const parts = range(0, 12);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(parts, { minLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 11 })),
        (order, again) => {
          const window = begun({ patienceMs: 10_000 });
          // The first part decides where the window begins: it comes first in every order.
          addAll(window, [0, ...order, ...again]);
          return JSON.stringify(shape(window)) === JSON.stringify(['0:0 1 2 3!', '1:4 5 6 7!', '2:8 9 10 11']);
        },
      ),
    );
  });

  it('begins at an independent part and never lists what came before it', () => {
    const window = begun();
    addAll(window, [9, 10, 12, 13, 8, 11]);
    expect(shape(window)).toEqual(['3:12 13']);
  });

  it('holds back what comes after a missing part', () => {
    const window = begun();
    addAll(window, [0, 1, 3, 4]);
    expect(shape(window)).toEqual(['0:0 1']);
    expect(window.isPending(VIDEO, 4)).toBe(true);
    addAll(window, [2]);
    expect(shape(window)).toEqual(['0:0 1 2 3!', '1:4']);
  });

  it('lists a missing part as a hole up to the next independent part when enough newer media is there', () => {
    const window = begun({ patienceMs: 1_000 });
    addAll(window, [0, 1, 3, 4, 5]);
    expect(shape(window)).toEqual(['0:0 1']);
    addAll(window, [6]);
    expect(shape(window)).toEqual(['0:0 1 (2) (3)!', '1:4 5 6']);
    expect(window.part(VIDEO, 2)).toMatchObject({ available: false, timeUs: 500_000, durationUs: 250_000 });
    // Up to a segment's start it ends a little early.
    expect(window.part(VIDEO, 3)).toMatchObject({ available: false, timeUs: 750_000, durationUs: 248_000 });
  });

  it('ends a hole earlier than those that other tracks list, as a player takes times from the one that it leaves', () => {
    const window = begun({ windowMs: 20_000 });
    const early: number[] = [];
    for (let change = 0; change < 12; change++) {
      const track = change % 2 === 0 ? VIDEO : AUDIO;
      const first = change * 16;
      addAll(window, range(first, first + 16), { track });
      window.begin(first + 16, track === VIDEO ? AUDIO : VIDEO);
      const hole = change < 2 ? undefined : window.part(track, first - 1);
      if (hole !== undefined) early.push(250_000 - hole.durationUs);
    }
    expect(early.length).toBe(10);
    early.forEach((us, at) => {
      expect(us).toBeGreaterThan(early[at - 1] ?? 1_000);
      expect(us).toBeLessThanOrEqual(50_000);
    });
  });

  it('goes on in the same segment after a hole in sound, where every part can be decoded', () => {
    const window = begun();
    addAll(window, [0, 1, 3], { track: AUDIO });
    window.giveUp(3);
    expect(shape(window, AUDIO)).toEqual(['0:0 1 (2) 3']);
  });

  it('gives up at once when told to, and not before there is something to go on with', () => {
    const window = begun();
    addAll(window, [0, 1]);
    expect(window.giveUp(12)).toBe(false);
    addAll(window, [13]);
    expect(shape(window)).toEqual(['0:0 1']);
    addAll(window, [12]);
    expect(shape(window)).toEqual(['0:0 1 (2) (3)!', '1:(4) (5) (6) (7)!', '2:(8) (9) (10) (11)!', '3:12 13']);
  });

  it('lists no hole of more segments than parts are missing, as many as a source may say there are', () => {
    const window = begun();
    addAll(window, range(0, 6));
    window.addRecord(makeRecord(8, { segment: 0xffff_ffff }));
    window.giveUp(8);
    expect(shape(window)).toEqual(['4294967295:8']);
  });

  it('ignores parts that come after their hole was listed', () => {
    const window = begun();
    addAll(window, [0, 4]);
    window.giveUp(4);
    expect(window.addRecord(makeRecord(2))).toBe(false);
    expect(shape(window)).toEqual(['0:0 (1) (2) (3)!', '1:4']);
  });

  it('shares a hole out over segments without losing a part', () => {
    fc.assert(
      fc.property(
        fc.nat(300),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 8 }),
        fc.nat(8),
        (missing, segments, have, lead) => {
          const counts = holeCounts(missing, segments, have, lead);
          return (
            counts.length === segments + 1 &&
            counts.every((n) => n >= 0) &&
            counts.reduce((a, b) => a + b, 0) === missing
          );
        },
      ),
    );
  });

  it('lists no hole longer than itself: it counts on, with a discontinuity', () => {
    const window = begun({ windowMs: 3_000 });
    addAll(window, range(0, 6));
    addAll(window, range(4_000, 4_006));
    expect(shape(window)).toEqual(['0:0 1 2 3!', '1:4 5!', '2:4000 4001 4002 4003!', '3:4004 4005']);
    expect(window.hasDiscontinuity(2)).toBe(true);
  });

  it('lists no hole where a source that began anew left numbers out, in no track', () => {
    const window = begun();
    addAll(window, range(0, 6));
    addAll(window, range(0, 5), { track: AUDIO });
    // It went on with part 38 in segment 31, its sound a part later.
    for (const track of [VIDEO, AUDIO]) {
      for (const part of range(track === VIDEO ? 38 : 39, 44)) {
        const place = { segment: 31 + Math.floor((part - 38) / 4), indexInSegment: (part - 38) % 4 };
        const change = { ...place, independent: (part - 38) % 4 === 0, discontinuity: part === 38 };
        window.addRecord(makeRecord(part, { track, ...change, timeUs: part * 250_000 + 60_000_000 }));
      }
    }
    expect(shape(window)).toEqual(['0:0 1 2 3!', '1:4 5!', '2:38 39 40 41!', '3:42 43']);
    expect(shape(window, AUDIO)).toEqual(['0:0 1 2 3!', '1:4!', '2:39 40 41!', '3:42 43']);
    expect([1, 2, 3].map((segment) => window.hasDiscontinuity(segment))).toEqual([false, true, false]);
  });

  it('begins in all tracks where playback does, whichever part of a track comes first', () => {
    const window = new LiveWindow(GATHERED);
    window.setDescription(makeDescription());
    addAll(window, [8, 4, 9]);
    addAll(window, [12, 4, 5, 9], { track: AUDIO });
    addAll(window, [8], { track: AUDIO });
    expect([shape(window), shape(window, AUDIO)]).toEqual([[], []]);
    expect(window.begin(8)).toBe(true);
    expect([shape(window), shape(window, AUDIO)]).toEqual([['2:8 9'], ['2:8 9']]);
    addAll(window, [11, 10], { track: AUDIO });
    expect(shape(window, AUDIO)).toEqual(['2:8 9 10 11!', '3:12']);
  });

  it('begins a track that is taken later where it is told to, whichever of its parts comes first', () => {
    const window = new LiveWindow(GATHERED);
    window.setDescription(makeDescription());
    window.begin(0);
    addAll(window, range(0, 12));
    window.begin(8, AUDIO);
    addAll(window, [12, 9, 10], { track: AUDIO });
    expect(shape(window, AUDIO)).toEqual([]);
    addAll(window, [11, 8], { track: AUDIO });
    expect(shape(window, AUDIO)).toEqual(['2:8 9 10 11!', '3:12']);
    // Taken again after a while, it has a hole where it was not.
    window.begin(16, AUDIO);
    addAll(window, [20, 17], { track: AUDIO });
    expect(shape(window, AUDIO)).toEqual(['2:8 9 10 11!', '3:12']);
    addAll(window, [16], { track: AUDIO });
    expect(shape(window, AUDIO)).toEqual(['2:8 9 10 11!', '3:12 (13) (14) (15)!', '4:16 17']);
  });

  it('lists a sound that is taken again without a hole where what was not taken can be had, and a picture with one', () => {
    const window = new LiveWindow(GATHERED);
    window.setDescription(makeDescription());
    window.begin(0);
    for (const track of [VIDEO, AUDIO]) {
      addAll(window, range(0, 8), { track });
      window.setReach(0);
      window.begin(16, track);
      addAll(window, range(16, 18), { track });
    }
    expect(shape(window, AUDIO)).toEqual(['0:0 1 2 3!', '1:4 5 6 7!', '2:8 9 10 11!', '3:12 13 14 15!', '4:16 17']);
    expect(shape(window)).toEqual([
      '0:0 1 2 3!',
      '1:4 5 6 7!',
      '2:(8) (9) (10) (11)!',
      '3:(12) (13) (14) (15)!',
      '4:16 17',
    ]);
  });

  it('keeps the hole of a sound that is taken again where the oldest of it cannot be had any more', () => {
    const window = new LiveWindow(GATHERED);
    window.setDescription(makeDescription());
    window.begin(0);
    addAll(window, range(0, 8), { track: AUDIO });
    window.setReach(9);
    window.begin(16, AUDIO);
    addAll(window, [16], { track: AUDIO });
    expect(shape(window, AUDIO).slice(2)).toEqual(['2:(8) (9) (10) (11)!', '3:(12) (13) (14) (15)!', '4:16']);
  });

  it('lists no hole while playback has not gone on without the part, however many newer ones come first', () => {
    const window = new LiveWindow(GATHERED);
    window.setDescription(makeDescription());
    window.begin(0);
    addAll(window, [0, 1, ...range(3, 16)]);
    expect(shape(window)).toEqual(['0:0 1']);
    addAll(window, [2]);
    expect(shape(window)).toEqual(['0:0 1 2 3!', '1:4 5 6 7!', '2:8 9 10 11!', '3:12 13 14 15']);
    addAll(window, range(18, 25));
    window.giveUp(20);
    expect(shape(window).slice(4)).toEqual(['4:(16) (17) (18) (19)!', '5:20 21 22 23!', '6:24']);
  });

  it('takes a record without blocks for a hole of known length', () => {
    const window = begun();
    addAll(window, [0, 1], { track: AUDIO });
    addAll(window, [2], { track: AUDIO, blocks: [], durationUs: 240_000 });
    addAll(window, [3], { track: AUDIO });
    expect(shape(window, AUDIO)).toEqual(['0:0 1 (2) 3']);
    expect(window.part(AUDIO, 2)?.durationUs).toBe(240_000);
  });

  it('lists no picture behind an empty one as playable before the next key frame', () => {
    const window = begun();
    addAll(window, [0]);
    addAll(window, [1], { blocks: [] });
    addAll(window, range(2, 6));
    expect(shape(window)).toEqual(['0:0 (1) (2) (3)!', '1:4 5']);
  });

  it('keeps no more than its length, and for late requests three segments more', () => {
    const window = begun({ windowMs: 4_000 });
    addAll(window, range(0, 4_000));
    expect(shape(window).length).toBe(4);
    expect(window.oldestPart(VIDEO)).toBe(4_000 - 28);
    expect(window.segment(VIDEO, 993)?.parts.length).toBe(4);
    expect(window.segment(VIDEO, 992)).toBeUndefined();
  });

  it('forgets a rendition that nobody adds to any more', () => {
    const window = begun({ windowMs: 2_000 });
    addAll(window, range(0, 8), { track: AUDIO });
    addAll(window, range(0, 800));
    expect(window.segments(AUDIO)).toEqual([]);
    addAll(window, [796, 797], { track: AUDIO });
    expect(shape(window, AUDIO)).toEqual(['199:796 797']);
  });

  it('waits for the description that holds the header of a part', () => {
    const window = begun();
    addAll(window, range(0, 4));
    addAll(window, [4, 5], { revision: 1, discontinuity: true });
    expect(shape(window)).toEqual(['0:0 1 2 3']);
    const tracks = [{ ...videoTrack, init: Uint8Array.of(9) }, audioTrack];
    window.setDescription(makeDescription({ revision: 1, tracks }));
    expect(window.segments(VIDEO).map((segment) => segment.header)).toEqual([0, 1]);
    expect(window.init(VIDEO, 0)).toEqual(videoTrack.init);
    expect(window.init(VIDEO, 1)).toEqual(Uint8Array.of(9));
  });

  it('takes a description with the same header for no change of header', () => {
    const window = begun();
    window.setDescription(makeDescription({ revision: 1, signingKey: new Uint8Array(32).fill(7) }));
    addAll(window, range(0, 4));
    addAll(window, range(4, 8), { revision: 1 });
    expect(window.segments(VIDEO).map((segment) => segment.header)).toEqual([0, 0]);
    expect(window.hasDiscontinuity(1)).toBe(false);
  });

  it('sees a discontinuity that lies in a hole by the jump of the media time', () => {
    const window = begun();
    addAll(window, range(0, 4));
    addAll(window, range(8, 10), { timeUs: 900_000_000 });
    window.giveUp(8);
    expect(window.hasDiscontinuity(2)).toBe(true);
    const straight = begun();
    addAll(straight, [0, 1, 2, 3, 8]);
    straight.giveUp(8);
    expect(straight.hasDiscontinuity(2)).toBe(false);
  });

  it('counts discontinuities the same for all tracks, also when they have left the window', () => {
    const window = begun({ windowMs: 2_000 });
    for (const part of range(0, 400)) {
      for (const track of [VIDEO, AUDIO]) window.addRecord(makeRecord(part, { track, discontinuity: part % 40 === 0 }));
    }
    // Segments 0, 10, 20 … 90 begin with one; the window lists segments 98 and 99.
    expect(window.segments(VIDEO)[0]?.number).toBe(98);
    expect(window.discontinuitySequence(98)).toBe(10);
    for (let part = 400; part < 404; part++) window.addRecord(makeRecord(part, { discontinuity: part === 400 }));
    expect([100, 101].map((segment) => window.discontinuitySequence(segment))).toEqual([10, 11]);
  });

  it('smooths the jitter of capture out of the wall clock, and follows a real change', () => {
    const window = begun();
    for (const part of range(0, 8))
      window.addRecord(makeRecord(part, { capturedAtMs: 1_000_000 + part * 250 + (part === 4 ? 200 : 0) }));
    expect(window.segments(VIDEO).map((segment) => segment.startsAtMs)).toEqual([1_000_000, 1_001_000]);
    for (const part of range(8, 9)) window.addRecord(makeRecord(part, { capturedAtMs: 2_000_000 }));
    expect(window.segments(VIDEO)[2]?.startsAtMs).toBe(2_000_000);
  });

  it('bounds what waits: a stranger cannot fill memory with parts that never join', () => {
    const window = begun();
    addAll(window, [0]);
    for (let part = 10; part < 3_000; part++) window.addRecord(makeRecord(part, { independent: false }));
    expect(window.isPending(VIDEO, 2_999)).toBe(true);
    expect(window.isPending(VIDEO, 3_000 - 1_025)).toBe(false);
    expect(window.addRecord(makeRecord(1, { track: 16 }))).toBe(false);
  });

  it('completes everything at the end and takes nothing more', () => {
    const window = begun();
    addAll(window, [0, 1, 4]);
    window.end();
    expect(shape(window)).toEqual(['0:0 1 (2) (3)!', '1:4!']);
    expect(window.addRecord(makeRecord(5))).toBe(false);
  });
});
