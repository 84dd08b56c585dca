import type { Prng } from '../../machine/prng.ts';

/** How a hybrid viewer is fed at a moment. */
export interface Fed {
  /** The INS server is connected. */
  readonly up: boolean;
  /** When the one in use was dialled, and when it was asked for the live edge; undefined where it was not. */
  readonly dialledAtMs: number | undefined;
  readonly askedAtMs: number | undefined;
  /** It has brought something of what it was asked for last. */
  readonly brings: boolean;
  /** It has said that it has no room for us. */
  readonly refused: boolean;
  /** How much later than it could the newest part comes that is to come; 0 where nobody knows of one that is missing. */
  readonly behindMs: number;
  readonly started: boolean;
  /** What is in hand lasts so long. */
  readonly inHandMs: number;
}

/** Ms within which an INS server is to answer when it was dialled, and to bring something when it was asked; and to be known at all. */
const ANSWER_MS = 500;
const BRING_MS = 1_400;
const KNOWN_MS = 1_000;
/** Ms for which one that was lost is waited for, or another one, unless there is next to nothing in hand. */
const GONE_MS = 600;
const HURRY_MS = 900;
/** A follow that is so far behind and leaves us with less in hand than we draw is left: one by one as it falls behind. */
const BEHIND_MS = 400;
const LEAVE_BELOW_MS = { min: 800, max: 2_200 };
/** Ms until the server is asked again that was slow or had no room, longer the more often that was in vain. */
const AWAY_MS = { min: 8_000, max: 16_000 };
const AWAY_TIMES_MAX = 5;
/** A follow that lasted so long was not in vain. */
const GOOD_MS = 30_000;
/** Ms after which viewers go back to a server that is back: not all at once. */
const BACK_MS = { min: 200, max: 4_000 };
/** Ms after which they ask another one where the one that is back has no room. */
const OTHER_MS = { min: 200, max: 2_000 };
/** Without any server for so long there is an outage; one that has just begun knows only after some seconds for how many it has room. */
const OUTAGE_MS = 2_000;
const CROWDED_MS = 10_000;

/**
 * Who feeds a hybrid viewer: its INS server, or its neighbours.
 *
 * A server that has no room says so before it sends anything; one that is slow for other reasons is left by one viewer after
 * the other, each at another depth of what it has in hand, until those who stay get what they need. Each comes back at
 * another time, and only when the server has brought something is it the one that feeds us again.
 */
export class Feeding {
  from: 'ins' | 'native' = 'ins';
  /** When the server may be asked for the live edge. */
  private askAtMs = Number.NEGATIVE_INFINITY;
  private sinceMs = 0;
  private goneAtMs: number | undefined;
  private leaveBelowMs: number;
  private times = 0;
  /** It has fed us before. */
  private fed = false;
  /** Since when no server is there, and until when viewers crowd at the first that is back. */
  private downSinceMs: number | undefined;
  private crowdedUntilMs = Number.NEGATIVE_INFINITY;
  private readonly prng: Prng;

  constructor(prng: Prng) {
    this.prng = prng;
    this.leaveBelowMs = this.draw(LEAVE_BELOW_MS);
  }

  /** A server is there: when it may be asked for the live edge. */
  mayAskAtMs(nowMs: number): number {
    if (this.fed && this.from === 'native' && this.askAtMs <= nowMs) this.askAtMs = nowMs + this.draw(BACK_MS);
    return Math.max(nowMs, this.askAtMs);
  }

  /** It was asked for the live edge and brings nothing, while there is something to bring. */
  isVain({ askedAtMs, brings }: Fed, partMs: number, nowMs: number): boolean {
    return this.from === 'native' && !brings && nowMs - (askedAtMs ?? nowMs) > BRING_MS + partMs;
  }

  /** It has no room for us. @param others - There is another one to ask. @returns When it, or that, may be asked. */
  refusedAtMs(others: boolean, nowMs: number): number {
    // When servers come back, viewers crowd at the first; at the others there is room for those that were there before.
    if (others && nowMs < this.crowdedUntilMs) return nowMs + this.draw(OTHER_MS);
    this.stayAway(nowMs);
    return this.askAtMs;
  }

  /** @returns Why it has just changed, if so. */
  decide(fed: Fed, nowMs: number, startedAtMs: number): string | undefined {
    this.noteOutage(fed.up, nowMs);
    if (this.from === 'native') return fed.brings ? this.back(nowMs) : undefined;
    if (fed.brings) {
      this.fed = true;
      this.goneAtMs = undefined;
      if (fed.behindMs < BEHIND_MS || !fed.started || fed.inHandMs > this.leaveBelowMs) return undefined;
      if (nowMs - this.sinceMs > GOOD_MS) this.times = 0;
      this.stayAway(nowMs);
      return this.leave('the INS server is slow');
    }
    if (fed.refused) return this.leave('the INS server is busy');
    if (!this.fed) {
      const { askedAtMs, dialledAtMs = startedAtMs + KNOWN_MS - ANSWER_MS } = fed;
      // One that was dialled while the join was under way is asked when that is answered.
      const answeredByMs = Math.max(dialledAtMs + ANSWER_MS, fed.up ? startedAtMs + KNOWN_MS : 0);
      if (nowMs < (askedAtMs === undefined ? answeredByMs : askedAtMs + BRING_MS)) return undefined;
      return this.leave(fed.up ? 'the INS server is slow' : 'no INS server answers');
    }
    this.goneAtMs ??= nowMs;
    if (nowMs - this.goneAtMs < GONE_MS && fed.inHandMs > HURRY_MS) return undefined;
    return this.leave(fed.up ? 'the INS server sends nothing' : 'the INS server is gone');
  }

  private noteOutage(up: boolean, nowMs: number): void {
    this.downSinceMs = up ? undefined : (this.downSinceMs ?? nowMs);
    if (this.fed && nowMs - (this.downSinceMs ?? nowMs) >= OUTAGE_MS) this.crowdedUntilMs = nowMs + CROWDED_MS;
  }

  private leave(why: string): string {
    this.from = 'native';
    this.goneAtMs = undefined;
    return why;
  }

  private back(nowMs: number): string {
    this.from = 'ins';
    this.fed = true;
    this.sinceMs = nowMs;
    this.leaveBelowMs = this.draw(LEAVE_BELOW_MS);
    return 'the INS server is back';
  }

  private stayAway(nowMs: number): void {
    this.times = Math.min(AWAY_TIMES_MAX, this.times + 1);
    this.askAtMs = nowMs + this.draw(AWAY_MS) * this.times;
  }

  private draw({ min, max }: { readonly min: number; readonly max: number }): number {
    return min + (max - min) * this.prng.unit();
  }
}
