import { Prng } from '../../../machine/prng.ts';
import { nowMs } from '../../../runtime/node/clock.ts';
import type { RunPlan } from '../../../scenarios/plan/plan.ts';
import type { FromAgent } from '../agent/messages.ts';
import type { FromWorker } from '../agent/programs.ts';
import type { AgentLink } from './agents.ts';
import { Awaited } from './awaited.ts';
import { Collector } from './collector.ts';
import { Faults } from './faults.ts';
import { type Deed, deedsOf } from './happen.ts';
import { layoutOf } from './layout.ts';
import { Placement } from './placement.ts';
import { playersOf } from './players.ts';
import { ProgramSpecs } from './program-specs.ts';
import { Record } from './record.ts';
import { RunClock } from './run-clock.ts';
import { Visits } from './visits.ts';
import { READY_WITHIN_MS, Workers } from './workers.ts';

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

/** A source that has to start ffmpeg. */
const ON_AIR_WITHIN_MS = 30_000;
const CLEAR_WITHIN_MS = 15_000;
const LOOK_MS = 40;
/** Long enough for a start and some seconds of play; then for good-byes. */
const REHEARSAL_MS = 7_000;
const REHEARSAL_LEAVING_MS = 1_500;

/**
 * One scenario in one mode, by real processes over real sockets, from one phase to the next; its parts have what lasts through all of them. Build it, let
 * it hear its agents, run it.
 */
export class ProcessRun {
  readonly config: ProcessRunConfig;
  readonly clock = new RunClock();
  readonly placement: Placement;
  readonly record: Record;
  readonly collector: Collector;
  readonly faults: Faults;
  readonly visits: Visits;
  /** How links are made, as the agents say. */
  linksAre = '';
  /** Up to here it was measured, in ms after its start: to its end, unless it was ended early. */
  measuredMs = 0;
  private readonly plan: RunPlan;
  private readonly specs: ProgramSpecs;
  private readonly workers: Workers;
  private readonly awaited = new Awaited();
  /** Ends of all that runs, by agent. */
  private readonly cleared = new Awaited();
  private readonly gone = new Set<AgentLink>();
  private failure: Error | undefined;

  constructor(config: ProcessRunConfig) {
    const { plan, agents, addresses, viewersPerWorker, input, folder, told } = config;
    const { clock, awaited } = this;
    this.config = config;
    this.plan = plan;
    const players = playersOf(plan, config.browsers, config.witnesses);
    const placement = new Placement(layoutOf(plan, addresses, viewersPerWorker, players.browsers), agents);
    const record = new Record(plan, new Set([...plan.browsers, ...players.browsers]));
    const specs = new ProgramSpecs({ plan, input, folder, placement, players });
    const workers = new Workers(placement, awaited);
    const notice = (text: string): void => told.notice(text);
    const faults = new Faults({ placement, workers, specs, awaited, notice });
    this.placement = placement;
    this.record = record;
    this.specs = specs;
    this.workers = workers;
    this.faults = faults;
    this.collector = new Collector(agents, awaited, record);
    this.visits = new Visits({ plan, clock, placement, players, specs, workers, faults, record });
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
      this.clock.clear();
      await this.clear();
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** Ends it early; what was seen counts. */
  end(): void {
    this.clock.stop();
  }

  /** All is off: it comes to nothing, for the first reason that was told. */
  giveUp(why: string): void {
    if (this.workers.isClosed) return;
    this.failure ??= new Error(why);
    this.awaited.giveUp(this.failure);
    this.clock.stop();
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
        this.collector.heardAgent(agent, message);
        return;
      case 'counts':
        this.collector.count(message.counts);
        return;
      case 'kernel':
        this.collector.heardKernel(agent, message.found);
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

  private heardWorker(agent: AgentLink, worker: string, message: FromWorker): void {
    const { awaited, record } = this;
    switch (message.say) {
      case 'ready':
        awaited.came(`ready ${worker}`);
        return;
      case 'started':
        if (message.stream !== null) this.specs.stream = message.stream;
        record.joined(message.id, message.atMs - agent.clockMs);
        awaited.came(`started ${message.id}`);
        return;
      case 'failed':
        awaited.failed(`started ${message.id}`, new Error(`${message.id}: ${message.why}`));
        // It has not come; it may come back.
        record.left(message.id, nowMs(), null, agent);
        this.config.told.notice(`${message.id} did not start: ${message.why}`);
        return;
      case 'stopped': {
        const { figures } = message;
        const last = figures?.kind === 'viewer' ? figures : null;
        record.left(message.id, message.atMs - agent.clockMs, last, agent);
        return;
      }
      case 'sample':
        this.collector.heardWorker(agent, worker, message);
        return;
      case 'sockets':
        return;
      case 'notice':
        this.config.told.notice(`${message.id === '' ? worker : message.id}: ${message.text}`);
        return;
    }
  }

  private ended(worker: string, how: string): void {
    this.collector.ended(worker);
    if (!this.workers.ended(worker)) this.giveUp(`the process of ${worker} ${how}`);
  }

  private async prepare(): Promise<void> {
    const { placement, workers } = this;
    const { agents, links, told } = this.config;
    const { regions } = this.plan.scenario;
    const { tracker, source, ins, viewers, rehearsers } = placement.layout;
    const all = [tracker, source, ...ins, ...viewers, ...rehearsers];
    const byAddress = Object.fromEntries(all.map(({ address, region }) => [address, region]));
    const network = placement.isShared
      ? { delays: [[0]], regions: null }
      : { delays: regions.delaysMs, regions: byAddress };
    told.preparing('making the links');
    await Promise.all(
      agents.map((agent) => {
        agent.send({ say: 'ground', links, ...network });
        return this.awaited.until(`ground ${agent.number}`, 'the network', READY_WITHIN_MS);
      }),
    );
    const count = placement.layout.workers.length;
    await workers.spawnAll((done) => told.preparing(`starting processes: ${done} of ${count}`));
    for (const host of [tracker, ...ins]) await workers.start(host, this.specs.server(host));
  }

  private async broadcast(): Promise<void> {
    const { plan, config, clock, workers, record } = this;
    const { source, rehearsers } = this.placement.layout;
    config.told.preparing('the source goes on the air');
    await workers.start(source, this.specs.server(source));
    const endAtMs = nowMs() + ON_AIR_WITHIN_MS;
    // Asked more often than once a second: its first part is the run's start.
    while (record.source.part < 0) {
      if (nowMs() > endAtMs) throw new Error(`the source sent nothing within ${ON_AIR_WITHIN_MS / 1000} s`);
      workers.tell(source.address, { do: 'sample', at: -1 });
      await clock.pause(LOOK_MS);
      if (clock.isStopped) return;
    }
    clock.startMs = nowMs() - (record.source.part + 1) * plan.scenario.stream.partMs;
    if (rehearsers.some(({ address }) => this.placement.worker(address) !== undefined)) {
      await this.rehearse();
      workers.tell(source.address, { do: 'sample', at: -1 });
      await clock.pause(LOOK_MS);
      // Viewers see no difference: they start near the live edge, however long the source has filmed.
      record.before = record.source;
      clock.startMs = nowMs();
    }
    record.startMs = clock.startMs;
  }

  /**
   * A few viewers come, watch and go, in each process. On machines of their own, viewers' programs are compiled beside each other; on this one the first to
   * come would wait for it, and all others behind them.
   */
  private async rehearse(): Promise<void> {
    const { clock, workers, specs } = this;
    const { rehearsers } = this.placement.layout;
    this.config.told.preparing('a short rehearsal');
    for (const [at, { name, address }] of rehearsers.entries())
      workers.tell(address, { do: 'start', id: name, program: specs.rehearser(at), atMs: null });
    await clock.pause(REHEARSAL_MS);
    for (const { name, address } of rehearsers) workers.tell(address, { do: 'stop', id: name, crashes: false });
    await clock.pause(REHEARSAL_LEAVING_MS);
  }

  private async play(): Promise<void> {
    const { plan, clock, record } = this;
    if (clock.isStopped) return;
    this.visits.schedule();
    const prng = new Prng(plan.seed);
    for (const [number, happening] of plan.happenings.entries()) {
      clock.at(happening.atMs, () => {
        const there = record.there(happening.atMs);
        const deeds = deedsOf(happening, this.placement.layout, there, prng.fork(`happening ${number}`));
        for (const deed of deeds) this.carryOut(deed);
      });
    }
    for (let second = 1; second <= plan.seconds && !clock.isStopped; second++) {
      await clock.pause(clock.startMs + second * 1000 - nowMs());
      if (clock.isStopped) break;
      await this.collector.sample(second, this.workers.alive);
      this.measuredMs = second * 1000;
      record.second();
      this.config.told.second(this);
    }
  }

  private carryOut(deed: Deed): void {
    switch (deed.do) {
      case 'link':
        this.faults.link(deed.order);
        return;
      case 'kill-server':
        this.faults.killServer(deed.host);
        return;
      case 'start-server':
        this.faults.startServer(deed.host);
        return;
      case 'crash':
        this.visits.leave(deed.viewer, true);
        return;
    }
  }

  private async lastLook(): Promise<void> {
    if (this.measuredMs === 0 || this.failure !== undefined) return;
    await this.collector.askKernel().catch((error: Error) => {
      if (this.failure === undefined) this.config.told.notice(error.message);
    });
  }

  private async clear(): Promise<void> {
    this.workers.isClosed = true;
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
