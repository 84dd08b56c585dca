import { describe, expect, it } from 'vitest';
import { AutoQuality, chooseTracks, unknownRendition } from '../../peer/core/quality.ts';
import type { HeldParts } from '../../peer/core/rendition-choice.ts';
import { type ChangeFrom, TrackChange } from '../../peer/core/track-change.ts';
import type { Track } from '../../protocol/media.ts';

const track = (id: number, kind: Track['kind'], name: string, bandwidthBps: number): Track => ({
  id,
  kind,
  codecs: '',
  name,
  bandwidthBps,
  width: 0,
  height: 0,
  frameRate: 0,
  channels: 0,
  language: '',
  init: Uint8Array.of(1),
});
const TRACKS = [
  track(0, 'video', '480p', 1_000_000),
  track(1, 'video', '1080p', 4_000_000),
  track(2, 'video', '240p', 300_000),
  track(3, 'audio', 'English', 64_000),
  track(4, 'audio', 'French', 64_000),
];

describe('the choice of a rendition', () => {
  it('takes one picture and the first sound', () => {
    expect(chooseTracks(TRACKS, 'best', undefined)).toEqual([1, 3]);
    expect(chooseTracks(TRACKS, 'lowest', undefined)).toEqual([2, 3]);
    expect(chooseTracks(TRACKS, { name: '480P' }, undefined)).toEqual([0, 3]);
    expect(chooseTracks(TRACKS, { track: 0 }, undefined)).toEqual([0, 3]);
    expect(chooseTracks(TRACKS, { track: 3 }, undefined)).toBeUndefined();
    expect(chooseTracks(TRACKS, 'auto', 0)).toEqual([0, 3]);
    expect(chooseTracks(TRACKS, 'all', undefined)).toEqual([0, 1, 2, 3, 4]);
    expect(chooseTracks(TRACKS.slice(3), 'best', undefined)).toHaveLength(1);
  });

  it('takes all text with every picture: it is next to nothing', () => {
    const texts = [track(5, 'text', 'English', 30_000), track(6, 'text', 'French', 30_000)];
    expect(chooseTracks([...TRACKS, ...texts], 'lowest', undefined)).toEqual([2, 3, 5, 6]);
    expect(chooseTracks([...TRACKS, ...texts], 'auto', 0)).toEqual([0, 3, 5, 6]);
  });

  it('names those that there are where the one that was asked for is not among them', () => {
    expect(chooseTracks(TRACKS, { name: '720p' }, undefined)).toBeUndefined();
    expect(unknownRendition('720p', TRACKS)).toContain('240p, 480p, 1080p');
  });
});

describe('the rule of auto', () => {
  /** Parts of 40 KB in blocks of 10 KB that come `gapMs` apart, one part a quarter of a second. */
  function play(
    auto: AutoQuality,
    fromMs: number,
    parts: number,
    gapMs: number,
    lag: (part: number) => number,
  ): number {
    let nowMs = fromMs;
    for (let part = 0; part < parts; part++) {
      for (let block = 0; block < 4; block++) auto.came(10_000, nowMs + block * gapMs);
      nowMs += 250;
      auto.whole(lag(part), nowMs);
    }
    return nowMs;
  }

  it('begins with the least, and goes up only to what bursts have shown that the line carries', () => {
    const [fast, slow] = [new AutoQuality(), new AutoQuality()];
    for (const auto of [fast, slow]) auto.describe(TRACKS);
    expect(fast.track).toBe(2);
    play(fast, 0, 8, 2, () => 50);
    expect(fast.track).toBe(2);
    play(fast, 2_000, 20, 2, () => 50);
    expect(fast.track).toBe(1);
    play(slow, 0, 28, 40, () => 50);
    expect(slow.track).toBe(0);
  });

  it('goes down at once when parts come later and later, and back up later than the first time', () => {
    const auto = new AutoQuality();
    auto.describe(TRACKS);
    let nowMs = play(auto, 0, 28, 2, () => 50);
    expect(auto.track).toBe(1);
    nowMs = play(auto, nowMs, 12, 60, (part) => 50 + part * 80);
    expect(auto.track).not.toBe(1);
    nowMs = play(auto, nowMs, 14, 2, () => 50);
    expect(auto.track).not.toBe(1);
    play(auto, nowMs, 24, 2, () => 50);
    expect(auto.track).toBe(1);
  });
});

describe('a change of rendition', () => {
  /** Parts 0 to 9 of track 0 are held, and starts are each fourth part. */
  const held = (upTo: number, known = upTo): HeldParts => ({
    newestIndependent: Math.floor(known / 4) * 4,
    isStart: (part) => part <= known && part % 4 === 0,
    knows: (part) => part <= known,
    holdsAll: (tracks, part) => tracks[0] === 0 && part <= upTo,
  });
  const changing = (from: ChangeFrom): TrackChange => {
    const change = new TrackChange();
    change.set([0]);
    change.want([1], from);
    return change;
  };

  it('waits for the next start, and takes what is before it of the old one only', () => {
    const change = changing('next');
    expect(change.settle(6, 4, false, held(9))).toBe(false);
    expect(change.settle(7, 4, false, held(11))).toBe(true);
    expect([change.of(11), change.of(12)]).toEqual([[0], [1]]);
    expect(change.settle(13, 4, false, held(11))).toBe(false);
    expect(change.atPart).toBe(-1);
  });

  it('is decided ahead where no follow has to be changed', () => {
    const change = changing('next');
    expect(change.settle(6, 4, true, held(9))).toBe(true);
    expect(change.atPart).toBe(12);
  });

  it('looks for it where starts have been seen to come, however many parts the description makes one believe', () => {
    const change = changing('next');
    expect(change.settle(6, 3, false, held(10))).toBe(false);
    expect(change.settle(7, 3, false, held(11))).toBe(true);
    expect(change.atPart).toBe(12);
  });

  it('because of want begins with the segment under way at the newest part, and loads no more of it twice than is held', () => {
    const change = changing('newest');
    expect(change.settle(5, 4, false, held(9))).toBe(true);
    expect([change.of(7), change.of(8)]).toEqual([[0], [1]]);
  });

  it('to fewer of those that are taken is made at once', () => {
    const change = new TrackChange();
    change.set([0, 1, 3]);
    change.want([1, 3], 'next');
    expect(change.settle(6, 4, false, held(9))).toBe(true);
    expect([change.atPart, change.of(6), change.added]).toEqual([-1, [1, 3], []]);
  });

  it('by a player begins with the segment behind the one on screen, or the one on screen where that is the newest', () => {
    const behind = changing('screen');
    behind.settle(1, 4, false, held(9));
    const newest = changing('screen');
    newest.settle(8, 4, false, held(9));
    expect([behind.atPart, newest.atPart]).toEqual([4, 8]);
  });

  it.each([
    ['what is taken now', [0], [8, [0], [0]]],
    ['what is ahead', [1], [8, [0], [1]]],
    ['another one', [2], [8, [0], [2]]],
  ])('by a player to %s takes the place of one that is still ahead, which it may never play', (_, tracks, taken) => {
    const change = changing('next');
    change.settle(6, 4, true, held(9));
    expect(change.atPart).toBe(12);
    change.want(tracks, 'screen', true);
    expect(change.settle(6, 4, true, held(9))).toBe(true);
    expect([change.atPart, change.of(7), change.of(8)]).toEqual(taken);
    expect(change.of(12)).toEqual(tracks);
  });

  it('by the rule waits until the one before is behind us', () => {
    const change = changing('next');
    change.settle(6, 4, true, held(9));
    change.want([0], 'newest');
    const both = { ...held(14), holdsAll: (_: readonly number[], part: number) => part <= 14 };
    expect(change.settle(11, 4, true, both)).toBe(false);
    expect(change.settle(12, 4, true, both)).toBe(true);
  });

  it('moves on where the part turns out to be no start', () => {
    const change = changing('next');
    change.settle(6, 4, true, held(9));
    change.settle(7, 4, true, { ...held(9, 13), isStart: (part) => part === 13 });
    expect([change.of(12), change.of(13)]).toEqual([[0], [1]]);
  });
});
