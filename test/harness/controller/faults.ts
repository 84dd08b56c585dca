import type { Host, LinkOrder } from '../links/links.ts';
import type { Awaited } from './awaited.ts';
import { throttled } from './happen.ts';
import type { Placement } from './placement.ts';
import type { ProgramSpecs } from './program-specs.ts';
import type { Workers } from './workers.ts';

export interface FaultsOptions {
  readonly placement: Placement;
  readonly workers: Workers;
  readonly specs: ProgramSpecs;
  readonly awaited: Awaited;
  /** Something that people should know. */
  readonly notice: (text: string) => void;
}

/** What goes wrong in a run: servers that die and come back, and links that change or break. It gives orders to agents. */
export class Faults {
  /** Addresses of servers that are dead. */
  readonly dead = new Set<string>();
  /** By viewer: the share of its rates that it has. */
  readonly throttledTo = new Map<number, number>();
  /** By address: rates that are not those of the plan. */
  private readonly rates = new Map<string, Pick<Host, 'upBps' | 'downBps'>>();
  /** By address of a server: its deaths and returns, one after the other. */
  private readonly turns = new Map<string, Promise<void>>();
  private readonly options: FaultsOptions;

  constructor(options: FaultsOptions) {
    this.options = options;
  }

  link(order: LinkOrder): void {
    const { placement, notice } = this.options;
    if (order.do === 'rates') this.rates.set(order.host, { upBps: order.upBps, downBps: order.downBps });
    if (order.do === 'part' && placement.isShared) {
      notice('machines on other networks cannot be parted: that is left out');
      return;
    }
    // Who is dead has no links.
    if (order.do !== 'part' && this.dead.has(order.host)) return;
    for (const agent of placement.agents) agent.send({ say: 'link', order });
  }

  throttle(viewer: number, to: number): void {
    const host = this.options.placement.layout.viewers[viewer];
    if (host === undefined) return;
    this.throttledTo.set(viewer, to);
    this.link(throttled(host, to));
  }

  killServer(host: Host): void {
    const { placement, workers } = this.options;
    const worker = placement.worker(host.address);
    if (worker === undefined || this.dead.has(host.address)) return;
    this.dead.add(host.address);
    this.inTurn(host, () => workers.kill(worker));
  }

  /** It comes back where it was, with the rates that it has by now. */
  startServer(host: Host): void {
    const { workers, specs } = this.options;
    if (!this.dead.delete(host.address)) return;
    this.inTurn(host, async () => {
      await workers.spawn({ name: host.name, hosts: [{ ...host, ...this.rates.get(host.address) }] });
      await workers.start(host, specs.server(host));
    });
  }

  /** Who kills and starts a server in the same moment gets both, in that order. */
  private inTurn({ name, address }: Host, work: () => Promise<void>): void {
    const { workers, awaited, notice } = this.options;
    const before = this.turns.get(address) ?? Promise.resolve();
    const turn = before
      .then(() => (workers.isClosed ? undefined : work()))
      .catch((error: Error) => {
        if (!awaited.isGivenUp) notice(`${name}: ${error.message}`);
      });
    this.turns.set(address, turn);
  }
}
