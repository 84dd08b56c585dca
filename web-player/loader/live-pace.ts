import { Lateness } from '../../machine/lateness.ts';
import { SlowSpell } from './slow-spell.ts';

/** Media kept in hand beyond the latest that parts come: what appending and a busy page take. */
const IN_HAND_MS = 250;
/** The last parts whose lateness counts in full: with parts of 250 ms, an outage is forgotten after a second and a half. */
const LAGS_KEPT = 6;
/** What came late again and again counts for so much less with as many parts when it has ceased: the target comes nearer by twice that, which speed can follow. */
const NEARER_MS = 75;
/** No lateness asks for more than this. */
const ALLOWANCE_MS_MAX = 12_000;
/** Later than usual by more than this, a part was held up by an outage; and nobody waits for longer ones than this to come again. */
const OUTAGE_MS_MIN = 600;
const OUTAGE_MS_MAX = 2_000;
/** Beyond the target by more than this, playback jumps: at the highest speed the rest is back in less than five seconds. */
const JUMP_BEYOND_MS = 800;
/** So far beyond it a beginning may be: it comes as near by speed in five seconds, where a jump would be seen, and a busy machine stands for it. */
const JUMP_BEYOND_FIRST_MS = 950;
/** A jump that gains less is not worth being seen, and no two jumps come closer. */
const JUMP_MS_MIN = 300;
const JUMP_PAUSE_MS = 1_000;
/** It may end so far before its aim, where speed does the rest, or behind it, where what comes late allows that: a frame from which a decoder can begin is on screen sooner. */
const JUMP_SHORT_MS = 750;
const JUMP_FAR_MS = 250;
/** Playback is sped up from here on, and until it is as near. */
const FAST_BEYOND_MS = 120;
const FAST_UNTIL_MS = 30;
/** From here on with the highest speed. */
const FASTEST_BEYOND_MS = 400;
const FAST = 1.05;
export const SPEED_MAX = 1.1;
/** Nearer than parts come, or than was asked for, by more than this: playback is slowed down until it is not. */
const SLOW_BELOW_MS = 400;
const SLOW_UNTIL_MS = 150;
const SLOW = 0.95;

/** The playback of who follows the live edge. */
export interface Playing {
  /** From the camera to the screen, by clocks that may differ. */
  readonly latencyMs: number;
  /** Media ahead of what is on screen. */
  readonly bufferMs: number;
}

export interface Move {
  readonly rate: number;
  /** Where to jump, within what is in the buffer. */
  readonly jump?: Jump;
}

/** Ms to skip: those that lead to the aim, and how few or many will do. */
export interface Jump {
  readonly skipMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

/**
 * How fast to play so that live latency is what was aimed at: gently faster from a little beyond the target, by a jump from
 * further away. The target is never nearer than what comes late allows, so a source's clock that is wrong does no harm.
 */
export class LivePace {
  targetMs: number;
  private readonly lateness = new Lateness(LAGS_KEPT, NEARER_MS);
  private readonly spell = new SlowSpell();
  private lastLagMs = Number.POSITIVE_INFINITY;
  private noted = 0;
  /** Parts come that were held up; so many in a row not less late than the one before, which then is how late they come. */
  private isOutage = false;
  private steady = 0;
  private partMs = 250;
  private rate = 1;
  private jumpedAtMs = Number.NEGATIVE_INFINITY;
  /** Latency has been near the target before. */
  private wasNear = false;

  constructor(targetMs: number) {
    this.targetMs = targetMs;
  }

  /** A part is there to be played, so long after its last frame. What an outage has held up comes in a row, and counts once. */
  arrived(lagMs: number, partMs: number): void {
    const { lateness } = this;
    const lateMs = lagMs - lateness.usualMs;
    const fell = this.lastLagMs - lagMs > partMs / 4;
    this.partMs = partMs;
    this.lastLagMs = lagMs;
    // What was made before we came had to be late.
    if (this.noted === 0 && fell) return;
    if (this.noted < LAGS_KEPT || lateMs <= OUTAGE_MS_MIN || this.steady >= LAGS_KEPT) {
      if (lateMs <= OUTAGE_MS_MIN || fell) this.steady = 0;
      this.isOutage = lateMs > OUTAGE_MS_MIN && this.noted >= LAGS_KEPT;
      this.noted++;
      lateness.note(lagMs);
      if (this.spell.isOver(lagMs, lateness.usualMs, partMs)) lateness.forget();
      return;
    }
    if (!this.isOutage) lateness.note(lagMs - lateMs + Math.min(lateMs, OUTAGE_MS_MAX));
    this.isOutage = true;
    this.steady = fell ? 0 : this.steady + 1;
  }

  /** What latency is brought to. */
  get wishedMs(): number {
    return Math.max(this.targetMs, this.nearestMs);
  }

  /** The latency that what comes late allows. */
  private get nearestMs(): number {
    const { usualMs } = this.lateness;
    const beyondUsualMs = this.lateness.allowanceMs(this.partMs, IN_HAND_MS) - usualMs;
    return usualMs + Math.min(beyondUsualMs, ALLOWANCE_MS_MAX);
  }

  steer({ latencyMs, bufferMs }: Playing, nowMs: number): Move {
    // Before it is known how late parts come, nobody knows how near is too near.
    if (this.noted === 0) return { rate: 1 };
    const { wishedMs } = this;
    const beyondMs = latencyMs - wishedMs;
    this.rate = this.rateFor(beyondMs, bufferMs);
    const { rate } = this;
    const withinMs = bufferMs - IN_HAND_MS;
    const skipMs = Math.min(beyondMs, withinMs);
    this.wasNear ||= beyondMs <= FASTEST_BEYOND_MS;
    const jumpBeyondMs = this.wasNear ? JUMP_BEYOND_MS : JUMP_BEYOND_FIRST_MS;
    const jumps = beyondMs > jumpBeyondMs && skipMs >= JUMP_MS_MIN && nowMs - this.jumpedAtMs >= JUMP_PAUSE_MS;
    if (!jumps) return { rate };
    this.jumpedAtMs = nowMs;
    const leastMs = Math.max(JUMP_MS_MIN, Math.min(skipMs, beyondMs - JUMP_SHORT_MS));
    const mostMs = Math.min(beyondMs + Math.min(JUMP_FAR_MS, wishedMs - this.nearestMs), withinMs);
    return { rate, jump: { skipMs, leastMs, mostMs } };
  }

  private rateFor(beyondMs: number, bufferMs: number): number {
    if (beyondMs > FASTEST_BEYOND_MS && bufferMs > IN_HAND_MS) return SPEED_MAX;
    const fastFrom = this.rate > 1 ? FAST_UNTIL_MS : FAST_BEYOND_MS;
    if (beyondMs > fastFrom && bufferMs > IN_HAND_MS) return FAST;
    const slowFrom = this.rate < 1 ? SLOW_UNTIL_MS : SLOW_BELOW_MS;
    return beyondMs < -slowFrom ? SLOW : 1;
  }
}
