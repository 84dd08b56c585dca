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
    const audioTracks = [0, 1].map((id) => ({ id, url: `https://x/${id}/media.m3u8` }));
    const hls = {
      url: SWARM_URL,
      audioTrack: 0,
      audioTracks,
      config: {},
      setAudioOption: (to: unknown) => told.push(to),
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
});
