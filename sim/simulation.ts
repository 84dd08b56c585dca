import { InsServer } from '../ins-server/core/ins-server.ts';
import { INS_SERVER_LIMITS } from '../ins-server/core/limits.ts';
import { PLAYER_DEFAULTS } from '../machine/player.ts';
import { Prng } from '../machine/prng.ts';
import type { MakeMesh } from '../peer/core/mesh.ts';
import { neighbourMesh } from '../peer/core/neighbour-mesh.ts';
import { PeerCore } from '../peer/core/peer.ts';
import { renditionRule } from '../peer/core/rendition-rule.ts';
import { BLOCK_BYTES_DEFAULT } from '../protocol/limits.ts';
import type { InsServerEntry, Mode } from '../protocol/swarm-fields.ts';
import type { ViewerFigures } from '../report/viewers.ts';
import type { Counted } from '../scenarios/measures/figures.ts';
import { type Sample, Sampling } from '../scenarios/measures/sampling.ts';
import { viewersOf } from '../scenarios/measures/viewers.ts';
import type { Visit } from '../scenarios/plan/arrivals.ts';
import { INS_BANDWIDTH_SHARE, insBpsOf, planRun, type RunPlan, upBpsOf } from '../scenarios/plan/plan.ts';
import { MBPS } from '../scenarios/plan/scenario.ts';
import { SourceCore } from '../source-server/core/source.ts';
import { TRACKER_LIMITS } from '../tracker/core/limits.ts';
import { Tracker } from '../tracker/core/tracker.ts';
import { sharedRecords, simHash } from './crypto.ts';
import { EventQueue } from './event-queue.ts';
import { happen, type Stage } from './happenings.ts';
import type { Host } from './host.ts';
import { type CheckedRun, Invariants, type Watched } from './invariants.ts';
import { Network } from './network.ts';
import type { World } from './node.ts';
import { PutLedger } from './put-ledger.ts';
import { resultOf, type SimResult } from './result.ts';
import { type RunOptions, type SimStay, START_MS } from './run.ts';
import { SimInsServer } from './sim-ins-server.ts';
import { SimPeer } from './sim-peer.ts';
import { SimSource } from './sim-source.ts';
import { SimTracker } from './sim-tracker.ts';
import { accountOf } from './stay-account.ts';
import { Trace } from './trace.ts';

export interface SimOptions extends RunOptions {
  /** Messages travel as bytes, as in reality; slower, and the trace is the same. */
  readonly checksWire?: boolean;
  /** What else happens during the run: each at its time after the start. */
  readonly events?: readonly { readonly atMs: number; run(sim: Simulation): void }[];
}

const TRACKER_URL = 'ws://tracker:1';
const SOURCE_URL = 'ws://source:1';
/** How long a peer that leaves has for its good-byes. */
const LEAVING_MS = 2_000;

/**
 * A whole swarm under virtual time: every core that ships, nothing mocked inside them. It is built, then run in slices of any length;
 * what happens is a function of the options alone, not of the slices.
 */
export class Simulation implements CheckedRun, Stage {
  readonly trace = new Trace();
  readonly source: SimSource;
  tracker: SimTracker;
  readonly insServers: SimInsServer[] = [];
  readonly stays: SimStay[] = [];
  readonly options: SimOptions;
  readonly plan: RunPlan;
  /** Events run so far. */
  eventCount = 0;
  private readonly events = new EventQueue(START_MS);
  readonly network: Network;
  private readonly world: World;
  private readonly prng: Prng;
  private readonly streamId: Uint8Array;
  private readonly readRecord = sharedRecords();
  private readonly sampling = new Sampling();
  private readonly invariants: Invariants;
  /** By INS server, one for each time it was started. */
  readonly ledgers: PutLedger[][] = [];
  private readonly hosts = new Map<number, Host>();
  private nodes = 0;

  constructor(options: SimOptions) {
    this.options = options;
    const { scenario, seed } = options;
    this.plan = planRun(options);
    this.prng = new Prng(seed);
    this.network = new Network(this.events, scenario.regions.delaysMs);
    const { checksWire = false } = options;
    this.world = { events: this.events, network: this.network, trace: this.trace, listeners: new Map(), checksWire };
    const root = this.prng.fork('root').bytes(32);
    this.streamId = simHash(root);
    this.tracker = this.makeTracker();
    for (let at = 0; at < scenario.insServers; at++) this.insServers.push(this.makeInsServer(at));
    this.source = this.makeSource(root);
    this.invariants = new Invariants(this, options.blockBytes ?? BLOCK_BYTES_DEFAULT);
    this.schedule();
  }

  get nowMs(): number {
    return this.events.nowMs;
  }

  /** Virtual ms since the run's start. */
  get elapsedMs(): number {
    return this.events.nowMs - START_MS;
  }

  get over(): boolean {
    return this.elapsedMs >= this.plan.seconds * 1000;
  }

  /** Those who are or were there, in order of their coming. */
  get peers(): SimPeer[] {
    return this.stays.map(({ peer }) => peer);
  }

  /** Lets virtual time pass until so many ms after the start, at most to the end. */
  runUntil(atMs: number): void {
    this.eventCount += this.events.runUntil(START_MS + Math.min(atMs, this.plan.seconds * 1000));
  }

  /** Runs to the end and says what came of it. */
  run(): SimResult {
    this.runUntil(this.plan.seconds * 1000);
    return this.result();
  }

  /** What came of it so far. */
  result(): SimResult {
    return resultOf(this, this.counted(), this.invariants);
  }

  /** What came of each stay so far. */
  viewers(): ViewerFigures[] {
    return viewersOf(this.counted().stays, this.sampling);
  }

  private counted(): Counted {
    const { plan, elapsedMs, sampling, source, options } = this;
    const { player = PLAYER_DEFAULTS, blockBytes = BLOCK_BYTES_DEFAULT } = options;
    const stays = this.stays.map((stay) => accountOf(stay, this));
    return { plan, player: { startBufferMs: player.startBufferMs, blockBytes }, elapsedMs, stays, sampling, source };
  }

  /** Adds a viewer now, outside of what was planned. */
  join(viewer: number): SimPeer {
    const joinAtMs = this.elapsedMs;
    const leaveAtMs = Number.POSITIVE_INFINITY;
    return this.enter({ viewer, again: 0, joinAtMs, leaveAtMs, crashes: false }).peer;
  }

  /** Adds a program of somebody else's making, near the source. */
  attach<T>(make: (world: World, id: number, host: Host) => T): T {
    return make(this.world, ++this.nodes, this.serverHost(0, 1000 * MBPS));
  }

  get servers(): readonly Watched[] {
    return [this.source, this.tracker, ...this.insServers];
  }

  takeBrokenPuts(): string[] {
    return this.ledgers.flatMap((ledgers, at) =>
      ledgers.flatMap((ledger) => ledger.broken.splice(0).map((what) => `INS server ${at}: ${what}`)),
    );
  }

  private look(): void {
    this.sampling.sample(this.stays.map((stay) => sampleOf(stay, this.nowMs)));
    this.invariants.check();
  }

  private schedule(): void {
    const at = (atMs: number, run: () => void) => this.events.at(START_MS + atMs, run);
    at(1, () => this.source.start());
    for (const visit of this.plan.visits) at(visit.joinAtMs, () => this.stay(visit));
    for (const [number, happening] of this.plan.happenings.entries()) {
      at(happening.atMs, () => happen(happening, this, this.prng.fork(`happening ${number}`)));
    }
    for (const { atMs, run } of this.options.events ?? []) at(atMs, () => run(this));
    for (let second = 1; second <= this.plan.seconds; second++) at(second * 1000, () => this.look());
  }

  private stay(visit: Visit): void {
    const stay = this.enter(visit);
    if (visit.leaveAtMs === Number.POSITIVE_INFINITY) return;
    this.events.at(START_MS + visit.leaveAtMs, () => this.leave(stay, visit.crashes));
  }

  private enter(visit: Visit): SimStay {
    const { viewer, again } = visit;
    const { regions } = this.options.scenario;
    const prng = this.prng.fork(`peer ${viewer} ${again}`);
    const host = this.hostOf(viewer);
    const key = prng.bytes(32);
    const mode = this.plan.modeOf(viewer);
    const url = host.options.dialable ? `ws://peer-${viewer}-${again}:1` : null;
    const core = new PeerCore({
      stream: this.streamId,
      key,
      trackerUrl: TRACKER_URL,
      mode,
      mesh: this.meshAtOnce(host, mode),
      url,
      region: regions.names[host.options.region]!,
      // A browser in INS mode shows its address to nobody.
      dialsNeighbours: host.options.dialable || mode !== 'ins',
      follow: this.options.follow ?? true,
      insServers: this.options.knowInsServers === true ? [this.insNear(host.options.region)] : [],
      rangeTokens: this.options.rangeTokens ?? true,
      batches: this.options.batches ?? true,
      insConnections: this.options.insConnections ?? 1,
      player: this.options.player ?? PLAYER_DEFAULTS,
      quality: this.options.quality?.(viewer) ?? 'all',
      ...(this.options.choiceLater === true ? {} : { choice: renditionRule }),
      readRecord: this.readRecord,
      prng,
    });
    const peer = new SimPeer(this.world, ++this.nodes, host, core, key, this.source.parts);
    peer.keepsParts = this.options.keepsParts === true;
    if (url !== null) this.world.listeners.set(url, peer as never);
    const stay = { visit, peer, joinedAtMs: this.nowMs, leftAtMs: Number.POSITIVE_INFINITY };
    this.stays.push(stay);
    const { clocksOffMs } = this.options.scenario;
    peer.skewMs = (this.options.peerSkewMs ?? 0) + (2 * this.prng.fork(`clock ${viewer}`).unit() - 1) * clocksOffMs;
    peer.input({ kind: 'start' });
    return stay;
  }

  /** A page that takes no block from neighbours loads nothing that it takes to ask them. */
  private meshAtOnce({ options }: Host, mode: Mode): MakeMesh | null {
    const isNever = mode === 'ins' && !options.dialable;
    return isNever || (mode === 'hybrid' && this.options.meshLater === true) ? null : neighbourMesh;
  }

  leave(stay: SimStay, crashes: boolean): void {
    if (!stay.peer.alive || stay.leftAtMs <= this.nowMs) return;
    stay.leftAtMs = this.nowMs;
    if (!crashes) stay.peer.input({ kind: 'stop' });
    this.events.at(this.nowMs + (crashes ? 0 : LEAVING_MS), () => stay.peer.kill());
  }

  restartIns(server: number): void {
    this.insServers[server] = this.makeInsServer(server);
  }

  restartTracker(): void {
    this.tracker = this.makeTracker();
  }

  private hostOf(viewer: number): Host {
    const known = this.hosts.get(viewer);
    if (known !== undefined) return known;
    const downBps = this.options.downBps?.(viewer) ?? this.options.scenario.downBps;
    const upBps = upBpsOf(this.plan, viewer);
    // Viewers beyond those that were planned are where their number puts them.
    const region = this.plan.regions[viewer] ?? viewer % this.options.scenario.regions.names.length;
    const host = this.network.host({ region, upBps, downBps, dialable: !this.plan.browsers.has(viewer) });
    this.hosts.set(viewer, host);
    return host;
  }

  private makeTracker(): SimTracker {
    const core = new Tracker({
      seed: this.prng.fork('tracker').u32(),
      insServers: Array.from({ length: this.options.scenario.insServers }, (_, at) => this.insEntry(at)),
      regionOf: () => undefined,
      limits: TRACKER_LIMITS,
    });
    const tracker = new SimTracker(this.world, ++this.nodes, this.serverHost(0, 1000 * MBPS), core);
    this.world.listeners.set(TRACKER_URL, tracker as never);
    return tracker;
  }

  private makeInsServer(at: number): SimInsServer {
    const key = this.prng.fork(`ins ${at}`).bytes(32);
    const { scenario } = this.options;
    const bps = insBpsOf(this.plan);
    const core = new InsServer({
      key,
      seed: at,
      mayDial: () => true,
      isKnownServer: () => true,
      startedAtMs: this.nowMs === START_MS ? 0 : this.nowMs,
      limits: {
        ...INS_SERVER_LIMITS,
        bandwidthBps: bps * INS_BANDWIDTH_SHARE,
        closesWhenOverloaded: false,
        connectionsPerAccount: this.options.insConnections ?? INS_SERVER_LIMITS.connectionsPerAccount,
      },
    });
    const ledger = new PutLedger(core);
    this.ledgers[at] = [...(this.ledgers[at] ?? []), ledger];
    const region = at % scenario.regions.names.length;
    const server = new SimInsServer(
      this.world,
      ++this.nodes,
      this.serverHost(region, bps, this.options.cutThrough),
      ledger,
      key,
    );
    this.world.listeners.set(insUrl(at), server as never);
    return server;
  }

  private makeSource(root: Uint8Array): SimSource {
    const { scenario, blockBytes } = this.options;
    const prng = this.prng.fork('source');
    const signing = prng.bytes(32);
    const core = new SourceCore({
      stream: this.streamId,
      rootKey: root,
      signingKey: signing,
      title: 'simulated',
      trackerUrl: TRACKER_URL,
      insServers: Array.from({ length: this.plan.fed }, (_, at) => this.insEntry(at)),
      url: SOURCE_URL,
      hlsUrl: null,
      ...(blockBytes === undefined ? {} : { blockBytes }),
      prng,
    });
    const host = this.serverHost(0, this.plan.sharedOut.sourceBps);
    const source = new SimSource(this.world, ++this.nodes, host, core, { root, signing }, scenario.stream);
    this.world.listeners.set(SOURCE_URL, source as never);
    return source;
  }

  private insNear(region: number): InsServerEntry {
    const { insServers } = this.options.scenario;
    return this.insEntry(region % insServers);
  }

  private insEntry(at: number): InsServerEntry {
    const { names } = this.options.scenario.regions;
    return { url: insUrl(at), region: names[at % names.length]! };
  }

  private serverHost(region: number, bps: number, cutThrough = false): Host {
    return this.network.host({ region, upBps: bps, downBps: bps, dialable: true, cutThrough });
  }
}

function insUrl(at: number): string {
  return `ws://ins-${at}:1`;
}

function sampleOf({ peer, leftAtMs }: SimStay, nowMs: number): Sample {
  const { state, bufferMs, latencyMs, bytesFrom } = peer.core.stats(nowMs + peer.skewMs);
  const own = latencyMs === null ? null : latencyMs - peer.skewMs;
  return { state, bufferMs, latencyMs: own, bytesFrom, usefulBytes: peer.usefulBytes, here: leftAtMs > nowMs };
}
