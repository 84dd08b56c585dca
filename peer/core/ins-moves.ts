import { earlier } from '../../machine/deadlines.ts';
import type { Prng } from '../../machine/prng.ts';
import { Backoff } from '../../machine/rates.ts';
import type { InsSession } from './ins-session.ts';

/** How playback does, for whom it is to be fed. */
export interface Playing {
  /** Unix ms at which what is in hand is used up; past or now when nothing plays. */
  readonly emptyAtMs: number;
  readonly partMs: number;
  /** The source sends: silence is somebody's fault. */
  readonly live: boolean;
}

/** A server whose promptest part of two seconds comes so much later than parts can come is slow. */
const SLOW_MS = 300;
/** Nothing for so long, and for a fifth longer than lately, is silence; before there was a lately, and at most. */
const SILENT_MS_MIN = 350;
const SILENT_MS_FIRST = 1_000;
const SILENT_MS_MAX = 2_500;
/** With more than this in hand there is no hurry: it is what another server takes to answer from far away. */
const RESCUE_MS = 1_000;
/** One that is not up within this is tried beside the next: the time in which a near one is. */
const OTHER_DIAL_MS = 100;
/** Who is slow is given so much time to recover: longer, the more is in hand. Chance parts those who suffer together. */
const PATIENCE_MS = 8_000;
const PATIENCE_LOW_MS = 1_500;
const LOW_MS = 400;
/** Ms in which another server has to show that it is better: to be up, and from then on. */
const TRIAL_DIAL_MS = 3_000;
const TRIAL_MS = 600;
/** Beside one that is so much slower than it could be, longer: what the other sends begins there, and has to catch up. */
const FAR_BEHIND_MS = 800;
const TRIAL_BESIDE_SLOW_MS = 1_500;
/** Parts of another server that count for its pace, and those that show that it brings anything. */
const TRIAL_PARTS = 2;
/** Pause after a trial, growing while they lead to nothing; and after how long a server counts as good. */
const PAUSE_MS = 90_000;
const PAUSE_MS_MAX = 240_000;
const GOOD_MS = 300_000;
/** Pause after a trial in which neither server sent anything; chance adds as much. */
const SILENT_PAUSE_MS = 1_000;
/** How early parts can come is forgotten slowly: routes change. */
const CREEP_MS = 1;

/**
 * When another server is tried beside the one in use, and which of the two is kept. The second is followed where the first
 * left off before the first is let go, so nothing stops for it. A trial that leads to nothing makes the next one rarer.
 */
export class InsMoves {
  /** How late parts come at the best, from any server. */
  private bestLagMs = Number.POSITIVE_INFINITY;
  private slowAtMs: number | undefined;
  private restUntilMs = Number.NEGATIVE_INFINITY;
  private readonly pause = new Backoff(PAUSE_MS, PAUSE_MS_MAX);
  private readonly prng: Prng;

  constructor(prng: Prng) {
    this.prng = prng;
  }

  /** A part came whole, so long after its last frame. */
  came(session: InsSession, lagMs: number): void {
    session.pace.note(lagMs);
    this.bestLagMs = Math.min(this.bestLagMs + CREEP_MS, lagMs);
  }

  /** How much later than it could the part after the newest one comes that has come whole; 0 before there was one. */
  behindMs({ broughtUntilMs }: InsSession, partMs: number, nowMs: number): number {
    if (broughtUntilMs === undefined || this.bestLagMs === Number.POSITIVE_INFINITY) return 0;
    return Math.max(0, nowMs - broughtUntilMs - partMs - this.bestLagMs);
  }

  /** @returns Why another server is to be tried now, if so. */
  reason(session: InsSession, playing: Playing, nowMs: number): string | undefined {
    if (!session.up) return session.dialledAtMs + OTHER_DIAL_MS <= nowMs ? 'it does not answer' : undefined;
    if (session.follow === undefined || !playing.live) return undefined;
    if (this.silentAtMs(session, playing, nowMs) <= nowMs) return 'nothing comes';
    if (this.restUntilMs > nowMs) return undefined;
    if (!(this.excessMs(session) > SLOW_MS)) {
      this.slowAtMs = undefined;
      return undefined;
    }
    const inHandMs = playing.emptyAtMs - nowMs;
    const patienceMs = inHandMs > LOW_MS ? PATIENCE_MS : Math.max(0, inHandMs / LOW_MS) * PATIENCE_LOW_MS;
    this.slowAtMs = Math.min(this.slowAtMs ?? Number.POSITIVE_INFINITY, nowMs + patienceMs * this.prng.unit());
    return this.slowAtMs <= nowMs ? 'it is slow' : undefined;
  }

  /** When {@link reason} may have another answer without anything having come. */
  reasonAtMs(session: InsSession, playing: Playing, nowMs: number): number | undefined {
    if (!session.up) return session.dialledAtMs + OTHER_DIAL_MS;
    if (session.follow === undefined || !playing.live) return undefined;
    const slowAtMs = this.slowAtMs === undefined ? undefined : Math.max(this.slowAtMs, this.restUntilMs);
    return earlier(this.silentAtMs(session, playing, nowMs), slowAtMs);
  }

  /** Whether the other one is to send the live edge, too: a dial costs nothing, blocks that come twice do. */
  wantsBoth(session: InsSession, playing: Playing, nowMs: number): boolean {
    return session.up && (this.silentAtMs(session, playing, nowMs) <= nowMs || this.excessMs(session) > SLOW_MS);
  }

  /** Which of the two to keep; undefined while that is not clear. */
  verdict(session: InsSession, trial: InsSession, nowMs: number): 'trial' | 'session' | undefined {
    if (!session.up) {
      if (trial.up) return 'trial';
      return nowMs - trial.dialledAtMs >= TRIAL_DIAL_MS ? 'session' : undefined;
    }
    // It was to answer sooner than the other, and did.
    if (session.upAtMs > trial.dialledAtMs) return 'session';
    if (!trial.up) return nowMs - trial.dialledAtMs >= TRIAL_DIAL_MS ? 'session' : undefined;
    // It has come back to itself while the other was dialled.
    if (trial.follow === undefined) return nowMs - trial.upAtMs >= TRIAL_MS / 2 ? 'session' : undefined;
    const isSilent = session.heardAtMs < trial.dialledAtMs;
    if (aheadMs(trial, session) > SLOW_MS) return 'trial';
    const trialMs = trial.pace.usualMs(TRIAL_PARTS);
    const boundMs = isSilent ? Number.POSITIVE_INFINITY : Math.max(SLOW_MS, this.excessMs(session)) / 2;
    if (trialMs !== undefined && trialMs - this.bestLagMs <= boundMs) return 'trial';
    return nowMs - trial.upAtMs >= this.trialMs(session) ? 'session' : undefined;
  }

  verdictAtMs(session: InsSession | undefined, trial: InsSession): number {
    return trial.up ? trial.upAtMs + this.trialMs(session) : trial.dialledAtMs + TRIAL_DIAL_MS;
  }

  /** A trial is over: trials pause, unless it says nothing of the two. */
  tried(session: InsSession, trial: InsSession, nowMs: number): void {
    this.slowAtMs = undefined;
    if (!session.up || !trial.up) return;
    // Where both are silent it is nobody's fault whom another server could replace: what comes when that is over is judged anew.
    if (session.heardAtMs < trial.dialledAtMs && !trial.brings) {
      this.restUntilMs = Math.max(this.restUntilMs, nowMs + SILENT_PAUSE_MS * (1 + this.prng.unit()));
      return;
    }
    // After a good time, trials are cheap again.
    if (nowMs - this.restUntilMs > GOOD_MS) this.pause.succeed();
    this.restUntilMs = nowMs + this.pause.fail(this.prng.unit());
  }

  /** How much later than they can even the promptest of the last parts come; NaN when that is not known. */
  private excessMs(session: InsSession): number {
    return (session.pace.usualMs() ?? Number.NaN) - this.bestLagMs;
  }

  private trialMs(session: InsSession | undefined): number {
    return session !== undefined && this.excessMs(session) > FAR_BEHIND_MS ? TRIAL_BESIDE_SLOW_MS : TRIAL_MS;
  }

  private silentAtMs(session: InsSession, { emptyAtMs, partMs }: Playing, nowMs: number): number {
    const { longestGapMs, settled } = session.pace;
    const usualMs = settled ? Math.max(SILENT_MS_MIN, partMs * 1.4, longestGapMs * 1.2) : SILENT_MS_FIRST;
    // After a false alarm silence has to be deeper to count.
    const silentMs = Math.min(usualMs * (this.restUntilMs > nowMs ? 2 : 1), SILENT_MS_MAX);
    return Math.max(session.heardAtMs + silentMs, emptyAtMs - RESCUE_MS);
  }
}

/** How much newer what the one has brought last is than what the other has. */
function aheadMs(one: InsSession, other: InsSession): number {
  return (one.broughtUntilMs ?? Number.NaN) - (other.broughtUntilMs ?? Number.NaN);
}
