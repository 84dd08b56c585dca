import { LATE_MS, LATE_SHARE, LATE_SWEEPS, TIMELY_SWEEPS } from '../limits.ts';
import type { Account, Follow } from '../links.ts';

/**
 * Whether more is wanted live than the bandwidth allows, and for so long that everybody who is let in takes from those inside what
 * they need. Counted by accounts: one alone that wants more than its share is no reason to let nobody in.
 */
export class Overload {
  /** Who is new is to be sent elsewhere. */
  active = false;
  private readonly isCapped: boolean;
  /** Accounts that were sent live blocks since the last sweep, and those of them that got one late. */
  private readonly served = new Set<Account>();
  private readonly late = new Set<Account>();
  /** Sweeps in a row that speak against what is held now. */
  private contrary = 0;

  constructor(bandwidthBps: number) {
    this.isCapped = Number.isFinite(bandwidthBps);
  }

  /** A follow is sent a block that came at `cameAtMs`; infinity is: before the follow had caught up. */
  sent({ link, known }: Follow, cameAtMs: number, nowMs: number): void {
    // What a limited token holds back is late for another reason.
    if (!this.isCapped || cameAtMs === Number.POSITIVE_INFINITY || known?.limited === true) return;
    const account = link.account!;
    this.served.add(account);
    if (nowMs - Math.max(cameAtMs, link.roomSinceMs) > LATE_MS) this.late.add(account);
  }

  sweep(): void {
    const isLate = this.late.size > 0 && this.late.size >= this.served.size * LATE_SHARE;
    this.served.clear();
    this.late.clear();
    this.contrary = isLate === this.active ? 0 : this.contrary + 1;
    if (this.contrary < (isLate ? LATE_SWEEPS : TIMELY_SWEEPS)) return;
    this.active = isLate;
    this.contrary = 0;
  }
}
