import { Queue } from '../../../../machine/machine.ts';
import { Alarm, type Clock } from './clock.ts';

/** One of those who share a line. */
export interface Lane {
  /** Bytes that could go now: 0 where there are none, or where they wait for something else than the line. */
  readonly readyBytes: number;
  /** Its first bytes have gone, so many; at that time, which is a little ago where the clock was late. */
  gone(sizeBytes: number, atMs: number): void;
}

/** Whoever has more than this shares the line with others piece by piece. */
const PIECE_BYTES_MAX = 16_384;
const PIECE_BYTES_MIN = 2_048;
/** What a piece takes on a slow line: as long may somebody else's message have to wait for each of those who share it. */
const PIECE_MS = 20;
/** A line that was idle takes so much at once: what is short need not wait for a timer. */
const BURST_MS = 4;

/** Bytes of a lane that are on the line. */
interface Going {
  readonly lane: Lane;
  readonly sizeBytes: number;
  /** Of these, what was to go at `fromMs`. */
  leftBytes: number;
  fromMs: number;
}

/**
 * A line of a certain rate, a host's uplink or downlink, that all its connections share in turn: a token bucket with a fair queue
 * before it. It goes by the times at which bytes have to go, not those at which it is woken, so that late timers take nothing from the rate.
 */
export class FairLine {
  private readonly clock: Clock;
  private readonly alarm: Alarm;
  private bytesPerMs: number;
  /** What has gone so far was through then. */
  private freeAtMs = 0;
  private going: Going | undefined;
  private readonly waiting = new Queue<Lane>();
  private readonly listed = new Set<Lane>();
  private isTurning = false;
  private isHeld = false;

  /** @param bps - Bits per second; infinite is a line that holds nothing up. */
  constructor(bps: number, clock: Clock) {
    this.clock = clock;
    this.alarm = new Alarm(clock, (nowMs) => this.turn(nowMs));
    this.bytesPerMs = bps / 8_000;
  }

  /** From now on, also for what is on the line. */
  setRate(bps: number): void {
    const nowMs = this.clock.nowMs();
    this.turn(nowMs);
    this.settle(nowMs);
    this.bytesPerMs = bps / 8_000;
    this.turn(nowMs);
  }

  /** The lane has something that could go, maybe for the first time since long. May be called in `gone`. */
  enter(lane: Lane): void {
    if (this.listed.has(lane) || lane.readyBytes === 0) return;
    const nowMs = this.clock.nowMs();
    // First what has been there before, so that nobody profits from a late timer who was not there.
    this.turn(nowMs);
    if (this.listed.size === 0) this.freeAtMs = Math.max(this.freeAtMs, nowMs - BURST_MS);
    this.list(lane);
    this.turn(nowMs);
  }

  /** Nothing goes until {@link release}. */
  hold(): void {
    if (this.isHeld) return;
    const nowMs = this.clock.nowMs();
    this.turn(nowMs);
    this.settle(nowMs);
    this.isHeld = true;
  }

  release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    const nowMs = this.clock.nowMs();
    this.freeAtMs = Math.max(this.freeAtMs, nowMs);
    if (this.going !== undefined) this.going.fromMs = nowMs;
    this.turn(nowMs);
  }

  private list(lane: Lane): void {
    this.listed.add(lane);
    this.waiting.push(lane);
  }

  /** Lets go what has to have gone by now. */
  private turn(nowMs: number): void {
    if (this.isTurning || this.isHeld) return;
    this.isTurning = true;
    for (let going = this.next(); going !== undefined; going = this.next()) {
      const throughMs = this.throughMs(going);
      if (throughMs > nowMs) {
        this.alarm.set(throughMs);
        break;
      }
      this.freeAtMs = throughMs;
      this.going = undefined;
      const { lane, sizeBytes } = going;
      lane.gone(sizeBytes, throughMs);
      this.listed.delete(lane);
      if (lane.readyBytes > 0) this.list(lane);
    }
    this.isTurning = false;
  }

  private next(): Going | undefined {
    while (this.going === undefined) {
      const lane = this.waiting.shift();
      if (lane === undefined) return undefined;
      const sizeBytes = Math.min(lane.readyBytes, this.pieceBytes());
      if (sizeBytes === 0) this.listed.delete(lane);
      else this.going = { lane, sizeBytes, leftBytes: sizeBytes, fromMs: this.freeAtMs };
    }
    return this.going;
  }

  private pieceBytes(): number {
    if (this.bytesPerMs === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    return Math.round(Math.min(PIECE_BYTES_MAX, Math.max(PIECE_BYTES_MIN, this.bytesPerMs * PIECE_MS)));
  }

  private throughMs({ leftBytes, fromMs }: Going): number {
    return fromMs + leftBytes / this.bytesPerMs;
  }

  /** Notes how much of what is on the line has gone. */
  private settle(nowMs: number): void {
    const { going } = this;
    if (going === undefined || nowMs <= going.fromMs) return;
    going.leftBytes = Math.max(0, going.leftBytes - (nowMs - going.fromMs) * this.bytesPerMs);
    going.fromMs = nowMs;
  }
}
