import type { Prng } from '../../machine/prng.ts';

/** When viewers come. Times are in ms after the run's start. */
export type Arrivals =
  /** All within a time: evenly, or more and more of them (`ramp`: the rate grows from nothing in proportion to time). */
  | { readonly kind: 'crowd'; readonly fromMs: number; readonly withinMs: number; readonly shape: 'even' | 'ramp' }
  /** One by one at a mean rate such that all are there after about `withinMs`; the gaps are exponential. */
  | { readonly kind: 'poisson'; readonly fromMs: number; readonly withinMs: number }
  /** In `count` crowds of equal size, the first at `fromMs`, one every `everyMs`, each within `withinMs`. */
  | {
      readonly kind: 'waves';
      readonly fromMs: number;
      readonly count: number;
      readonly everyMs: number;
      readonly withinMs: number;
    };

/** How long viewers stay. */
export type Sessions =
  | { readonly kind: 'stay' }
  /**
   * A random time, and `returning` of those who left come back after `awayMs` (exponential mean), as new viewers do, as often as it
   * happens. `crashing` of those who leave do so without a word. Most viewers of live streams zap: sessions have many short and a few very long
   * ones, which a lognormal with a large spread shows and an exponential hides (Veloso et al., "A hierarchical characterization
   * of a live streaming media workload", 2002: lognormal; from memory of the paper).
   */
  | {
      readonly kind: 'churn';
      readonly length: SessionLength;
      readonly returning: number;
      readonly awayMs: number;
      readonly crashing: number;
    };

export type SessionLength =
  | { readonly law: 'exponential'; readonly meanMs: number }
  /** `spread` is the standard deviation of the logarithm. */
  | { readonly law: 'lognormal'; readonly medianMs: number; readonly spread: number };

/** One viewer's stay. Who comes back is a new peer with a new key on the same host's links. */
export interface Visit {
  /** The viewer's number, from 0. */
  readonly viewer: number;
  /** Its first stay is 0. */
  readonly again: number;
  readonly joinAtMs: number;
  /** Infinite: to the end. */
  readonly leaveAtMs: number;
  /** Leaves without a word. */
  readonly crashes: boolean;
}

/** A stay is this long at least: whoever leaves earlier has watched nothing. */
const STAY_MS_MIN = 1_000;

/** All stays of a run, in order of their begin: a function of the random numbers alone. */
export function planVisits(
  arrivals: Arrivals,
  sessions: Sessions,
  viewers: number,
  endMs: number,
  prng: Prng,
): Visit[] {
  const visits: Visit[] = [];
  const lengths = prng.fork('sessions');
  for (const [viewer, atMs] of arrivalTimes(arrivals, viewers, prng.fork('arrivals')).entries()) {
    stays(sessions, viewer, atMs, endMs, lengths, visits);
  }
  return visits.sort((a, b) => a.joinAtMs - b.joinAtMs || a.viewer - b.viewer);
}

/** When the last viewer of the crowd has come; coming back does not count. */
export function crowdInAtMs(visits: readonly Visit[]): number {
  let lastMs = 0;
  for (const { again, joinAtMs } of visits) if (again === 0) lastMs = Math.max(lastMs, joinAtMs);
  return lastMs;
}

/** By viewer; not in order of time. */
function arrivalTimes(arrivals: Arrivals, viewers: number, prng: Prng): number[] {
  const times: number[] = [];
  const { kind, fromMs, withinMs } = arrivals;
  if (kind === 'poisson') {
    const gapMs = withinMs / Math.max(1, viewers);
    for (let atMs = fromMs; times.length < viewers; ) {
      atMs += exponential(gapMs, prng);
      times.push(atMs);
    }
    return times;
  }
  for (let viewer = 0; viewer < viewers; viewer++) {
    const unit = prng.unit();
    if (kind === 'waves') times.push(fromMs + (viewer % arrivals.count) * arrivals.everyMs + unit * withinMs);
    else times.push(fromMs + withinMs * (arrivals.shape === 'ramp' ? Math.sqrt(unit) : unit));
  }
  return times;
}

function stays(sessions: Sessions, viewer: number, firstMs: number, endMs: number, prng: Prng, out: Visit[]): void {
  if (sessions.kind === 'stay') {
    out.push({ viewer, again: 0, joinAtMs: firstMs, leaveAtMs: Number.POSITIVE_INFINITY, crashes: false });
    return;
  }
  let joinAtMs = firstMs;
  for (let again = 0; joinAtMs < endMs; again++) {
    const leaveAtMs = joinAtMs + Math.max(STAY_MS_MIN, lengthOf(sessions.length, prng));
    out.push({ viewer, again, joinAtMs, leaveAtMs, crashes: prng.unit() < sessions.crashing });
    if (prng.unit() >= sessions.returning) return;
    joinAtMs = leaveAtMs + exponential(sessions.awayMs, prng);
  }
}

function lengthOf(length: SessionLength, prng: Prng): number {
  if (length.law === 'exponential') return exponential(length.meanMs, prng);
  return length.medianMs * Math.exp(length.spread * normal(prng));
}

function exponential(mean: number, prng: Prng): number {
  return -mean * Math.log(1 - prng.unit());
}

/** Box and Muller. */
function normal(prng: Prng): number {
  const radius = Math.sqrt(-2 * Math.log(1 - prng.unit()));
  return radius * Math.cos(2 * Math.PI * prng.unit());
}
