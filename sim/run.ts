import { InsServer } from '../ins-server/core/ins-server.ts';
import { INS_SERVER_LIMITS } from '../ins-server/core/limits.ts';
import { PLAYER_DEFAULTS, type PlayerOptions } from '../machine/player.ts';
import { Prng } from '../machine/prng.ts';
import { PeerCore, type PeerStats } from '../peer/core/peer.ts';
import type { InsServerEntry, Mode } from '../protocol/swarm-fields.ts';
import { SourceCore } from '../source-server/core/source.ts';
import { TRACKER_LIMITS } from '../tracker/core/limits.ts';
import { Tracker } from '../tracker/core/tracker.ts';
import { simHash } from './crypto.ts';
import { EventQueue } from './event-queue.ts';
import { type Host, Network } from './network.ts';
import type { World } from './node.ts';
import { SimInsServer } from './sim-ins-server.ts';
import { SimPeer } from './sim-peer.ts';
import { SimSource, type SimStream } from './sim-source.ts';
import { SimTracker } from './sim-tracker.ts';
import { Trace } from './trace.ts';

export interface SimOptions {
  readonly seed: string | number;
  readonly peers: number;
  /** One mode for all, or each peer's own by its number. */
  readonly mode: Mode | ((peer: number) => Mode);
  readonly seconds: number;
  /** The peers join within so many seconds after the stream began. */
  readonly joinFromMs?: number;
  readonly joinWithinMs?: number;
  readonly insServers?: number;
  /** How many of them the source feeds. */
  readonly insFed?: number;
  readonly stream?: SimStream;
  readonly sourceUpBps?: number;
  readonly peerUpBps?: number;
  readonly peerDownBps?: number;
  readonly insUpBps?: number;
  readonly follow?: boolean;
  readonly player?: PlayerOptions;
  /** How far the peers' clocks are ahead, in ms. */
  readonly peerSkewMs?: number;
  /** Largest block; default as the source's. */
  readonly blockBytes?: number;
  /** What happens during the run: each at its time after the start. */
  readonly events?: readonly { readonly atMs: number; run(sim: Simulation): void }[];
}

/** One-way delays in ms between four regions: US east, US west, Europe, Asia. */
export const FOUR_REGIONS: readonly (readonly number[])[] = [
  [5, 35, 40, 90],
  [35, 5, 70, 60],
  [40, 70, 5, 110],
  [90, 60, 110, 5],
];

/** What the regions are called where servers and peers say where they are. */
const REGION_NAMES = ['us-east', 'us-west', 'eu', 'asia'] as const;

const START_MS = 1_767_225_600_000;
const MBPS = 1_000_000;
const STREAM: SimStream = { bps: MBPS, partMs: 250, partsPerSegment: 4 };
const TRACKER_URL = 'ws://tracker:1';

/** A whole swarm under virtual time: every core that ships, nothing mocked inside them. */
export class Simulation {
  readonly trace = new Trace();
  readonly source: SimSource;
  readonly tracker: SimTracker;
  readonly insServers: SimInsServer[] = [];
  readonly peers: SimPeer[] = [];
  private readonly events = new EventQueue(START_MS);
  private readonly network = new Network(this.events, FOUR_REGIONS);
  private readonly world: World;
  private readonly options: SimOptions;
  private readonly prng: Prng;
  private readonly streamId: Uint8Array;
  private nodes = 0;

  constructor(options: SimOptions) {
    this.options = options;
    this.prng = new Prng(options.seed);
    this.world = { events: this.events, network: this.network, trace: this.trace, listeners: new Map() };
    const root = this.prng.fork('root').bytes(32);
    this.streamId = simHash(root);
    this.tracker = this.makeTracker();
    const servers = options.insServers ?? 2;
    for (let at = 0; at < servers; at++) this.insServers.push(this.makeInsServer(at));
    this.source = this.makeSource(root);
  }

  /** Runs to the end and says what came of it. */
  run(): SimReport {
    const { seconds, peers, joinFromMs = 3_000, joinWithinMs = 2_000, events = [] } = this.options;
    const arrivals = this.prng.fork('arrivals');
    this.events.at(START_MS + 1, () => this.source.start());
    for (let at = 0; at < peers; at++) {
      this.events.at(START_MS + joinFromMs + arrivals.unit() * joinWithinMs, () => this.join(at));
    }
    for (const { atMs, run } of events) this.events.at(START_MS + atMs, () => run(this));
    const count = this.events.runUntil(START_MS + seconds * 1000);
    return report(this, count, this.events.nowMs);
  }

  get nowMs(): number {
    return this.events.nowMs;
  }

  /** Adds a peer now. */
  join(at: number): SimPeer {
    const prng = this.prng.fork(`peer ${at}`);
    const { mode, peerUpBps = 4 * MBPS, peerDownBps = 20 * MBPS, follow = true } = this.options;
    const own = typeof mode === 'function' ? mode(at) : mode;
    const host = this.host(prng.int(0, 4), peerUpBps, peerDownBps);
    const region = REGION_NAMES[host.options.region]!;
    const key = prng.bytes(32);
    const url = `ws://peer-${at}:1`;
    const player = this.options.player ?? PLAYER_DEFAULTS;
    const options = {
      stream: this.streamId,
      key,
      trackerUrl: TRACKER_URL,
      mode: own,
      url,
      region,
      follow,
      player,
      prng,
    };
    const peer = new SimPeer(this.world, ++this.nodes, host, new PeerCore(options), key);
    this.world.listeners.set(url, peer);
    this.peers.push(peer);
    peer.skewMs = this.options.peerSkewMs ?? 0;
    peer.input({ kind: 'start' });
    return peer;
  }

  private makeTracker(): SimTracker {
    const core = new Tracker({
      seed: this.prng.fork('tracker').u32(),
      insServers: Array.from({ length: this.options.insServers ?? 2 }, (_, at) => insEntry(at)),
      regionOf: () => undefined,
      limits: TRACKER_LIMITS,
    });
    const tracker = new SimTracker(this.world, ++this.nodes, this.host(0, 1000 * MBPS, 1000 * MBPS), core);
    this.world.listeners.set(TRACKER_URL, tracker as never);
    return tracker;
  }

  private makeInsServer(at: number): SimInsServer {
    const key = this.prng.fork(`ins ${at}`).bytes(32);
    const core = new InsServer({
      key,
      seed: at,
      mayDial: () => true,
      isKnownServer: () => true,
      startedAtMs: 0,
      limits: INS_SERVER_LIMITS,
    });
    const bps = this.options.insUpBps ?? 1000 * MBPS;
    const server = new SimInsServer(this.world, ++this.nodes, this.host(at % REGION_NAMES.length, bps, bps), core, key);
    this.world.listeners.set(insUrl(at), server as never);
    return server;
  }

  private makeSource(root: Uint8Array): SimSource {
    const prng = this.prng.fork('source');
    const signing = prng.bytes(32);
    const fed = Math.min(this.options.insFed ?? 1, this.insServers.length);
    const core = new SourceCore({
      stream: this.streamId,
      rootKey: root,
      signingKey: signing,
      title: 'simulated',
      trackerUrl: TRACKER_URL,
      insServers: Array.from({ length: fed }, (_, at) => insEntry(at)),
      url: 'ws://source:1',
      hlsUrl: null,
      ...(this.options.blockBytes === undefined ? {} : { blockBytes: this.options.blockBytes }),
      prng,
    });
    const up = this.options.sourceUpBps ?? 20 * MBPS;
    const stream = this.options.stream ?? STREAM;
    const source = new SimSource(this.world, ++this.nodes, this.host(0, up, up), core, { root, signing }, stream);
    this.world.listeners.set('ws://source:1', source as never);
    return source;
  }

  private host(region: number, upBps: number, downBps: number): Host {
    return this.network.host({ region, upBps, downBps, dialable: true });
  }
}

function insUrl(at: number): string {
  return `ws://ins-${at}:1`;
}

function insEntry(at: number): InsServerEntry {
  return { url: insUrl(at), region: REGION_NAMES[at % REGION_NAMES.length]! };
}

export interface SimReport {
  readonly traceHash: string;
  readonly events: number;
  readonly peers: readonly PeerStats[];
  readonly started: number;
  readonly startupDelayMs: { readonly p50: number; readonly p95: number; readonly max: number };
  readonly freezes: number;
  readonly frozenMs: number;
  readonly missedRate: number;
  readonly liveLatencyMs: { readonly p50: number; readonly p95: number };
  /** Block bytes (with frame headers) that peers sent. */
  readonly peerDataSentBytes: number;
  readonly peerControlBps: number;
  readonly sourceCopies: number;
  readonly bytesFrom: { readonly ins: number; readonly peers: number; readonly source: number };
  readonly bad: number;
}

function report(sim: Simulation, events: number, nowMs: number): SimReport {
  const peers = sim.peers.map((peer) => peer.core.stats(nowMs));
  const startups = peers.flatMap((peer) => (peer.startupDelayMs === null ? [] : [peer.startupDelayMs]));
  const latencies = peers.flatMap((peer) => (peer.latencyMs === null ? [] : [peer.latencyMs]));
  const sum = (pick: (peer: PeerStats) => number) => peers.reduce((total, peer) => total + pick(peer), 0);
  const due = sum((peer) => peer.dueBlocks);
  const seconds = (nowMs - START_MS) / 1000;
  const control = sim.peers.reduce((total, peer) => total + peer.controlSentBytes, 0);
  return {
    traceHash: sim.trace.hash,
    events,
    peers,
    started: startups.length,
    startupDelayMs: { p50: quantile(startups, 0.5), p95: quantile(startups, 0.95), max: quantile(startups, 1) },
    freezes: sum((peer) => peer.freezes),
    frozenMs: sum((peer) => peer.frozenMs),
    missedRate: due === 0 ? 0 : sum((peer) => peer.missedBlocks) / due,
    liveLatencyMs: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95) },
    peerDataSentBytes: sim.peers.reduce((total, peer) => total + peer.dataSentBytes, 0),
    peerControlBps: (control * 8) / seconds / Math.max(1, sim.peers.length),
    sourceCopies: sim.source.dataSentBytes / Math.max(1, sim.source.mediaBytes),
    bytesFrom: {
      ins: sum((peer) => peer.bytesFrom.ins),
      peers: sum((peer) => peer.bytesFrom.peers),
      source: sum((peer) => peer.bytesFrom.source),
    },
    bad: sum((peer) => peer.bad),
  };
}

/** The value below which a share of the values lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
