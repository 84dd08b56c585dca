import { setTimeout } from 'node:timers/promises';
import type { LinkId } from '../../machine/machine.ts';
import { decodeBlockFrame } from '../../protocol/frames.ts';
import { insClientCodec, insServerCodec } from '../../protocol/ins-messages.ts';
import { BLOCK_BYTES_MAX, BLOCK_FRAME_BYTES_MAX } from '../../protocol/limits.ts';
import { toBase64Url } from '../../protocol/text.ts';
import { drive } from '../../runtime/drive.ts';
import { type Log, silentLog } from '../../runtime/log.ts';
import { nodeClock, nowMs } from '../../runtime/node/clock.ts';
import { loadOrMakeKeyFile, makeKeyPair, randomBytes, randomSeed, verifySignature } from '../../runtime/node/crypto.ts';
import { hashKind, hasName } from '../../runtime/node/hash.ts';
import { createHttpServer } from '../../runtime/node/http.ts';
import type { Transport } from '../../runtime/node/transport.ts';
import { acceptWebSockets, isLoopback } from '../../runtime/node/ws-server.ts';
import { InsServer } from '../core/ins-server.ts';
import type { InsServerInput, InsServerLimits, InsServerOutput } from '../core/io.ts';
import { DRAIN_LOOK_MS, INS_SERVER_LIMITS } from '../core/limits.ts';
import { ClientLink } from './client-link.ts';
import type { HttpCounters } from './http/exchange.ts';
import { GuestDesk } from './http/guest-desk.ts';
import { addressGroup } from './http/parse.ts';
import { serveGuests } from './http/routes.ts';
import { type InsServerFigures, type MetricsPlace, serveHealth, startMetrics } from './metrics.ts';
import { dialRules, type RemotesPolicy } from './remotes-policy.ts';
import { StoreDesk } from './store-desk.ts';
import { memoryStore } from './stores/memory.ts';
import type { BlockStore } from './stores/store.ts';
import { UpstreamLinks } from './upstream-links.ts';

export interface InsServerConfig {
  /** Address to listen on. Default loopback. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** As others dial it; default the address listened on. */
  readonly publicUrl?: string;
  /** Where the server's key is kept; a new one for each run when left out. */
  readonly keyFile?: string;
  readonly limits?: Partial<InsServerLimits>;
  readonly remotes?: RemotesPolicy;
  /** Servers to which clients are sent when this one stops or has no room, each in its turn. */
  readonly otherServers?: readonly string[];
  /** Who may have a locker: everybody (default), or only whom one of the providers invites. */
  readonly registration?: 'open' | 'invitation';
  /** Ed25519 public keys of those whose invitations count. */
  readonly providers?: readonly Uint8Array[];
  /** Default: in memory. */
  readonly store?: BlockStore;
  /** Pages that may connect; all when left out. */
  readonly origins?: readonly string[];
  /** Default: here on a loopback address, off on others. */
  readonly metrics?: MetricsPlace;
  /** What its connections are made over, those of clients, HTTP's, and those to other servers; TCP by default. */
  readonly transport?: Transport;
  readonly log?: Log;
}

export interface RunningInsServer {
  /** `ws://HOST:PORT`, or what was given as public. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** 32 bytes: what tokens name. */
  readonly serverKey: Uint8Array;
  /** Where Prometheus finds figures, if anywhere. */
  readonly metricsUrl: string | undefined;
  stats(): InsServerFigures;
  /**
   * Tells all clients, lets what was acknowledged and queued arrive and puts on their way be answered, for the time that the
   * limits give it, and closes.
   */
  close(): Promise<void>;
}

/** Bytes that may wait for one client: its window of blocks, and the answers to what it asks. */
const BUFFERED_BYTES_MAX = 8 * 1024 * 1024;
/** Connections besides those of clients: HTTP's, those of other servers, and of clients that are told to go elsewhere. */
const OTHER_CONNECTIONS_MAX = 4_096;
/** Of these 64 may be WebSockets; the others are HTTP's, which come and go. */
const CONNECTIONS_PER_ADDRESS_MAX = 256;
/** Ms between two looks at who waits for the store. */
const STORE_LOOK_MS = 1_000;
/** The core gives up an upload after 30 s; this is for what goes wrong before or besides. */
const REQUEST_MS = 40_000;

/**
 * Starts an INS server.
 *
 * @throws Error with a sentence for people when the address is taken or the key file is not usable.
 */
export async function startInsServer(config: InsServerConfig): Promise<RunningInsServer> {
  const { host = '127.0.0.1', port, keyFile, log = silentLog } = config;
  const over = config.transport === undefined ? {} : { transport: config.transport };
  const keys = keyFile === undefined ? makeKeyPair() : loadOrMakeKeyFile(keyFile);
  const limits = { ...INS_SERVER_LIMITS, ...config.limits };
  const rules = dialRules(config.remotes ?? 'same-scope', host);
  const store = config.store ?? memoryStore();
  const durable = store.index !== undefined;
  const core = new InsServer({
    key: keys.publicKey,
    seed: randomSeed(),
    mayDial: rules.mayDial,
    isKnownServer: rules.isKnownServer,
    durable,
    startedAtMs: nodeClock.nowMs(),
    registration: config.registration ?? 'open',
    providers: config.providers ?? [],
    otherServers: config.otherServers ?? [],
    limits,
  });
  const links = new Map<LinkId, ClientLink>();
  const input = (given: InsServerInput): void => driven.input(given);
  const stored = new StoreDesk(store, input, log);
  const upstreams = new UpstreamLinks({ input, sign: keys.sign, rules, desk: stored, log, ...over });
  let lastLink = 0;

  const perform = (output: InsServerOutput): void => {
    switch (output.kind) {
      case 'send':
      case 'send-block':
      case 'close':
      case 'placed': {
        const client = links.get(output.link);
        if (client !== undefined) performFor(client, output);
        else desk.perform(output);
        return;
      }
      case 'verify': {
        const ok = verifySignature(output.key, output.signed, output.signature);
        driven.input({ kind: 'verified', ref: output.ref, ok });
        return;
      }
      case 'check-name': {
        const ok = hasName(output.body as Uint8Array, output.name);
        driven.input({ kind: 'named', ref: output.ref, ok });
        return;
      }
      case 'check-proof':
      case 'store':
      case 'file':
      case 'unfile':
      case 'drop':
        stored.perform(output);
        return;
      case 'upstream':
        upstreams.perform(output);
        return;
      case 'upstream-end':
        upstreams.end(output.upstream);
        return;
      case 'turned-away':
        log.warn('turned a client away', { link: output.link, why: output.why });
        return;
    }
  };

  const publicStatus = (): unknown => {
    const { links: clients, ...all } = core.stats();
    const { lockers, blocks, memoryBytes, diskBytes, follows, sentBlocks, sentBytes, putBlocks } = all;
    return {
      server: toBase64Url(keys.publicKey),
      url,
      clockMs: nowMs(),
      blockBytesMax: BLOCK_BYTES_MAX,
      memoryBytesMax: limits.memoryBytes,
      diskBytesMax: limits.diskBytes,
      ...{ clients, lockers, blocks, memoryBytes, diskBytes, follows, sentBlocks, sentBytes, putBlocks },
    };
  };

  const counters: HttpCounters = { requests: 0, dataIn: 0, dataOut: 0 };
  const desk = new GuestDesk({ input, nextLink: () => ++lastLink, load: (block) => store.load(block) });
  const driven = drive<InsServerInput, InsServerOutput>(core, perform, nodeClock);
  const watch = setInterval(() => {
    for (const [link, client] of [...links]) if (client.look()) input({ kind: 'loading', link });
  }, STORE_LOOK_MS);
  const failed = (error: unknown): never => {
    clearInterval(watch);
    desk.close();
    driven.stop();
    throw error;
  };
  const restoring = async (): Promise<void> => {
    for await (const entries of store.index?.restore(nodeClock.nowMs()) ?? []) input({ kind: 'restored', entries });
  };
  await restoring().catch(failed);
  const listenLimits = { messageBytesMax: BLOCK_FRAME_BYTES_MAX, bufferedBytesMax: BUFFERED_BYTES_MAX };
  const { origins } = config;
  const stats = (): InsServerFigures => ({
    ...core.stats(),
    clients: { ...acceptor.counters },
    http: { ...counters },
    memoryBytesMax: limits.memoryBytes,
    diskBytesMax: limits.diskBytes,
  });
  const server = createHttpServer({
    host,
    port,
    localProxies: true,
    requestTimeoutMs: REQUEST_MS,
    connectionsMax: limits.linksMax + OTHER_CONNECTIONS_MAX,
    connectionsPerAddressMax: CONNECTIONS_PER_ADDRESS_MAX,
    ...over,
  });
  serveGuests({ server, desk, input, counters, origins, publicStatus });
  const acceptor = acceptWebSockets(
    server.raw,
    { limits: listenLimits, ...(origins === undefined ? {} : { origins }) },
    (socket, { address }) => {
      const link = ++lastLink;
      const client = new ClientLink(socket, store, (header, block) => {
        driven.input({ kind: 'load-failed', link, header, block });
        if (socket.bufferedBytes === 0) driven.input({ kind: 'drained', link, leftBytes: 0 });
      });
      links.set(link, client);
      log.debug('a client connected', { link, address });
      // This machine's own address may be a proxy's: of those behind it none is to suffer for another.
      const origin = isLoopback(address) ? {} : { origin: addressGroup(address) };
      driven.input({ kind: 'link-opened', link, nonce: randomBytes(32), ...origin });
      return {
        control(bytes) {
          const decoded = insClientCodec.decode(bytes);
          if (!decoded.ok) driven.input({ kind: 'violation', link, why: decoded.violation });
          else if (decoded.message !== undefined) driven.input({ kind: 'message', link, message: decoded.message });
        },
        block(frame) {
          const decoded = decodeBlockFrame(frame);
          if (decoded === undefined) driven.input({ kind: 'violation', link, why: 'malformed block frame' });
          else driven.input({ kind: 'block', link, header: decoded.header, body: decoded.block });
        },
        drained(leftBytes) {
          if (!client.waiting) driven.input({ kind: 'drained', link, leftBytes });
        },
        closed(code, why) {
          links.delete(link);
          log.debug('a client left', { link, code, why });
          driven.input({ kind: 'link-closed', link });
        },
      };
    },
  );
  serveHealth(server, () => !core.stats().draining);
  const metrics = await startMetrics(config.metrics, server, host, stats).catch(failed);
  const address = await server.listen().catch(async (error: unknown) => {
    await metrics.close();
    return failed(error);
  });
  const url = config.publicUrl ?? address.url.replace('http:', 'ws:');
  const metricsUrl = metrics.url?.startsWith('/') === true ? address.url + metrics.url : metrics.url;
  log.info('listening', { url, blake3: hashKind, metrics: metricsUrl });

  return {
    url,
    host: address.host,
    port: address.port,
    serverKey: keys.publicKey,
    metricsUrl,
    stats,
    async close() {
      driven.input({ kind: 'stop' });
      // The core closes all links by its own deadline.
      for (let left = core.stats(); left.links + left.guests > 0; left = core.stats()) await setTimeout(DRAIN_LOOK_MS);
      await Promise.all([acceptor.close(), server.close(), metrics.close(), upstreams.closed()]);
      clearInterval(watch);
      desk.close();
      driven.stop();
      await store.close();
    },
  };
}

function performFor(
  client: ClientLink,
  output: Extract<InsServerOutput, { readonly kind: 'send' | 'send-block' | 'close' | 'placed' }>,
): void {
  if (output.kind === 'send') client.send(insServerCodec.encode(output.message));
  else if (output.kind === 'send-block') client.sendBlock(output.header, output.block);
  else if (output.kind === 'close') client.close(output.code, output.why);
}
