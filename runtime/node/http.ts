import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { serveOver, type Transport } from './transport.ts';
import { isLoopback } from './ws-server.ts';

export type HttpApp = FastifyInstance;
export type HttpRequest = FastifyRequest;
export type HttpReply = FastifyReply;

export interface HttpServerOptions {
  /** Address to listen on; loopback unless said otherwise. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Whether proxies on this machine say truly who asks (X-Forwarded-For); what others say of that counts for nothing. */
  readonly localProxies?: boolean;
  /** Ms for a whole request, body included. Default 15,000: no route takes more than a short form. */
  readonly requestTimeoutMs?: number;
  /** Connections held at once; more are closed as they come. Default 4,096. */
  readonly connectionsMax?: number;
  /** Those of one address, this machine's own apart. Default: as many as there may be. */
  readonly connectionsPerAddressMax?: number;
  /** What connections are taken over; TCP by default. */
  readonly transport?: Transport;
}

/** Fastify with our limits around it. Add routes to `app`, then `listen`. */
export interface HttpServer {
  readonly app: FastifyInstance;
  /** Node's own server, for WebSocket upgrades. */
  readonly raw: Server;
  /** Begins to listen; an Error that names host and port when that fails. */
  listen(): Promise<HttpAddress>;
  /** Stops within a second: running answers may end, then every connection is cut, upgraded ones too. */
  close(): Promise<void>;
  /** Calls when `close` begins: those who hold requests back answer them now. */
  onClose(listener: () => void): void;
}

export interface HttpAddress {
  readonly host: string;
  readonly port: number;
  /** `http://HOST:PORT`, as a browser takes it. */
  readonly url: string;
}

/** A request line and headers of ours fit into a tenth of this. */
const HEADER_BYTES_MAX = 8_192;
const HEADERS_MAX = 64;
/** A slow sender of headers holds a connection no longer than this (slowloris). */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** Ms between two looks at these times. */
const CHECK_MS = 5_000;
/** Longer than the pause between two parts, so that a player keeps its connection. */
const KEEP_ALIVE_MS = 30_000;
/** A reader that takes nothing for so long is gone. Longer than any blocking reload. */
const IDLE_MS = 60_000;
/** No route takes a body of more than a short form. */
const BODY_BYTES_MAX = 16_384;
/** What is left of close's second for answers that are under way. */
const CLOSE_GRACE_MS = 500;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const host = options.host ?? '127.0.0.1';
  const app = fastify({
    logger: false,
    trustProxy: options.localProxies === true ? 'loopback' : false,
    bodyLimit: BODY_BYTES_MAX,
    connectionTimeout: IDLE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    http: { maxHeaderSize: HEADER_BYTES_MAX, connectionsCheckingInterval: CHECK_MS },
    routerOptions: { maxParamLength: 512 },
  });
  const raw = app.server;
  raw.headersTimeout = HEADERS_TIMEOUT_MS;
  raw.maxHeadersCount = HEADERS_MAX;
  raw.maxConnections = options.connectionsMax ?? 4_096;
  if (options.transport !== undefined) serveOver(options.transport, raw);
  const sockets = trackSockets(raw, options.connectionsPerAddressMax ?? Number.POSITIVE_INFINITY);
  const closing: (() => void)[] = [];
  answerAnyone(app);
  return {
    app,
    raw,
    listen: () => listen(app, host, options.port),
    onClose: (listener) => {
      closing.push(listener);
    },
    close: async () => {
      for (const listener of closing.splice(0)) listener();
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSE_GRACE_MS);
      raw.closeIdleConnections();
      await app.close();
      clearTimeout(cut);
    },
  };
}

/** Node forgets a socket once it is upgraded; closing has to end those too. */
function trackSockets(raw: Server, perAddressMax: number): Set<Socket> {
  const sockets = new Set<Socket>();
  const counts = new Map<string, number>();
  raw.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    const count = (counts.get(remoteAddress) ?? 0) + 1;
    if (count > perAddressMax && !isLoopback(remoteAddress)) {
      socket.destroy();
      return;
    }
    counts.set(remoteAddress, count);
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      const left = counts.get(remoteAddress)! - 1;
      if (left === 0) counts.delete(remoteAddress);
      else counts.set(remoteAddress, left);
    });
  });
  return sockets;
}

/** What is served here is public and read only, so pages from anywhere may read it. Errors are one plain line. */
function answerAnyone(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(PUBLIC_HEADERS);
  });
  app.options('*', async (_request, reply) => {
    const methods = { 'access-control-allow-methods': 'GET, HEAD, OPTIONS', 'access-control-allow-headers': '*' };
    return reply.code(204).headers(methods).send();
  });
  app.setNotFoundHandler(async (request, reply) => {
    return reply.code(404).type('text/plain; charset=utf-8').send(`Nothing at ${request.method} ${request.url}\n`);
  });
  app.setErrorHandler<Error & { statusCode?: number }>(async (error, _request, reply) => {
    const status = error.statusCode ?? 500;
    const text = status < 500 ? error.message : 'Something went wrong here';
    return reply.code(status).type('text/plain; charset=utf-8').send(`${text}\n`);
  });
}

const PUBLIC_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Age, Content-Length, Date',
  // Pages that are isolated from all others (COEP) take only what says that it may be taken.
  'cross-origin-resource-policy': 'cross-origin',
  'timing-allow-origin': '*',
  'x-content-type-options': 'nosniff',
};

async function listen(app: FastifyInstance, host: string, port: number): Promise<HttpAddress> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw new Error(listenProblem(error, host, port), { cause: error });
  }
  const bound = app.server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return { host, port: bound.port, url: `http://${name}:${bound.port}` };
}

function listenProblem(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is taken by another program`;
    case 'EACCES':
      return `port ${port} on ${host} needs more rights than this program has: take one above 1023`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine`;
    default:
      return `cannot listen on ${host}, port ${port}: ${error instanceof Error ? error.message : code}`;
  }
}
