import type { Host } from '../links/links.ts';
import type { AgentLink } from './agents.ts';
import type { Layout, WorkerSpec } from './layout.ts';

/** A machine of a run over several: all its hosts share its address, and each has a port of its own. */
export interface Shared {
  readonly agent: AgentLink;
  readonly host: string;
}

/** Asks an agent for ports that are free, from one on. */
export type AskPorts = (machine: Shared, from: number, count: number) => Promise<readonly number[]>;

/** Above what services have, below what is for those who dial. */
const FIRST_PORT = 20_000;

/** Which processes are with which machine: servers with the controller's, viewers with the others by turns. */
export function dealt(workers: readonly WorkerSpec[], own: AgentLink, others: readonly AgentLink[]): AgentLink[] {
  let viewers = 0;
  const isServer = ({ name }: WorkerSpec) => !/^(viewers|browsers) /.test(name);
  const takers = others.length > 0 ? others : [own];
  return workers.map((worker) => (isServer(worker) ? own : takers[viewers++ % takers.length]!));
}

/**
 * The same layout for machines that have one address each: an address is `HOST:PORT` then.
 *
 * @param machines - The controller's first.
 */
export async function withOneAddressEach(layout: Layout, machines: readonly Shared[], ask: AskPorts): Promise<Layout> {
  const [own, ...others] = machines;
  const agents = dealt(
    layout.workers,
    own!.agent,
    others.map(({ agent }) => agent),
  );
  const moved = new Map<Host, Host>();
  let from = FIRST_PORT;
  for (const machine of machines) {
    const hosts = layout.workers.filter((_, at) => agents[at] === machine.agent).flatMap((worker) => worker.hosts);
    const ports = await ask(machine, from, hosts.length);
    for (const [at, host] of hosts.entries()) moved.set(host, { ...host, address: `${machine.host}:${ports[at]!}` });
    // Two agents may be on one machine.
    from = Math.max(from, ...ports.map((port) => port + 1));
  }
  const place = (host: Host): Host => moved.get(host)!;
  return {
    tracker: place(layout.tracker),
    source: place(layout.source),
    ins: layout.ins.map(place),
    viewers: layout.viewers.map(place),
    rehearsers: layout.rehearsers.map(place),
    workers: layout.workers.map(({ name, hosts }) => ({ name, hosts: hosts.map(place) })),
  };
}
