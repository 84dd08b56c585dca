import type { Labelled } from '../../protocol/frames.ts';

/** Parts by which a track may lag behind the newest one and still be waited for after a reconnect. */
const LAG_PARTS_MAX = 64;

/** Newest parts of a track whose blocks are remembered one by one. */
const RECENT_PARTS = 16;

/** A part, and which of its blocks have come: all below a number, and single ones beyond. */
interface Seen {
  part: number;
  upTo: number;
  beyond: Set<number> | undefined;
}

/** What a follow has brought: after a reconnect it goes on behind that, and what comes twice is not told twice. */
export class Progress {
  /** By track: the newest parts. */
  private readonly recent: (Seen[] | undefined)[] = [];
  private resumed = false;

  /** Notes a block; false when it was there before. */
  note({ track, part, index }: Labelled): boolean {
    let parts = this.recent[track];
    if (parts === undefined) {
      parts = [];
      this.recent[track] = parts;
    }
    // The part that a block belongs to is mostly the newest.
    let oldest = 0;
    for (let at = parts.length - 1; at >= 0; at--) {
      if (parts[at]!.part === part) return noteIn(parts[at]!, index);
      if (parts[at]!.part < parts[oldest]!.part) oldest = at;
    }
    if (parts.length === RECENT_PARTS) {
      // Older than what is remembered: after a reconnect it can only be a repetition.
      if (part < parts[oldest]!.part) return !this.resumed;
      parts.splice(oldest, 1);
    }
    const seen: Seen = { part, upTo: 0, beyond: undefined };
    parts.push(seen);
    return noteIn(seen, index);
  }

  /** From where to go on after a reconnect; `from` when nothing has come. */
  resumeFrom(from: number): number {
    const newest: number[] = [];
    for (const parts of this.recent) {
      if (parts !== undefined) newest.push(Math.max(...parts.map(({ part }) => part)));
    }
    if (newest.length === 0) return from;
    this.resumed = true;
    const last = Math.max(...newest);
    // The newest part of a track may lack blocks, so it is asked for again. A track that has ended holds nobody back.
    return Math.min(...newest.filter((part) => part >= last - LAG_PARTS_MAX));
  }
}

function noteIn(seen: Seen, index: number): boolean {
  if (index < seen.upTo || seen.beyond?.has(index) === true) return false;
  if (index === seen.upTo) seen.upTo++;
  else {
    seen.beyond ??= new Set();
    seen.beyond.add(index);
  }
  return true;
}
