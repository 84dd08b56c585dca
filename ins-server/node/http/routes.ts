import { BLOCK_BYTES_MAX } from '../../../protocol/limits.ts';
import type { HttpApp, HttpReply, HttpRequest, HttpServer } from '../../../runtime/node/http.ts';
import type { GuestCall, InsServerInput } from '../../core/io.ts';
import { Exchange, type HttpCounters } from './exchange.ts';
import { etagOf, type GuestDesk } from './guest-desk.ts';
import {
  isKnown,
  type Parsed,
  parseLabel,
  parseLength,
  parseLife,
  parseMediaType,
  parseName,
  parseToken,
} from './parse.ts';

export interface GuestRoutesOptions {
  readonly server: HttpServer;
  readonly desk: GuestDesk;
  readonly input: (input: InsServerInput) => void;
  readonly counters: HttpCounters;
  /** Pages that may use it; all when left out. */
  readonly origins: readonly string[] | undefined;
  /** What `GET /status` says to those who show no token. */
  readonly publicStatus: () => unknown;
}

const PATH = '/.well-known/ni/:algorithm/:value';

/** The INS server over plain HTTP (PROTOCOL.md, rules HT…): blocks by name as RFC 6920 section 4 has it, and `/status`. */
export function serveGuests(options: GuestRoutesOptions): void {
  const { server } = options;
  // A body is asked for only after everything else was found good.
  server.raw.on('checkContinue', (request, response) => server.app.routing(request, response));
  server.app.register(async (app) => {
    app.removeAllContentTypeParsers();
    // Bodies are read by those who know how long they may be.
    app.addContentTypeParser('*', (_request, _body, done) => done(null));
    // What Fastify refuses by itself, such as a Content-Type that is none.
    app.setErrorHandler<Error & { statusCode?: number }>(async ({ statusCode = 500, message }, _request, reply) => {
      const text = statusCode < 500 ? message : 'Something went wrong here';
      return reply.code(statusCode).send({ reason: 'MALFORMED', text, retryAfterMs: 0 });
    });
    app.addHook('onRequest', async (request, reply) => admitPages(options.origins, request, reply));
    addRoutes(app, options);
  });
}

function addRoutes(app: HttpApp, { desk, input, counters, publicStatus }: GuestRoutesOptions): void {
  const exchangeOf = (request: HttpRequest, reply: HttpReply): Exchange => new Exchange(request, reply, counters);
  app.route({
    method: ['GET', 'HEAD', 'PUT', 'DELETE'],
    url: PATH,
    handler: (request, reply) => {
      const exchange = exchangeOf(request, reply);
      const { algorithm, value } = request.params as { readonly algorithm: string; readonly value: string };
      const name = read(exchange, parseName(algorithm, value));
      const token = name === undefined ? undefined : read(exchange, parseToken(request.headers));
      if (name === undefined || token === undefined) return;
      if (request.method === 'PUT') put({ exchange, desk, input, counters, name, token });
      else if (request.method === 'DELETE') desk.ask(exchange, { kind: 'delete', name }, token);
      else {
        const bodyless = request.method === 'HEAD' || isKnown(request.headers, etagOf(name));
        desk.ask(exchange, { kind: 'get', name, bodyless }, token);
      }
    },
  });
  app.options(PATH, async (_request, reply) => reply.code(204).headers(PREFLIGHT).send());
  app.options('/status', async (_request, reply) => reply.code(204).headers(PREFLIGHT).send());
  app.route({
    method: ['POST', 'PATCH'],
    url: PATH,
    handler: (request, reply) => {
      const refusal = { reason: 'POLICY_DENIED', text: 'blocks do not change', status: 405 } as const;
      reply.header('allow', METHODS);
      exchangeOf(request, reply).refuse(refusal);
    },
  });
  app.get('/status', (request, reply) => {
    const exchange = exchangeOf(request, reply);
    const token = read(exchange, parseToken(request.headers));
    if (token === undefined) return;
    if (token === null) exchange.json(200, publicStatus(), { 'cache-control': 'no-store' });
    else desk.ask(exchange, { kind: 'status' }, token);
  });
  app.get('/', async (_request, reply) => reply.type('text/plain; charset=utf-8').send(WHAT_IS_HERE));
}

interface Put {
  readonly exchange: Exchange;
  readonly desk: GuestDesk;
  readonly input: (input: InsServerInput) => void;
  readonly counters: HttpCounters;
  readonly name: Uint8Array;
  readonly token: Uint8Array | null;
}

/** Announces a block, and takes its bytes when nothing speaks against it. */
function put({ exchange, desk, input, counters, name, token }: Put): void {
  const { headers, raw } = exchange.request;
  const length = parseLength(headers);
  if ('status' in length) {
    exchange.refuse({ reason: 'SIZE', ...LENGTH_PROBLEMS[length.status] });
    return;
  }
  const ttlSeconds = read(exchange, parseLife(headers));
  const mediaType = ttlSeconds === undefined ? undefined : read(exchange, parseMediaType(headers));
  const label = mediaType === undefined ? undefined : read(exchange, parseLabel(headers));
  if (ttlSeconds === undefined || mediaType === undefined || label === undefined) return;
  const sizeBytes = length.value;
  const call: GuestCall = { kind: 'put', name, sizeBytes, ttlSeconds, mediaType, label };
  const link = desk.ask(exchange, call, token);
  exchange.askForBody();
  let body: Buffer | undefined;
  let filled = 0;
  raw.on('data', (chunk: Buffer) => {
    counters.dataIn += chunk.length;
    if (exchange.answered) return;
    // Not before the first byte: whoever only announces takes no memory.
    body ??= Buffer.allocUnsafeSlow(sizeBytes);
    filled += chunk.copy(body, filled);
  });
  raw.once('end', () => {
    if (exchange.answered || body === undefined || filled < sizeBytes) return;
    const header = { request: 1, item: 0, kept: false, labelled: null };
    input({ kind: 'block', link, header, body });
  });
}

function read<T>(exchange: Exchange, parsed: Parsed<T>): T | undefined {
  if ('value' in parsed) return parsed.value;
  exchange.refuse({ reason: 'MALFORMED', text: parsed.problem });
  return undefined;
}

/** Pages from anywhere may use what needs no cookie, unless the operator names those that may. */
function admitPages(origins: readonly string[] | undefined, request: HttpRequest, reply: HttpReply): unknown {
  const { origin } = request.headers;
  reply.headers(EXPOSED);
  if (origins === undefined) return undefined;
  reply.header('vary', 'Origin');
  reply.removeHeader('access-control-allow-origin');
  if (origin === undefined) return undefined;
  if (!origins.includes(origin)) {
    const refusal = { reason: 'NOT_ALLOWED', text: 'pages from this origin may not use this server', retryAfterMs: 0 };
    return reply.code(403).send(refusal);
  }
  reply.header('access-control-allow-origin', origin);
  return undefined;
}

const LENGTH_PROBLEMS = {
  400: { status: 400, text: 'Content-Length is no length' },
  411: { status: 411, text: 'a block is put with its Content-Length, not in chunks' },
  413: { status: 413, text: `a block has 1 to ${BLOCK_BYTES_MAX} bytes` },
} as const;

const METHODS = 'GET, HEAD, PUT, DELETE, OPTIONS';
const PREFLIGHT = {
  'access-control-allow-methods': METHODS,
  // The wildcard does not cover Authorization (Fetch standard, 3.3.3).
  'access-control-allow-headers':
    'Authorization, Cache-Control, Content-Type, Expires-In, If-None-Match, If-Range, Range, INS-Collection, INS-Track, INS-Part, INS-Index',
  'access-control-max-age': '86400',
};
const EXPOSED = {
  'access-control-expose-headers':
    'Accept-Ranges, Age, Content-Length, Content-Range, Date, ETag, Location, Retry-After, WWW-Authenticate',
};

const WHAT_IS_HERE = `This is an inswarm INS server: storage in the network.
Programs speak to it over WebSocket; over HTTP there are:
  /.well-known/ni/blake3/<name>   GET, HEAD, PUT, DELETE a block
  /status                         figures of the server, or of a locker
  /healthz                        whether it takes requests
  /metrics                        figures for Prometheus, where the operator has them here
`;
