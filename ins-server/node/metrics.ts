import { REASONS, type Reason } from '../../protocol/reasons.ts';
import { createHttpServer, type HttpServer } from '../../runtime/node/http.ts';
import { Metrics } from '../../runtime/node/metrics.ts';
import type { LinkCounters } from '../../runtime/node/ws-link.ts';
import { isLoopback } from '../../runtime/node/ws-server.ts';
import type { InsServerStats } from '../core/io.ts';
import type { HttpCounters } from './http/exchange.ts';

/** What an INS server counts. */
export interface InsServerFigures extends InsServerStats {
  /** Bytes of the WebSockets of clients. */
  readonly clients: LinkCounters;
  readonly http: HttpCounters;
  readonly memoryBytesMax: number;
  /** Null where blocks are in memory. */
  readonly diskBytesMax: number | null;
}

/** Share of the blocks sent that did not have to be fetched from another server; 1 before the first. */
export function hitRatio({ sentBlocks, remoteBlocks }: InsServerStats): number {
  return sentBlocks === 0 ? 1 : Math.max(0, 1 - remoteBlocks / sentBlocks);
}

export function insServerMetrics(look: () => InsServerFigures): Metrics<InsServerFigures> {
  const reasons = Object.keys(REASONS) as Reason[];
  const metrics = new Metrics('inswarm_ins_', look);
  if (look().diskBytesMax !== null) {
    metrics
      .gauge('disk_bytes', 'Bytes of blocks on disk', ({ diskBytes }) => diskBytes)
      .gauge('disk_limit_bytes', 'Most that disk_bytes may be', ({ diskBytesMax }) => diskBytesMax ?? 0);
  }
  return metrics
    .gauge('serving', '1 while requests are taken', ({ draining }) => Number(!draining))
    .gauge('overloaded', '1 while more is wanted live than --bandwidth allows, and nobody new is let in', (look) =>
      Number(look.overloaded),
    )
    .gauge('links', 'WebSocket connections of clients and other servers', ({ links }) => links)
    .gauge('http_requests_open', 'HTTP requests that are being answered', ({ guests }) => guests)
    .gauge('accounts', 'Accounts known', ({ accounts }) => accounts)
    .gauge('lockers', 'Lockers with something in them, or in use', ({ lockers }) => lockers)
    .gauge('follows', 'Follows that run', ({ follows }) => follows)
    .gauge('upstreams', 'Other servers that are spoken to', ({ upstreams }) => upstreams)
    .gauge('blocks', 'Blocks kept, each once', ({ blocks }) => blocks)
    .gauge('memory_bytes', 'Bytes of blocks and what is kept about them', ({ memoryBytes }) => memoryBytes)
    .gauge('memory_limit_bytes', 'Most that memory_bytes may be', ({ memoryBytesMax }) => memoryBytesMax)
    .gauge('hit_ratio', 'Share of the blocks sent that were not fetched from another server', hitRatio)
    .counters('bytes_total', 'Bytes of blocks and control, without TCP/IP', 'direction', ({ clients, http }) => [
      ['in', clients.dataIn + clients.controlIn + http.dataIn],
      ['out', clients.dataOut + clients.controlOut + http.dataOut],
    ])
    .counter('http_requests_total', 'HTTP requests', ({ http }) => http.requests)
    .counter('sent_blocks_total', 'Blocks sent', ({ sentBlocks }) => sentBlocks)
    .counter('sent_bytes_total', 'Bytes of blocks sent', ({ sentBytes }) => sentBytes)
    .counter('put_blocks_total', 'Blocks put', ({ putBlocks }) => putBlocks)
    .counter('kept_blocks_total', 'Blocks filed in the lockers of those who asked for them', (look) => look.keptBlocks)
    .counter('remote_blocks_total', 'Blocks fetched from other servers', ({ remoteBlocks }) => remoteBlocks)
    .counter('remote_bytes_total', 'Bytes of blocks fetched from other servers', ({ remoteBytes }) => remoteBytes)
    .counter('remote_hits_total', 'Requests answered from what had been fetched before', ({ remoteHits }) => remoteHits)
    .counter('sent_away_total', 'Connections closed for want of room', ({ sentAway }) => sentAway)
    .counter('tokens_verified_total', 'Signatures of tokens checked', ({ tokensVerified }) => tokensVerified)
    .counters('refusals_total', 'Requests refused', 'reason', ({ refusedFor }) =>
      reasons.map((reason) => [reason, refusedFor.get(reason) ?? 0] as const),
    );
}

/** `/healthz`: whether requests are taken, for whoever sends them here. */
export function serveHealth({ app }: HttpServer, isServing: () => boolean): void {
  app.get('/healthz', async (_request, reply) => {
    const serving = isServing();
    return reply
      .code(serving ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ok: serving, state: serving ? 'serving' : 'draining' });
  });
}

/**
 * Where `/metrics` is: on the server's own port (`here`), nowhere, or on a port for it alone. Left to the server, it is on its
 * own port while that is for this machine only: figures of processor and memory are not for everybody whom a store is for.
 */
export type MetricsPlace = 'here' | 'off' | { readonly host: string; readonly port: number };

/** @returns Stops what was started. @throws Error with a sentence for people when the address is taken. */
export async function startMetrics(
  place: MetricsPlace | undefined,
  server: HttpServer,
  host: string,
  look: () => InsServerFigures,
): Promise<MetricsServer> {
  const where = place ?? (isLoopback(host) ? 'here' : 'off');
  if (where === 'off') return { url: undefined, close: async () => {} };
  const metrics = insServerMetrics(look);
  if (where === 'here') {
    serveMetrics(server, metrics);
    return { url: '/metrics', close: async () => {} };
  }
  const other = createHttpServer({ ...where, connectionsMax: METRICS_CONNECTIONS_MAX });
  serveMetrics(other, metrics);
  serveHealth(other, () => !look().draining);
  const { url } = await other.listen();
  return { url: `${url}/metrics`, close: () => other.close() };
}

export interface MetricsServer {
  /** The whole address, or the path on the server's own port; undefined where there is none. */
  readonly url: string | undefined;
  close(): Promise<void>;
}

const METRICS_CONNECTIONS_MAX = 64;

function serveMetrics({ app }: HttpServer, metrics: Metrics<InsServerFigures>): void {
  app.get('/metrics', async (_request, reply) => reply.type(Metrics.contentType).send(await metrics.text()));
}
