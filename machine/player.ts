import { earlier } from './deadlines.ts';
import { Lateness } from './lateness.ts';

/** One part as the player sees it: all tracks that are played, together. */
export interface PlayerPart {
  readonly part: number;
  readonly durationMs: number;
  readonly independent: boolean;
  /** Part numbers between the part before and this one were never given out. */
  readonly discontinuity: boolean;
  readonly capturedAtMs: number;
}

export interface PlayerOptions {
  /** Media to have before the first frame; the same in every mode that is compared. At most 1500. */
  readonly startBufferMs: number;
  /** Wished-for distance from the source's camera to the screen. */
  readonly targetLatencyMs: number;
  /** Media kept in hand whatever the target: neither speed nor jumps go below it. As much as it takes to start by default. */
  readonly inHandMs?: number;
}

export const PLAYER_DEFAULTS: PlayerOptions = { startBufferMs: 500, targetLatencyMs: 1200 };

export type PlayerEvent =
  | { readonly kind: 'started'; readonly atMs: number; readonly part: number }
  /** Playback has stopped for more than 100 ms for want of data. */
  | { readonly kind: 'freeze'; readonly atMs: number; readonly part: number }
  | { readonly kind: 'resumed'; readonly atMs: number; readonly part: number; readonly frozenMs: number }
  /** Parts whose play time came and went without them. */
  | { readonly kind: 'missed'; readonly from: number; readonly to: number }
  /** Parts that were there and were skipped to come back to the latency target. */
  | { readonly kind: 'skipped'; readonly from: number; readonly to: number };

const FREEZE_AFTER_MS = 100;
const JUMP_AFTER_MS = 1000;
const SPEED_MAX = 1.1;
const JUMP_BEYOND_MS = 500;
/** Behind the target by less than this, playback runs at its natural speed. */
const DRIFT_MS = 50;
/** The lateness of so many parts counts in full (4 s of parts of 250 ms); an outage is forgotten soon after it. */
const LAGS_KEPT = 16;
/** A jump for latency's sake at most this often: it must never oscillate. */
const JUMP_PAUSE_MS = 5_000;

/**
 * The one player model of simulator, headless peers and harness.
 *
 * It starts at the newest independent part that has `startBufferMs` of contiguous media from it. On a stall it waits up to
 * a second, then jumps to the newest independent part it holds; what it jumps over was missed. It comes back to the latency
 * target by playing up to 1.1 times faster, and from more than half a second beyond it by one jump. The target is never
 * nearer than what arrives late allows: a viewer whose parts come 0.8 s late would only stall there.
 */
export class Player {
  /** Media played, in ms; parts due and parts missed. */
  playedMs = 0;
  dueParts = 0;
  missedParts = 0;
  freezes = 0;
  frozenMs = 0;
  private readonly options: PlayerOptions;
  private readonly parts = new Map<number, PlayerPart>();
  private readonly events: PlayerEvent[] = [];
  private newestIndependent = -1;
  /** The part on screen and the place in it; part -1: not started. */
  private part = -1;
  private offsetMs = 0;
  private atMs = 0;
  private startedAtMs = 0;
  private speed = 1;
  private stalledAtMs: number | undefined;
  private freezeTold = false;
  private ended = false;
  private readonly lateness = new Lateness(LAGS_KEPT);
  private jumpedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: PlayerOptions = PLAYER_DEFAULTS) {
    this.options = options;
  }

  get started(): boolean {
    return this.part >= 0;
  }

  get stalled(): boolean {
    return this.stalledAtMs !== undefined;
  }

  /** The part on screen, or the one that playback waits for; -1 before the start. */
  get playhead(): number {
    return this.part;
  }

  /** Tells the player that a part is there, whole, in all tracks that are played. */
  add(part: PlayerPart, nowMs: number): void {
    this.advance(nowMs);
    if (part.part < this.part || this.parts.has(part.part)) return;
    this.parts.set(part.part, part);
    // What was made before we came is no measure: it had to be late.
    if (this.part >= 0 && part.capturedAtMs >= this.startedAtMs)
      this.lateness.note(nowMs - part.capturedAtMs - part.durationMs);
    if (part.independent && part.part > this.newestIndependent) this.newestIndependent = part.part;
    if (this.part < 0) this.tryStart(nowMs);
    else if (this.stalledAtMs !== undefined) this.tryResume(nowMs);
    else this.steer(nowMs);
  }

  /** The broadcast is over, or (false) goes on after all: an end is no freeze. */
  setEnded(ended: boolean, nowMs: number): void {
    this.advance(nowMs);
    // The time off the air is nobody's freeze.
    if (this.ended && !ended && this.stalledAtMs !== undefined) this.stalledAtMs = nowMs;
    this.ended = ended;
  }

  /** Contiguous media from the playhead on, in ms. */
  bufferMs(nowMs = this.atMs): number {
    return this.part < 0 ? 0 : Math.max(0, this.contiguousMs(this.part) - this.offsetMs - this.sinceMs(nowMs));
  }

  /** From the camera to the screen, in ms; `undefined` before the start. */
  latencyMs(nowMs: number): number | undefined {
    const playing = this.parts.get(this.part);
    return playing === undefined ? undefined : nowMs - (playing.capturedAtMs + this.offsetMs + this.sinceMs(nowMs));
  }

  /** When the part's first frame is due on screen; `nowMs` for parts that are due or when nothing plays yet. */
  dueAtMs(part: number, partMs: number, nowMs: number): number {
    if (this.part < 0 || part <= this.part) return nowMs;
    const playing = this.parts.get(this.part)?.durationMs ?? partMs;
    return nowMs + (playing - this.offsetMs - this.sinceMs(nowMs) + (part - this.part - 1) * partMs) / this.speed;
  }

  /** Lets time pass. */
  advance(nowMs: number): void {
    if (this.part >= 0 && this.stalledAtMs === undefined) this.play(nowMs);
    if (this.stalledAtMs !== undefined) {
      if (!this.freezeTold && !this.ended && nowMs - this.stalledAtMs > FREEZE_AFTER_MS) {
        this.freezeTold = true;
        this.freezes++;
        this.events.push({ kind: 'freeze', atMs: this.stalledAtMs, part: this.part });
      }
      this.tryResume(nowMs);
    }
    this.atMs = nowMs;
  }

  nextDeadline(): number | undefined {
    if (this.part < 0) return undefined;
    if (this.stalledAtMs !== undefined) {
      const told = this.freezeTold || this.ended ? undefined : this.stalledAtMs + FREEZE_AFTER_MS + 1;
      const jumpAtMs = this.stalledAtMs + JUMP_AFTER_MS;
      return earlier(told, this.newestIndependent > this.part && jumpAtMs > this.atMs ? jumpAtMs : undefined);
    }
    return this.atMs + this.bufferMs() / this.speed;
  }

  pollEvent(): PlayerEvent | undefined {
    return this.events.shift();
  }

  /** Media played since time was last let pass. */
  private sinceMs(nowMs: number): number {
    return this.stalled ? 0 : (nowMs - this.atMs) * this.speed;
  }

  private play(nowMs: number): void {
    let leftMs = (nowMs - this.atMs) * this.speed;
    while (leftMs > 0) {
      const playing = this.parts.get(this.part);
      if (playing === undefined) {
        this.stalledAtMs = nowMs - leftMs / this.speed;
        this.freezeTold = false;
        this.speed = 1;
        return;
      }
      const stepMs = Math.min(leftMs, playing.durationMs - this.offsetMs);
      leftMs -= stepMs;
      this.offsetMs += stepMs;
      this.playedMs += stepMs;
      if (this.offsetMs >= playing.durationMs - 1e-6) this.next();
    }
    if (this.parts.has(this.part)) return;
    // Exactly at the border: the next part is wanted from now on.
    this.stalledAtMs = nowMs;
    this.freezeTold = false;
    this.speed = 1;
  }

  private next(): void {
    this.parts.delete(this.part);
    this.dueParts++;
    this.part++;
    this.offsetMs = 0;
  }

  private contiguousMs(from: number): number {
    let sumMs = 0;
    for (let part = from; ; part++) {
      const there = this.parts.get(part);
      if (there === undefined) return sumMs;
      sumMs += there.durationMs;
    }
  }

  private get inHandMs(): number {
    return this.options.inHandMs ?? this.options.startBufferMs;
  }

  /** The newest independent part that is there with so much media; -1 when there is none. */
  private startWith(mediaMs: number): number {
    for (let part = this.newestIndependent; part >= 0 && part > this.newestIndependent - 64; part--) {
      if (this.parts.get(part)?.independent && this.contiguousMs(part) >= mediaMs) return part;
    }
    return -1;
  }

  private tryStart(nowMs: number): void {
    const part = this.startWith(this.options.startBufferMs);
    if (part < 0) return;
    this.moveTo(part);
    this.atMs = nowMs;
    this.startedAtMs = nowMs;
    this.events.push({ kind: 'started', atMs: nowMs, part });
  }

  private tryResume(nowMs: number): void {
    const stalledAtMs = this.stalledAtMs!;
    if (!this.parts.has(this.part) && !this.stepOverBreak()) {
      if (nowMs - stalledAtMs < JUMP_AFTER_MS || this.newestIndependent <= this.part) return;
      const from = this.part;
      this.dueParts += this.newestIndependent - from;
      this.missedParts += this.newestIndependent - from;
      this.events.push({ kind: 'missed', from, to: this.newestIndependent - 1 });
      this.moveTo(this.newestIndependent);
    }
    this.stalledAtMs = undefined;
    this.atMs = nowMs;
    if (!this.freezeTold) return;
    const frozenMs = nowMs - stalledAtMs;
    this.frozenMs += frozenMs;
    this.events.push({ kind: 'resumed', atMs: nowMs, part: this.part, frozenMs });
  }

  /** A source that was restarted goes on with later numbers: those between were never due. */
  private stepOverBreak(): boolean {
    let next: PlayerPart | undefined;
    for (const part of this.parts.values()) if (next === undefined || part.part < next.part) next = part;
    if (next === undefined || !next.discontinuity) return false;
    this.moveTo(next.part);
    return true;
  }

  /** Sets the speed, or jumps, so that latency comes back to its target. */
  private steer(nowMs: number): void {
    const { startBufferMs, targetLatencyMs } = this.options;
    const partMs = this.parts.get(this.part)?.durationMs ?? 0;
    const wishedMs = Math.max(targetLatencyMs, this.lateness.allowanceMs(partMs, this.inHandMs));
    const beyondMs = (this.latencyMs(nowMs) ?? 0) - wishedMs;
    const bufferMs = this.bufferMs();
    this.speed = beyondMs > DRIFT_MS && bufferMs > this.inHandMs ? SPEED_MAX : 1;
    if (beyondMs <= JUMP_BEYOND_MS || nowMs - this.jumpedAtMs < JUMP_PAUSE_MS) return;
    const to = this.startBehind(nowMs - wishedMs);
    if (to === undefined || this.contiguousMs(to) < Math.max(startBufferMs, this.inHandMs)) return;
    this.jumpedAtMs = nowMs;
    let held = 0;
    for (const part of this.parts.keys()) if (part < to) held++;
    this.dueParts += to - this.part;
    this.missedParts += to - this.part - held;
    this.events.push({ kind: 'skipped', from: this.part, to: to - 1 });
    this.moveTo(to);
  }

  /** The newest start ahead that was filmed no later: nearer than what comes late allows, playback would only stall. */
  private startBehind(capturedByMs: number): number | undefined {
    let to: number | undefined;
    for (const { part, independent, capturedAtMs } of this.parts.values()) {
      if (independent && part > this.part && part > (to ?? -1) && capturedAtMs <= capturedByMs) to = part;
    }
    return to;
  }

  private moveTo(part: number): void {
    for (const old of this.parts.keys()) if (old < part) this.parts.delete(old);
    this.part = part;
    this.offsetMs = 0;
    this.speed = 1;
  }
}
