import type { EventQueue } from './event-queue.ts';
import { Host, type HostOptions } from './host.ts';
import { Frames, Pipe, type PipeEnds } from './pipe.ts';
import type { Route } from './route.ts';

/** Bytes of TCP's and the upgrade's handshakes are not counted; their time is: 1 RTT for TCP, 1 for the upgrade. */
const HANDSHAKE_ROUND_TRIPS = 2;

/** Hosts, delays between regions, and how long a connection takes to open. */
export class Network {
  readonly events: EventQueue;
  private readonly routes: readonly (readonly Route[])[];
  private readonly frames: Frames;

  /** @param delaysMs - One-way delays in ms, from region to region. */
  constructor(events: EventQueue, delaysMs: readonly (readonly number[])[]) {
    this.events = events;
    this.routes = delaysMs.map((row) => row.map((delayMs) => ({ delayMs, heldUntilMs: 0 })));
    this.frames = new Frames(events);
  }

  host(options: HostOptions): Host {
    return new Host(this.events, options);
  }

  pipe(from: Host, to: Host, ends: PipeEnds): Pipe {
    return new Pipe(from, to, this.route(from, to), this.frames, ends);
  }

  delayMs(from: Host, to: Host): number {
    return this.route(from, to).delayMs;
  }

  /**
   * Parts two regions, both ways: nothing gets through until then. Connections stay, and what was sent comes after; shorter than what
   * programs wait for a sign of life.
   */
  part(region: number, other: number, untilMs: number): void {
    for (const route of [this.routes[region]?.[other], this.routes[other]?.[region]]) {
      if (route !== undefined) route.heldUntilMs = Math.max(route.heldUntilMs, untilMs);
    }
  }

  /** Ms until something gets through from one to the other; 0 is now. */
  heldMs(from: Host, to: Host): number {
    const untilMs = Math.max(this.route(from, to).heldUntilMs, from.heldUntilMs, to.heldUntilMs);
    return Math.max(0, untilMs - this.events.nowMs);
  }

  /** When a connection dialled now is open, on either side. */
  openMs(from: Host, to: Host): number {
    return HANDSHAKE_ROUND_TRIPS * (this.delayMs(from, to) + this.delayMs(to, from));
  }

  private route(from: Host, to: Host): Route {
    return this.routes[from.options.region]![to.options.region]!;
  }
}
