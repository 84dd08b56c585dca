import { unreachable } from '../../machine/machine.ts';
import { CONTROL_BYTES_MAX } from '../../protocol/limits.ts';
import { streamIdToText } from '../../protocol/names.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import type { InsServerEntry } from '../../protocol/swarm-fields.ts';
import { type FromTracker, toTrackerCodec } from '../../protocol/tracker-messages.ts';
import { drive } from '../../runtime/drive.ts';
import type { Log } from '../../runtime/log.ts';
import { nodeClock } from '../../runtime/node/clock.ts';
import { randomBytes, randomSeed, verifySignatureAside } from '../../runtime/node/crypto.ts';
import { hashOf } from '../../runtime/node/hash.ts';
import { createHttpServer } from '../../runtime/node/http.ts';
import type { Transport } from '../../runtime/node/transport.ts';
import type { Link, LinkCounters, LinkEvents } from '../../runtime/node/ws-link.ts';
import { acceptWebSockets } from '../../runtime/node/ws-server.ts';
import type { StreamReport, TrackerInput, TrackerOutput } from '../core/io.ts';
import { TRACKER_LIMITS } from '../core/limits.ts';
import { Tracker } from '../core/tracker.ts';
import { Encoder } from './encoder.ts';
import { servePages } from './pages.ts';
import { readRegionsFile } from './regions-file.ts';

export interface TrackerServerOptions {
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** INS servers to recommend besides those that sources announce; `region` may be empty. */
  readonly ins?: readonly InsServerEntry[];
  /** Table of address prefixes: one `CIDR region` a line. */
  readonly regionsFile?: string | undefined;
  /** The built player page. */
  readonly playerFolder?: string | undefined;
  /** What its connections are taken over; TCP by default. */
  readonly transport?: Transport;
  readonly log: Log;
  /** Connections held at once. Default 20,000. */
  readonly connectionsMax?: number;
  /** Connections from one address, loopback apart. Default 256: many viewers may share one behind a carrier's NAT. */
  readonly connectionsPerAddressMax?: number;
}

export interface TrackerStats {
  readonly connections: number;
  readonly streams: readonly StreamReport[];
  /** Bytes since the start: what WebSockets carried, without TCP/IP. */
  readonly traffic: LinkCounters;
}

export interface TrackerServer {
  /** `http://HOST:PORT`: the player page. */
  readonly url: string;
  /** `ws://HOST:PORT`: what sources and peers dial. */
  readonly wsUrl: string;
  stats(): TrackerStats;
  /** Ends all connections, within a second. */
  close(): Promise<void>;
}

/** A member that does not read its digests for so long is not kept. */
const BUFFERED_BYTES_MAX = 1_048_576;

/**
 * Starts a tracker: WebSockets for sources and peers, and HTTP for the player page, on one port.
 * @throws Error with a sentence for people when the port is taken or the regions file is wrong.
 */
export async function startTracker(options: TrackerServerOptions): Promise<TrackerServer> {
  const { log, regionsFile, playerFolder, host, port, transport } = options;
  const linksMax = options.connectionsMax ?? TRACKER_LIMITS.linksMax;
  const regions = regionsFile === undefined ? undefined : readRegionsFile(regionsFile);
  const core = new Tracker({
    seed: randomSeed(),
    insServers: options.ins ?? [],
    regionOf: (address) => regions?.regionOf(address),
    limits: { ...TRACKER_LIMITS, linksMax },
  });
  const links = new Map<number, Link>();
  const driven = drive<TrackerInput, TrackerOutput>(core, (output) => perform(output), nodeClock);
  const perform = performer(links, (input) => driven.input(input), log);

  const server = createHttpServer({
    port,
    connectionsMax: linksMax + 1_000,
    ...(host === undefined ? {} : { host }),
    ...(transport === undefined ? {} : { transport }),
  });
  servePages(server, { playerFolder, streams: () => core.streams(), linkCount: () => core.linkCount });
  let lastLink = 0;
  const acceptor = acceptWebSockets(
    server.raw,
    {
      path: '/',
      limits: { messageBytesMax: CONTROL_BYTES_MAX, bufferedBytesMax: BUFFERED_BYTES_MAX },
      linksMax,
      linksPerAddressMax: options.connectionsPerAddressMax ?? 256,
    },
    (link, { address }) => {
      const id = ++lastLink;
      links.set(id, link);
      driven.input({ kind: 'link-opened', link: id, address, nonce: randomBytes(32) });
      return eventsOf(id, links, (input) => driven.input(input));
    },
  );
  const address = await server.listen();
  return {
    url: address.url,
    wsUrl: address.url.replace('http:', 'ws:'),
    stats: () => ({ connections: core.linkCount, streams: core.streams(), traffic: acceptor.counters }),
    async close() {
      // First of all, so that the ends of the connections are no news to the connections that are left.
      driven.stop();
      await Promise.all([acceptor.close(), server.close()]);
    },
  };
}

function eventsOf(link: number, links: Map<number, Link>, input: (input: TrackerInput) => void): LinkEvents {
  return {
    control(bytes) {
      const decoded = toTrackerCodec.decode(bytes);
      if (!decoded.ok) input({ kind: 'violation', link, why: decoded.violation });
      else input({ kind: 'message', link, message: decoded.message });
    },
    block() {
      input({ kind: 'violation', link, why: 'a tracker takes no blocks' });
    },
    closed() {
      links.delete(link);
      input({ kind: 'link-closed', link });
    },
  };
}

/** Carries out what the core decides. */
function performer(
  links: ReadonlyMap<number, Link>,
  input: (input: TrackerInput) => void,
  log: Log,
): (output: TrackerOutput) => void {
  const encoder = new Encoder();
  const send = (id: number, message: FromTracker): void => {
    const link = links.get(id);
    try {
      link?.sendControl(encoder.encode(message));
    } catch (error) {
      // One member's message that cannot be sent must not end the tracker for all.
      log.error('a message cannot be sent', { type: message.type, error: (error as Error).message });
      link?.close(CLOSE.tooBig, 'the answer is too long');
    }
  };
  return (output) => {
    switch (output.kind) {
      case 'send':
        return send(output.link, output.message);
      case 'close':
        return links.get(output.link)?.close(output.code, output.why);
      case 'hash':
        return input({ kind: 'hashed', ref: output.ref, hash: hashOf(output.bytes) });
      case 'verify': {
        const { ref, key, signed, signature } = output;
        // Aside: a crowd that joins must not hold up the digests of those who are here. A link waits for one check at most.
        return verifySignatureAside(key, signed, signature, (ok) => input({ kind: 'verified', ref, ok }));
      }
      case 'stream': {
        const { stream, state, why } = output;
        return log.info(`stream ${state}`, { stream: streamIdToText(stream), ...(why === '' ? {} : { why }) });
      }
      case 'turned-away':
        return log.debug('turned away', { link: output.link, why: output.why });
      default:
        return unreachable(output);
    }
  };
}
