import type { AgentLink } from './agents.ts';
import type { Layout } from './layout.ts';
import { type AskPorts, dealt, type Shared, withOneAddressEach } from './one-address-each.ts';

/** Where everything of a run is: the worker that each host is in, and the agent that has this worker. It starts nothing. */
export class Placement {
  layout: Layout;
  /** Machines have one address each. */
  isShared = false;
  /** The first has the servers, and the viewers where it is alone. */
  readonly agents: readonly AgentLink[];
  private readonly agentOf = new Map<string, AgentLink>();
  private readonly workerOf = new Map<string, string>();

  constructor(layout: Layout, agents: readonly AgentLink[]) {
    this.layout = layout;
    this.agents = agents;
    this.deal();
  }

  /** Puts hosts where machines have one address each; before anybody looks. */
  async share(machines: readonly Shared[], ask: AskPorts): Promise<void> {
    this.layout = await withOneAddressEach(this.layout, machines, ask);
    this.isShared = true;
    this.deal();
  }

  /** The name of the worker that an address is in. */
  worker(address: string): string | undefined {
    return this.workerOf.get(address);
  }

  agent(worker: string): AgentLink | undefined {
    return this.agentOf.get(worker);
  }

  /** Which worker is with which agent: servers with the first, viewers by turns. */
  private deal(): void {
    const [own, ...others] = this.agents;
    const { workers } = this.layout;
    this.workerOf.clear();
    const agents = dealt(workers, own!, others);
    for (const [at, { name, hosts }] of workers.entries()) {
      for (const { address } of hosts) this.workerOf.set(address, name);
      this.agentOf.set(name, agents[at]!);
    }
  }
}
