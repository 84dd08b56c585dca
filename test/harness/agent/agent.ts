import { cpus, hostname, totalmem } from 'node:os';
import { nowMs } from '../../../runtime/node/clock.ts';
import { dialLink, type Link } from '../../../runtime/node/ws-link.ts';
import { ownProgram } from '../links/lab/own-program.ts';
import type { LinkOrder } from '../links/links.ts';
import { bareGround } from './bare-ground.ts';
import { watchMachine } from './busy.ts';
import type { Ground } from './ground.ts';
import { findingsOf, type TwoCounts } from './kernel-check.ts';
import { canHaveLab, labGround } from './lab-ground.ts';
import { refusal } from './lent-orders.ts';
import type { Challenge, FromAgent, KernelFindings, MachineInfo, ToAgent } from './messages.ts';
import { MESSAGE_BYTES_MAX, MessageReader, sendMessage } from './pieces.ts';
import { freePorts } from './ports.ts';
import { watchProcess } from './process-figures.ts';
import type { FromWorker, ToWorker } from './programs.ts';
import { isProof, makeNonce, proofOf, readNonce } from './proof.ts';
import { WorkerProcess } from './worker-process.ts';

export interface AgentConfig {
  /** `ws://HOST:PORT` of the controller. */
  readonly controller: string;
  /** What both know. */
  readonly key: string;
  /**
   * This machine's IPv4 address for viewers, where it is lent to a controller on another one, which then may have nothing but that done here; null: the
   * controller is who started this.
   */
  readonly host: string | null;
  /** Gets what workers write. */
  readonly log: (line: string) => void;
}

/** How it ended; an agent ends with its controller. */
export interface AgentEnd {
  readonly why: string;
  /** The controller was there, and showed the key. */
  readonly served: boolean;
}

/**
 * Runs what a controller asks for on this machine, until the controller goes: workers, and the links between them. Nothing is left behind.
 */
export class Agent {
  readonly over: Promise<AgentEnd>;
  private readonly config: AgentConfig;
  private readonly link: Link;
  private readonly nonce = makeNonce();
  private readonly reader = new MessageReader<ToAgent | Challenge>();
  private readonly can: ReturnType<typeof canHaveLab>;
  private readonly look = watchProcess();
  private readonly busy = watchMachine();
  private readonly workers = new Map<string, WorkerProcess>();
  private ground: Ground | undefined;
  private order: Extract<ToAgent, { say: 'ground' }> | undefined;
  private controllersNonce: string | undefined;
  private welcome = false;
  /** What has to be done one after the other. */
  private turn: Promise<void> = Promise.resolve();
  private readonly spawning = new Set<Promise<void>>();
  /** Orders to links that are being carried out. */
  private readonly linking = new Set<Promise<void>>();

  constructor(config: AgentConfig) {
    this.config = config;
    // Before the controller waits for it.
    this.can =
      config.host === null
        ? canHaveLab()
        : Promise.resolve({ ok: false, why: 'it has its own address in its own network' });
    let end = (_: AgentEnd): void => undefined;
    this.over = new Promise((resolve) => {
      end = resolve;
    });
    this.link = dialLink(config.controller, {
      control: (bytes) => this.received(bytes),
      block: () => this.link.close(1008, 'a controller sends no blocks'),
      closed: (_code, why) => {
        // What was under way when the controller went may have made something more.
        const rest = () => this.turn.then(() => this.clear());
        void this.clear()
          .then(rest)
          .then(() => end({ why, served: this.welcome }));
      },
    });
  }

  /** Ends all that runs here. Resolves when nothing is left. */
  async close(): Promise<void> {
    this.link.close(1000, 'the agent is ended');
    await this.over;
  }

  private received(bytes: Uint8Array): void {
    const message = this.reader.take(bytes);
    if (message === 'more') return;
    if (message === undefined) this.link.close(1008, 'no message that is understood');
    else if (message.say === 'challenge') void this.prove(message);
    else if (message.say === 'welcome') this.check(message.proof);
    // Whoever has not shown the key is not obeyed.
    else if (!this.welcome) this.link.close(1008, 'the controller has not shown the key');
    else this.obeyIfAllowed(message);
  }

  /** A controller that somebody else has started may be anything, even with the right key. */
  private obeyIfAllowed(order: ToAgent): void {
    const { host } = this.config;
    const why = host === null ? undefined : refusal(order, host);
    if (why === undefined) this.obey(order);
    else this.link.close(1008, `refused: ${why}`);
  }

  private async prove(challenge: Challenge): Promise<void> {
    const nonce = readNonce(challenge.nonce);
    if (this.controllersNonce !== undefined || nonce === undefined) {
      this.link.close(1008, 'no challenge that is understood');
      return;
    }
    this.controllersNonce = nonce;
    const can = await this.can;
    const proof = proofOf(this.config.key, 'agent', nonce, this.nonce);
    this.say({ say: 'hello', nonce: this.nonce, proof, machine: this.machine(can.ok ? null : can.why) });
  }

  private check(proof: unknown): void {
    const right = proofOf(this.config.key, 'controller', this.controllersNonce ?? '', this.nonce);
    if (this.controllersNonce !== undefined && isProof(proof, right)) {
      this.welcome = true;
      this.reader.bytesMax = MESSAGE_BYTES_MAX;
    } else this.link.close(1008, 'the controller holds another key');
  }

  private machine(noNamespaces: string | null): MachineInfo {
    return {
      name: hostname(),
      host: this.config.host,
      cpus: cpus().length,
      memoryBytes: totalmem(),
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      noNamespaces,
      clockMs: nowMs(),
    };
  }

  private say(message: FromAgent): void {
    sendMessage(this.link, message);
  }

  private obey(order: ToAgent): void {
    switch (order.say) {
      case 'tell':
        this.tell(order.worker, order.message);
        return;
      case 'kill':
        this.workers.get(order.worker)?.kill();
        return;
      case 'spawn': {
        // Beside each other: starting a process takes its time.
        const work = this.spawn(order).catch((error: Error) => this.trouble(error));
        track(this.spawning, work);
        return;
      }
      case 'link': {
        const notice = (error: Error) => this.say({ say: 'notice', text: `links: ${error.message}` });
        track(this.linking, this.linkOrdered(order.order).catch(notice));
        return;
      }
      default:
        this.turn = this.turn.then(() => this.carryOut(order)).catch((error: Error) => this.trouble(error));
    }
  }

  private trouble(error: Error): void {
    this.say({ say: 'trouble', why: error.message.slice(0, 2_000) });
  }

  private async carryOut(order: Exclude<ToAgent, { say: 'tell' | 'kill' | 'spawn' | 'link' }>): Promise<void> {
    switch (order.say) {
      case 'ground': {
        this.order = order;
        this.ground =
          order.links === 'buckets'
            ? bareGround(order.regions !== null)
            : await labGround(order.delays, this.config.log);
        this.say({ say: 'ground', are: this.ground.are });
        return;
      }
      case 'ports':
        this.say({ say: 'ports', ports: await freePorts(order.host, order.from, order.count) });
        return;
      case 'sample':
        return this.sample(order.at);
      case 'kernel': {
        this.say({ say: 'kernel', at: order.at, found: await this.compare() });
        return;
      }
      case 'clear':
        await this.clear();
        this.say({ say: 'cleared' });
        return;
    }
  }

  private async sample(at: number): Promise<void> {
    for (const worker of this.workers.values()) worker.tell({ do: 'sample', at });
    const own = { agent: this.look() };
    const [others, counts] = await Promise.all([this.ground?.processes(), this.ground?.counts()]);
    this.say({ say: 'sample', at, cpuBusy: this.busy(), processes: { ...own, ...others } });
    if (counts !== undefined) this.say({ say: 'counts', at, counts });
  }

  private async spawn({ worker: name, hosts }: Extract<ToAgent, { say: 'spawn' }>): Promise<void> {
    const { ground } = this;
    if (ground === undefined) return;
    // Its predecessor was killed, and is about to be gone.
    await this.workers.get(name)?.gone;
    const child = await ground.spawn(name, hosts, WORKER);
    const worker = new WorkerProcess(
      child,
      (message: FromWorker) => this.say({ say: 'worker', worker: name, message }),
      (how) => {
        if (this.workers.get(name) === worker) this.workers.delete(name);
        this.say({ say: 'ended', worker: name, how });
      },
    );
    this.workers.set(name, worker);
    const { links = 'namespaces', delays = [], regions = null } = this.order ?? {};
    worker.tell({ do: 'begin', hosts, buckets: links === 'buckets' ? { delays, regions } : null });
  }

  /** What viewers and their kernels have counted, worker by worker, so that little time is between the two looks. */
  private async compare(): Promise<KernelFindings> {
    const counts: TwoCounts[] = [];
    for (const [name, worker] of this.workers) {
      if (!name.startsWith('viewers')) continue;
      const [own, kernel] = await Promise.all([worker.connections(), this.ground?.kernel(name)]);
      if (own !== undefined && kernel !== undefined) counts.push({ own, kernel });
    }
    return findingsOf(counts);
  }

  /** Programs do what they are told when links are as they were ordered before: whoever crashes says nothing any more. */
  private tell(name: string, message: ToWorker): void {
    const tell = () => this.workers.get(name)?.tell(message);
    if (this.linking.size === 0) tell();
    else void Promise.all(this.linking).then(tell);
  }

  private async linkOrdered(order: LinkOrder): Promise<void> {
    if ((await this.ground?.order(order)) === false)
      for (const worker of this.workers.values()) worker.tell({ do: 'link', order });
  }

  private async clear(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.end()));
    const { ground } = this;
    this.ground = undefined;
    await ground?.close().catch((error: Error) => this.config.log(error.message));
    await Promise.all(this.spawning);
    await Promise.all([...this.workers.values()].map((worker) => worker.end()));
  }
}

function track(all: Set<Promise<void>>, one: Promise<void>): void {
  all.add(one);
  void one.then(() => all.delete(one));
}

const WORKER = ownProgram('./worker', import.meta.url);
