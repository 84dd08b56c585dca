import {
  FEEDERS_MIN,
  HANDOVER_EVERY_MS,
  HANDOVER_TIMES,
  PLACE_KEPT_MS,
  SOURCE_DIALLED_MAX,
  SOURCE_DIALLED_SCARCE_MAX,
} from './limits.ts';
import type { Member } from './member.ts';

/** By so much less a member is worth at the source whom an INS server feeds than others, and one that may turn out to be fed so. */
const INS_FED_WORTH = 1 / 16;
const HYBRID_WORTH = 1 / 4;

/**
 * Who may dial the source. Its uplink feeds few, so these had better be those who pass on most. The first to come have the
 * places; as it becomes known who carries how much, a place goes from one who carries little to one who carries far more:
 * not often, and never from one for whom there is hardly anybody else.
 *
 * INS members take no blocks of it, only news: they have places of their own.
 */
export class SourcePlaces {
  private readonly sinceMs = new Map<Member, number>();
  private readonly ins = new Set<Member>();
  private nextHandoverMs = 0;
  private readonly capacityBps: (member: Member) => number;
  private readonly feedersOf: (member: Member) => number;

  /**
   * @param capacityBps - What a member carries, by what is known.
   * @param feedersOf - How many others there are that may feed a member.
   */
  constructor(capacityBps: (member: Member) => number, feedersOf: (member: Member) => number) {
    this.capacityBps = capacityBps;
    this.feedersOf = feedersOf;
  }

  has(member: Member): boolean {
    return this.sinceMs.has(member) || this.ins.has(member);
  }

  /** Whether there is a place that nobody has, of those that do not depend on need. */
  get free(): boolean {
    return this.sinceMs.size < SOURCE_DIALLED_MAX;
  }

  mayTake(member: Member): boolean {
    if (member.mode === 'ins') return this.ins.size < SOURCE_DIALLED_MAX;
    // Some are left for those who turn out to need them.
    if (isOpen(member)) return this.sinceMs.size < SOURCE_DIALLED_MAX / 2;
    return this.free || (this.sinceMs.size < SOURCE_DIALLED_SCARCE_MAX && this.feedersOf(member) < FEEDERS_MIN);
  }

  take(member: Member, nowMs: number): void {
    if (member.mode === 'ins') this.ins.add(member);
    else this.sinceMs.set(member, nowMs);
  }

  /** @returns True when it had a place for those who take blocks. */
  leave(member: Member): boolean {
    this.ins.delete(member);
    return this.sinceMs.delete(member);
  }

  clear(): void {
    this.sinceMs.clear();
    this.ins.clear();
  }

  /** How much it is worth to feed a member. */
  worthOf(member: Member): number {
    const share = isOpen(member) ? HYBRID_WORTH : member.insFed === true ? INS_FED_WORTH : 1;
    return this.capacityBps(member) * share;
  }

  /** Takes a place from the one who is worth least, for a member that is worth far more. @returns Who lost it. */
  handOverTo(member: Member, nowMs: number): Member | undefined {
    if (nowMs < this.nextHandoverMs || member.mode === 'ins' || this.has(member)) return undefined;
    const worth = this.worthOf(member);
    let least: Member | undefined;
    let leastWorth = worth / HANDOVER_TIMES;
    for (const [holder, sinceMs] of this.sinceMs) {
      if (nowMs - sinceMs < PLACE_KEPT_MS || this.worthOf(holder) > leastWorth) continue;
      if (this.feedersOf(holder) < FEEDERS_MIN) continue;
      least = holder;
      leastWorth = this.worthOf(holder);
    }
    if (least === undefined || worth === 0) return undefined;
    this.sinceMs.delete(least);
    this.sinceMs.set(member, nowMs);
    this.nextHandoverMs = nowMs + HANDOVER_EVERY_MS;
    return least;
  }
}

/** Nobody knows yet who feeds it. */
function isOpen({ mode, insFed }: Member): boolean {
  return mode === 'hybrid' && insFed === undefined;
}
