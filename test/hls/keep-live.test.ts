import type Hls from 'hls.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeepLive } from '../../web-player/loader/keep-live.ts';

interface MadePart {
  readonly start: number;
  readonly end: number;
  readonly independent?: boolean;
  readonly gap?: boolean;
}

/** Parts of 250 ms from 10 s on, every fourth independent; those in `holes` are gaps. */
function parts(count: number, holes: readonly number[] = []): MadePart[] {
  return Array.from({ length: count }, (_, i) => ({
    start: 10 + i * 0.25,
    end: 10 + (i + 1) * 0.25,
    independent: i % 4 === 0,
    gap: holes.includes(i),
  }));
}

/** It is 100 s by all clocks; the picture at `currentTime` was filmed `latencyMs` ago. Aims at 800 ms. */
function made(options: { currentTime: number; ranges: [number, number][]; partList?: MadePart[]; latencyMs?: number }) {
  const { currentTime, ranges, partList = [], latencyMs = 800 } = options;
  const buffered = { length: ranges.length, start: (i: number) => ranges[i]![0], end: (i: number) => ranges[i]![1] };
  const listeners = new Map<string, () => void>();
  const addEventListener = (name: string, listener: () => void) => listeners.set(name, listener);
  const removeEventListener = (name: string) => listeners.delete(name);
  const state = { currentTime, buffered, paused: false, seeking: false, playbackRate: 1 };
  const video = Object.assign(state, { addEventListener, removeEventListener });
  const latestLevelDetails = { live: true, partList, edge: partList.at(-1)?.end ?? 14 };
  const filmedAtMs = () => 100_000 - latencyMs - (currentTime - video.currentTime) * 1_000;
  const hls = {
    latestLevelDetails,
    get playingDate() {
      return new Date(filmedAtMs());
    },
    on: () => {},
    off: () => {},
  };
  const times = { nowMs: () => 100_000, targetLatencyMs: 800 };
  const keep = new KeepLive(hls as unknown as Hls, video as unknown as HTMLVideoElement, times);
  // Parts come in time.
  for (let i = 0; i < 2; i++) keep.pace.arrived(60, 250);
  const seeks = (toS: number) => {
    video.currentTime = toS;
    listeners.get('seeking')!();
  };
  return { keep, video, hls, seeks };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const look = () => vi.advanceTimersByTime(100);

describe('keeping live', () => {
  it('jumps to the first independent part behind a hole, once there is enough to play', () => {
    const holes = [4, 5];
    const few = made({ currentTime: 10.98, ranges: [[10, 11]], partList: parts(9, [...holes, 6, 7]) });
    look();
    expect(few.video.currentTime).toBe(10.98);
    few.hls.latestLevelDetails.partList.push(...parts(10).slice(9));
    few.hls.latestLevelDetails.edge = 12.5;
    look();
    expect(few.video.currentTime).toBeCloseTo(12.06);
  });

  it('does not jump while there is something to play before the hole, or when the next part is no hole', () => {
    const playing = made({ currentTime: 10.5, ranges: [[10, 11]], partList: parts(12, [4, 5, 6, 7]) });
    const waiting = made({ currentTime: 10.98, ranges: [[10, 11]], partList: parts(12) });
    look();
    expect([playing.video.currentTime, waiting.video.currentTime]).toEqual([10.5, 10.98]);
  });

  it('jumps over a hole also where the little before it has not been played for a second', () => {
    const { video } = made({ currentTime: 10.83, ranges: [[10, 11]], partList: parts(12, [4, 5, 6, 7]) });
    vi.advanceTimersByTime(900);
    expect(video.currentTime).toBe(10.83);
    vi.advanceTimersByTime(300);
    expect(video.currentTime).toBeCloseTo(12.06);
  });

  it('returns to the target latency within what is buffered', () => {
    const late = made({ currentTime: 10, ranges: [[9, 14]], latencyMs: 3_800 });
    look();
    expect(late.video.currentTime).toBeCloseTo(13);
  });

  it('jumps to where a decoder can begin, not far from its aim: the picture stands while it decodes what it does not show', () => {
    // Parts begin to be independent at 10, 11, 12 and 13 s; the aim is 12.6, and then 12.9.
    const before = made({ currentTime: 10, ranges: [[9, 14]], partList: parts(16), latencyMs: 3_400 });
    const behind = made({ currentTime: 10, ranges: [[9, 14]], partList: parts(16), latencyMs: 3_700 });
    const hole = made({ currentTime: 10, ranges: [[9, 14]], partList: parts(16, [8]), latencyMs: 3_400 });
    look();
    expect(before.video.currentTime).toBeCloseTo(12.06);
    expect(behind.video.currentTime).toBeCloseTo(13.06);
    expect(hole.video.currentTime).toBeCloseTo(12.6);
  });

  it('makes up small distances by speed, and jumps nowhere when nothing is buffered there', () => {
    const near = made({ currentTime: 10, ranges: [[9, 14]], latencyMs: 1_500 });
    const empty = made({ currentTime: 10, ranges: [[9, 10.3]], latencyMs: 3_800 });
    const there = made({ currentTime: 10, ranges: [[9, 14]] });
    look();
    expect([near.video.currentTime, empty.video.currentTime]).toEqual([10, 10]);
    expect([near.video.playbackRate, there.video.playbackRate]).toEqual([1.1, 1]);
  });

  it('leaves a viewer alone who watches something older, until back to live', () => {
    const { keep, video } = made({ currentTime: 10, ranges: [[9, 14]], latencyMs: 3_800 });
    keep.following = false;
    look();
    expect(video.currentTime).toBe(10);
    keep.goLive();
    expect([video.currentTime, keep.following]).toEqual([13, true]);
  });

  it('goes no nearer to live than there is something to play', () => {
    const { keep, video } = made({ currentTime: 10, ranges: [[9, 14]], latencyMs: 8_000 });
    keep.goLive();
    expect(video.currentTime).toBe(13.5);
  });

  it('takes a seek back for the wish to see something older, and one to the edge for its end; its own are neither', () => {
    const { keep, video, seeks } = made({ currentTime: 10, ranges: [[2, 14]], latencyMs: 3_800 });
    look();
    seeks(video.currentTime);
    expect(keep.following).toBe(true);
    look();
    seeks(4);
    expect(keep.following).toBe(false);
    seeks(12.9);
    expect(keep.following).toBe(true);
  });

  it('does nothing while paused or seeking, and nothing after its end', () => {
    const paused = made({ currentTime: 10, ranges: [[9, 14]], latencyMs: 3_800 });
    paused.video.paused = true;
    look();
    paused.video.paused = false;
    paused.video.seeking = true;
    look();
    paused.video.seeking = false;
    paused.keep.stop();
    look();
    expect(paused.video.currentTime).toBe(10);
    expect(vi.getTimerCount()).toBe(0);
  });
});
