import { type Body, type LinkId, type Machine, Queue } from '../machine/machine.ts';
import { type BlockHeader, encodeBlockHeader } from '../protocol/frames.ts';
import type { EventQueue } from './event-queue.ts';
import { type Host, type Network, Pipe } from './network.ts';
import type { Trace } from './trace.ts';

/** What a simulated program shares with the others. */
export interface World {
  readonly events: EventQueue;
  readonly network: Network;
  readonly trace: Trace;
  /** Programs that can be dialled, by address. */
  readonly listeners: Map<string, SimNode<unknown, unknown>>;
}

/** Bytes of a WebSocket frame header, masked as clients send it, for payloads up to 64 KiB. */
const FRAME_HEADER_BYTES = 8;

/** How one end of a link hears of what happens on it. */
export interface LinkEnd {
  opened(link: LinkId): void;
  control(link: LinkId, bytes: Uint8Array): void;
  block(link: LinkId, header: BlockHeader, body: Body): void;
  closed(link: LinkId, code: number, why: string): void;
  /** Block bytes left the send buffer; `waitingBytes` are still in it. */
  sent(link: LinkId, bytes: number, waitingBytes: number): void;
}

interface SimLink {
  readonly pipe: Pipe;
  readonly back: Pipe;
  readonly remote: SimNode<unknown, unknown>;
  remoteLink: LinkId;
  readonly end: LinkEnd;
}

/**
 * One program: a core, the host it runs on, and its links. Subclasses turn outputs into calls of `dial`, `sendControl`
 * and so on, and what comes over links into inputs; they do what a shell does, and nothing else.
 */
export abstract class SimNode<Input, Output> {
  dataSentBytes = 0;
  controlSentBytes = 0;
  controlReceivedBytes = 0;
  dataReceivedBytes = 0;
  alive = true;
  /** How far the program's clock is ahead of the world's, in ms. */
  skewMs = 0;
  readonly id: number;
  readonly host: Host;
  protected readonly world: World;
  private readonly machine: Machine<Input, Output>;
  private readonly links = new Map<LinkId, SimLink>();
  private accepted = 0;
  private busy = false;
  private readonly waiting = new Queue<Input>();
  private timerAtMs = Number.POSITIVE_INFINITY;
  private timerTurn = 0;

  constructor(world: World, id: number, host: Host, machine: Machine<Input, Output>) {
    this.world = world;
    this.id = id;
    this.host = host;
    this.machine = machine;
  }

  /** How a link that somebody else dialled is heard. */
  protected abstract acceptEnd(): LinkEnd;
  protected abstract perform(output: Output): void;

  /** The program's own clock. */
  get nowMs(): number {
    return this.world.events.nowMs + this.skewMs;
  }

  /** Breaks all connections, as a network that goes away for a moment does. */
  dropLinks(): void {
    for (const link of [...this.links.keys()]) this.close(link, 1006, 'the connection broke');
  }

  input(input: Input): void {
    if (!this.alive) return;
    this.waiting.push(input);
    if (!this.busy) this.run();
  }

  private run(): void {
    this.busy = true;
    for (;;) {
      const next = this.waiting.shift();
      if (next !== undefined) {
        this.world.trace.add(this.world.events.nowMs, this.id, (next as { kind: string }).kind);
        this.machine.handleInput(next, this.nowMs);
        continue;
      }
      const output = this.machine.pollOutput();
      if (output === undefined) break;
      this.perform(output);
    }
    this.busy = false;
    this.arm();
  }

  /** Ends the program as a crash does: nothing is said, its links close. */
  kill(): void {
    this.alive = false;
    for (const link of [...this.links.keys()]) this.close(link, 1006, 'crashed');
  }

  protected dial(link: LinkId, url: string, end: LinkEnd): void {
    const { events, network } = this.world;
    const remote = this.world.listeners.get(url);
    if (remote === undefined || !remote.alive) {
      events.at(events.nowMs + 1, () => end.closed(link, 1006, 'nobody listens there'));
      return;
    }
    events.at(events.nowMs + network.openMs(this.host, remote.host), () => this.open(link, remote, end));
  }

  protected sendControl(link: LinkId, bytes: Uint8Array): void {
    const to = this.links.get(link);
    if (to === undefined) return;
    const sizeBytes = bytes.length + FRAME_HEADER_BYTES;
    this.controlSentBytes += sizeBytes;
    to.pipe.send(sizeBytes, () => {
      to.remote.controlReceivedBytes += sizeBytes;
      to.remote.links.get(to.remoteLink)?.end.control(to.remoteLink, bytes);
    });
  }

  protected sendBlock(link: LinkId, header: BlockHeader, body: Body): void {
    const to = this.links.get(link);
    if (to === undefined) return;
    const sizeBytes = encodeBlockHeader(header).length + body.byteLength + FRAME_HEADER_BYTES;
    this.dataSentBytes += sizeBytes;
    to.pipe.send(
      sizeBytes,
      () => {
        to.remote.dataReceivedBytes += sizeBytes;
        to.remote.links.get(to.remoteLink)?.end.block(to.remoteLink, header, body);
      },
      () => {
        if (this.alive) to.end.sent(link, body.byteLength, to.pipe.waitingBytes);
      },
    );
  }

  /** Closes from this side; both sides hear of it. */
  protected close(link: LinkId, code: number, why: string): void {
    const to = this.links.get(link);
    if (to === undefined) return;
    this.links.delete(link);
    to.pipe.closed = true;
    this.world.events.at(this.world.events.nowMs, () => {
      if (this.alive) to.end.closed(link, code, why);
    });
    const { remote, remoteLink } = to;
    this.world.events.at(this.world.events.nowMs + this.world.network.delayMs(this.host, remote.host), () => {
      const end = remote.links.get(remoteLink)?.end;
      to.back.closed = true;
      remote.links.delete(remoteLink);
      if (remote.alive) end?.closed(remoteLink, code, why);
    });
  }

  private open(link: LinkId, remote: SimNode<unknown, unknown>, end: LinkEnd): void {
    if (!this.alive) return;
    if (!remote.alive) {
      end.closed(link, 1006, 'the connection failed');
      return;
    }
    const remoteLink = -++remote.accepted;
    const pipe = new Pipe(this.host, remote.host);
    const back = new Pipe(remote.host, this.host);
    const remoteEnd = remote.acceptEnd();
    this.links.set(link, { pipe, back, remote, remoteLink, end });
    remote.links.set(remoteLink, {
      pipe: back,
      back: pipe,
      remote: this as unknown as SimNode<unknown, unknown>,
      remoteLink: link,
      end: remoteEnd,
    });
    remoteEnd.opened(remoteLink);
    end.opened(link);
  }

  private arm(): void {
    const atMs = this.machine.nextDeadline();
    if (atMs === undefined || atMs === this.timerAtMs) return;
    this.timerAtMs = atMs;
    const turn = ++this.timerTurn;
    // A deadline that has come is let pass a moment later: time never stands still.
    const { events } = this.world;
    events.at(Math.max(atMs - this.skewMs, events.nowMs + 0.01), () => {
      if (!this.alive || turn !== this.timerTurn) return;
      this.timerAtMs = Number.POSITIVE_INFINITY;
      this.busy = true;
      this.machine.handleTimeout(this.nowMs);
      this.run();
    });
  }
}
