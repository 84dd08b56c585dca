import { LEANING_MAX } from './limits.ts';
import type { Member } from './member.ts';

/** A member counts for at least and at most so many times what the average one carries: links are few, whoever has them. */
const WEIGHT_MIN = 1 / 4;
const WEIGHT_MAX = 4;
/** Those on whom more leans than so many times the average, and so many members beside, are spared. */
const HEAVY_TIMES = 2;
const HEAVY_BESIDE = 8;
/** What a member is taken to carry before anybody was measured, in bits per second. */
const FIRST_GUESS_BPS = 2_000_000;

/**
 * How much leans on the members that can be dialled, for what they can carry. What was measured of an uplink counts;
 * a member that was not measured yet counts as average. The average is geometric: one who boasts moves it little.
 */
export class Burdens {
  private members = 0;
  private leaning = 0;
  private measured = 0;
  private sumLog2Bps = 0;
  private averageBps = FIRST_GUESS_BPS;

  add(member: Member): void {
    this.members++;
    this.leaning += member.leaning;
    this.measure(0, member.uploadBps);
  }

  delete(member: Member): void {
    this.members--;
    this.leaning -= member.leaning;
    this.measure(member.uploadBps, 0);
  }

  /** One member more, or one less (−1), leans on one of these. */
  lean(by: 1 | -1): void {
    this.leaning += by;
  }

  /** What was measured of one of these, before and now, in bits per second; 0 is nothing. */
  measure(beforeBps: number, nowBps: number): void {
    this.measured += Math.sign(nowBps) - Math.sign(beforeBps);
    this.sumLog2Bps += Math.log2(Math.max(1, nowBps)) - Math.log2(Math.max(1, beforeBps));
    this.averageBps = this.measured === 0 ? FIRST_GUESS_BPS : 2 ** (this.sumLog2Bps / this.measured);
  }

  /** Bits per second that a member is taken to carry. */
  capacityBps({ uploadBps }: Member): number {
    return uploadBps > 0 ? uploadBps : this.averageBps;
  }

  /** How many lean on a member, had it average capacity; far more where its connections may all be taken. */
  of(member: Member): number {
    const weight = this.capacityBps(member) / this.averageBps;
    const burden = member.leaning / Math.min(WEIGHT_MAX, Math.max(WEIGHT_MIN, weight));
    return member.leaning < LEANING_MAX ? burden : burden + LEANING_MAX * WEIGHT_MAX;
  }

  /** Whether much more leans on a member than on the others. */
  isHeavy(member: Member): boolean {
    if (member.leaning >= LEANING_MAX) return true;
    return this.of(member) > (HEAVY_TIMES * this.leaning) / Math.max(1, this.members) + HEAVY_BESIDE;
  }
}
