import type { Track } from '../../protocol/media.ts';

/** Knows whether INS servers have room for all that they are to keep, and says once of each that has not. */
export class Room {
  private readonly keepSeconds: number;
  private readonly quotas = new Map<string, number>();
  private readonly told = new Set<string>();
  private peakBps = 0;

  /** @param keepSeconds - For which servers are asked to keep what they are given. */
  constructor(keepSeconds: number) {
    this.keepSeconds = keepSeconds;
  }

  describe(tracks: readonly Pick<Track, 'bandwidthBps'>[]): void {
    this.peakBps = tracks.reduce((sum, { bandwidthBps }) => sum + bandwidthBps, 0);
  }

  /** A server has said how much one locker may hold. */
  accepted(url: string, quotaBytes: number): void {
    this.quotas.set(url, quotaBytes);
  }

  /** @returns Words for whoever runs the source, one of each server. */
  notices(): string[] {
    const { keepSeconds, peakBps } = this;
    if (peakBps === 0) return [];
    return [...this.quotas].flatMap(([url, quotaBytes]) => {
      const seconds = Math.floor((quotaBytes * 8) / peakBps);
      if (seconds >= keepSeconds || this.told.has(url)) return [];
      this.told.add(url);
      const [megabytes, megabits] = [Math.round(quotaBytes / 1e6), (peakBps / 1e6).toFixed(1)];
      return [
        `${url} has room for ${megabytes} MB, which is ${seconds} s of this stream at its peak of ${megabits} Mbit/s, and is to keep ${keepSeconds} s: ` +
          `when it is full it takes nothing more, and viewers miss what is new. Keep less (--keep ${seconds}), or give it more room`,
      ];
    });
  }
}
