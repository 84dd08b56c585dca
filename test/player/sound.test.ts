import type Hls from 'hls.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LiveSource } from '../../hls/live-source.ts';
import { SWARM_URL } from '../../web-player/loader/swarm-loader.ts';
import { Sound } from '../../web-player/playback/sound.ts';

describe('a change of the sound', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Nothing of the next sound is listed. */
  const live = {
    window: { segments: () => [], nextPart: () => undefined },
    onChange: () => () => {},
  } as unknown as LiveSource;
  const player = () => {
    const told: unknown[] = [];
    const audioTracks = [0, 1, 2].map((id) => ({ id, url: `https://x/${id}/media.m3u8` }));
    const hls = {
      url: SWARM_URL,
      audioTrack: 0,
      audioTracks,
      setAudioOption(to: { id: number }): void {
        told.push(to);
        this.audioTrack = to.id;
      },
    };
    return { hls: hls as unknown as Hls, told, audioTracks };
  };

  it('that cannot be had soon is left to hls.js', async () => {
    const { hls, told, audioTracks } = player();
    void new Sound().change(hls, live, 1);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(told).toEqual([audioTracks[1]]);
  });

  it('that waits when its session closes is not told to an hls.js that is destroyed', async () => {
    const { hls, told } = player();
    const sound = new Sound();
    void sound.change(hls, live, 1);
    sound.end();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toEqual([]);
  });

  it('that a site makes itself stands, while ours waits and after it', async () => {
    const { hls, told, audioTracks } = player();
    const sound = new Sound();
    void sound.change(hls, live, 1);
    expect(sound.of(hls)).toBe(1);
    hls.audioTrack = 2;
    await vi.advanceTimersByTimeAsync(2_500);
    expect([sound.of(hls), told]).toEqual([2, []]);
    void sound.change(hls, live, 1);
    await vi.advanceTimersByTimeAsync(2_500);
    expect([sound.of(hls), told]).toEqual([1, [audioTracks[1]]]);
    hls.audioTrack = 2;
    expect(sound.of(hls)).toBe(2);
    const next = player();
    sound.keep(hls, next.hls);
    expect(next.told).toEqual([audioTracks[2]]);
  });

  it('that still waits when another hls.js takes over is made there', () => {
    const { hls, audioTracks } = player();
    const next = player();
    const sound = new Sound();
    void sound.change(hls, live, 1);
    sound.keep(hls, next.hls);
    expect([next.told, sound.of(next.hls)]).toEqual([[audioTracks[1]], 1]);
  });
});
