import type { Track } from '../../protocol/media.ts';
import { byRate, ladderOf, withSound } from './ladder.ts';
import type { Quality } from './rendition-choice.ts';

/** A rendition that the choice goes to fits into what the line was seen to carry so many times. */
const MARGIN_UP = 1.5;
const MARGIN_DOWN = 1.15;
/** Parts that come later than they did, each of a segment, by so much: the line does not carry them. */
const BEHIND_MS = 300;
/** All is well while they come no later than this. */
const WELL_MS = 100;
/** All is well for so long before a better one is tried; twice as long after each that was too much. */
const UP_AFTER_MS = 3_000;
const UP_AFTER_MAX_MS = 120_000;
/** What was changed shows only after a while. */
const SETTLE_MS = 2_500;
/** Time over which bytes are counted when the line is full. */
const COUNT_MS = 2_000;
/** What came further apart than this did not wait for the line. */
const BURST_GAP_MS = 125;
/** Bytes of bursts that make a measure, and after which the older ones count half. */
const BURST_BYTES_MIN = 8_000;
const BURST_BYTES_MAX = 250_000;
/** Lags of the newest parts: the least of them leaves out that key frames are large. */
const LAGS = 4;

/**
 * Names those that there are to choose from.
 *
 * @returns Undefined where what is asked for is not there: the sentence for people is {@link unknownRendition}'s.
 */
export function chooseTracks(
  tracks: readonly Track[],
  quality: Quality,
  auto: number | undefined,
  heard: readonly number[] = [],
): readonly number[] | undefined {
  if (quality === 'all') return tracks.map(({ id }) => id);
  const ladder = ladderOf(tracks);
  if (typeof quality !== 'object') {
    const main = quality === 'best' ? ladder.at(-1) : ladder.find(({ id }) => quality === 'auto' && id === auto);
    return withSound(tracks, main ?? ladder[0], heard);
  }
  const isMeant = (one: Track) => ('track' in quality ? one.id === quality.track : sameName(one.name, quality.name));
  const named = byRate(tracks, 'video').find(isMeant);
  return named === undefined ? undefined : withSound(tracks, named, heard);
}

/** Says which renditions there are instead of the one that was asked for. */
export function unknownRendition(name: string, tracks: readonly Track[]): string {
  const names = byRate(tracks, 'video').map(({ name }) => name);
  const there = names.length === 0 ? 'it has sound only' : `it has ${names.join(', ')}`;
  return `the stream has no rendition "${name}": ${there}; auto, best, lowest and all do with every stream`;
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/**
 * The rule of `auto`. It begins with the least, which starts soonest, and goes to the best that fits into what the line was
 * seen to carry in bursts, once all has been well for a while. When parts come later and later, the line is full: what came
 * through it then is what it carries, and the best that fits into that is taken at once.
 */
export class AutoQuality {
  private ladder: readonly Track[] = [];
  private current: number | undefined;
  /** Bytes of bursts, and the time that they took. */
  private readonly burst = { bytes: 0, ms: 0 };
  private cameAtMs = Number.NEGATIVE_INFINITY;
  private readonly arrivals: { readonly atMs: number; readonly bytes: number }[] = [];
  private lags: number[] = [];
  private leastLagMs = Number.POSITIVE_INFINITY;
  private changedAtMs = Number.NEGATIVE_INFINITY;
  private wellSinceMs: number | undefined;
  private upAfterMs = UP_AFTER_MS;

  /** The rendition to take. */
  get track(): number | undefined {
    return this.current;
  }

  describe(tracks: readonly Track[]): void {
    this.ladder = ladderOf(tracks);
    if (!this.ladder.some(({ id }) => id === this.current)) this.current = this.ladder[0]?.id;
  }

  /** Verified bytes have come. */
  came(bytes: number, nowMs: number): void {
    const gapMs = nowMs - this.cameAtMs;
    this.cameAtMs = nowMs;
    this.arrivals.push({ atMs: nowMs, bytes });
    while (nowMs - this.arrivals[0]!.atMs > COUNT_MS) this.arrivals.shift();
    if (gapMs > BURST_GAP_MS) return;
    const { burst } = this;
    burst.bytes += bytes;
    burst.ms += gapMs;
    if (burst.bytes < BURST_BYTES_MAX) return;
    burst.bytes /= 2;
    burst.ms /= 2;
  }

  /** A part of the chosen tracks is there, so long after its last frame by clocks that may differ. */
  whole(lagMs: number, nowMs: number): void {
    this.lags.push(lagMs);
    if (this.lags.length > LAGS) this.lags.shift();
    if (this.lags.length < LAGS) return;
    const leastMs = Math.min(...this.lags);
    this.leastLagMs = Math.min(this.leastLagMs, leastMs);
    const behindMs = leastMs - this.leastLagMs;
    if (behindMs > WELL_MS) this.wellSinceMs = undefined;
    else this.wellSinceMs ??= nowMs;
    if (nowMs - this.changedAtMs < SETTLE_MS) return;
    if (behindMs > BEHIND_MS) this.down(nowMs);
    else if (this.wellSinceMs !== undefined && nowMs - this.wellSinceMs >= this.upAfterMs) this.up(nowMs);
  }

  /** What comes late now, was asked for late. */
  askedForMore(nowMs: number): void {
    this.changedAtMs = nowMs;
    this.wellSinceMs = undefined;
    this.lags = [];
  }

  /** Playback stands: whatever the parts in hand say, what is taken is too much. */
  stalled(nowMs: number): void {
    if (nowMs - this.changedAtMs >= SETTLE_MS) this.down(nowMs);
  }

  private down(nowMs: number): void {
    const at = this.ladder.findIndex(({ id }) => id === this.current);
    if (at <= 0) return;
    const bytes = this.arrivals.reduce((sum, arrival) => sum + arrival.bytes, 0);
    const carriesBps = (bytes * 8_000) / COUNT_MS;
    const fits = this.ladder.findLastIndex(({ bandwidthBps }) => bandwidthBps * MARGIN_DOWN <= carriesBps);
    this.upAfterMs = Math.min(this.upAfterMs * 2, UP_AFTER_MAX_MS);
    // What the bursts seemed to say was wrong.
    this.burst.bytes = 0;
    this.burst.ms = 0;
    this.take(Math.max(0, Math.min(fits, at - 1)), nowMs);
  }

  private up(nowMs: number): void {
    const { bytes, ms } = this.burst;
    if (bytes < BURST_BYTES_MIN) return;
    const carriesBps = (bytes * 8_000) / Math.max(1, ms);
    const at = this.ladder.findIndex(({ id }) => id === this.current);
    const fits = this.ladder.findLastIndex(({ bandwidthBps }) => bandwidthBps * MARGIN_UP <= carriesBps);
    if (fits > at) this.take(fits, nowMs);
  }

  private take(at: number, nowMs: number): void {
    this.current = this.ladder[at]!.id;
    this.askedForMore(nowMs);
  }
}
