import { type Body, type LinkId, type Machine, Queue } from '../machine/machine.ts';
import type { Codec } from '../protocol/codec.ts';
import { type BlockHeader, blockHeaderBytes } from '../protocol/frames.ts';
import { Alarm, type EventQueue } from './event-queue.ts';
import type { Host } from './host.ts';
import type { LinkEnd } from './links.ts';
import type { Network } from './network.ts';
import type { Pipe, PipeEnds } from './pipe.ts';
import type { Trace } from './trace.ts';

/** What a simulated program shares with the others. */
export interface World {
  readonly events: EventQueue;
  readonly network: Network;
  readonly trace: Trace;
  /** Programs that can be dialled, by address. */
  readonly listeners: Map<string, SimNode<unknown, unknown>>;
  /** Messages travel as bytes, as they do in reality: slower, and nothing else may differ. */
  readonly checksWire?: boolean;
}

/** Bytes of a WebSocket frame header, masked as clients send it, for payloads up to 64 KiB. */
const FRAME_HEADER_BYTES = 8;

/** What is behind a timer is never before the present: time never stands still. */
const STEP_MS = 0.01;

/** Dialling takes no longer. */
const CONNECT_MS_MAX = 10_000;
/** After so long without a sign of life shells give a connection up (`runtime/node/ws-link.ts`). */
const SILENCE_MS_MAX = 25_000;

/** One side of a link. What arrives on its pipe is for the other side; what left it is for this one. */
class Side implements PipeEnds {
  readonly node: SimNode<unknown, unknown>;
  readonly link: LinkId;
  readonly end: LinkEnd;
  /** From here to there. Set once the other side is made. */
  out: Pipe | undefined;
  other: Side | undefined;
  /** What comes is still heard here. */
  open = true;

  constructor(node: SimNode<unknown, unknown>, link: LinkId, end: LinkEnd) {
    this.node = node;
    this.link = link;
    this.end = end;
  }

  message(message: unknown, sizeBytes: number): void {
    this.other!.node.heard(this.other!, message, sizeBytes);
  }

  block(header: BlockHeader, body: Body, sizeBytes: number): void {
    this.other!.node.heardBlock(this.other!, header, body, sizeBytes);
  }

  left(bodyBytes: number, leftBytes: number): void {
    if (this.node.alive) this.end.sent(this.link, bodyBytes, leftBytes);
  }
}

/**
 * One program: a core, the host it runs on, and its links. Subclasses turn outputs into calls of `dial`, `send`
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
  private readonly links = new Map<LinkId, Side>();
  private accepted = 0;
  private busy = false;
  private readonly waiting = new Queue<Input>();
  private readonly alarm: Alarm;

  constructor(world: World, id: number, host: Host, machine: Machine<Input, Output>) {
    this.world = world;
    this.id = id;
    this.host = host;
    this.machine = machine;
    this.alarm = new Alarm(world.events, { happen: () => this.timeout() });
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

  /**
   * Leaves connections half open, as when a router forgets them: nothing arrives any more, either way, and nobody is told until the
   * shells' pings go unanswered.
   *
   * @param chosen - Which ones; asked for each.
   */
  loseLinks(chosen: () => boolean): void {
    const { events } = this.world;
    for (const [link, { out, other }] of this.links) {
      if (!chosen()) continue;
      out!.close();
      other!.out!.close();
      events.at(events.nowMs + SILENCE_MS_MAX, () => this.close(link, 1006, 'nothing came for too long'));
    }
  }

  input(input: Input): void {
    if (!this.alive) return;
    this.waiting.push(input);
    if (!this.busy) this.run();
  }

  /** Ends the program as a crash does: nothing is said, its links close. */
  kill(): void {
    this.alive = false;
    for (const link of [...this.links.keys()]) this.close(link, 1006, 'crashed');
  }

  /** A control message has come. */
  heard({ link, end, open }: Side, message: unknown, sizeBytes: number): void {
    this.controlReceivedBytes += sizeBytes;
    if (open) end.message(link, message);
  }

  heardBlock({ link, end, open }: Side, header: BlockHeader, body: Body, sizeBytes: number): void {
    this.dataReceivedBytes += sizeBytes;
    if (open) end.block(link, header, body);
  }

  protected dial(link: LinkId, url: string, end: LinkEnd): void {
    const { events, network } = this.world;
    const remote = this.world.listeners.get(url);
    if (remote === undefined || !remote.alive) {
      events.at(events.nowMs + 1, () => end.closed(link, 1006, 'nobody listens there'));
      return;
    }
    const heldMs = network.heldMs(this.host, remote.host);
    if (heldMs > CONNECT_MS_MAX) events.at(events.nowMs + CONNECT_MS_MAX, () => end.closed(link, 1006, 'no answer'));
    else events.at(events.nowMs + heldMs + network.openMs(this.host, remote.host), () => this.open(link, remote, end));
  }

  /** Sends a control message. It is read-only from now on: the receiver gets the same object. */
  protected send<M>(link: LinkId, codec: Codec<M>, message: M): void {
    const pipe = this.links.get(link)?.out;
    if (pipe === undefined) return;
    const travels = this.world.checksWire === true ? codec.encode(message) : message;
    const sizeBytes = codec.size(message) + FRAME_HEADER_BYTES;
    this.controlSentBytes += sizeBytes;
    pipe.sendMessage(travels, sizeBytes);
  }

  protected sendBlock(link: LinkId, header: BlockHeader, body: Body): void {
    const pipe = this.links.get(link)?.out;
    if (pipe === undefined) return;
    const sizeBytes = blockHeaderBytes(header) + body.byteLength + FRAME_HEADER_BYTES;
    this.dataSentBytes += sizeBytes;
    pipe.sendBlock(header, body, sizeBytes);
  }

  /** Closes from this side; both sides hear of it. */
  protected close(link: LinkId, code: number, why: string): void {
    const side = this.links.get(link);
    const other = side?.other;
    if (side === undefined || other === undefined) return;
    const { events, network } = this.world;
    this.links.delete(link);
    side.open = false;
    side.out!.close();
    events.at(events.nowMs, () => {
      if (this.alive) side.end.closed(link, code, why);
    });
    const { node: remote, link: remoteLink } = other;
    const heldMs = network.heldMs(this.host, remote.host);
    events.at(events.nowMs + heldMs + network.delayMs(this.host, remote.host), () => {
      other.out!.close();
      other.open = false;
      if (remote.links.delete(remoteLink) && remote.alive) other.end.closed(remoteLink, code, why);
    });
  }

  private run(): void {
    const { machine } = this;
    this.busy = true;
    for (;;) {
      const next = this.waiting.shift();
      if (next !== undefined) {
        this.world.trace.add(this.world.events.nowMs, this.id, (next as { kind: string }).kind);
        machine.handleInput(next, this.nowMs);
        continue;
      }
      const output = machine.pollOutput();
      if (output === undefined) break;
      this.perform(output);
    }
    this.busy = false;
    this.arm();
  }

  private open(link: LinkId, remote: SimNode<unknown, unknown>, end: LinkEnd): void {
    if (!this.alive) return;
    if (!remote.alive) {
      end.closed(link, 1006, 'the connection failed');
      return;
    }
    const { network } = this.world;
    const here = new Side(this as unknown as SimNode<unknown, unknown>, link, end);
    const there = new Side(remote, -++remote.accepted, remote.acceptEnd());
    here.other = there;
    there.other = here;
    here.out = network.pipe(this.host, remote.host, here);
    there.out = network.pipe(remote.host, this.host, there);
    this.links.set(link, here);
    remote.links.set(there.link, there);
    there.end.opened(there.link);
    end.opened(link);
  }

  private timeout(): void {
    if (!this.alive) return;
    this.busy = true;
    this.machine.handleTimeout(this.nowMs);
    this.run();
  }

  private arm(): void {
    const atMs = this.machine.nextDeadline();
    if (atMs === undefined) return;
    // A deadline that has come is let pass a moment later.
    this.alarm.set(Math.max(atMs - this.skewMs, this.world.events.nowMs + STEP_MS));
  }
}
