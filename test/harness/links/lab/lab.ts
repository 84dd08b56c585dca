import type { ChildProcess } from 'node:child_process';
import { HOST_PORT, SOURCE_HLS_PORT } from '../addresses.ts';
import type { Delays, Host, LinkCounts, LinkOrder } from '../links.ts';
import type { RelayHealth } from '../relay/messages.ts';
import { canOpenLab } from './can-open.ts';
import { run } from './command.ts';
import { type KernelCounts, parseLook } from './kernel.ts';
import type { Namespace } from './namespace.ts';
import { ownProgram } from './own-program.ts';
import { type Alone, startAlone, untilAlone } from './process.ts';
import { RelayClient } from './relay-client.ts';
import { legScript, lookScript, middleScript, ratesScript } from './scripts.ts';

export interface LabOptions {
  /** Between the regions of the hosts, at most 10 s each. */
  readonly delaysMs: Delays;
  /** Gets what programs write, line by line, with their names in front. */
  readonly log: (line: string) => void;
}

export interface ProgramOptions {
  readonly name: string;
  /** Whose addresses and links the program has. The first is where it dials from, where it does not say. */
  readonly hosts: readonly Host[];
  /** Program and arguments. It has a channel to this process (`process.send`) and is to wait for a message before it uses the network. */
  readonly command: readonly string[];
  /** Environment; this process's where left out. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A program in a network namespace of its own. */
export interface LabProcess {
  readonly name: string;
  readonly pid: number;
  readonly hosts: readonly Host[];
  /** Its channel is `serialization: 'advanced'`. */
  readonly child: ChildProcess;
  /** When it has ended: its exit code or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Kills it, and all that it has started. */
  kill(): Promise<void>;
}

/** A network of namespaces on this machine: a program in each, and the relay in the middle. */
export interface Lab {
  readonly relayPid: number;
  /**
   * Starts a program, and makes its network.
   *
   * @throws Error where it cannot be started, or the network cannot be made; it is killed then.
   */
  spawn(options: ProgramOptions): Promise<LabProcess>;
  /** @throws Error where there is no such host, or it cannot be done. */
  order(order: LinkOrder): Promise<void>;
  counts(): Promise<LinkCounts>;
  /**
   * What the kernel counted for a program. A look costs ms of processor time: rather at the end than once a second.
   *
   * @throws Error where the program has ended.
   */
  kernel(process: LabProcess): Promise<KernelCounts>;
  /** How well the relay keeps its times: where it does not, what was measured is none of the network's. */
  health(): Promise<RelayHealth>;
  /** Kills all programs and the relay; the networks vanish with them. */
  close(): Promise<void>;
}

/**
 * Opens a lab. Nothing of it is left when this process ends, however that happens.
 *
 * @throws Error that says what to do, where this machine or user cannot have one.
 */
export async function openLab(options: LabOptions): Promise<Lab> {
  const can = await canOpenLab();
  if (!can.ok) throw new Error(can.why);
  const relay = startAlone(ownProgram('../relay/relay', import.meta.url), process.env, (line) =>
    options.log(`relay: ${line}`),
  );
  const client = new RelayClient(relay);
  let alone: Alone | undefined;
  try {
    alone = await untilAlone(relay, 'the relay');
    await run(inMiddle(alone.pid), middleScript());
    await client.ask({ ask: 'begin', delaysMs: options.delaysMs, ports: [HOST_PORT, SOURCE_HLS_PORT] });
    return new OpenLab(options, relay, client, alone);
  } catch (error) {
    await killed(relay);
    await alone?.namespace.empty();
    throw error;
  }
}

/** Networks that are made, or changed, at the same time: more do not go faster. */
const WORKERS_MAX = 2;
const CLOSE_WITHIN_MS = 5_000;

class OpenLab implements Lab {
  readonly relayPid: number;
  private readonly options: LabOptions;
  private readonly relay: ChildProcess;
  private readonly client: RelayClient;
  private readonly middle: Namespace;
  private readonly programs = new Set<Program>();
  private readonly byAddress = new Map<string, Program>();
  private readonly turns = new Turns(WORKERS_MAX);
  private nextDevice = 1;
  private closing: Promise<void> | undefined;

  constructor(options: LabOptions, relay: ChildProcess, client: RelayClient, { pid, namespace }: Alone) {
    this.options = options;
    this.relay = relay;
    this.client = client;
    this.relayPid = pid;
    this.middle = namespace;
  }

  async spawn(options: ProgramOptions): Promise<LabProcess> {
    if (this.closing !== undefined) throw new Error('the lab is closed');
    checkHosts(options.hosts, this.options.delaysMs.length);
    for (const { address } of options.hosts) {
      const owner = this.byAddress.get(address);
      if (owner !== undefined) throw new Error(`${options.name}: ${owner.name} has the address ${address}`);
    }
    const child = startAlone(options.command, options.env ?? process.env, (line) =>
      this.options.log(`${options.name}: ${line}`),
    );
    const program = new Program(options, child, `v${this.nextDevice++}`);
    this.programs.add(program);
    for (const { address } of options.hosts) this.byAddress.set(address, program);
    child.once('exit', () => this.forget(program));
    child.once('error', () => this.forget(program));
    try {
      program.isAlone(await untilAlone(child, options.name));
      const script = legScript(program.pid, program.device, options.hosts);
      await this.turns.take(() => run(inMiddle(this.relayPid), script));
      await this.client.ask({ ask: 'hosts', hosts: options.hosts.map(({ address, region }) => ({ address, region })) });
      return program;
    } catch (error) {
      await program.kill();
      throw new Error(`${options.name}: its network cannot be made: ${(error as Error).message}`);
    }
  }

  async order(order: LinkOrder): Promise<void> {
    if (order.do === 'rates') await this.setRates(order);
    else await this.client.ask({ ask: 'order', order });
  }

  async counts(): Promise<LinkCounts> {
    return (await this.client.ask({ ask: 'counts' }))!.counts;
  }

  async kernel({ pid, hosts, name }: LabProcess): Promise<KernelCounts> {
    const device = this.byAddress.get(hosts[0]!.address)?.device;
    if (device === undefined) throw new Error(`${name} has ended, and its network with it`);
    const look = await this.turns.take(() => run(inMiddle(this.relayPid), lookScript(pid, device)));
    return parseLook(look, hosts);
  }

  async health(): Promise<RelayHealth> {
    return (await this.client.ask({ ask: 'counts' }))!.health;
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async setRates({ host, upBps, downBps }: Extract<LinkOrder, { do: 'rates' }>): Promise<void> {
    const program = this.byAddress.get(host);
    if (program === undefined) throw new Error(`there is no host ${host}`);
    program.setRates(host, upBps, downBps);
    const script = ratesScript(program.pid, program.device, program.hosts);
    await this.turns.take(() => run(inMiddle(this.relayPid), script));
  }

  private forget(program: Program): void {
    if (!this.programs.delete(program)) return;
    const addresses = program.hosts.map(({ address }) => address);
    for (const address of addresses) this.byAddress.delete(address);
    // Where the relay has ended as well there is nobody to be told.
    if (this.closing === undefined) this.client.ask({ ask: 'gone', addresses }).catch(() => {});
  }

  private async end(): Promise<void> {
    await Promise.all([...this.programs].map((program) => program.kill()));
    await killed(this.relay);
    await this.middle.empty();
  }
}

class Program implements LabProcess {
  readonly name: string;
  readonly child: ChildProcess;
  readonly device: string;
  readonly ended: Promise<number | NodeJS.Signals>;
  pid = 0;
  private namespace: Namespace | undefined;
  hosts: readonly Host[];

  constructor({ name, hosts }: ProgramOptions, child: ChildProcess, device: string) {
    this.name = name;
    this.hosts = hosts;
    this.child = child;
    this.device = device;
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? code ?? 0));
      child.once('error', () => resolve(1));
    });
  }

  isAlone({ pid, namespace }: Alone): void {
    this.pid = pid;
    this.namespace = namespace;
    // Also where it ends by itself.
    this.ended.then(() => namespace.empty());
  }

  setRates(address: string, upBps: number, downBps: number): void {
    this.hosts = this.hosts.map((host) => (host.address === address ? { ...host, upBps, downBps } : host));
  }

  async kill(): Promise<void> {
    await killed(this.child);
    await this.namespace?.empty();
  }
}

/** Ends a process and its group, and waits until it is gone. */
async function killed(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Its group is not there yet, or not any more.
    child.kill('SIGKILL');
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_WITHIN_MS);
  });
  await Promise.race([gone, late]);
  clearTimeout(timer);
}

function inMiddle(relayPid: number): readonly string[] {
  return ['nsenter', '-t', String(relayPid), '-n', 'sh', '-eu'];
}

const ADDRESS = /^198\.1[89](\.(0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])){2}$/;
const HOSTS_MAX = 1_000;

function checkHosts(hosts: readonly Host[], regions: number): void {
  if (hosts.length === 0 || hosts.length > HOSTS_MAX) throw new RangeError(`a program has 1 to ${HOSTS_MAX} hosts`);
  const seen = new Set<string>();
  for (const { name, address, region } of hosts) {
    if (!ADDRESS.test(address) || address.startsWith('198.18.255.')) {
      throw new RangeError(`${name}: ${address} is none of 198.18.0.0/15, of which 198.18.255.0/24 is the lab's own`);
    }
    if (seen.has(address)) throw new RangeError(`${name}: another host has the address ${address}`);
    if (!Number.isInteger(region) || region < 0 || region >= regions) {
      throw new RangeError(`${name}: there is no region ${region}`);
    }
    seen.add(address);
  }
}

/** So many at a time, the others in the order in which they come. */
class Turns {
  private readonly waiting: (() => void)[] = [];
  private free: number;

  constructor(places: number) {
    this.free = places;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    }
  }
}
