import type { EventQueue } from './event-queue.ts';
import { Host, type HostOptions } from './host.ts';
import { Frames, Pipe, type PipeEnds } from './pipe.ts';

/** Bytes of TCP's and the upgrade's handshakes are not counted; their time is: 1 RTT for TCP, 1 for the upgrade. */
const HANDSHAKE_ROUND_TRIPS = 2;

/** Hosts, delays between regions, and how long a connection takes to open. */
export class Network {
  readonly events: EventQueue;
  private readonly delaysMs: readonly (readonly number[])[];
  private readonly frames: Frames;

  /** @param delaysMs - One-way delays in ms, from region to region. */
  constructor(events: EventQueue, delaysMs: readonly (readonly number[])[]) {
    this.events = events;
    this.delaysMs = delaysMs;
    this.frames = new Frames(events);
  }

  host(options: HostOptions): Host {
    return new Host(this.events, options);
  }

  pipe(from: Host, to: Host, ends: PipeEnds): Pipe {
    return new Pipe(from, to, this.delayMs(from, to), this.frames, ends);
  }

  delayMs(from: Host, to: Host): number {
    return this.delaysMs[from.options.region]![to.options.region]!;
  }

  /** When a connection dialled now is open, on either side. */
  openMs(from: Host, to: Host): number {
    return HANDSHAKE_ROUND_TRIPS * (this.delayMs(from, to) + this.delayMs(to, from));
  }
}
