import type { Track } from '../../protocol/media.ts';

/** Of a locker's room what is counted on: peaks differ. */
const COUNTED_ON = 0.9;
/** What has run out is taken away so much later. */
const LATER_SECONDS = 1;

/** Knows how long each INS server has room to keep what it is given, and says once of each that it is not as long as it should be. */
export class Room {
  private readonly wantedSeconds: number;
  private readonly quotas = new Map<string, number>();
  private readonly told = new Set<string>();
  private peakBps = 0;

  /** @param wantedSeconds - For which servers are asked to keep what they are given. */
  constructor(wantedSeconds: number) {
    this.wantedSeconds = wantedSeconds;
  }

  describe(tracks: readonly Pick<Track, 'bandwidthBps'>[]): void {
    this.peakBps = tracks.reduce((sum, { bandwidthBps }) => sum + bandwidthBps, 0);
  }

  /** A server has said how much one locker may hold. */
  accepted(url: string, quotaBytes: number): void {
    this.quotas.set(url, quotaBytes);
  }

  /** How long the server is to keep what it is given now: a locker that is full would take nothing that is new. */
  keepSeconds(url: string): number {
    const quotaBytes = this.quotas.get(url);
    if (quotaBytes === undefined || this.peakBps === 0) return this.wantedSeconds;
    return Math.max(
      1,
      Math.min(this.wantedSeconds, Math.floor((COUNTED_ON * quotaBytes * 8) / this.peakBps) - LATER_SECONDS),
    );
  }

  /** For how long all of them keep it. */
  get leastSeconds(): number {
    return Math.min(this.wantedSeconds, ...[...this.quotas.keys()].map((url) => this.keepSeconds(url)));
  }

  /** @returns Words for whoever runs the source, one of each server. */
  notices(): string[] {
    const { wantedSeconds, peakBps } = this;
    if (peakBps === 0) return [];
    return [...this.quotas].flatMap(([url, quotaBytes]) => {
      const seconds = this.keepSeconds(url);
      if (seconds === wantedSeconds || this.told.has(url)) return [];
      this.told.add(url);
      const [megabytes, megabits] = [Number((quotaBytes / 1e6).toPrecision(2)), (peakBps / 1e6).toFixed(1)];
      return [
        `${url} has room for ${megabytes} MB, and this stream has up to ${megabits} Mbit/s: it keeps ${seconds} s instead of ${wantedSeconds}, ` +
          'and viewers can seek back no further. Keep less (--keep), or give it more room',
      ];
    });
  }
}
