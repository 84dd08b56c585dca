import { type Body, Queue } from '../machine/machine.ts';
import type { BlockHeader } from '../protocol/frames.ts';
import type { EventQueue, Happening } from './event-queue.ts';
import type { Host } from './host.ts';
import type { Line } from './line.ts';

/** Who sends on a pipe and who hears what arrives: the two ends of a link. */
export interface PipeEnds {
  /** A control message is there. */
  message(message: unknown, sizeBytes: number): void;
  block(header: BlockHeader, body: Body, sizeBytes: number): void;
  /** A block has left the sender's buffer; so many bytes of blocks are still in it. */
  left(bodyBytes: number, leftBytes: number): void;
  /** As much is on its way as the sockets hold: what is sent now stays in the sender's buffer. */
  filled(): void;
}

/**
 * What a connection's sockets and the network take in on one way before the receiver has read it, in bytes: as much as Linux lets
 * a connection grow to on a way of 40 ms and 100 Mbit/s. What is beyond waits in the sender's buffer, where its program sees it.
 */
export const WINDOW_BYTES = 1_048_576;

/** As soon as so much of a block is there its beginning can be passed on. */
const PACKET_BYTES = 1_500;

/** One WebSocket message on its way. Used again once it has arrived: see {@link Frames}. */
export class Frame implements Happening {
  pipe: Pipe | undefined;
  sizeBytes = 0;
  /** Of a control message. */
  message: unknown;
  /** Of a block. */
  header: BlockHeader | undefined;
  body: Body | undefined;
  /** The next that it has to go through: see {@link Pipe.way}. */
  hop = 0;
  /** Of a block: its receiver has heard of it already; or this tells it so. */
  told = false;
  isAhead = false;
  private readonly frames: Frames;

  constructor(frames: Frames) {
    this.frames = frames;
  }

  /** It has come to the next line, or through the last one. */
  happen(): void {
    const pipe = this.pipe!;
    if (pipe.isHeld && !pipe.closed) {
      pipe.held.push(this);
      return;
    }
    const { events } = this.frames;
    while (this.hop < pipe.way.length) {
      const line = pipe.way[this.hop++]!;
      // Planned for when it is through the last one where nothing is before it there.
      const isLast = this.hop === pipe.way.length;
      const comesAtMs = isLast ? events.nowMs : events.nowMs + line.msFor(this.sizeBytes);
      // The whole block takes the line for all of it; but its first packet overtakes nothing that is in it.
      const throughAtMs = this.isAhead ? line.freeFrom(events.nowMs) : line.take(this.sizeBytes, comesAtMs);
      const nextAtMs = throughAtMs + pipe.msAfter(this.hop, this.sizeBytes);
      if (nextAtMs > events.nowMs + INSTANT_MS) {
        pipe.plan(this, nextAtMs);
        return;
      }
    }
    this.deliver(pipe);
  }

  private deliver(pipe: Pipe): void {
    const { message, header, body, sizeBytes, told, isAhead } = this;
    this.frames.giveBack(this);
    if (!isAhead) pipe.arrived(sizeBytes);
    if (pipe.closed || told) return;
    if (header === undefined) pipe.ends.message(message, sizeBytes);
    else pipe.ends.block(header, body!, sizeBytes);
  }
}

/** Times are Unix ms in 64 bits: what is nearer than this is the same time. */
const INSTANT_MS = 0.001;

/** Frames that nobody uses: thousands are made and forgotten in every second otherwise. */
export class Frames {
  readonly events: EventQueue;
  private readonly free: Frame[] = [];

  constructor(events: EventQueue) {
    this.events = events;
  }

  take(pipe: Pipe, sizeBytes: number): Frame {
    const frame = this.free.pop() ?? new Frame(this);
    frame.pipe = pipe;
    frame.sizeBytes = sizeBytes;
    frame.hop = 0;
    frame.told = false;
    frame.isAhead = false;
    return frame;
  }

  giveBack(frame: Frame): void {
    frame.pipe = undefined;
    frame.message = undefined;
    frame.header = undefined;
    frame.body = undefined;
    this.free.push(frame);
  }
}

/** One direction of a link: first in, first out, as WebSockets are. */
export class Pipe {
  /** What waits for its turn on the sender's uplink. */
  readonly waiting = new Queue<Frame>();
  /** The bytes of that, and of the block that is leaving: the send buffer. */
  waitingBytes = 0;
  /** Of these the blocks' own. */
  waitingBlockBytes = 0;
  /** What has begun to leave since the beginning. */
  begunBytes = 0;
  /** Of that, what has not arrived. */
  onWayBytes = 0;
  /** By hop: when the frame before is planned to come there. */
  private readonly dueAtMs: number[];
  /** When something has arrived last. */
  heardAtMs = 0;
  /** It waits for its turn. */
  listed = false;
  closed = false;
  /** What arrives is not let through: the way is cut, or nobody reads. */
  isHeld = false;
  readonly held = new Queue<Frame>();
  /** The lines behind the sender's uplink: those that are shared, and the receiver's downlink. */
  readonly way: readonly Line[];
  readonly from: Host;
  readonly to: Host;
  readonly delayMs: number;
  readonly ends: PipeEnds;
  private readonly frames: Frames;

  constructor(from: Host, to: Host, delayMs: number, frames: Frames, ends: PipeEnds) {
    this.from = from;
    this.to = to;
    this.delayMs = delayMs;
    this.frames = frames;
    this.ends = ends;
    this.way = [from.options.sharedUp, to.options.sharedDown, to.down].filter((line) => line !== undefined);
    this.dueAtMs = [...this.way, 0].map(() => 0);
    this.heardAtMs = frames.events.nowMs;
  }

  get isFull(): boolean {
    return this.onWayBytes >= WINDOW_BYTES;
  }

  sendMessage(message: unknown, sizeBytes: number): void {
    if (this.closed) return;
    const frame = this.frames.take(this, sizeBytes);
    frame.message = message;
    this.from.up.send(this, frame);
  }

  sendBlock(header: BlockHeader, body: Body, sizeBytes: number): void {
    if (this.closed) return;
    const frame = this.frames.take(this, sizeBytes);
    frame.header = header;
    frame.body = body;
    this.waitingBlockBytes += body.byteLength;
    this.from.up.send(this, frame);
  }

  /** A frame leaves the uplink at a time: on to what comes next. */
  carry(frame: Frame, atMs: number): void {
    const dueAtMs = atMs + this.msAfter(0, frame.sizeBytes);
    const { cutThrough = false } = this.from.options;
    this.plan(frame, cutThrough && frame.body !== undefined ? Math.max(dueAtMs, this.wholeAtMs(frame.body)) : dueAtMs);
  }

  /** The receiver hears of a block that leaves now that its first packet is on the way; its last byte comes as it would. */
  tellAhead(whole: Frame, leftAtMs: number): void {
    const beganAtMs = leftAtMs - this.from.up.msFor(whole.sizeBytes);
    const body = whole.body!;
    this.to.expect(body, Math.max(leftAtMs + this.delayMs + this.to.down.msFor(whole.sizeBytes), this.wholeAtMs(body)));
    const first = this.frames.take(this, whole.sizeBytes);
    first.header = whole.header;
    first.body = body;
    first.isAhead = true;
    whole.told = true;
    // To the receiver's downlink: what shares the lines before it is not slowed.
    first.hop = this.way.length - 1;
    this.dueAtMs[first.hop] = Math.max(...this.dueAtMs.slice(0, -1));
    this.plan(first, beganAtMs + this.packetMs);
    this.dueAtMs[0] = this.dueAtMs[first.hop]!;
  }

  /** When the receiver can have all of a block, of which the sender may not have all yet. */
  private wholeAtMs(body: Body): number {
    return this.from.wholeFrom(body) + this.packetMs;
  }

  /** From the first bit of a packet here to its last bit there. */
  private get packetMs(): number {
    return this.from.up.msFor(PACKET_BYTES) + this.delayMs + this.to.down.msFor(PACKET_BYTES);
  }

  /** A frame goes on at a time; a small one does not overtake a large one. */
  plan(frame: Frame, atMs: number): void {
    const { dueAtMs } = this;
    dueAtMs[frame.hop] = Math.max(dueAtMs[frame.hop]!, atMs);
    this.frames.events.plan(dueAtMs[frame.hop]!, frame);
  }

  /** Ms from a line of the way to the next; to the last one, with the time that it takes. The delay is before the receiver's. */
  msAfter(hop: number, sizeBytes: number): number {
    const { way, from } = this;
    if (hop === way.length) return 0;
    const isFarSide = hop === (from.options.sharedUp === undefined ? 0 : 1);
    return (isFarSide ? this.delayMs : 0) + (hop === way.length - 1 ? way[hop]!.msFor(sizeBytes) : 0);
  }

  arrived(sizeBytes: number): void {
    this.heardAtMs = this.frames.events.nowMs;
    const wasFull = this.isFull;
    this.onWayBytes -= sizeBytes;
    if (wasFull && !this.isFull) this.from.up.goOn(this);
  }

  /** Nothing is let through from now on. */
  hold(): void {
    this.isHeld = true;
  }

  /** What was held goes on, in order. */
  release(): void {
    this.isHeld = false;
    for (let left = this.held.length; left > 0 && !this.isHeld; left--) this.held.shift()!.happen();
  }

  /** Nothing arrives from now on; what waits is thrown away. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const queue of [this.waiting, this.held]) {
      for (let frame = queue.shift(); frame !== undefined; frame = queue.shift()) this.frames.giveBack(frame);
    }
    this.waitingBytes = 0;
    this.waitingBlockBytes = 0;
  }
}
