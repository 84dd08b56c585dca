import { type Body, type LinkId, type Machine, Queue } from '../machine/machine.ts';
import type { Codec } from '../protocol/codec.ts';
import { type BlockHeader, blockHeaderBytes } from '../protocol/frames.ts';
import { CLOSE } from '../protocol/reasons.ts';
import { Alarm, type EventQueue } from './event-queue.ts';
import type { Host } from './host.ts';
import { LINK_LIMITS, Link, type LinkLimits, type Side } from './link.ts';
import type { LinkEnd } from './links.ts';
import type { Network } from './network.ts';
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

/** Ms after which a dial that nothing answers is given up, and after which TCP tries again for the first time. */
const DIAL_MS = 10_000;
const SYN_RETRY_MS = 1_000;

/** What is behind a timer is never before the present: time never stands still. */
const STEP_MS = 0.01;

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
  readonly limits: LinkLimits = LINK_LIMITS;
  readonly id: number;
  readonly host: Host;
  protected readonly world: World;
  private readonly machine: Machine<Input, Output>;
  private readonly links = new Map<LinkId, Side>();
  private accepted = 0;
  private busy = false;
  private readonly waiting = new Queue<Input>();
  private readonly alarm: Alarm;
  /** Its machine is gone, too: nothing answers there. */
  private vanished = false;
  /** The message that was sent last, and its size. */
  private readonly sized: { message: unknown; bytes: number } = { message: undefined, bytes: 0 };
  /** A timer went off while it stood still. */
  private late = false;

  constructor(world: World, id: number, host: Host, machine: Machine<Input, Output>) {
    this.world = world;
    this.id = id;
    this.host = host;
    this.machine = machine;
    this.alarm = new Alarm(world.events, { happen: () => this.timeout() });
    host.resumed.push(() => this.resume());
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
    for (const side of [...this.links.values()]) side.breakOff(1006, 'the connection broke');
  }

  /**
   * Leaves connections half open, as when a router forgets them: nothing arrives any more, either way, and nobody is told.
   *
   * @param chosen - Which ones; asked for each.
   */
  loseLinks(chosen: () => boolean = () => true): void {
    for (const { link } of [...this.links.values()]) if (chosen()) link.cut();
  }

  input(input: Input): void {
    if (!this.alive) return;
    this.waiting.push(input);
    if (!this.busy && !this.host.stopped) this.run();
  }

  /** Ends the program as a crash does: nothing is said, its machine closes its connections. */
  kill(): void {
    this.alive = false;
    for (const side of [...this.links.values()]) {
      side.abandon();
      side.link.gone(side.other);
    }
    this.links.clear();
  }

  /** Ends the program together with its machine, as a power cut does: the others are left with half-open connections. */
  vanish(): void {
    this.alive = false;
    this.vanished = true;
    for (const side of [...this.links.values()]) {
      side.abandon();
      side.link.cut();
    }
    this.links.clear();
  }

  /** A control message has come. */
  heard({ id, end, open }: Side, message: unknown, sizeBytes: number): void {
    this.controlReceivedBytes += sizeBytes;
    if (open) end.message(id, message);
  }

  heardBlock({ id, end, open }: Side, header: BlockHeader, body: Body, sizeBytes: number): void {
    this.dataReceivedBytes += sizeBytes;
    if (open) end.block(id, header, body);
  }

  /** A link has ended. */
  linkOver({ id, end }: Side, code: number, why: string): void {
    this.links.delete(id);
    if (this.alive) end.closed(id, code, why);
  }

  protected dial(link: LinkId, url: string, end: LinkEnd): void {
    const { events, network } = this.world;
    const remote = this.world.listeners.get(url);
    if (remote === undefined) {
      events.at(events.nowMs + 1, () => end.closed(link, 1006, 'nobody listens there'));
      return;
    }
    this.shakeHands(link, remote, end, events.nowMs + DIAL_MS, SYN_RETRY_MS, network.openMs(this.host, remote.host));
  }

  /** Gives up at `untilMs`; where nothing answers, it tries again after `retryMs`, and then after twice as long. */
  private shakeHands(
    link: LinkId,
    remote: SimNode<unknown, unknown>,
    end: LinkEnd,
    untilMs: number,
    retryMs: number,
    tookMs: number,
  ): void {
    const { events, network } = this.world;
    if (network.isCut(this.host, remote.host) || remote.vanished || remote.host.stopped) {
      const isLast = events.nowMs + retryMs >= untilMs;
      const again = () => this.shakeHands(link, remote, end, untilMs, retryMs * 2, tookMs);
      events.at(isLast ? untilMs : events.nowMs + retryMs, isLast ? () => this.failed(link, end, 'no answer') : again);
    } else if (!remote.alive) {
      const refusedAtMs = events.nowMs + network.roundTripMs(this.host, remote.host);
      events.at(refusedAtMs, () => this.failed(link, end, 'nobody listens there'));
    } else {
      // The other side knows of the link as soon as the request to upgrade has come; what it says at once comes with the answer.
      const acceptedMs = tookMs - network.delayMs(remote.host, this.host);
      events.at(events.nowMs + acceptedMs, () => this.accept(link, remote, end));
    }
  }

  private failed(link: LinkId, end: LinkEnd, why: string): void {
    if (this.alive) end.closed(link, 1006, why);
  }

  /** Sends a control message. It is read-only from now on: the receiver gets the same object. */
  protected send<M>(link: LinkId, codec: Codec<M>, message: M): void {
    const side = this.links.get(link);
    if (side === undefined || !this.mayBuffer(side)) return;
    const travels = this.world.checksWire === true ? codec.encode(message) : message;
    // One message often goes to many.
    const payloadBytes = message === this.sized.message ? this.sized.bytes : codec.size(message);
    this.sized.message = message;
    this.sized.bytes = payloadBytes;
    const sizeBytes = payloadBytes + frameHeaderBytes(payloadBytes, side.dialled);
    this.controlSentBytes += sizeBytes;
    side.out.sendMessage(travels, sizeBytes);
  }

  protected sendBlock(link: LinkId, header: BlockHeader, body: Body): void {
    const side = this.links.get(link);
    if (side === undefined || !this.mayBuffer(side)) return;
    const headerBytes = blockHeaderBytes(header);
    const { byteLength } = body;
    // Who has dialled sends a fragment with the header, and one with the block.
    const frameBytes = side.dialled
      ? frameHeaderBytes(headerBytes, true) + frameHeaderBytes(byteLength, true)
      : frameHeaderBytes(headerBytes + byteLength, false);
    const sizeBytes = headerBytes + byteLength + frameBytes;
    this.dataSentBytes += sizeBytes;
    side.out.sendBlock(header, body, sizeBytes);
  }

  /** Closes from this side; both sides hear of it. */
  protected close(link: LinkId, code: number, why: string): void {
    this.links.get(link)?.close(code, why);
  }

  /** The answer to a question of the core, once the processor has found it: at once where that costs nothing. */
  protected answer(tookMs: number, input: Input): void {
    if (tookMs === 0) this.input(input);
    else this.world.events.at(this.host.work(tookMs), () => this.input(input));
  }

  protected hashMs(sizeBytes: number): number {
    return ((this.host.options.cpu?.hashMsPerMB ?? 0) * sizeBytes) / 1_000_000;
  }

  protected get signMs(): number {
    return (this.host.options.cpu?.signUs ?? 0) / 1000;
  }

  protected get verifyMs(): number {
    return (this.host.options.cpu?.verifyUs ?? 0) / 1000;
  }

  /** A send buffer that is full ends the link, as in the shells. */
  private mayBuffer(side: Side): boolean {
    const { bufferedBytesMax } = this.limits;
    if (!side.open) return false;
    if (side.out.waitingBytes <= bufferedBytesMax) return true;
    side.breakOff(CLOSE.slow, `${bufferedBytesMax} bytes wait to be read`);
    return false;
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

  private accept(link: LinkId, remote: SimNode<unknown, unknown>, end: LinkEnd): void {
    const { events, network } = this.world;
    const openAtMs = events.nowMs + network.delayMs(remote.host, this.host);
    if (!this.alive) return;
    if (!remote.alive || network.isCut(this.host, remote.host)) {
      events.at(openAtMs, () => this.failed(link, end, 'the connection failed'));
      return;
    }
    const { dialler, listener } = new Link(
      network,
      { node: this as unknown as SimNode<unknown, unknown>, id: link, end },
      { node: remote, id: -++remote.accepted, end: remote.acceptEnd() },
    );
    this.links.set(link, dialler);
    remote.links.set(listener.id, listener);
    // Before anything that is said over there: what is planned first happens first.
    events.at(openAtMs, () => {
      if (dialler.open) end.opened(link);
    });
    listener.end.opened(listener.id);
  }

  private timeout(): void {
    if (!this.alive) return;
    if (this.host.stopped) {
      this.late = true;
      return;
    }
    this.busy = true;
    this.machine.handleTimeout(this.nowMs);
    this.run();
  }

  private resume(): void {
    if (this.late) {
      this.late = false;
      this.timeout();
    } else if (this.alive && this.waiting.length > 0) this.run();
  }

  private arm(): void {
    const atMs = this.machine.nextDeadline();
    if (atMs === undefined) return;
    // A deadline that has come is let pass a moment later.
    this.alarm.set(Math.max(atMs - this.skewMs, this.world.events.nowMs + STEP_MS));
  }
}

/** RFC 6455 section 5.2. */
function frameHeaderBytes(payloadBytes: number, masked: boolean): number {
  return (payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10) + (masked ? 4 : 0);
}
