import { join } from 'node:path';
import { Prng } from '../../../machine/prng.ts';
import type { InsServerEntry } from '../../../protocol/swarm-fields.ts';
import { toBase64Url } from '../../../protocol/text.ts';
import { nowMs } from '../../../runtime/node/clock.ts';
import { loadOrMakeKeyFile } from '../../../runtime/node/crypto.ts';
import type { Visit } from '../../../scenarios/plan/arrivals.ts';
import type { RunPlan } from '../../../scenarios/plan/plan.ts';
import type { FromAgent, KernelFindings } from '../agent/messages.ts';
import { type FromWorker, type ProgramSpec, placeOf, type ToWorker } from '../agent/programs.ts';
import type { Flow, Host, HostCounts, LinkCounts, LinkOrder } from '../links/links.ts';
import type { AgentLink } from './agents.ts';
import { Awaited } from './awaited.ts';
import { type Deed, deedsOf, throttled } from './happen.ts';
import { type Layout, layoutOf, type WorkerSpec } from './layout.ts';
import { type AskPorts, dealt, type Shared, withOneAddressEach } from './one-address-each.ts';
import { Record } from './record.ts';
import { Seconds } from './seconds.ts';

export interface ProcessRunConfig {
  readonly plan: RunPlan;
  /** The first has the servers, and the viewers where it is alone. */
  readonly agents: readonly AgentLink[];
  readonly links: 'namespaces' | 'buckets';
  /** The first half of all addresses. */
  readonly addresses: string;
  readonly viewersPerWorker: number;
  /** How many viewers are players in real browsers, and how many have a plain player beside them. */
  readonly browsers: number;
  readonly witnesses: number;
  /** What the source broadcasts, as `--input` takes it. */
  readonly input: string;
  /** For keys. */
  readonly folder: string;
  readonly told: RunListener;
}

/** Hears how a run goes. */
export interface RunListener {
  /** What is being done before it begins. */
  preparing(text: string): void;
  /** At the end of each second, when all have said how they are. */
  second(run: ProcessRun): void;
  /** Something that people should know. */
  notice(text: string): void;
}

/** What was seen on the wire since the start: by address, and by sender and receiver. */
export interface SeenCounts {
  readonly hosts: Map<string, HostCounts>;
  readonly flows: Map<string, Flow>;
}

const READY_WITHIN_MS = 60_000;
/** A source that has to start ffmpeg. */
const ON_AIR_WITHIN_MS = 30_000;
/** Orders are sent ahead of their time, so that none is late for being on its way. */
const AHEAD_MS = 400;
/** Who has not said how it is by then is as it was. */
const SAMPLE_WITHIN_MS = 850;
const CLEAR_WITHIN_MS = 15_000;
const ENDED_WITHIN_MS = 10_000;
const LOOK_MS = 40;

type Rates = Pick<Host, 'upBps' | 'downBps'>;

/** One scenario in one mode, by real processes over real sockets. Build it, let it hear its agents, run it. */
export class ProcessRun {
  readonly config: ProcessRunConfig;
  layout: Layout;
  readonly record: Record;
  readonly seconds: Seconds;
  /** Stays that ended without a word. */
  readonly crashed = new Set<string>();
  /** How links are made, as the agents say. */
  linksAre = '';
  /** What programs and kernel counted at the end, one for each agent that could say. */
  readonly kernel: KernelFindings[] = [];
  readonly seen: SeenCounts = { hosts: new Map(), flows: new Map() };
  /** By viewer: the share of its rates that it has. */
  readonly throttledTo = new Map<number, number>();
  /** Up to here it was measured, in ms after its start: to its end, unless it was ended early. */
  measuredMs = 0;
  /** Addresses of servers that are dead. */
  readonly dead = new Set<string>();
  private readonly plan: RunPlan;
  /** Viewers in real browsers, and those with a player beside them. */
  private readonly browsers: ReadonlySet<number>;
  private readonly witnessed: ReadonlySet<number>;
  private readonly awaited = new Awaited();
  private readonly agentOf = new Map<string, AgentLink>();
  private readonly workerOf = new Map<string, string>();
  private readonly alive = new Set<string>();
  /** Workers that were killed on purpose. */
  private readonly killed = new Set<string>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly stopper = new AbortController();
  /** Ends of all that runs, by agent. */
  private readonly cleared = new Awaited();
  private readonly gone = new Set<AgentLink>();
  private failure: Error | undefined;
  /** Machines have one address each. */
  private isShared = false;
  private clearing = false;
  /** By address of a server: its deaths and returns, one after the other. */
  private readonly turns = new Map<string, Promise<void>>();
  /** By address: rates that are not those of the plan. */
  private readonly rates = new Map<string, Rates>();
  /** Stays that were told to end. */
  private readonly leaving = new Set<string>();
  private startMs = 0;
  private stream = '';
  /** By viewer: its stays so far. */
  private readonly stays = new Map<number, number>();
  private sampling = { at: -1, waiting: new Set<string>() };
  constructor(config: ProcessRunConfig) {
    const { plan } = config;
    this.config = config;
    this.plan = plan;
    this.seconds = new Seconds(config.agents.map((agent) => ({ name: machineName(agent), cpus: agent.machine.cpus })));
    this.browsers = inBrowsers(plan, config.browsers);
    const headless = [...Array(plan.peers).keys()].filter((viewer) => !this.browsers.has(viewer));
    this.witnessed = new Set(headless.slice(0, config.witnesses));
    this.layout = layoutOf(plan, config.addresses, config.viewersPerWorker, this.browsers);
    this.record = new Record(plan, new Set([...plan.browsers, ...this.browsers]));
    this.deal();
  }

  /** Puts hosts where machines have one address each; before anybody looks. */
  async share(machines: readonly Shared[], ask: AskPorts): Promise<void> {
    this.layout = await withOneAddressEach(this.layout, machines, ask);
    this.isShared = true;
    this.deal();
  }

  /** Ms since the source's start; negative before. */
  get elapsedMs(): number {
    return this.startMs === 0 ? -1 : nowMs() - this.startMs;
  }

  /**
   * From nothing to nothing: everything that it starts is gone when it returns, or throws.
   *
   * @throws Error with one sentence where it came to nothing.
   */
  async run(): Promise<void> {
    try {
      await this.prepare();
      await this.broadcast();
      await this.play();
      await this.lastLook();
    } finally {
      for (const timer of this.timers) clearTimeout(timer);
      await this.clear();
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** Ends it early; what was seen counts. */
  end(): void {
    this.stopper.abort();
  }

  /** All is off: it comes to nothing, for the first reason that was told. */
  giveUp(why: string): void {
    if (this.clearing) return;
    this.failure ??= new Error(why);
    this.awaited.giveUp(this.failure);
    this.stopper.abort();
  }

  /** An agent is not there any more: nobody waits for it. */
  lost(agent: AgentLink, why: string): void {
    this.gone.add(agent);
    this.giveUp(why);
    this.cleared.came(`cleared ${agent.number}`);
  }

  heard(agent: AgentLink, message: FromAgent): void {
    switch (message.say) {
      case 'ground':
        this.linksAre = message.are;
        this.awaited.came(`ground ${agent.number}`);
        return;
      case 'trouble':
        this.giveUp(message.why);
        return;
      case 'worker':
        this.heardWorker(agent, message.worker, message.message);
        return;
      case 'ended':
        this.ended(message.worker, message.how);
        return;
      case 'sample':
        this.heardAgent(agent, message);
        return;
      case 'counts':
        this.count(message.counts);
        return;
      case 'kernel':
        this.kernel.push(message.found);
        this.awaited.came(`kernel ${agent.number}`);
        return;
      case 'cleared':
        this.cleared.came(`cleared ${agent.number}`);
        return;
      case 'notice':
        this.config.told.notice(message.text);
        return;
      case 'hello':
      case 'ports':
        return;
    }
  }

  /** A viewer comes, or comes back, now. */
  enter(viewer: number): void {
    if (this.isHere(viewer) || this.layout.viewers[viewer] === undefined) return;
    const again = this.stays.get(viewer) ?? 0;
    const visit = { viewer, again, joinAtMs: this.elapsedMs, leaveAtMs: Number.POSITIVE_INFINITY, crashes: false };
    this.join(visit, null);
  }

  leave(viewer: number, crashes: boolean): void {
    const stay = this.stayOf(viewer);
    if (stay === undefined) return;
    this.stopViewer(stay.id, viewer, crashes);
  }

  throttle(viewer: number, to: number): void {
    const host = this.layout.viewers[viewer];
    if (host === undefined) return;
    this.throttledTo.set(viewer, to);
    this.link(throttled(host, to));
  }

  killServer(host: Host): void {
    const worker = this.workerOf.get(host.address);
    if (worker === undefined || this.dead.has(host.address)) return;
    this.dead.add(host.address);
    this.inTurn(host, async () => {
      if (!this.alive.has(worker)) return;
      this.killed.add(worker);
      this.agentOf.get(worker)!.send({ say: 'kill', worker });
      await this.awaited.until(`ended ${worker}`, `the end of ${worker}`, ENDED_WITHIN_MS);
    });
  }

  /** It comes back where it was, with the rates that it has by now. */
  startServer(host: Host): void {
    if (!this.dead.delete(host.address)) return;
    this.inTurn(host, async () => {
      await this.spawn({ name: host.name, hosts: [{ ...host, ...this.rates.get(host.address) }] });
      await this.startProgram(host, this.serverProgram(host));
    });
  }

  /** Who kills and starts a server in the same moment gets both, in that order. */
  private inTurn({ name, address }: Host, work: () => Promise<void>): void {
    const before = this.turns.get(address) ?? Promise.resolve();
    const turn = before
      .then(() => (this.clearing ? undefined : work()))
      .catch((error: Error) => {
        if (!this.clearing && this.failure === undefined) this.config.told.notice(`${name}: ${error.message}`);
      });
    this.turns.set(address, turn);
  }

  isHere(viewer: number): boolean {
    return this.stayOf(viewer) !== undefined;
  }

  /** Of a viewer who is here, or about to be. */
  private stayOf(viewer: number) {
    const again = (this.stays.get(viewer) ?? 0) - 1;
    const stay = this.record.stay(stayId(viewer, again));
    return stay === undefined || stay.leftAtMs !== null || this.leaving.has(stay.id) ? undefined : stay;
  }

  /** Which worker is with which agent: servers with the first, viewers by turns. */
  private deal(): void {
    const [own, ...others] = this.config.agents;
    const { workers } = this.layout;
    this.workerOf.clear();
    const agents = dealt(workers, own!, others);
    for (const [at, { name, hosts }] of workers.entries()) {
      for (const { address } of hosts) this.workerOf.set(address, name);
      this.agentOf.set(name, agents[at]!);
    }
  }

  private async prepare(): Promise<void> {
    const { agents, links, told } = this.config;
    const { regions } = this.plan.scenario;
    const { tracker, source, ins, viewers, rehearsers, workers } = this.layout;
    const all = [tracker, source, ...ins, ...viewers, ...rehearsers];
    const byAddress = Object.fromEntries(all.map(({ address, region }) => [address, region]));
    const network = this.isShared ? { delays: [[0]], regions: null } : { delays: regions.delaysMs, regions: byAddress };
    told.preparing('making the links');
    await Promise.all(
      agents.map((agent) => {
        agent.send({ say: 'ground', links, ...network });
        return this.awaited.until(`ground ${agent.number}`, 'the network', READY_WITHIN_MS);
      }),
    );
    let done = 0;
    const tell = () => told.preparing(`starting processes: ${done} of ${workers.length}`);
    tell();
    await inTurns(workers, STARTED_AT_ONCE, async (worker) => {
      await this.spawn(worker);
      done++;
      tell();
    });
    for (const host of [tracker, ...ins]) await this.startProgram(host, this.serverProgram(host));
  }

  private async broadcast(): Promise<void> {
    const { plan, config, layout } = this;
    config.told.preparing('the source goes on the air');
    await this.startProgram(layout.source, this.serverProgram(layout.source));
    const worker = this.workerOf.get(layout.source.address)!;
    const endAtMs = nowMs() + ON_AIR_WITHIN_MS;
    // Asked more often than once a second: its first part is the run's start.
    while (this.record.source.part < 0) {
      if (nowMs() > endAtMs) throw new Error(`the source sent nothing within ${ON_AIR_WITHIN_MS / 1000} s`);
      this.tell(worker, { do: 'sample', at: -1 });
      await this.pause(LOOK_MS);
      if (this.stopper.signal.aborted) return;
    }
    this.startMs = nowMs() - (this.record.source.part + 1) * plan.scenario.stream.partMs;
    if (layout.rehearsers.some(({ address }) => this.workerOf.has(address))) {
      await this.rehearse();
      this.tell(worker, { do: 'sample', at: -1 });
      await this.pause(LOOK_MS);
      // Viewers see no difference: they start near the live edge, however long the source has filmed.
      this.record.before = this.record.source;
      this.startMs = nowMs();
    }
    this.record.startMs = this.startMs;
  }

  /**
   * A few viewers come, watch and go, in each process. On machines of their own, viewers' programs are compiled beside each other; on this one the first to
   * come would wait for it, and all others behind them.
   */
  private async rehearse(): Promise<void> {
    const { layout, plan, stream } = this;
    this.config.told.preparing('a short rehearsal');
    const tracker = this.url(layout.tracker);
    for (const [at, { name, address, region }] of layout.rehearsers.entries()) {
      const where = { tracker, stream, region: plan.scenario.regions.names[region]!, dialable: true, witnessed: false };
      const program: ProgramSpec = { kind: 'viewer', host: address, mode: plan.modeOf(at), ...where };
      this.tell(this.workerOf.get(address)!, { do: 'start', id: name, program, atMs: null });
    }
    await this.pause(REHEARSAL_MS);
    for (const { name, address } of layout.rehearsers)
      this.tell(this.workerOf.get(address)!, { do: 'stop', id: name, crashes: false });
    await this.pause(REHEARSAL_LEAVING_MS);
  }

  private async play(): Promise<void> {
    const { plan } = this;
    if (this.stopper.signal.aborted) return;
    for (const visit of plan.visits) this.planVisit(visit);
    const prng = new Prng(plan.seed);
    for (const [number, happening] of plan.happenings.entries()) {
      this.at(happening.atMs, () => {
        const there = this.record.there(happening.atMs);
        const deeds = deedsOf(happening, this.layout, there, prng.fork(`happening ${number}`));
        for (const deed of deeds) this.carryOut(deed);
      });
    }
    for (let second = 1; second <= plan.seconds && !this.stopper.signal.aborted; second++) {
      await this.pause(this.startMs + second * 1000 - nowMs());
      if (this.stopper.signal.aborted) break;
      await this.sample(second);
      this.measuredMs = second * 1000;
      this.record.second();
      this.config.told.second(this);
    }
  }

  private planVisit(visit: Visit): void {
    const { viewer, joinAtMs, leaveAtMs, crashes } = visit;
    if (joinAtMs >= this.plan.seconds * 1000) return;
    // A page is loaded long before somebody presses play.
    const aheadMs = this.browsers.has(viewer) && visit.again === 0 ? Number.POSITIVE_INFINITY : AHEAD_MS;
    let id: string | undefined;
    const come = (): boolean => {
      if (this.isHere(viewer)) return false;
      id = this.join(visit, this.startMs + joinAtMs);
      return true;
    };
    this.at(joinAtMs - aheadMs, () => {
      // Whoever leaves only now, and comes back at once, is not yet gone.
      if (!come()) this.at(joinAtMs, come);
    });
    if (leaveAtMs >= this.plan.seconds * 1000) return;
    this.at(leaveAtMs, () => {
      if (id !== undefined) this.stopViewer(id, viewer, crashes);
    });
  }

  /** @returns The stay's id. */
  private join(visit: Visit, atMs: number | null): string {
    const { viewer } = visit;
    const again = this.stays.get(viewer) ?? 0;
    this.stays.set(viewer, again + 1);
    const id = stayId(viewer, again);
    const host = this.layout.viewers[viewer]!;
    this.record.coming(id, { ...visit, again });
    if (again > 0) this.link({ do: 'reconnect', host: host.address });
    this.tell(this.workerOf.get(host.address)!, { do: 'start', id, program: this.viewerProgram(viewer), atMs });
    return id;
  }

  private viewerProgram(viewer: number): ProgramSpec {
    const { plan, stream } = this;
    const { address, region } = this.layout.viewers[viewer]!;
    const tracker = this.url(this.layout.tracker);
    const common = { host: address, stream, mode: plan.modeOf(viewer) };
    if (this.browsers.has(viewer)) return { kind: 'browser', ...common, trackerUrl: tracker.replace('ws:', 'http:') };
    return {
      kind: 'viewer',
      ...common,
      tracker,
      region: plan.scenario.regions.names[region]!,
      dialable: !plan.browsers.has(viewer),
      witnessed: this.witnessed.has(viewer),
    };
  }

  private stopViewer(id: string, viewer: number, crashes: boolean): void {
    if (this.leaving.has(id)) return;
    this.leaving.add(id);
    const { address } = this.layout.viewers[viewer]!;
    if (crashes) {
      this.crashed.add(id);
      // Nothing of what it would say gets out.
      this.link({ do: 'cut-off', host: address });
    }
    this.tell(this.workerOf.get(address)!, { do: 'stop', id, crashes });
  }

  private carryOut(deed: Deed): void {
    switch (deed.do) {
      case 'link':
        this.link(deed.order);
        return;
      case 'kill-server':
        this.killServer(deed.host);
        return;
      case 'start-server':
        this.startServer(deed.host);
        return;
      case 'crash':
        this.leave(deed.viewer, true);
        return;
    }
  }

  private serverProgram(host: Host): ProgramSpec {
    const { layout, plan, config } = this;
    const { scenario } = plan;
    const entries = layout.ins.map((ins) => this.insEntry(ins));
    if (host === layout.tracker) return { kind: 'tracker', host: host.address, ins: entries };
    if (host !== layout.source) {
      // They are of one operator, who lists the keys: a server that fetches for its viewers counts as more than one viewer.
      const known = layout.ins.map((ins) => toBase64Url(loadOrMakeKeyFile(this.keyFile(ins)).publicKey));
      const bandwidthBps = host.upBps * INS_BLOCKS_SHARE;
      return { kind: 'ins', host: host.address, bandwidthBps, keyFile: this.keyFile(host), known };
    }
    const { partMs, partsPerSegment } = scenario.stream;
    return {
      kind: 'source',
      host: host.address,
      tracker: this.url(layout.tracker),
      ins: entries.slice(0, plan.fed),
      input: config.input,
      keyFile: join(config.folder, 'source.key'),
      partMs,
      segmentMs: partMs * partsPerSegment,
      region: scenario.regions.names[0]!,
    };
  }

  private keyFile({ name }: Host): string {
    return join(this.config.folder, `${name.replaceAll(' ', '-')}.key`);
  }

  private insEntry(host: Host): InsServerEntry {
    return { url: this.url(host), region: this.plan.scenario.regions.names[host.region]! };
  }

  private url({ address }: Host): string {
    const { host, port } = placeOf(address);
    return `ws://${host}:${port}`;
  }

  private async spawn({ name, hosts }: WorkerSpec): Promise<void> {
    if (this.clearing) throw new Error('the run is over');
    this.agentOf.get(name)!.send({ say: 'spawn', worker: name, hosts });
    await this.awaited.until(`ready ${name}`, `the process of ${name}`, READY_WITHIN_MS);
    this.alive.add(name);
  }

  private async startProgram(host: Host, program: ProgramSpec): Promise<void> {
    this.tell(this.workerOf.get(host.address)!, { do: 'start', id: host.name, program, atMs: null });
    await this.awaited.until(`started ${host.name}`, `${host.name}`, READY_WITHIN_MS);
  }

  private tell(worker: string, message: ToWorker): void {
    this.agentOf.get(worker)?.send({ say: 'tell', worker, message });
  }

  private link(order: LinkOrder): void {
    if (order.do === 'rates') this.rates.set(order.host, { upBps: order.upBps, downBps: order.downBps });
    if (order.do === 'part' && this.isShared) {
      this.config.told.notice('machines on other networks cannot be parted: that is left out');
      return;
    }
    // Who is dead has no links.
    if (order.do !== 'part' && this.dead.has(order.host)) return;
    for (const agent of this.config.agents) agent.send({ say: 'link', order });
  }

  /** At a time of the run, unless it is over by then. */
  private at(atMs: number, run: () => void): void {
    const delayMs = this.startMs + atMs - nowMs();
    const timer = setTimeout(
      () => {
        this.timers.delete(timer);
        if (!this.stopper.signal.aborted) run();
      },
      Math.max(0, delayMs),
    );
    this.timers.add(timer);
  }

  /** Ends early when the run is given up. */
  private pause(ms: number): Promise<void> {
    const { signal } = this.stopper;
    if (signal.aborted || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }

  private async sample(at: number): Promise<void> {
    this.sampling = { at, waiting: new Set(this.alive) };
    for (const agent of this.config.agents) agent.send({ say: 'sample', at });
    if (this.alive.size === 0) return;
    await this.awaited.until(`sample ${at}`, 'samples', SAMPLE_WITHIN_MS).catch(() => undefined);
  }

  private heardWorker(agent: AgentLink, worker: string, message: FromWorker): void {
    const skew = { clockMs: agent.clockMs };
    switch (message.say) {
      case 'ready':
        this.awaited.came(`ready ${worker}`);
        return;
      case 'started':
        if (message.stream !== null) this.stream = message.stream;
        this.record.joined(message.id, message.atMs - skew.clockMs);
        this.awaited.came(`started ${message.id}`);
        return;
      case 'failed':
        this.awaited.failed(`started ${message.id}`, new Error(`${message.id}: ${message.why}`));
        // It has not come; it may come back.
        this.record.left(message.id, nowMs(), null, skew);
        this.config.told.notice(`${message.id} did not start: ${message.why}`);
        return;
      case 'stopped': {
        const { figures } = message;
        const last = figures?.kind === 'viewer' ? figures : null;
        this.record.left(message.id, message.atMs - skew.clockMs, last, skew);
        return;
      }
      case 'sample':
        for (const { id, figures } of message.programs) {
          if (figures.kind === 'viewer') this.record.heard(id, figures, skew);
          else if (figures.kind === 'source') this.record.source = figures;
        }
        if (message.at >= 0) this.count(message.counts);
        if (!message.last || message.at < 0) return;
        this.seconds.process(worker, machineName(agent), message.process);
        if (message.at !== this.sampling.at || !this.sampling.waiting.delete(worker)) return;
        if (this.sampling.waiting.size === 0) this.awaited.came(`sample ${message.at}`);
        return;
      case 'sockets':
        return;
      case 'notice':
        this.config.told.notice(`${message.id === '' ? worker : message.id}: ${message.text}`);
        return;
    }
  }

  private heardAgent(agent: AgentLink, message: Extract<FromAgent, { say: 'sample' }>): void {
    const name = machineName(agent);
    this.seconds.machine(name, message.cpuBusy);
    for (const [process, sample] of Object.entries(message.processes)) this.seconds.process(process, name, sample);
  }

  private count({ hosts, flows }: LinkCounts): void {
    for (const host of hosts) this.seen.hosts.set(host.address, host);
    for (const flow of flows) this.seen.flows.set(`${flow.from} ${flow.to}`, flow);
  }

  private ended(worker: string, how: string): void {
    this.alive.delete(worker);
    this.sampling.waiting.delete(worker);
    this.awaited.came(`ended ${worker}`);
    if (this.killed.delete(worker)) return;
    this.giveUp(`the process of ${worker} ${how}`);
  }

  private async lastLook(): Promise<void> {
    if (this.measuredMs === 0 || this.failure !== undefined) return;
    await Promise.all(
      this.config.agents.map((agent) => {
        agent.send({ say: 'kernel', at: 0 });
        return this.awaited.until(`kernel ${agent.number}`, 'the kernel’s counts', READY_WITHIN_MS);
      }),
    ).catch((error: Error) => {
      if (this.failure === undefined) this.config.told.notice(error.message);
    });
  }

  private async clear(): Promise<void> {
    this.clearing = true;
    this.awaited.giveUp(new Error('the run is over'));
    const agents = this.config.agents.filter((agent) => !this.gone.has(agent));
    await Promise.all(
      agents.map((agent) => {
        agent.send({ say: 'clear' });
        return this.cleared.until(`cleared ${agent.number}`, 'the end of all processes', CLEAR_WITHIN_MS);
      }),
    ).catch((error: Error) => {
      // Another run beside what is left of this one would measure both.
      this.failure ??= error;
    });
  }
}

/** Of what an INS server's link carries, IP and TCP headers included: so much is for blocks. */
const INS_BLOCKS_SHARE = 0.92;
/** Those whom the scenario has in browsers come first. */
function inBrowsers({ browsers, peers }: RunPlan, count: number): ReadonlySet<number> {
  const others = [...Array(peers).keys()].filter((viewer) => !browsers.has(viewer));
  return new Set([...browsers, ...others].slice(0, count));
}

/** Long enough for a start and some seconds of play; then for good-byes. */
const REHEARSAL_MS = 7_000;
const REHEARSAL_LEAVING_MS = 1_500;

/** Processes that are started beside each other. */
const STARTED_AT_ONCE = 4;

function machineName({ machine }: AgentLink): string {
  return machine.host === null ? 'this machine' : machine.name;
}

function stayId(viewer: number, again: number): string {
  return `viewer ${viewer}.${again}`;
}

async function inTurns<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
