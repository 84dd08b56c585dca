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

function made(options: { currentTime: number; ranges: [number, number][]; partList?: MadePart[]; latency?: number }) {
  const { currentTime, ranges, partList = [], latency = 1 } = options;
  const buffered = { length: ranges.length, start: (i: number) => ranges[i]![0], end: (i: number) => ranges[i]![1] };
  const video = { currentTime, buffered, paused: false, seeking: false };
  const latestLevelDetails = { partList, edge: partList.at(-1)?.end ?? 0 };
  const hls = { latency, targetLatency: 0.8, liveSyncPosition: 42, latestLevelDetails };
  const keep = new KeepLive(hls as unknown as Hls, video as unknown as HTMLVideoElement);
  return { keep, video, hls };
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

  it('returns to the target latency within what is buffered', () => {
    const late = made({ currentTime: 10, ranges: [[9, 14]], latency: 3.8 });
    look();
    expect(late.video.currentTime).toBeCloseTo(13);
  });

  it('leaves small distances to the speed of hls.js, and jumps nowhere when nothing is buffered there', () => {
    const near = made({ currentTime: 10, ranges: [[9, 14]], latency: 1.7 });
    const empty = made({ currentTime: 10, ranges: [[9, 10.3]], latency: 3.8 });
    look();
    expect([near.video.currentTime, empty.video.currentTime]).toEqual([10, 10]);
  });

  it('leaves a viewer alone who watches something older, until back to live', () => {
    const { keep, video } = made({ currentTime: 10, ranges: [[9, 14]], latency: 3.8 });
    keep.following = false;
    look();
    expect(video.currentTime).toBe(10);
    keep.goLive();
    expect([video.currentTime, keep.following]).toEqual([42, true]);
  });

  it('does nothing while paused or seeking, and nothing after its end', () => {
    const paused = made({ currentTime: 10, ranges: [[9, 14]], latency: 3.8 });
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
