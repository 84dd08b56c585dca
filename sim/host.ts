import { type Body, Queue } from '../machine/machine.ts';
import type { EventQueue, Happening } from './event-queue.ts';
import { Line } from './line.ts';
import type { Frame, Pipe } from './pipe.ts';

/** What work takes on a host's one processor; nothing where nothing is said. */
export interface CpuCosts {
  readonly hashMsPerMB?: number;
  readonly signUs?: number;
  readonly verifyUs?: number;
}

export interface HostOptions {
  readonly region: number;
  readonly upBps: number;
  readonly downBps: number;
  /** Browsers cannot be dialled. */
  readonly dialable: boolean;
  /** Bottlenecks that it shares with others: a house's line, a region's. */
  readonly sharedUp?: Line | undefined;
  readonly sharedDown?: Line | undefined;
  /** Whoever dials it shakes hands once more, for TLS. */
  readonly tls?: boolean;
  readonly cpu?: CpuCosts;
  /**
   * Hears of a block with its first packet instead of its last, and can pass on what it has of it, as nothing that ships does: whoever
   * verifies before passing on has to have all of it.
   */
  readonly cutThrough?: boolean;
}

/** A machine on the net: its uplink serves its pipes in turn, its downlink takes what arrives in order. */
export class Host {
  readonly options: HostOptions;
  readonly up: Uplink;
  readonly down: Line;
  /** Its programs stand still: nothing is read, no timer goes off; its sockets take in what they hold. */
  stopped = false;
  stoppedUntilMs = 0;
  /** Programs on it, that are told when they may go on. */
  readonly resumed: (() => void)[] = [];
  /** When the last byte of a block is here that was heard of with its first. */
  private readonly wholeAtMs = new WeakMap<Body, number>();
  private cpuFreeAtMs = 0;
  private readonly events: EventQueue;

  constructor(events: EventQueue, options: HostOptions) {
    this.options = options;
    this.events = events;
    this.up = new Uplink(events, options.upBps);
    this.down = new Line(options.downBps);
  }

  /** See {@link Network.setStopped}. */
  setStopped(stopped: boolean): void {
    this.stopped = stopped;
    if (!stopped) for (const resume of this.resumed) resume();
  }

  /** Other rates from now on. */
  setRates(upBps: number, downBps: number): void {
    this.up.setRate(upBps);
    this.down.setRate(downBps);
  }

  /** Has the processor do something, after what it has to do already. @returns When it is done. */
  work(tookMs: number): number {
    this.cpuFreeAtMs = Math.max(this.cpuFreeAtMs, this.events.nowMs) + tookMs;
    return this.cpuFreeAtMs;
  }

  /** A block is under way, whose last byte is here then. */
  expect(body: Body, atMs: number): void {
    if (!this.wholeAtMs.has(body)) this.wholeAtMs.set(body, atMs);
  }

  /** Before then nobody can have all of a block from here. */
  wholeFrom(body: Body): number {
    return this.options.cutThrough ? (this.wholeAtMs.get(body) ?? 0) : 0;
  }

  get sentBytes(): number {
    return this.up.sentBytes;
  }

  get receivedBytes(): number {
    return this.down.bytes;
  }
}

/**
 * What a network card is given ahead, in bytes: small messages that follow each other need no event each to begin the next.
 * As much as a packet and a half; what comes meanwhile waits that much longer at most.
 */
const AHEAD_BYTES = 2_048;

/** Serves its pipes in turn, a frame each. */
export class Uplink implements Happening {
  sentBytes = 0;
  private readonly events: EventQueue;
  private msPerByte: number;
  private readonly ready = new Queue<Pipe>();
  /** When all that was begun has left. */
  private freeAtMs = 0;
  /** The block that is leaving: its sender is told when it has. */
  private leaving: Frame | undefined;
  private planned = false;

  constructor(events: EventQueue, bps: number) {
    this.events = events;
    this.msPerByte = 8000 / bps;
  }

  msFor(sizeBytes: number): number {
    return sizeBytes * this.msPerByte;
  }

  /** From now on; what is leaving stays as it was. */
  setRate(bps: number): void {
    this.msPerByte = 8000 / bps;
  }

  send(pipe: Pipe, frame: Frame): void {
    if (!this.planned && this.ready.length === 0 && !pipe.isFull && this.hasRoom()) {
      this.begin(pipe, frame);
      return;
    }
    pipe.waiting.push(frame);
    pipe.waitingBytes += frame.sizeBytes;
    this.goOn(pipe);
  }

  /** A pipe has something to send, or room for it. */
  goOn(pipe: Pipe): void {
    if (pipe.isFull) {
      pipe.ends.filled();
      return;
    }
    if (pipe.waiting.length === 0) return;
    this.list(pipe);
    this.wake();
  }

  /** What was begun has left: others have their turn. */
  happen(): void {
    const { leaving } = this;
    if (leaving !== undefined) this.left(leaving.pipe!, leaving);
    this.planned = false;
    while (this.ready.length > 0 && this.hasRoom()) {
      const pipe = this.ready.shift()!;
      pipe.listed = false;
      const frame = pipe.isFull ? undefined : pipe.waiting.shift();
      if (frame === undefined) continue;
      pipe.waitingBytes -= frame.sizeBytes;
      this.begin(pipe, frame);
      if (pipe.waiting.length === 0) continue;
      if (pipe.isFull) pipe.ends.filled();
      else this.list(pipe);
    }
    if (this.ready.length > 0) this.wake();
  }

  /** What its sender sends then waits its turn like everything else. */
  private left(pipe: Pipe, frame: Frame): void {
    const { byteLength } = frame.body!;
    this.leaving = undefined;
    pipe.carry(frame, this.freeAtMs);
    if (pipe.closed) return;
    pipe.waitingBytes -= frame.sizeBytes;
    pipe.waitingBlockBytes -= byteLength;
    pipe.ends.left(byteLength, pipe.waitingBlockBytes);
  }

  private list(pipe: Pipe): void {
    if (pipe.listed) return;
    pipe.listed = true;
    this.ready.push(pipe);
  }

  private hasRoom(): boolean {
    return this.freeAtMs - this.events.nowMs < AHEAD_BYTES * this.msPerByte && this.leaving === undefined;
  }

  private begin(pipe: Pipe, frame: Frame): void {
    const { nowMs } = this.events;
    const { sizeBytes } = frame;
    this.sentBytes += sizeBytes;
    pipe.begunBytes += sizeBytes;
    pipe.onWayBytes += sizeBytes;
    this.freeAtMs = Math.max(this.freeAtMs, nowMs) + sizeBytes * this.msPerByte;
    if (frame.header === undefined) {
      pipe.carry(frame, this.freeAtMs);
      return;
    }
    if (pipe.to.options.cutThrough) pipe.tellAhead(frame, this.freeAtMs);
    pipe.waitingBytes += sizeBytes;
    this.leaving = frame;
    this.wake();
  }

  private wake(): void {
    if (this.planned) return;
    this.planned = true;
    this.events.plan(this.freeAtMs, this);
  }
}
