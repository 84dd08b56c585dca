import { PRIORITIES } from '../../../protocol/ins-messages.ts';
import { ROOM_MEASURED_MS, ROOM_SHARE, ROOM_SWEEPS_KEPT, SHED_SHARE } from '../limits.ts';
import type { Follow } from '../links.ts';

/** What comes in of one track, from sweep to sweep. */
interface Flow {
  bytes: number;
  /** Since when they are counted. */
  sinceMs: number;
  /** Of the last sweeps, in bits per second. */
  readonly bps: number[];
  /** What comes first is what there was before: it says nothing of the rate. */
  begun: boolean;
}

/**
 * Whether the live blocks of one more follow fit into what the server may send. Asked of those alone who have another way to get
 * them, and say so by a low priority: who has none is let in and shares what there is.
 */
export class Room {
  private readonly bandwidthBps: number;
  private readonly flows = new Map<string, Map<number, Flow>>();
  /** What all follows want together: counted at each sweep, and added to by those let in since. */
  private demandBps = 0;

  constructor(bandwidthBps: number) {
    this.bandwidthBps = bandwidthBps;
  }

  /** A block has come for those who follow a collection in somebody's locker. */
  came(owner: string, collection: string, track: number, bytes: number, nowMs: number): void {
    if (!Number.isFinite(this.bandwidthBps)) return;
    const key = owner + collection;
    let tracks = this.flows.get(key);
    if (tracks === undefined) {
      tracks = new Map();
      this.flows.set(key, tracks);
    }
    const flow = tracks.get(track);
    if (flow === undefined) tracks.set(track, { bytes, sinceMs: nowMs, bps: [], begun: false });
    else flow.bytes += bytes;
  }

  /** Lets a follow in, or not. */
  admits(owner: string, collection: string, tracks: readonly number[]): boolean {
    const wantsBps = this.rateOf(owner + collection, tracks.length === 0 ? null : new Set(tracks));
    if (this.demandBps + wantsBps > this.bandwidthBps * ROOM_SHARE) return false;
    this.demandBps += wantsBps;
    return true;
  }

  /** A follow is over. */
  left(follow: Follow): void {
    this.demandBps = Math.max(0, this.demandBps - this.wants(follow));
  }

  /**
   * Counts anew.
   *
   * @param follows - All that run, oldest first.
   * @returns Those that have to make room: of low priority, the newest of them first.
   */
  sweep(follows: readonly Follow[], nowMs: number): readonly Follow[] {
    if (!Number.isFinite(this.bandwidthBps)) return [];
    this.turn(nowMs);
    this.demandBps = follows.reduce((sum, follow) => sum + this.wants(follow), 0);
    const leaving: Follow[] = [];
    let excessBps = this.demandBps - this.bandwidthBps * SHED_SHARE;
    for (let at = follows.length - 1; at >= 0 && excessBps > 0; at--) {
      const follow = follows[at]!;
      if (!mayBeRefused(follow.rank)) continue;
      leaving.push(follow);
      excessBps -= this.wants(follow);
    }
    return leaving;
  }

  private wants({ folder, tracks }: Follow): number {
    return this.rateOf(folder.locker.key + folder.key, tracks);
  }

  private turn(nowMs: number): void {
    for (const [key, tracks] of this.flows) {
      for (const [track, flow] of tracks) {
        const tookMs = nowMs - flow.sinceMs;
        if (tookMs < ROOM_MEASURED_MS) continue;
        if (flow.begun) flow.bps.push((flow.bytes * 8_000) / tookMs);
        flow.begun = true;
        if (flow.bps.length > ROOM_SWEEPS_KEPT) flow.bps.shift();
        flow.bytes = 0;
        flow.sinceMs = nowMs;
        if (flow.bps.length === ROOM_SWEEPS_KEPT && flow.bps.every((bps) => bps === 0)) tracks.delete(track);
      }
      if (tracks.size === 0) this.flows.delete(key);
    }
  }

  /** 0 while it is not known. */
  private rateOf(key: string, only: ReadonlySet<number> | null): number {
    let sum = 0;
    for (const [track, { bps }] of this.flows.get(key) ?? []) {
      if (bps.length === 0 || (only !== null && !only.has(track))) continue;
      sum += bps.reduce((all, one) => all + one, 0) / bps.length;
    }
    return sum;
  }
}

/** Whether what has this priority, as an index, gives way where there is no room. */
export function mayBeRefused(rank: number): boolean {
  return rank === LOW;
}

const LOW = PRIORITIES.indexOf('low');
