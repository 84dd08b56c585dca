import { describe, expect, it } from 'vitest';
import { writeInit } from '../../source-server/core/media/cmaf-writer.ts';
import { Mp4Reader } from '../../source-server/core/media/mp4-reader.ts';
import type { CutPart } from '../../source-server/core/media/types.ts';
import { makeMoov } from './made-header.ts';
import { audio, makeAudio, makePackager, makeVideo, pushBoth, readBack, takeAll, video } from './made-samples.ts';

const both = [
  { id: 0, header: video },
  { id: 1, header: audio },
];

const inits = (['video', 'audio'] as const).map((kind, id) => {
  const [item] = new Mp4Reader().push(makeMoov(kind, 1, kind === 'video' ? 90_000 : 48_000));
  if (item?.kind !== 'track') throw new Error('no track');
  return writeInit(item.track, id + 1);
});

/** Every part of a track starts where the one before ended, on its own clock of whole ticks. */
function expectGapless(parts: readonly CutPart[], track: number): void {
  const samples = readBack(inits[track]!, parts, track);
  for (let i = 1; i < samples.length; i++) {
    expect(samples[i]!.dts).toBe(samples[i - 1]!.dts + samples[i - 1]!.duration);
  }
  const cuts = parts.flatMap((part) => part.tracks.filter((one) => one.track === track));
  for (let i = 1; i < cuts.length; i++) expect(cuts[i]!.timeUs).toBe(cuts[i - 1]!.timeUs + cuts[i - 1]!.durationUs);
}

function leads(parts: readonly CutPart[]): [part: number, segment: number, index: number, startMs: number][] {
  return parts.map(({ part, segment, indexInSegment, tracks }) => [
    part,
    segment,
    indexInSegment,
    Math.round(tracks[0]!.timeUs / 1000),
  ]);
}

describe('cutting', () => {
  it('closes a part on the grid and a segment before the key frame that ends it', () => {
    const packager = makePackager();
    packager.setTracks(both);
    packager.beginRun(false, 5000);
    pushBoth(packager, makeVideo({ frames: 61 }), makeAudio(100));
    expect(leads(takeAll(packager))).toEqual([
      [0, 0, 0, 0],
      [1, 0, 1, 267],
      [2, 0, 2, 500],
      [3, 0, 3, 767],
      [4, 1, 0, 1000],
      [5, 1, 1, 1267],
      [6, 1, 2, 1500],
      [7, 1, 3, 1767],
    ]);
  });

  it('closes a part early where a key frame starts a segment off the grid', () => {
    const packager = makePackager();
    packager.setTracks([{ id: 0, header: video }]);
    packager.beginRun(false, 0);
    for (const sample of makeVideo({ frames: 52, keyEvery: 51 })) packager.push(0, sample, 0);
    const parts = takeAll(packager);
    expect(parts.at(-1)).toMatchObject({ segment: 0, indexInSegment: 6 });
    expect(parts.at(-1)!.tracks[0]!.durationUs).toBe(200_000);
  });

  it('starts no segment before its time at key frames that come too often', () => {
    const packager = makePackager();
    packager.setTracks([{ id: 0, header: video }]);
    packager.beginRun(false, 0);
    for (const sample of makeVideo({ frames: 91, keyEvery: 12 })) packager.push(0, sample, 0);
    const starts = leads(takeAll(packager)).filter(([, , index]) => index === 0);
    expect(starts.map(([, , , startMs]) => startMs)).toEqual([0, 1200, 2400]);
  });

  it('calls a part independent when, and only when, it begins with a key frame', () => {
    const packager = makePackager();
    packager.setTracks(both);
    packager.beginRun(false, 0);
    pushBoth(packager, makeVideo({ frames: 121 }), makeAudio(200));
    for (const part of takeAll(packager)) {
      expect(part.independent).toBe(readBack(inits[0]!, [part], 0)[0]!.key);
      expect(part.independent).toBe(part.indexInSegment === 0);
    }
  });

  it('gives a part the audio that starts while its pictures show, reordering included', () => {
    const packager = makePackager();
    packager.setTracks(both);
    packager.beginRun(false, 0);
    pushBoth(packager, makeVideo({ frames: 61, reorder: 6000 }), makeAudio(120, 480_000));
    for (const { tracks } of takeAll(packager)) {
      const [pictures, sound] = tracks;
      expect(sound!.timeUs).toBeGreaterThanOrEqual(pictures!.timeUs);
      expect(sound!.timeUs - pictures!.timeUs).toBeLessThan(21_400);
    }
  });

  it('lets audio lead where there are no pictures', () => {
    const packager = makePackager();
    packager.setTracks([{ id: 0, header: audio }]);
    packager.beginRun(false, 0);
    for (const sample of makeAudio(200)) packager.push(0, sample, 0);
    const parts = takeAll(packager);
    expect(parts.filter((part) => part.indexInSegment === 0).map((part) => part.segment)).toEqual([0, 1, 2, 3, 4]);
    expect(parts.every((part) => part.independent)).toBe(true);
  });

  it('cuts all renditions at the same borders', () => {
    const packager = makePackager();
    packager.setTracks([...both.slice(0, 1), { id: 1, header: video }]);
    packager.beginRun(false, 0);
    const pictures = makeVideo({ frames: 61 });
    for (const sample of pictures) for (const track of [0, 1]) packager.push(track, sample, 0);
    for (const { tracks } of takeAll(packager)) {
      expect(tracks.map(({ timeUs, durationUs }) => [timeUs, durationUs])).toEqual([
        [tracks[0]!.timeUs, tracks[0]!.durationUs],
        [tracks[0]!.timeUs, tracks[0]!.durationUs],
      ]);
    }
  });
});

describe('the timeline', () => {
  it('stays exact over two hours at 23.976 fps and 44.1 kHz', () => {
    const packager = makePackager();
    const sound = { ...audio, timescale: 44_100 };
    packager.setTracks([
      { id: 0, header: { ...video, timescale: 24_000 } },
      { id: 1, header: sound },
    ]);
    packager.beginRun(false, 0);
    let frame = 0;
    let endUs = 0;
    let parts = 0;
    const bytes = new Uint8Array(1);
    for (let i = 0; i < 7_200 * 24; i++) {
      packager.push(0, { dts: i * 1001, ctsOffset: 0, duration: 1001, key: i % 24 === 0, bytes }, 0);
      for (; (frame * 1024) / 44_100 < (i * 1001) / 24_000; frame++) {
        packager.push(1, { dts: frame * 1024, ctsOffset: 0, duration: 1024, key: true, bytes }, 0);
      }
      for (let packed = packager.take(); packed !== undefined; packed = packager.take()) {
        const [pictures, tones] = packed.part.tracks;
        if (pictures!.timeUs !== endUs) throw new Error(`part ${packed.part.part} does not join`);
        if (Math.abs(tones!.timeUs - pictures!.timeUs) > 23_300)
          throw new Error(`part ${packed.part.part} is out of step`);
        endUs = packed.endUs;
        parts++;
      }
    }
    expect(parts).toBeGreaterThan(28_000);
    expect(packager.takeNotice()).toBeUndefined();
  });

  it('goes over the end of a looped file without a jump when its audio is longer than its pictures', () => {
    const packager = makePackager({ live: false });
    packager.setTracks(both);
    for (let run = 0; run < 3; run++) {
      packager.beginRun(run > 0, 0);
      pushBoth(packager, makeVideo({ frames: 90 }), makeAudio(155, 480_000 - 1024));
      packager.endRun();
    }
    packager.interrupt();
    const parts = takeAll(packager);
    expect(parts.some((part) => part.discontinuity)).toBe(false);
    expectGapless(parts, 0);
    expectGapless(parts, 1);
    expect(readBack(inits[0]!, parts, 0)).toHaveLength(270);
    const sound = readBack(inits[1]!, parts, 1);
    expect(sound.some((sample) => sample.bytes[0] !== 0x41)).toBe(false);
    // Frame 0 is the encoder's own run-up, before the first picture; frame 1 is heard when the first picture shows.
    expect(sound.some((sample) => sample.bytes[2] === 0)).toBe(false);
    const starts = sound.filter((sample) => sample.bytes[2] === 1).map((sample) => sample.dts / 48_000);
    expect(starts.map((time, run) => Math.abs(time - run * 3) < 1024 / 48_000)).toEqual([true, true, true]);
  });

  it('fills the end of a looped file with silence when its audio is shorter', () => {
    const packager = makePackager({ live: false });
    packager.setTracks(both);
    for (let run = 0; run < 2; run++) {
      packager.beginRun(run > 0, 0);
      pushBoth(packager, makeVideo({ frames: 90 }), makeAudio(100));
      packager.endRun();
    }
    packager.interrupt();
    const parts = takeAll(packager);
    expectGapless(parts, 1);
    const sound = readBack(inits[1]!, parts, 1);
    expect(sound.filter((sample) => sample.bytes[0] === 0x41)).toHaveLength(200);
    // The second run's first frame is where its first picture is, within a frame.
    const second = sound.map((sample) => sample.bytes[0] === 0x41 && sample.bytes[2] === 0).lastIndexOf(true);
    expect(Math.abs(sound[second]!.dts - 3 * 48_000)).toBeLessThan(1024);
  });

  it('starts a segment where a looped file starts again', () => {
    const packager = makePackager({ live: false });
    packager.setTracks([{ id: 0, header: video }]);
    for (let run = 0; run < 2; run++) {
      packager.beginRun(run > 0, 0);
      for (const sample of makeVideo({ frames: 45 })) packager.push(0, sample, 0);
      packager.endRun();
    }
    packager.interrupt();
    const starts = leads(takeAll(packager)).filter(([, , index]) => index === 0);
    expect(starts.map(([, , , startMs]) => startMs)).toEqual([0, 1000, 1500, 2500]);
  });

  it('moves on by the real gap over an interruption, and says so on the first part', () => {
    const packager = makePackager();
    packager.setTracks(both);
    packager.beginRun(false, 10_000);
    pushBoth(packager, makeVideo({ frames: 30 }), makeAudio(47), 10_000);
    packager.interrupt();
    packager.beginRun(false, 17_000);
    pushBoth(packager, makeVideo({ frames: 30, from: 4_000_000 }), makeAudio(47, 2_133_333), 17_000);
    packager.interrupt();
    const parts = takeAll(packager);
    const broken = parts.filter((part) => part.discontinuity);
    expect(broken.map(({ segment, indexInSegment, independent }) => [segment, indexInSegment, independent])).toEqual([
      [1, 0, true],
    ]);
    expect(broken[0]!.tracks.map((track) => Math.round(track.timeUs / 1000))).toEqual([7000, 7000]);
    expect(broken[0]!.capturedAtMs).toBe(17_000);
  });

  it('never goes back, also when the input returns before its last parts were due', () => {
    const packager = makePackager({ live: false });
    packager.setTracks(both);
    packager.beginRun(false, 10_000);
    pushBoth(packager, makeVideo({ frames: 60 }), makeAudio(94), 10_000);
    packager.interrupt();
    packager.beginRun(false, 10_500);
    pushBoth(packager, makeVideo({ frames: 30, reorder: 9000 }), makeAudio(47), 10_500);
    packager.interrupt();
    const parts = takeAll(packager);
    const first = parts.findIndex((part) => part.discontinuity);
    const before = parts[first - 1]!.tracks[0]!;
    expect(parts[first]!.tracks[0]!.timeUs).toBeGreaterThanOrEqual(before.timeUs + before.durationUs);
    const times = readBack(inits[0]!, parts, 0).map((sample) => sample.dts);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('shows nothing over the end of what was before, also when the new pictures are not reordered', () => {
    const packager = makePackager({ live: false });
    packager.setTracks([{ id: 0, header: video }]);
    for (const reorder of [6000, 0]) {
      packager.beginRun(false, 10_000);
      for (const sample of makeVideo({ frames: 30, reorder })) packager.push(0, sample, 10_000);
      packager.interrupt();
    }
    const parts = takeAll(packager);
    const first = parts.findIndex((part) => part.discontinuity);
    const before = parts[first - 1]!.tracks[0]!;
    expect(parts[first]!.tracks[0]!.timeUs).toBeGreaterThanOrEqual(before.timeUs + before.durationUs);
  });

  it('takes a long pause in a run for an interruption, and starts again at a key frame', () => {
    const packager = makePackager();
    packager.setTracks(both);
    packager.beginRun(false, 0);
    const before = makeVideo({ frames: 60 });
    const after = makeVideo({ frames: 60, from: 900_000 + 60 * 3000 + 10 * 90_000 });
    pushBoth(packager, [...before.slice(0, 59), { ...before[59]!, duration: 3000 + 900_000 }], makeAudio(94));
    for (const sample of after.slice(1)) packager.push(0, sample, 12_000);
    packager.interrupt();
    const parts = takeAll(packager);
    const broken = parts.find((part) => part.discontinuity)!;
    expect(broken.independent).toBe(true);
    expect(broken.tracks[0]!.timeUs).toBe(13_000_000);
    expect(Math.max(...parts.map((part) => part.tracks[0]!.durationUs))).toBeLessThan(267_000);
  });

  it('continues from the numbers and the time it is given, with a discontinuity', () => {
    const packager = makePackager({ startPart: 400, startSegment: 100, startTimeUs: 100_000_000 });
    packager.setTracks(both);
    packager.beginRun(false, 0);
    pushBoth(packager, makeVideo({ frames: 31 }), makeAudio(60));
    const [first, second] = takeAll(packager);
    expect(first).toMatchObject({ part: 400, segment: 100, indexInSegment: 0, discontinuity: true });
    expect(first!.tracks.map((track) => track.timeUs)).toEqual([100_000_000, 100_000_000]);
    expect(second).toMatchObject({ part: 401, segment: 100, indexInSegment: 1, discontinuity: false });
  });

  it('goes on with the numbers when the tracks change', () => {
    const packager = makePackager();
    packager.setTracks(both);
    packager.beginRun(false, 0);
    pushBoth(packager, makeVideo({ frames: 31 }), makeAudio(60));
    packager.interrupt();
    const before = takeAll(packager);
    packager.setTracks([{ id: 0, header: audio }]);
    packager.beginRun(false, 0);
    for (const sample of makeAudio(60)) packager.push(0, sample, 0);
    const [first] = takeAll(packager);
    const last = before.at(-1)!;
    expect(first).toMatchObject({
      part: last.part + 1,
      segment: last.segment + 1,
      indexInSegment: 0,
      discontinuity: true,
    });
    expect(first!.tracks[0]!.timeUs).toBeGreaterThanOrEqual(last.tracks[0]!.timeUs + last.tracks[0]!.durationUs);
  });
});

describe('tracks that do not keep up', () => {
  it('waits for audio that is late, and puts silence in for audio that does not come', () => {
    const packager = makePackager({ graceMs: 3000 });
    packager.setTracks(both);
    packager.beginRun(false, 0);
    const sound = makeAudio(340);
    pushBoth(packager, makeVideo({ frames: 30 }), sound.slice(0, 47));
    const early = takeAll(packager).length;
    // Pictures go on alone: nothing goes out within the grace, all of it after.
    const more = makeVideo({ frames: 150, from: 990_000 });
    more.slice(0, 85).forEach((sample, i) => {
      packager.push(0, sample, 1000 + i * 33);
    });
    expect(takeAll(packager)).toEqual([]);
    more.slice(85).forEach((sample, i) => {
      packager.push(0, sample, 3850 + i * 33);
    });
    const silent = takeAll(packager);
    expect(early).toBeGreaterThan(0);
    expect(silent.length).toBeGreaterThan(5);
    expect(silent.every((part) => part.tracks.length === 2)).toBe(true);
    expect(packager.takeNotice()).toMatch(/track 1 \(audio\) delivers nothing/);
    // When it is back, the chain goes on where it is.
    const resumed = makeVideo({ frames: 30, from: 990_000 + 150 * 3000 });
    pushBoth(packager, resumed, sound.slice(250), 6000);
    packager.interrupt();
    const all = [...silent, ...takeAll(packager)];
    expectGapless(all, 1);
    expect(readBack(inits[1]!, all, 1).at(-1)!.bytes[0]).toBe(0x41);
  });

  it('goes on without audio of a kind it knows no silence for', () => {
    const packager = makePackager();
    packager.setTracks([both[0]!, { id: 1, header: { ...audio, channels: 7 } }]);
    packager.beginRun(false, 0);
    makeVideo({ frames: 240 }).forEach((sample, i) => {
      packager.push(0, sample, i * 33);
    });
    const parts = takeAll(packager);
    expect(parts.length).toBeGreaterThan(5);
    expect(parts[0]!.tracks.map((track) => track.track)).toEqual([0]);
  });

  it('never holds more than 30 s of pictures for a track that is missing, whatever the clock says', () => {
    const packager = makePackager({ graceMs: 1e12 });
    packager.setTracks(both);
    packager.beginRun(false, 0);
    packager.push(1, makeAudio(1)[0]!, 0);
    for (const sample of makeVideo({ frames: 40 * 30 })) packager.push(0, sample, 0);
    const parts = takeAll(packager);
    expect(parts.length).toBeGreaterThanOrEqual(36);
  });

  it('drops what comes before the first key frame', () => {
    const packager = makePackager();
    packager.setTracks(both);
    packager.beginRun(false, 0);
    const pictures = makeVideo({ frames: 60, keyEvery: 20 }).slice(7);
    pushBoth(packager, pictures, makeAudio(100));
    packager.interrupt();
    const parts = takeAll(packager);
    expect(readBack(inits[0]!, parts, 0)).toHaveLength(40);
    expect(parts[0]!.tracks.map((track) => track.timeUs < 21_400)).toEqual([true, true]);
  });
});
