import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { TokenBucket } from '../../machine/rates.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { nowMs } from './clock.ts';
import { serveOver, type Transport } from './transport.ts';
import {
  LINK_LIMITS,
  type Link,
  type LinkCounters,
  type LinkEvents,
  type LinkLimits,
  makeCounters,
  socketOptions,
  WsLink,
} from './ws-link.ts';

export interface AcceptOptions {
  /** Path of the upgrade request, such as `/`; any when left out. */
  readonly path?: string;
  readonly limits?: Partial<LinkLimits>;
  /** Links held at once. Default 20,000: a process may open that many files where we run. */
  readonly linksMax?: number;
  /** Links held at once from one address, and new ones a second. Loopback is not limited. Default 64 and 20. */
  readonly linksPerAddressMax?: number;
  readonly dialsPerSecondMax?: number;
  /**
   * Origins whose pages may connect; all when left out. Nothing here goes by cookies, so a foreign page gains nothing that a
   * program could not have.
   */
  readonly origins?: readonly string[];
}

export interface ListenOptions extends AcceptOptions {
  /** What connections are taken over; TCP by default. */
  readonly transport?: Transport;
}

/** Who has connected. */
export interface LinkRequest {
  /** IP address as text. */
  readonly address: string;
  /** Path and query of the upgrade request. */
  readonly path: string;
  readonly origin: string | undefined;
}

/** Gives the events of a new link; sending may begin at once. */
export type OnLink = (link: Link, request: LinkRequest) => LinkEvents;

/** WebSockets that a server accepts. */
export interface Acceptor {
  readonly linkCount: number;
  /** Sum over all links since the start. */
  readonly counters: LinkCounters;
  /** Stops accepting and closes all links within a second. */
  close(): Promise<void>;
}

/** Links that have ended are told apart from new ones by address for so long. */
const ADDRESS_KEPT_MS = 5_000;
const ADDRESSES_MAX = 20_000;
const CLOSE_MS = 1_000;
/** For what a transport still delays of connections that have ended. */
const CLOSE_GRACE_MS = 500;

/** Accepts WebSockets on a server that also does other things. */
export function acceptWebSockets(server: Server, options: AcceptOptions, onLink: OnLink): Acceptor {
  const limits = { ...LINK_LIMITS, ...options.limits };
  const sockets = new WebSocketServer({ noServer: true, clientTracking: false, ...socketOptions(limits) });
  const links = new Set<WsLink>();
  const doors = new Doors(options);
  const counters = makeCounters();
  let closing = false;
  let allClosed: (() => void) | undefined;

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const path = request.url ?? '/';
    if (options.path !== undefined && path.split('?', 1)[0] !== options.path) {
      // Another listener may know this path.
      if (server.listenerCount('upgrade') === 1) refuse(socket, 404, 'nothing to connect to here');
      return;
    }
    const { origin } = request.headers;
    if (origin !== undefined && options.origins !== undefined && !options.origins.includes(origin)) {
      refuse(socket, 403, 'pages from this origin may not connect');
      return;
    }
    const address = request.socket.remoteAddress ?? '';
    const atMs = nowMs();
    if (closing || links.size >= (options.linksMax ?? 20_000) || !doors.enter(address, atMs)) {
      refuse(socket, 503, 'too many connections');
      return;
    }
    let entered = true;
    const leave = (): void => {
      if (entered) doors.leave(address, nowMs());
      entered = false;
    };
    socket.once('close', leave);
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const link = new WsLink(ws, false, limits, counters);
      link.attach(socket);
      links.add(link);
      link.listen(onLink(link, { address, path, origin }), () => {
        links.delete(link);
        leave();
        if (links.size === 0) allClosed?.();
      });
    });
  };
  server.on('upgrade', upgrade);

  return {
    get linkCount() {
      return links.size;
    },
    counters,
    async close() {
      closing = true;
      if (links.size > 0) {
        await new Promise<void>((resolve) => {
          // The links' own limit for closing is as long; this one is for what goes wrong there.
          const late = setTimeout(resolve, CLOSE_MS + 500);
          allClosed = () => {
            clearTimeout(late);
            resolve();
          };
          for (const link of [...links]) link.close(CLOSE.goingAway, 'the server is shutting down');
        });
      }
      server.off('upgrade', upgrade);
      sockets.close();
    },
  };
}

/** A server of WebSockets and nothing else. */
export interface WebSocketListener extends Acceptor {
  readonly host: string;
  readonly port: number;
  /** `ws://HOST:PORT`, as others dial it. */
  readonly url: string;
}

/** Why a server cannot listen, in one sentence for people. */
export class ListenError extends Error {
  readonly code: string;
  readonly host: string;
  readonly port: number;

  constructor(cause: NodeJS.ErrnoException, host: string, port: number) {
    const why =
      cause.code === 'EADDRINUSE'
        ? 'is taken by another program'
        : cause.code === 'EACCES'
          ? 'needs rights that this program does not have'
          : cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND'
            ? 'is not an address of this machine'
            : `cannot be listened on (${cause.message})`;
    super(`${hostPort(host, port)} ${why}`, { cause });
    this.name = 'ListenError';
    this.code = cause.code ?? 'UNKNOWN';
    this.host = host;
    this.port = port;
  }
}

/** @throws {@link ListenError} when the address is taken or not ours. */
export async function listenWebSockets(
  where: { readonly host: string; readonly port: number },
  options: ListenOptions,
  onLink: OnLink,
): Promise<WebSocketListener> {
  const { host } = where;
  const server = createServer({ maxHeaderSize: 8_192, headersTimeout: 10_000, requestTimeout: 15_000 });
  server.maxHeadersCount = 64;
  const sockets = options.transport === undefined ? undefined : serveOver(options.transport, server);
  server.on('request', (_request, response) => {
    const text = 'This is a WebSocket server.\n';
    response.writeHead(426, { upgrade: 'websocket', connection: 'close', 'content-type': 'text/plain' }).end(text);
  });
  const acceptor = acceptWebSockets(server, options, onLink);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new ListenError(error, host, where.port)));
    server.listen(where.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    url: `ws://${hostPort(host, port)}`,
    counters: acceptor.counters,
    get linkCount() {
      return acceptor.linkCount;
    },
    async close() {
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
      await acceptor.close();
      server.closeAllConnections();
      const late = setTimeout(() => {
        for (const socket of sockets ?? []) socket.destroy();
      }, CLOSE_GRACE_MS);
      await stopped;
      clearTimeout(late);
    },
  };
}

/** `HOST:PORT` as in a URL. */
function hostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function refuse(socket: Duplex, status: number, text: string): void {
  socket.on('error', () => socket.destroy());
  const retry = status === 503 ? 'Retry-After: 2\r\n' : '';
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n${retry}`;
  socket.end(`${head}Content-Length: ${text.length + 1}\r\n\r\n${text}\n`, () => socket.destroy());
}

/** Counts who comes from where. */
class Doors {
  private readonly known = new Map<string, { open: number; dials: TokenBucket; leftAtMs: number }>();
  private readonly linksMax: number;
  private readonly dialsMax: number;

  constructor(options: AcceptOptions) {
    this.linksMax = options.linksPerAddressMax ?? 64;
    this.dialsMax = options.dialsPerSecondMax ?? 20;
  }

  enter(address: string, atMs: number): boolean {
    if (isLoopback(address)) return true;
    let door = this.known.get(address);
    if (door === undefined) {
      if (this.known.size >= ADDRESSES_MAX) this.forgetOld(atMs);
      if (this.known.size >= ADDRESSES_MAX) return false;
      // A page that opens several connections, or a household behind one address, comes in a burst.
      door = { open: 0, dials: new TokenBucket(this.dialsMax, this.dialsMax * 2), leftAtMs: atMs };
      this.known.set(address, door);
    }
    if (door.open >= this.linksMax || !door.dials.take(1, atMs)) return false;
    door.open++;
    return true;
  }

  leave(address: string, atMs: number): void {
    const door = this.known.get(address);
    if (door === undefined) return;
    door.open--;
    door.leftAtMs = atMs;
  }

  private forgetOld(atMs: number): void {
    for (const [address, door] of this.known) {
      if (door.open === 0 && atMs - door.leftAtMs >= ADDRESS_KEPT_MS) this.known.delete(address);
    }
  }
}

/** Whether an IP address or host name is this machine. */
export function isLoopback(host: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|::1|\[::1\]|::ffff:127\.\d+\.\d+\.\d+|localhost)$/i.test(host);
}
