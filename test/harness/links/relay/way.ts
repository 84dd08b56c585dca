import type { Socket } from 'node:net';
import { DelayLine, type Parcel } from './delay-line.ts';
import { FrameReader, makeTally, type Tally } from './frames.ts';
import type { CountedFlow, Place } from './place.ts';
import type { Sleeper } from './wheel.ts';

/**
 * Bytes under way in one direction of a connection beyond which its sender waits, as in the simulator (`sim/pipe.ts`): what sockets and
 * network take in before a receiver has read it.
 */
export const WINDOW_BYTES = 1_048_576;
/** Of these in the relay: the rest is what the kernel holds before and behind it (`lab/scripts.ts`). */
export const HELD_BYTES_MAX = (WINDOW_BYTES * 3) / 4;

/** A chunk as it was read, or how the sender has ended. */
interface Load extends Parcel {
  readonly what: Buffer | 'end' | 'reset';
  readonly tally: Tally | undefined;
}

/** What a way needs of the relay. */
export interface Clockwork {
  nowMs(): number;
  plan(sleeper: Sleeper, atMs: number): void;
  /** Something was passed on so long after its time. */
  late(ms: number): void;
}

/** One direction of a connection. */
export class Way implements Sleeper {
  readonly line: DelayLine<Load>;
  readonly sender: Place;
  private readonly receiver: Place;
  private readonly flow: CountedFlow;
  private readonly clock: Clockwork;
  private readonly reader = new FrameReader();
  private source: Socket | undefined;
  private target: Socket | undefined;
  /** Reads, and forgets it. */
  private swallows = false;
  private isPaused = false;
  /** The receiver's socket has not taken all that it was given. */
  private isFull = false;
  /** The sender has said that nothing follows. */
  private isEnded = false;
  private plannedMs = Number.POSITIVE_INFINITY;
  /** Nothing is passed on before. */
  private heldUntilMs = 0;

  constructor(sender: Place, receiver: Place, delayMs: number, flow: CountedFlow, clock: Clockwork) {
    this.sender = sender;
    this.receiver = receiver;
    this.line = new DelayLine(delayMs);
    this.flow = flow;
    this.clock = clock;
  }

  /** Reads along and passes on from now on. */
  from(socket: Socket): void {
    this.source = socket;
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('end', () => this.sent('end', this.clock.nowMs()));
    socket.on('close', (hadError: boolean) => {
      if (hadError || !this.isEnded) this.sent('reset', this.clock.nowMs());
    });
    if (this.isPaused) socket.pause();
  }

  to(socket: Socket): void {
    this.target = socket;
    socket.on('drain', () => {
      this.isFull = false;
      this.pass(this.clock.nowMs());
    });
  }

  /** The connection is open for the sender from that time on. */
  open(atMs: number): void {
    this.line.openMs = atMs;
    this.plan();
  }

  /** Nothing is passed on before that time; infinite: until this is called again. */
  hold(untilMs: number): void {
    this.heldUntilMs = untilMs;
    this.plan();
  }

  /** Nothing of what is under way, and nothing that comes, is passed on. */
  swallow(): void {
    this.swallows = true;
    this.line.clear();
    this.goOnReading();
  }

  /** The sender is gone: what is under way is lost, and the receiver hears of it as soon as the net tells. */
  breakOff(nowMs: number): void {
    this.line.clear();
    this.sent('reset', nowMs);
    this.swallows = true;
    this.goOnReading();
  }

  /** The sender is gone: the receiver hears of it after all that it has sent. */
  fail(nowMs: number): void {
    this.sent('reset', nowMs);
  }

  wake(nowMs: number): void {
    // What was planned before something earlier came up.
    if (nowMs < this.plannedMs) return;
    this.clock.late(this.clock.nowMs() - this.plannedMs);
    this.plannedMs = Number.POSITIVE_INFINITY;
    this.pass(nowMs);
  }

  private read(chunk: Buffer): void {
    const tally = makeTally();
    this.reader.spoils = this.sender.lies;
    this.reader.read(chunk, tally);
    addTally(this.sender.sent, tally);
    this.flow.dataBytes += tally.dataBytes;
    if (this.swallows) return;
    this.line.push({ what: chunk, sentMs: this.clock.nowMs(), sizeBytes: chunk.length, tally });
    this.plan();
    if (this.line.bytes >= HELD_BYTES_MAX && !this.isPaused) {
      this.isPaused = true;
      this.source?.pause();
    }
  }

  /** How the sender has ended. */
  private sent(what: 'end' | 'reset', nowMs: number): void {
    if (this.swallows || (this.isEnded && what === 'end')) return;
    this.isEnded = true;
    this.line.push({ what, sentMs: nowMs, sizeBytes: 0, tally: undefined });
    this.plan();
  }

  private plan(): void {
    const atMs = Math.max(this.line.nextMs, this.heldUntilMs);
    if (this.isFull || atMs >= this.plannedMs || atMs === Number.POSITIVE_INFINITY) return;
    // What is overdue by now was kept waiting by the links, not by this clock.
    this.plannedMs = Math.max(atMs, this.clock.nowMs());
    this.clock.plan(this, this.plannedMs);
  }

  /** Passes on all that is due, in one call to the kernel. */
  private pass(nowMs: number): void {
    const { line, target } = this;
    if (nowMs >= this.heldUntilMs && !this.isFull && target !== undefined && line.nextMs <= nowMs) {
      target.cork();
      for (let load = line.take(nowMs); load !== undefined; load = line.take(nowMs)) this.give(target, load);
      target.uncork();
      this.isFull = target.writableNeedDrain;
      this.goOnReading();
    }
    this.plan();
  }

  private give(target: Socket, { what, tally }: Load): void {
    if (target.destroyed) return;
    if (what === 'reset') target.resetAndDestroy();
    else if (what === 'end') target.end();
    else if (target.writable) {
      target.write(what);
      addTally(this.receiver.received, tally!);
    }
  }

  private goOnReading(): void {
    if (!this.isPaused || this.line.bytes > HELD_BYTES_MAX / 2) return;
    this.isPaused = false;
    this.source?.resume();
  }
}

function addTally(to: Tally, some: Tally): void {
  to.dataBytes += some.dataBytes;
  to.controlBytes += some.controlBytes;
  to.otherBytes += some.otherBytes;
  to.dataMessages += some.dataMessages;
  to.controlMessages += some.controlMessages;
}
