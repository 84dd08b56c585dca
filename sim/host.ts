import { type Body, Queue } from '../machine/machine.ts';
import type { EventQueue, Happening } from './event-queue.ts';
import type { Frame, Pipe } from './pipe.ts';

export interface HostOptions {
  readonly region: number;
  readonly upBps: number;
  readonly downBps: number;
  /** Browsers cannot be dialled. */
  readonly dialable: boolean;
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
  readonly down: Downlink;
  /** It stands still until then, as a machine without memory does: nothing comes to it or from it; what was sent comes after. */
  heldUntilMs = 0;
  /** When the last byte of a block is here that was heard of with its first. */
  private readonly wholeAtMs = new WeakMap<Body, number>();

  constructor(events: EventQueue, options: HostOptions) {
    this.options = options;
    this.up = new Uplink(events, options.upBps);
    this.down = new Downlink(options.downBps);
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
    return this.down.receivedBytes;
  }
}

/**
 * What a network card is given ahead, in bytes: small messages that follow each other need no event each to begin the next.
 * As much as a packet and a half; what comes meanwhile waits that much longer at most.
 */
const AHEAD_BYTES = 2_048;
/** As soon as so much of a block is there its beginning can be passed on. */
const PACKET_BYTES = 1_500;

/** Serves its pipes in turn, a frame each. */
export class Uplink implements Happening {
  sentBytes = 0;
  private readonly events: EventQueue;
  private readonly msPerByte: number;
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

  send(pipe: Pipe, frame: Frame): void {
    if (!this.planned && this.ready.length === 0 && this.hasRoom()) {
      this.begin(pipe, frame);
      return;
    }
    pipe.waiting.push(frame);
    pipe.waitingBytes += frame.sizeBytes;
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
      const frame = pipe.waiting.shift();
      if (frame === undefined) continue;
      pipe.waitingBytes -= frame.sizeBytes;
      if (pipe.waiting.length > 0) this.list(pipe);
      this.begin(pipe, frame);
    }
    if (this.ready.length > 0) this.wake();
  }

  /** What its sender sends then waits its turn like everything else. */
  private left(pipe: Pipe, frame: Frame): void {
    const { byteLength } = frame.body!;
    this.leaving = undefined;
    this.carry(pipe, frame);
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
    this.freeAtMs = Math.max(this.freeAtMs, nowMs) + sizeBytes * this.msPerByte;
    if (frame.header === undefined) {
      this.carry(pipe, frame);
      return;
    }
    if (pipe.to.options.cutThrough) this.tellAhead(pipe, frame);
    pipe.waitingBytes += sizeBytes;
    this.leaving = frame;
    this.wake();
  }

  /** The frame leaves when the line is free: on to the other side. */
  private carry(pipe: Pipe, frame: Frame): void {
    let dueAtMs = this.freeAtMs + pipe.delayMs + pipe.to.down.msFor(frame.sizeBytes);
    if (frame.body !== undefined) dueAtMs = Math.max(dueAtMs, pipe.from.wholeFrom(frame.body) + this.packetMs(pipe));
    // A small frame does not overtake a large one.
    if (dueAtMs > pipe.dueAtMs) pipe.dueAtMs = dueAtMs;
    this.events.plan(pipe.dueAtMs, frame);
  }

  /** The receiver hears of the block now that its first packet is on the way; its last byte comes as it would. */
  private tellAhead(pipe: Pipe, frame: Frame): void {
    const beganAtMs = this.freeAtMs - frame.sizeBytes * this.msPerByte;
    const wholeAtMs = this.freeAtMs + pipe.delayMs + pipe.to.down.msFor(frame.sizeBytes);
    pipe.to.expect(frame.body!, Math.max(wholeAtMs, pipe.from.wholeFrom(frame.body!) + this.packetMs(pipe)));
    pipe.dueAtMs = Math.max(pipe.dueAtMs, beganAtMs + this.packetMs(pipe));
    this.events.plan(pipe.dueAtMs, pipe.ahead(frame));
  }

  /** From the first bit of a packet here to its last bit there. */
  private packetMs(pipe: Pipe): number {
    return PACKET_BYTES * this.msPerByte + pipe.delayMs + pipe.to.down.msFor(PACKET_BYTES);
  }

  private wake(): void {
    if (this.planned) return;
    this.planned = true;
    this.events.plan(this.freeAtMs, this);
  }
}

/** Takes what arrives in order, at its rate. */
export class Downlink {
  receivedBytes = 0;
  private readonly msPerByte: number;
  private freeAtMs = 0;

  constructor(bps: number) {
    this.msPerByte = 8000 / bps;
  }

  msFor(sizeBytes: number): number {
    return sizeBytes * this.msPerByte;
  }

  /** @param nowMs - When it is through where nothing is before it. @returns When it is through. */
  take(sizeBytes: number, nowMs: number): number {
    const tookMs = sizeBytes * this.msPerByte;
    const beganMs = nowMs - tookMs;
    this.freeAtMs = Math.max(this.freeAtMs, beganMs) + tookMs;
    this.receivedBytes += sizeBytes;
    return this.freeAtMs;
  }
}
