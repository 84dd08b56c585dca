import { connect, Socket, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { Prng } from '../../../../machine/prng.ts';
import type { Transport } from '../../../../runtime/node/transport.ts';
import type { Delays, Flow, Host, HostCounts, LinkOrder } from '../links.ts';
import { FrameReader, makeTally } from '../relay/frames.ts';
import { Alarm, type Clock } from './clock.ts';
import { FairLine } from './fair-line.ts';
import { brokenError, PacedStream, type Road } from './paced-stream.ts';
import { processClock } from './process-clock.ts';

export interface PacedHostOptions {
  readonly host: Host;
  readonly delays: Delays;
  /** The region of another host; `undefined` for what is none: connections to it are as the machine has them. */
  readonly regionOf: (address: string) => number | undefined;
  /** Default: the clock of the process. */
  readonly clock?: Clock;
}

/** Ms after which TCP asks again where nobody has answered, then after twice as long. */
const SYN_RETRY_MS = 1_000;
const SYN_RETRY_MAX_MS = 16_000;

interface Connection {
  readonly stream: PacedStream;
  readonly region: number;
}

/**
 * A host of a scenario without help of the kernel: its address is one of loopback's, and all connections of the program that is given
 * its {@link transport} share an uplink and a downlink of the host's rates and take as long as its region is away from others. What
 * is sent waits for the uplink, then for the delay, at the sender; at the receiver it waits for the downlink. So every host of a run
 * has to be one of these, in whatever process.
 *
 * Frames are counted as they leave the uplink, and as they come out of the downlink, by reading along.
 */
export class PacedHost {
  readonly transport: Transport;
  private readonly host: Host;
  private readonly delays: Delays;
  private readonly regionOf: (address: string) => number | undefined;
  private readonly clock: Clock;
  private readonly uplink: FairLine;
  private readonly downlink: FairLine;
  private readonly connections = new Set<Connection>();
  /** Of those that the program has forgotten, too: something is still under way on them. */
  private readonly sockets = new Set<Socket>();
  private readonly sent = makeTally();
  private readonly received = makeTally();
  private readonly dataTo = new Map<string, number>();
  private readonly release: Alarm;
  private heldUntilMs = 0;
  /** By region: until when nothing gets through. */
  private readonly parted = new Map<number, number>();
  private isCutOff = false;
  private isClosed = false;
  private lies = false;

  constructor({ host, delays, regionOf, clock = processClock }: PacedHostOptions) {
    this.host = host;
    this.delays = delays;
    this.regionOf = regionOf;
    this.clock = clock;
    this.uplink = new FairLine(host.upBps, clock);
    this.downlink = new FairLine(host.downBps, clock);
    this.release = new Alarm(clock, (nowMs) => this.goOn(nowMs));
    this.transport = {
      connect: (options) => this.connect(options),
      accepted: (socket) => this.accepted(socket),
    };
  }

  /**
   * Lets something happen to this host's links. Orders for other hosts change nothing here; a partition is told to all hosts.
   *
   * @throws RangeError for rates and times that are none.
   */
  order(order: LinkOrder): void {
    if (order.do === 'part') {
      this.part(order.regions, checked(order.forMs));
      return;
    }
    if (order.host !== this.host.address) return;
    switch (order.do) {
      case 'rates':
        this.uplink.setRate(checked(order.upBps));
        this.downlink.setRate(checked(order.downBps));
        return;
      case 'drop':
        for (const stream of this.open()) stream.breakOff();
        return;
      case 'lose': {
        const prng = new Prng(order.seed);
        for (const stream of this.open()) if (prng.unit() < order.share) stream.lose();
        return;
      }
      case 'hold':
        this.hold(checked(order.forMs));
        return;
      case 'cut-off':
        this.isCutOff = true;
        for (const stream of this.open()) stream.cutOff();
        return;
      case 'reconnect':
        this.isCutOff = false;
        this.lies = false;
        // The others know nothing of these any more.
        for (const stream of this.open()) if (stream.isCutOff) stream.destroy(brokenError());
        return;
      case 'lie':
        this.lies = true;
        return;
    }
  }

  /** Since the start. */
  counts(): HostCounts {
    return { address: this.host.address, sent: { ...this.sent }, received: { ...this.received } };
  }

  /** To whom it has sent block bytes since the start. */
  flows(): Flow[] {
    const all = [...this.dataTo].map(([to, dataBytes]) => ({ from: this.host.address, to, dataBytes }));
    return all.filter(({ dataBytes }) => dataBytes > 0);
  }

  /** Ends all its connections. The transport makes no more. */
  close(): void {
    this.isClosed = true;
    for (const { stream } of [...this.connections]) stream.destroy();
    for (const socket of [...this.sockets]) socket.destroy();
  }

  /** Its connections that are open, in the order in which they were. */
  private open(): PacedStream[] {
    return [...this.connections].map(({ stream }) => stream).filter(({ connecting }) => !connecting);
  }

  private connect(options: TcpNetConnectOpts): Duplex {
    const { address } = this.host;
    // An address that others share has a port behind it.
    const [localAddress = '', sharedPort] = address.split(':');
    const dialled = options.host ?? 'localhost';
    const to = sharedPort === undefined ? dialled : `${dialled}:${options.port}`;
    const region = to === address ? undefined : this.regionOf(to);
    if (region === undefined) return connect({ ...options, localAddress });
    const socket = new Socket({ allowHalfOpen: true });
    const stream = this.add(socket, to, region, true);
    if (options.timeout !== undefined) stream.setTimeout(options.timeout);
    // Not before somebody listens.
    if (this.isClosed) setImmediate(() => stream.destroy(new Error(`${this.host.name} is closed`)));
    let retryMs = SYN_RETRY_MS;
    const dial = new Alarm(this.clock, (nowMs) => {
      if (stream.destroyed) return;
      if (!this.isBlocked(region, nowMs)) stream.dial({ ...options, localAddress });
      else {
        dial.set(nowMs + retryMs);
        retryMs = Math.min(retryMs * 2, SYN_RETRY_MAX_MS);
      }
    });
    const roundTripMs = this.delayTo(region) + (this.delays[region]?.[this.host.region] ?? 0);
    dial.set(this.clock.nowMs() + roundTripMs);
    return stream;
  }

  private accepted(socket: Socket): Duplex {
    const { remoteAddress = '' } = socket;
    const region = remoteAddress === this.host.address ? undefined : this.regionOf(remoteAddress);
    if (this.isCutOff || this.isClosed) socket.resetAndDestroy();
    if (region === undefined || socket.destroyed) return socket;
    return this.add(socket, remoteAddress, region, false);
  }

  private add(socket: Socket, remote: string, region: number, isDialled: boolean): PacedStream {
    const stream = new PacedStream(socket, this.road(remote, region), isDialled);
    const connection = { stream, region };
    this.connections.add(connection);
    this.sockets.add(socket);
    stream.once('close', () => this.connections.delete(connection));
    socket.once('close', () => this.sockets.delete(socket));
    const nowMs = this.clock.nowMs();
    stream.out.hold(this.heldUntilMs);
    const partedUntilMs = this.parted.get(region) ?? 0;
    if (partedUntilMs > nowMs) stream.out.part(nowMs, partedUntilMs);
    return stream;
  }

  private road(remote: string, region: number): Road {
    const [outReader, inReader] = [new FrameReader(), new FrameReader()];
    return {
      clock: this.clock,
      uplink: this.uplink,
      downlink: this.downlink,
      delayMs: this.delayTo(region),
      sent: (bytes) => {
        // The program's own bytes stay as they are.
        const sent = this.lies ? new Uint8Array(bytes) : bytes;
        outReader.spoils = this.lies;
        const before = this.sent.dataBytes;
        outReader.read(sent, this.sent);
        this.dataTo.set(remote, (this.dataTo.get(remote) ?? 0) + this.sent.dataBytes - before);
        return sent;
      },
      received: (bytes) => inReader.read(bytes, this.received),
    };
  }

  private delayTo(region: number): number {
    return this.delays[this.host.region]?.[region] ?? 0;
  }

  private isBlocked(region: number, nowMs: number): boolean {
    return this.isCutOff || nowMs < this.heldUntilMs || nowMs < (this.parted.get(region) ?? 0);
  }

  private hold(forMs: number): void {
    this.heldUntilMs = Math.max(this.heldUntilMs, this.clock.nowMs() + forMs);
    this.downlink.hold();
    for (const { stream } of this.connections) stream.out.hold(this.heldUntilMs);
    this.release.set(this.heldUntilMs);
  }

  private goOn(nowMs: number): void {
    if (nowMs < this.heldUntilMs) this.release.set(this.heldUntilMs);
    else this.downlink.release();
  }

  private part([a, b]: readonly [number, number], forMs: number): void {
    const mine = this.host.region;
    if (mine !== a && mine !== b) return;
    const other = mine === a ? b : a;
    const nowMs = this.clock.nowMs();
    const untilMs = Math.max(this.parted.get(other) ?? 0, nowMs + forMs);
    this.parted.set(other, untilMs);
    for (const { stream, region } of this.connections) if (region === other) stream.out.part(nowMs, untilMs);
  }
}

function checked(value: number): number {
  if (value >= 0) return value;
  throw new RangeError(`${value} is no rate or time that a link could have`);
}
