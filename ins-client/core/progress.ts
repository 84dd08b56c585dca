import type { Labelled } from '../../protocol/frames.ts';

/** Parts by which a track may lag behind the newest one and still be waited for after a reconnect. */
const LAG_PARTS_MAX = 64;

/** Newest parts of a track whose blocks are remembered one by one. */
const RECENT_PARTS = 16;

/** What a follow has brought: after a reconnect it goes on behind that, and what comes twice is not told twice. */
export class Progress {
  /** By track: the newest parts, and which blocks of them have come. */
  private readonly recent = new Map<number, Map<number, Set<number>>>();
  private resumed = false;

  /** Notes a block; false when it was there before. */
  note({ track, part, index }: Labelled): boolean {
    let parts = this.recent.get(track);
    if (parts === undefined) {
      parts = new Map();
      this.recent.set(track, parts);
    }
    const seen = parts.get(part);
    if (seen !== undefined) {
      if (seen.has(index)) return false;
      seen.add(index);
      return true;
    }
    if (parts.size === RECENT_PARTS) {
      const oldest = Math.min(...parts.keys());
      // Older than what is remembered: after a reconnect it can only be a repetition.
      if (part < oldest) return !this.resumed;
      parts.delete(oldest);
    }
    parts.set(part, new Set([index]));
    return true;
  }

  /** From where to go on after a reconnect; `from` when nothing has come. */
  resumeFrom(from: number): number {
    const newest = [...this.recent.values()].map((parts) => Math.max(...parts.keys()));
    if (newest.length === 0) return from;
    this.resumed = true;
    const last = Math.max(...newest);
    // The newest part of a track may lack blocks, so it is asked for again. A track that has ended holds nobody back.
    return Math.min(...newest.filter((part) => part >= last - LAG_PARTS_MAX));
  }
}
