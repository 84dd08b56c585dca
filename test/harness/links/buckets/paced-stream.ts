import type { Socket, TcpNetConnectOpts } from 'node:net';
import { TransportStream } from '../../../../runtime/node/transport.ts';
import type { Clock } from './clock.ts';
import type { FairLine } from './fair-line.ts';
import { Inflow } from './inflow.ts';
import { Outflow } from './outflow.ts';

/** The way that a connection takes, as its host has it. */
export interface Road {
  readonly clock: Clock;
  readonly uplink: FairLine;
  readonly downlink: FairLine;
  /** One way to the other end, in ms. */
  readonly delayMs: number;
  /** Takes note of what leaves. @returns What is sent in its place. */
  sent(bytes: Uint8Array): Uint8Array;
  received(bytes: Uint8Array): void;
}

type Done = (error?: Error | null) => void;

/** A socket with a network between it and its program. What the program has been told to have left may still be under way when it is gone. */
export class PacedStream extends TransportStream {
  /** As of sockets: the dial is under way. */
  connecting: boolean;
  bytesRead = 0;
  remoteAddress: string | undefined;
  remotePort: number | undefined;
  localAddress: string | undefined;
  localPort: number | undefined;
  readonly out: Outflow;
  private readonly inward: Inflow;
  private readonly socket: Socket;
  /** The other end has found the connection broken, and the program has not been told. */
  isCutOff = false;
  /** What becomes of the socket is not told to the program. */
  private isDetached = false;

  /** @param socket - One that was accepted, or one to dial with. It allows that one side ends before the other. */
  constructor(socket: Socket, road: Road, isDialled: boolean) {
    // Servers of HTTP end connections themselves, as with sockets.
    super({ allowHalfOpen: !isDialled });
    this.socket = socket;
    this.connecting = isDialled;
    const { uplink, downlink, clock, delayMs } = road;
    this.out = new Outflow({
      ...{ target: socket, line: uplink, clock, delayMs },
      note: (bytes) => road.sent(bytes),
      ended: () => this.endIfBoth(),
    });
    this.inward = new Inflow({
      ...{ source: socket, line: downlink },
      give: (bytes) => this.came(bytes, road),
      taken: (sizeBytes) => this.out.taken(sizeBytes),
      strange: () => socket.destroy(new Error(`${socket.remoteAddress} is a host, and sends what none would send`)),
    });
    this.attend();
    if (!isDialled) this.opened();
  }

  /** Dials, once the net has let the question through. */
  dial(options: TcpNetConnectOpts): void {
    this.socket.once('connect', () => {
      this.connecting = false;
      this.opened();
      this.emit('connect');
      this.emit('ready');
    });
    this.socket.connect(options);
  }

  /** Breaks now; both ends are told. */
  breakOff(): void {
    this.socket.resetAndDestroy();
    this.destroy(brokenError());
  }

  /** Half open from now on: nothing comes or goes, and neither end is told. */
  lose(): void {
    this.isDetached = true;
    this.out.mute();
    this.inward.stop();
  }

  /** The other end finds it broken; the program is not told. */
  cutOff(): void {
    this.isCutOff = true;
    this.lose();
    this.socket.resetAndDestroy();
  }

  /** Bytes that were written and have not left. */
  get waitingBytes(): number {
    return this.out.waitingBytes;
  }

  setTimeout(ms: number, listener?: () => void): this {
    if (listener !== undefined && ms > 0) this.once('timeout', listener);
    this.socket.setTimeout(ms);
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    this.socket.ref();
    return this;
  }

  unref(): this {
    this.socket.unref();
    return this;
  }

  override _read(): void {
    this.inward.want();
  }

  override _write(chunk: Uint8Array, _: string, done: Done): void {
    this.out.write([{ chunk }], done);
  }

  override _writev(pieces: readonly { readonly chunk: Uint8Array }[], done: Done): void {
    this.out.write(pieces, done);
  }

  override _final(done: () => void): void {
    this.out.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.isDetached = true;
    this.connecting = false;
    this.out.abandon();
    this.inward.stop();
    done(error);
  }

  private opened(): void {
    const { socket } = this;
    socket.setNoDelay(true);
    this.remoteAddress = socket.remoteAddress;
    this.remotePort = socket.remotePort;
    this.localAddress = socket.localAddress;
    this.localPort = socket.localPort;
    this.out.open();
  }

  private attend(): void {
    const { socket } = this;
    let failure: Error | undefined;
    socket.on('timeout', () => this.emit('timeout'));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      // Where both sides have ended in good order, what has come is still to be read.
      const isOrderly = failure === undefined && this.inward.isEnded && socket.writableEnded;
      if (!this.isDetached && !isOrderly) this.destroy(failure);
    });
  }

  /** Neither side says anything more. */
  private endIfBoth(): void {
    if (this.out.isEnded && this.inward.isEnded) this.socket.end();
  }

  private came(bytes: Uint8Array | null, road: Road): boolean {
    if (bytes === null) {
      this.endIfBoth();
      return this.push(null);
    }
    road.received(bytes);
    this.bytesRead += bytes.length;
    return this.push(bytes);
  }
}

/** What programs find where the network has ended a connection. */
export function brokenError(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
}
