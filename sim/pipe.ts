import { type Body, Queue } from '../machine/machine.ts';
import type { BlockHeader } from '../protocol/frames.ts';
import type { EventQueue, Happening } from './event-queue.ts';
import type { Host } from './host.ts';
import type { Route } from './route.ts';

/** Who sends on a pipe and who hears what arrives: the two ends of a link. */
export interface PipeEnds {
  /** A control message is there. */
  message(message: unknown, sizeBytes: number): void;
  block(header: BlockHeader, body: Body, sizeBytes: number): void;
  /** A block has left the sender's buffer; so many bytes of blocks are still in it. */
  left(bodyBytes: number, leftBytes: number): void;
}

/** One WebSocket message on its way. Used again once it has arrived: see {@link Frames}. */
export class Frame implements Happening {
  pipe: Pipe | undefined;
  sizeBytes = 0;
  /** Of a control message. */
  message: unknown;
  /** Of a block. */
  header: BlockHeader | undefined;
  body: Body | undefined;
  /** It has come through the receiver's downlink. */
  through = false;
  /** Of a block: its receiver has heard of it already. */
  told = false;
  private readonly frames: Frames;

  constructor(frames: Frames) {
    this.frames = frames;
  }

  /** It has arrived at the receiver's downlink, or come through it. */
  happen(): void {
    const pipe = this.pipe!;
    if (!this.through) {
      const { nowMs } = this.frames.events;
      const heldUntilMs = Math.max(pipe.route.heldUntilMs, pipe.to.heldUntilMs, pipe.from.heldUntilMs);
      // In order: what is planned for the same time comes as it was planned.
      if (heldUntilMs > nowMs) {
        this.frames.events.plan(heldUntilMs, this);
        return;
      }
      const throughAtMs = pipe.to.down.take(this.sizeBytes, nowMs);
      if (throughAtMs > nowMs + INSTANT_MS) {
        this.through = true;
        this.frames.events.plan(throughAtMs, this);
        return;
      }
    }
    this.deliver(pipe);
  }

  private deliver(pipe: Pipe): void {
    const { message, header, body, sizeBytes, told } = this;
    this.frames.giveBack(this);
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
    frame.through = false;
    frame.told = false;
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
  /** The bytes of that, and of the block that is leaving. */
  waitingBytes = 0;
  /** Of these the blocks' own. */
  waitingBlockBytes = 0;
  /** When the frame before is planned to be through the receiver's downlink. */
  dueAtMs = 0;
  /** It waits for its turn. */
  listed = false;
  closed = false;
  readonly from: Host;
  readonly to: Host;
  readonly route: Route;
  readonly delayMs: number;
  readonly ends: PipeEnds;
  private readonly frames: Frames;

  constructor(from: Host, to: Host, route: Route, frames: Frames, ends: PipeEnds) {
    this.from = from;
    this.to = to;
    this.route = route;
    this.delayMs = route.delayMs;
    this.frames = frames;
    this.ends = ends;
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

  /** For a receiver that passes blocks on from their first packet: what tells it of one before the whole is there. */
  ahead(whole: Frame): Frame {
    const first = this.frames.take(this, whole.sizeBytes);
    first.header = whole.header;
    first.body = whole.body;
    // The downlink takes the bytes as they come.
    first.through = true;
    whole.told = true;
    return first;
  }

  /** Nothing arrives from now on; what waits is thrown away. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (let frame = this.waiting.shift(); frame !== undefined; frame = this.waiting.shift()) {
      this.frames.giveBack(frame);
    }
    this.waitingBytes = 0;
    this.waitingBlockBytes = 0;
  }
}
