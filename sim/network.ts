import { Queue } from '../machine/machine.ts';
import type { EventQueue } from './event-queue.ts';

export interface HostOptions {
  readonly region: number;
  readonly upBps: number;
  readonly downBps: number;
  /** Browsers cannot be dialled. */
  readonly dialable: boolean;
}

/** A frame on its way: how long it is and what happens when it has left and when it is there. */
interface Frame {
  readonly sizeBytes: number;
  readonly left: (() => void) | undefined;
  readonly arrived: () => void;
}

/** One direction of a link: first in, first out, as WebSockets are. */
export class Pipe {
  readonly frames = new Queue<Frame>();
  waitingBytes = 0;
  closed = false;
  readonly from: Host;
  readonly to: Host;

  constructor(from: Host, to: Host) {
    this.from = from;
    this.to = to;
  }

  send(sizeBytes: number, arrived: () => void, left?: () => void): void {
    if (this.closed) return;
    this.frames.push({ sizeBytes, left, arrived });
    this.waitingBytes += sizeBytes;
    this.from.wantsToSend(this);
  }
}

/** A machine on the net: its uplink serves its pipes in turn, its downlink takes what arrives in order. */
export class Host {
  sentBytes = 0;
  receivedBytes = 0;
  readonly options: HostOptions;
  private readonly network: Network;
  private readonly busyPipes: Pipe[] = [];
  private sending = false;
  private downFreeAtMs = 0;

  constructor(network: Network, options: HostOptions) {
    this.network = network;
    this.options = options;
  }

  wantsToSend(pipe: Pipe): void {
    if (!this.busyPipes.includes(pipe)) this.busyPipes.push(pipe);
    if (!this.sending) this.sendNext();
  }

  /** When bytes that arrive now have come through the downlink. */
  downlink(sizeBytes: number): number {
    const { events } = this.network;
    this.downFreeAtMs = Math.max(this.downFreeAtMs, events.nowMs) + (sizeBytes * 8000) / this.options.downBps;
    this.receivedBytes += sizeBytes;
    return this.downFreeAtMs;
  }

  private sendNext(): void {
    const pipe = this.busyPipes.shift();
    const frame = pipe?.frames.shift();
    if (pipe === undefined || frame === undefined) {
      this.sending = this.busyPipes.length > 0;
      if (this.sending) this.sendNext();
      return;
    }
    this.sending = true;
    this.sentBytes += frame.sizeBytes;
    const { events } = this.network;
    events.at(events.nowMs + (frame.sizeBytes * 8000) / this.options.upBps, () => {
      pipe.waitingBytes -= frame.sizeBytes;
      if (pipe.frames.length > 0) this.busyPipes.push(pipe);
      if (!pipe.closed) this.deliver(pipe, frame);
      this.sendNext();
    });
  }

  private deliver(pipe: Pipe, frame: Frame): void {
    const { events } = this.network;
    frame.left?.();
    events.at(events.nowMs + this.network.delayMs(pipe.from, pipe.to), () => {
      events.at(pipe.to.downlink(frame.sizeBytes), () => {
        if (!pipe.closed) frame.arrived();
      });
    });
  }
}

/** Bytes of TCP's and the upgrade's handshakes are not counted; their time is: 1 RTT for TCP, 1 for the upgrade. */
const HANDSHAKE_ROUND_TRIPS = 2;

/** Hosts, delays between regions, and how long a connection takes to open. */
export class Network {
  readonly events: EventQueue;
  private readonly delaysMs: readonly (readonly number[])[];

  /** @param delaysMs - One-way delays in ms, from region to region. */
  constructor(events: EventQueue, delaysMs: readonly (readonly number[])[]) {
    this.events = events;
    this.delaysMs = delaysMs;
  }

  host(options: HostOptions): Host {
    return new Host(this, options);
  }

  delayMs(from: Host, to: Host): number {
    return this.delaysMs[from.options.region]![to.options.region]!;
  }

  /** When a connection dialled now is open, on either side. */
  openMs(from: Host, to: Host): number {
    return HANDSHAKE_ROUND_TRIPS * (this.delayMs(from, to) + this.delayMs(to, from));
  }
}
