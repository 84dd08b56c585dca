import type { FromAgent, KernelFindings } from '../agent/messages.ts';
import type { FromWorker } from '../agent/programs.ts';
import type { Flow, HostCounts, LinkCounts } from '../links/links.ts';
import type { AgentLink } from './agents.ts';
import type { Awaited } from './awaited.ts';
import type { Record } from './record.ts';
import { Seconds } from './seconds.ts';
import { READY_WITHIN_MS } from './workers.ts';

/** What was seen on the wire since the start: by address, and by sender and receiver. */
export interface SeenCounts {
  readonly hosts: Map<string, HostCounts>;
  readonly flows: Map<string, Flow>;
}

/** Who has not said how it is by then is as it was. */
const SAMPLE_WITHIN_MS = 850;

/** Collects the samples of a run: asks agents once a second how all are, and at the end what the kernel counted. */
export class Collector {
  readonly seconds: Seconds;
  readonly seen: SeenCounts = { hosts: new Map(), flows: new Map() };
  /** What programs and kernel counted at the end, one for each agent that could say. */
  readonly kernel: KernelFindings[] = [];
  private readonly agents: readonly AgentLink[];
  private readonly awaited: Awaited;
  private readonly record: Record;
  private asked = { at: -1, waiting: new Set<string>() };

  constructor(agents: readonly AgentLink[], awaited: Awaited, record: Record) {
    this.agents = agents;
    this.awaited = awaited;
    this.record = record;
    this.seconds = new Seconds(agents.map((agent) => ({ name: machineName(agent), cpus: agent.machine.cpus })));
  }

  /** Resolves when all have said how they are, or the time for that is over. @param at - The second of the run. */
  async sample(at: number, workers: ReadonlySet<string>): Promise<void> {
    this.asked = { at, waiting: new Set(workers) };
    for (const agent of this.agents) agent.send({ say: 'sample', at });
    if (workers.size === 0) return;
    await this.awaited.until(`sample ${at}`, 'samples', SAMPLE_WITHIN_MS).catch(() => undefined);
  }

  /** @throws Error where an agent did not say. */
  async askKernel(): Promise<void> {
    await Promise.all(
      this.agents.map((agent) => {
        agent.send({ say: 'kernel', at: 0 });
        return this.awaited.until(`kernel ${agent.number}`, 'the kernel’s counts', READY_WITHIN_MS);
      }),
    );
  }

  heardWorker(agent: AgentLink, worker: string, message: Extract<FromWorker, { say: 'sample' }>): void {
    for (const { id, figures } of message.programs) {
      if (figures.kind === 'viewer') this.record.heard(id, figures, agent);
      else if (figures.kind === 'source') this.record.source = figures;
    }
    if (message.at >= 0) this.count(message.counts);
    if (!message.last || message.at < 0) return;
    this.seconds.process(worker, machineName(agent), message.process);
    if (message.at !== this.asked.at || !this.asked.waiting.delete(worker)) return;
    if (this.asked.waiting.size === 0) this.awaited.came(`sample ${message.at}`);
  }

  heardAgent(agent: AgentLink, message: Extract<FromAgent, { say: 'sample' }>): void {
    const name = machineName(agent);
    this.seconds.machine(name, message.cpuBusy);
    for (const [process, sample] of Object.entries(message.processes)) this.seconds.process(process, name, sample);
  }

  heardKernel(agent: AgentLink, found: KernelFindings): void {
    this.kernel.push(found);
    this.awaited.came(`kernel ${agent.number}`);
  }

  count({ hosts, flows }: LinkCounts): void {
    for (const host of hosts) this.seen.hosts.set(host.address, host);
    for (const flow of flows) this.seen.flows.set(`${flow.from} ${flow.to}`, flow);
  }

  /** Nobody waits for the sample of a worker that is gone. */
  ended(worker: string): void {
    this.asked.waiting.delete(worker);
  }
}

function machineName({ machine }: AgentLink): string {
  return machine.host === null ? 'this machine' : machine.name;
}
