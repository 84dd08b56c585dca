import type { EventQueue } from './event-queue.ts';
import { Host, type HostOptions } from './host.ts';
import { Line } from './line.ts';
import type { Link } from './link.ts';
import { Frames, Pipe, type PipeEnds } from './pipe.ts';

/** Whether nothing gets through between two hosts; asked once for each pair, in either order. */
export type Separates = (a: Host, b: Host) => boolean;

/** Round trips before a connection is open: TCP's and the upgrade's; TLS needs one more. Their bytes are not counted. */
const HANDSHAKE_ROUND_TRIPS = 2;

/** Hosts, delays between regions, and what parts them. */
export class Network {
  readonly events: EventQueue;
  /** Open, or on their way to an end. */
  readonly links = new Set<Link>();
  private readonly delaysMs: readonly (readonly number[])[];
  private readonly frames: Frames;
  private readonly cuts = new Set<Separates>();

  /** @param delaysMs - One-way delays in ms, from region to region. */
  constructor(events: EventQueue, delaysMs: readonly (readonly number[])[]) {
    this.events = events;
    this.delaysMs = delaysMs;
    this.frames = new Frames(events);
  }

  host(options: HostOptions): Host {
    return new Host(this.events, options);
  }

  /** A bottleneck that several hosts name as theirs, upwards or downwards. First come, first served. */
  sharedLine(bps: number): Line {
    return new Line(bps);
  }

  pipe(from: Host, to: Host, ends: PipeEnds): Pipe {
    return new Pipe(from, to, this.delayMs(from, to), this.frames, ends);
  }

  delayMs(from: Host, to: Host): number {
    return this.delaysMs[from.options.region]![to.options.region]!;
  }

  roundTripMs(a: Host, b: Host): number {
    return this.delayMs(a, b) + this.delayMs(b, a);
  }

  /** How long it takes until a connection that is dialled is open on the dialler's side. */
  openMs(from: Host, to: Host): number {
    return (HANDSHAKE_ROUND_TRIPS + (to.options.tls === true ? 1 : 0)) * this.roundTripMs(from, to);
  }

  /**
   * Parts the net: nothing gets through between hosts that `separates` says, and nobody is told. What was sent comes after, where
   * the programs have not lost patience.
   *
   * @param untilMs - When it heals by itself.
   * @returns Heals it.
   */
  part(separates: Separates, untilMs = Number.POSITIVE_INFINITY): () => void {
    const cut: Separates = (a, b) => separates(a, b) || separates(b, a);
    this.cuts.add(cut);
    const crossing = (link: Link): boolean => cut(link.dialler.node.host, link.listener.node.host);
    for (const link of this.links) if (crossing(link)) link.cut();
    const heal = (): void => {
      // Links that were opened meanwhile are not among those that were cut.
      if (!this.cuts.delete(cut)) return;
      for (const link of [...this.links]) if (crossing(link)) link.restore();
    };
    if (untilMs < Number.POSITIVE_INFINITY) this.events.at(untilMs, heal);
    return heal;
  }

  /** Parts regions from regions, by their numbers; a region within itself, where it is on both sides. @returns Heals it. */
  partRegions(some: readonly number[], others: readonly number[], untilMs?: number): () => void {
    return this.part((a, b) => some.includes(a.options.region) && others.includes(b.options.region), untilMs);
  }

  /** Takes a host off the net, cable and all. @returns Puts it back. */
  unplug(host: Host, untilMs?: number): () => void {
    return this.part((a) => a === host, untilMs);
  }

  /** A host's programs stand still until then. */
  stop(host: Host, untilMs: number): void {
    host.stoppedUntilMs = Math.max(host.stoppedUntilMs, untilMs);
    this.setStopped(host, true);
    this.events.at(untilMs, () => {
      if (host.stoppedUntilMs <= this.events.nowMs) this.setStopped(host, false);
    });
  }

  isCut(a: Host, b: Host): boolean {
    for (const cut of this.cuts) if (cut(a, b)) return true;
    return false;
  }

  /** A host's programs stand still, or go on with what has come meanwhile. */
  setStopped(host: Host, stopped: boolean): void {
    host.setStopped(stopped);
    for (const link of [...this.links]) {
      if (link.dialler.node.host === host || link.listener.node.host === host) link.settle();
    }
  }
}
