import { lookup } from 'node:dns';
import { type LookupFunction, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { FRAME_BLOCK, headerBytesOf } from '../../protocol/frames.ts';
import { BLOCK_FRAME_BYTES_MAX, CONTROL_BYTES_MAX } from '../../protocol/limits.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { nowMs } from './clock.ts';
import { FrameWriter, frameHeaderBytes as plainHeaderBytes } from './frame-writer.ts';
import { connector, type Transport, TransportStream } from './transport.ts';

/** One WebSocket, as shells use it: control messages and block frames both ways, counted, bounded and watched. */
export interface Link {
  readonly counters: LinkCounters;
  /** Bytes handed over that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  /** Its two ends, and what it has carried by our own count; undefined until it is open, and where there is no TCP under it. */
  connection(): Connection | undefined;
  sendControl(bytes: Uint8Array): void;
  /** One message. The block is sent by reference: it must not change until it has left. */
  sendBlock(header: Uint8Array, block: Uint8Array): void;
  /** Closes after what is buffered, within a second; `closed` follows. Nothing that arrives from now on is told. */
  close(code: number, why: string): void;
}

/** A TCP connection, as a program counts it: WebSocket payload and frame headers, and the HTTP before them. */
export interface Connection {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What the kernel was given. */
  readonly sentBytes: number;
  /** What the kernel gave. */
  readonly receivedBytes: number;
}

export interface LinkEvents {
  /** A link that was dialled is open. */
  opened?(): void;
  /** One MessagePack message, not looked into. The bytes are the receiver's to keep. */
  control(bytes: Uint8Array): void;
  /** One block frame, header and block, not looked into. The bytes are the receiver's to keep. */
  block(frame: Uint8Array): void;
  /** Of what was sent, only so many bytes still wait: told when it falls to 0, and once a second while it shrinks. */
  drained?(leftBytes: number): void;
  /** Always comes, once, also when a dial fails. */
  closed(code: number, why: string): void;
}

/** WebSocket payload and frame headers, without TCP/IP. Incoming frame headers are counted as our own sender makes them. */
export interface LinkCounters {
  controlIn: number;
  controlOut: number;
  dataIn: number;
  dataOut: number;
}

export function makeCounters(): LinkCounters {
  return { controlIn: 0, controlOut: 0, dataIn: 0, dataOut: 0 };
}

export interface LinkLimits {
  /** Bytes of one incoming message: {@link CONTROL_BYTES_MAX} where no blocks are expected. */
  readonly messageBytesMax: number;
  /** Waiting bytes at which a reader is too slow to be kept. */
  readonly bufferedBytesMax: number;
  /** Ms without an incoming byte after which the other side counts as gone; it is pinged at less than half of that. */
  readonly idleMs: number;
  /** Ms in which bytes wait and none leaves, after which a reader is too slow to be kept. */
  readonly stallMs: number;
}

export const LINK_LIMITS: LinkLimits = {
  messageBytesMax: BLOCK_FRAME_BYTES_MAX,
  bufferedBytesMax: 32 * 1024 * 1024,
  idleMs: 25_000,
  stallMs: 5_000,
};

/** Settings of `ws` for both ends; what each prevents was measured (maxFragments: 50 clients' tiny fragments took 86 MB). */
export function socketOptions(limits: LinkLimits): {
  readonly perMessageDeflate: false;
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
  readonly maxPendingAutoPongs: number;
  readonly closeTimeout: number;
} {
  return {
    perMessageDeflate: false,
    maxPayload: limits.messageBytesMax,
    // Chromium cuts 1 MiB into about 20 fragments.
    maxFragments: 64,
    maxBufferedChunks: 2_048,
    maxPendingAutoPongs: 16,
    closeTimeout: 1_000,
  };
}

const DIAL_MS = 10_000;
const WATCH_MS = 1_000;
const WHY_BYTES_MAX = 120;

/** Bytes of a frame's header (RFC 6455 section 5.2). */
function frameHeaderBytes(payloadBytes: number, masked: boolean): number {
  return plainHeaderBytes(payloadBytes) + (masked ? 4 : 0);
}

export interface LinkOptions {
  readonly limits?: Partial<LinkLimits>;
  /** Counted besides the link's own: a sum over links that come and go. */
  readonly counters?: LinkCounters;
  /** Whether an IP address may be dialled; asked for what a host name stands for, too. */
  readonly mayReach?: (address: string) => boolean;
  /** What the connection is made over; TCP by default. */
  readonly transport?: Transport;
}

/** Dials; `opened` or `closed` follows. Never throws: an address that is none is a link that closes. */
export function dialLink(url: string, events: LinkEvents, options: LinkOptions = {}): Link {
  const limits = { ...LINK_LIMITS, ...options.limits };
  let ws: WebSocket;
  try {
    ws = new WebSocket(url, {
      ...socketOptions(limits),
      handshakeTimeout: DIAL_MS,
      followRedirects: false,
      ...(options.mayReach === undefined ? {} : { lookup: guardedLookup(options.mayReach) }),
      ...(options.transport === undefined ? {} : { createConnection: connector(options.transport, isSecure(url)) }),
    });
  } catch (error) {
    const why = `${url} cannot be dialled: ${(error as Error).message}`;
    queueMicrotask(() => events.closed(CLOSE.policy, why));
    return deadLink;
  }
  const link = new WsLink(ws, true, limits, options.counters);
  ws.once('upgrade', (response) => {
    link.attach(response.socket);
  });
  link.listen(events);
  return link;
}

function isSecure(url: string): boolean {
  return /^(wss|https):/i.test(url);
}

/** Resolves host names, but not to addresses that may not be reached: a name can stand for anything. */
function guardedLookup(mayReach: (address: string) => boolean): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      const allowed = error === null ? addresses.filter(({ address }) => mayReach(address)) : [];
      if (error !== null) done(error, []);
      else if (allowed.length === 0) done(new Error(`${host} is an address that may not be dialled`), []);
      else if (options.all === true) done(null, allowed);
      else done(null, allowed[0]!.address, allowed[0]!.family);
    });
  };
}

const deadLink: Link = {
  counters: makeCounters(),
  bufferedBytes: 0,
  connection: () => undefined,
  sendControl() {},
  sendBlock() {},
  close() {},
};

export class WsLink implements Link {
  readonly counters = makeCounters();
  private readonly ws: WebSocket;
  private readonly masked: boolean;
  private readonly limits: LinkLimits;
  private readonly sum: LinkCounters | undefined;
  private socket: Duplex | undefined;
  /** Bytes of the upgrade. */
  private upgrade = { sentBytes: 0, receivedBytes: 0 };
  private events: LinkEvents | undefined;
  private ended: (() => void) | undefined;
  private over = false;
  private closing: { readonly code: number; readonly why: string } | undefined;
  private failure: string | undefined;
  /** What a server's messages go through. */
  private writer: FrameWriter | undefined;
  private corked = false;
  /** Sends through `ws` whose bytes the kernel has not taken yet. */
  private unsent = 0;
  private readonly watch: Watch = {
    heardAtMs: nowMs(),
    heardBytes: 0,
    goneBytes: 0,
    waitingBytes: 0,
    goneAtMs: nowMs(),
  };

  /** @param masked - We are the client: our frames carry a mask. */
  constructor(ws: WebSocket, masked: boolean, limits: LinkLimits, sum?: LinkCounters | undefined) {
    this.ws = ws;
    this.masked = masked;
    this.limits = limits;
    this.sum = sum;
  }

  get bufferedBytes(): number {
    return this.ws.bufferedAmount + (this.writer?.pendingBytes ?? 0);
  }

  /** The socket under the WebSocket: what is sent in one turn of the event loop goes to the kernel in one call. */
  attach(socket: Duplex): void {
    this.socket = socket;
    if (socket instanceof Socket) this.upgrade = { sentBytes: socket.bytesWritten, receivedBytes: socket.bytesRead };
    if (!this.masked) this.writer = FrameWriter.on(socket, this.taken);
    watched.add(this);
    startWatching();
  }

  /** @param ended - Called after `closed`. */
  listen(events: LinkEvents, ended?: () => void): void {
    this.events = events;
    this.ended = ended;
    const { ws } = this;
    ws.on('open', () => {
      if (this.closing === undefined) events.opened?.();
    });
    ws.on('message', (data, isBinary) => this.received(data as Buffer, isBinary));
    ws.on('ping', (data) => {
      // The pong that answers it is as long.
      this.count('controlIn', data.length + frameHeaderBytes(data.length, !this.masked));
      this.count('controlOut', data.length + frameHeaderBytes(data.length, this.masked));
    });
    ws.on('pong', (data) => this.count('controlIn', data.length + frameHeaderBytes(data.length, !this.masked)));
    ws.on('error', (error) => {
      this.failure = error.message;
    });
    ws.on('close', (code, why) => this.end(code, why.toString()));
  }

  connection(): Connection | undefined {
    const { socket, counters, upgrade } = this;
    if (!(socket instanceof Socket) || this.over) return undefined;
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    if (localAddress === undefined || localPort === undefined) return undefined;
    if (remoteAddress === undefined || remotePort === undefined) return undefined;
    const sentBytes = upgrade.sentBytes + counters.controlOut + counters.dataOut - this.bufferedBytes;
    const receivedBytes = upgrade.receivedBytes + counters.controlIn + counters.dataIn;
    return { localAddress, localPort, remoteAddress, remotePort, sentBytes, receivedBytes };
  }

  sendControl(bytes: Uint8Array): void {
    if (!this.ready()) return;
    if (this.writer !== undefined) {
      this.count('controlOut', this.writer.sendCopy(bytes));
      return;
    }
    this.count('controlOut', bytes.length + frameHeaderBytes(bytes.length, this.masked));
    this.cork();
    this.unsent++;
    this.ws.send(bytes, this.written);
  }

  sendBlock(header: Uint8Array, block: Uint8Array): void {
    if (!this.ready()) return;
    if (this.writer === undefined) this.sendFragments(header, block);
    else this.count('dataOut', this.writer.send(header, block));
  }

  /** Through `ws`, which copies what it masks: a fragment with the header, one with the block. */
  private sendFragments(header: Uint8Array, block: Uint8Array): void {
    const frames = frameHeaderBytes(header.length, this.masked) + frameHeaderBytes(block.length, this.masked);
    this.count('dataOut', header.length + block.length + frames);
    this.cork();
    this.unsent++;
    this.ws.send(header, NOT_LAST);
    this.ws.send(block, this.written);
  }

  close(code: number, why: string): void {
    if (this.over || this.closing !== undefined) return;
    this.writer?.flush();
    this.closing = { code, why };
    if (this.ws.readyState === WebSocket.CONNECTING) this.ws.terminate();
    else
      this.ws.close(
        code,
        Buffer.from(why)
          .subarray(0, WHY_BYTES_MAX)
          .toString()
          .replace(/\uFFFD/g, ''),
      );
  }

  /** Looks after the link, once a second. */
  check(atMs: number): void {
    const { watch, socket, limits } = this;
    if (socket === undefined || this.over) return;
    const { bytesRead, waitingBytes } = insideOf(socket);
    if (bytesRead !== watch.heardBytes) {
      watch.heardBytes = bytesRead;
      watch.heardAtMs = atMs;
    }
    const silentMs = atMs - watch.heardAtMs;
    if (silentMs >= limits.idleMs) {
      this.giveUp(CLOSE.idle, `nothing came for ${limits.idleMs / 1000} s`);
      return;
    }
    if (silentMs >= limits.idleMs * 0.4 && this.ready()) {
      this.count('controlOut', frameHeaderBytes(0, this.masked));
      this.ws.ping();
    }
    const leftBytes = this.bufferedBytes;
    const goneBytes = this.counters.controlOut + this.counters.dataOut - leftBytes;
    if (leftBytes === 0 || goneBytes !== watch.goneBytes || waitingBytes !== watch.waitingBytes) {
      watch.goneBytes = goneBytes;
      watch.waitingBytes = waitingBytes;
      watch.goneAtMs = atMs;
      if (leftBytes > 0) this.events?.drained?.(leftBytes);
    } else if (atMs - watch.goneAtMs >= limits.stallMs) {
      this.giveUp(CLOSE.slow, `took nothing for ${limits.stallMs / 1000} s`);
    }
  }

  private received(data: Buffer, isBinary: boolean): void {
    if (this.over) return;
    const isBlock = isBinary && data[0] === FRAME_BLOCK;
    // What comes while we close has come all the same.
    if (isBlock) this.count('dataIn', data.length + this.blockFramesBytes(data));
    else this.count('controlIn', data.length + frameHeaderBytes(data.length, !this.masked));
    if (this.closing !== undefined) return;
    if (!isBinary) this.close(1003, 'only binary messages are understood');
    else if (isBlock) this.events?.block(owned(data));
    else if (data.length > CONTROL_BYTES_MAX) this.close(CLOSE.tooBig, 'a control message that is too long');
    else this.events?.control(data);
  }

  /** Bytes of the headers of the frames that a block came in: from a client they are two, see {@link sendFragments}. */
  private blockFramesBytes(message: Uint8Array): number {
    if (this.masked) return frameHeaderBytes(message.length, false);
    const first = headerBytesOf(message);
    return frameHeaderBytes(first, true) + frameHeaderBytes(message.length - first, true);
  }

  private ready(): boolean {
    if (this.closing !== undefined || this.ws.readyState !== WebSocket.OPEN) return false;
    if (this.bufferedBytes <= this.limits.bufferedBytesMax) return true;
    this.giveUp(CLOSE.slow, `${this.limits.bufferedBytesMax} bytes wait to be read`);
    return false;
  }

  /** Ends a link whose other side does not read or answer: there is no use in waiting for it to agree. */
  private giveUp(code: number, why: string): void {
    this.close(code, why);
    this.ws.terminate();
  }

  private cork(): void {
    if (this.corked || this.socket === undefined) return;
    this.corked = true;
    this.socket.cork();
    process.nextTick(this.uncork);
  }

  private readonly uncork = (): void => {
    this.corked = false;
    this.socket?.uncork();
  };

  private readonly written = (): void => {
    if (--this.unsent === 0) this.taken();
  };

  private readonly taken = (): void => {
    if (!this.over) this.events?.drained?.(0);
  };

  private end(code: number, why: string): void {
    if (this.over) return;
    this.over = true;
    watched.delete(this);
    stopWatching();
    if (this.closing !== undefined) this.events?.closed(this.closing.code, this.closing.why);
    else this.events?.closed(code, why !== '' ? why : (this.failure ?? 'the connection broke'));
    this.ended?.();
  }

  private count(what: keyof LinkCounters, bytes: number): void {
    this.counters[what] += bytes;
    if (this.sum !== undefined) this.sum[what] += bytes;
  }
}

const NOT_LAST = { binary: true, fin: false };

/** A small message can be a view of a receive buffer of 64 KiB; whoever keeps it would keep all of that. */
function owned(data: Buffer): Buffer {
  return data.buffer.byteLength > data.length * 4 + 4_096 ? Buffer.from(new Uint8Array(data).buffer) : data;
}

/** What the last check of a link has seen. */
interface Watch {
  heardAtMs: number;
  heardBytes: number;
  goneBytes: number;
  waitingBytes: number;
  goneAtMs: number;
}

/** Progress within one large write shows nowhere else; where a platform has no such figure, whole writes count. */
function insideOf(socket: Duplex): { readonly bytesRead: number; readonly waitingBytes: number } {
  if (socket instanceof TransportStream) return socket;
  const { bytesRead, _handle } = socket as Duplex & {
    bytesRead?: number;
    _handle?: { writeQueueSize?: number } | null;
  };
  return { bytesRead: bytesRead ?? 0, waitingBytes: _handle?.writeQueueSize ?? 0 };
}

// One timer looks after all links of the process, and none is left when there are no links.
const watched = new Set<WsLink>();
let watchTimer: NodeJS.Timeout | undefined;

function startWatching(): void {
  watchTimer ??= setInterval(() => {
    const atMs = nowMs();
    for (const link of [...watched]) link.check(atMs);
  }, WATCH_MS);
}

function stopWatching(): void {
  if (watched.size > 0) return;
  clearInterval(watchTimer);
  watchTimer = undefined;
}
