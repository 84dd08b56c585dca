import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import type { RunPlan } from '../../../scenarios/plan/plan.ts';
import { spawnTied } from '../agent/bare-ground.ts';
import type { FromAgent } from '../agent/messages.ts';
import { type AgentLink, Agents, type AgentsDoor } from './agents.ts';
import { Awaited } from './awaited.ts';
import { makeKeysFolder } from './keys-folder.ts';
import { freeLoopback } from './loopback.ts';
import type { Shared } from './one-address-each.ts';
import { ProcessRun, type RunListener } from './process-run.ts';

export interface SessionConfig {
  /** What runs an agent on this machine; it is given the controller's address and the key by its environment. */
  readonly agentCommand: readonly string[];
  /** Agents on other machines: how many are waited for, and where they connect. */
  readonly remote: {
    readonly count: number;
    readonly host: string;
    readonly port: number;
    readonly key: string;
  } | null;
  /** What links are made by: the kernel where it can be, by default. */
  readonly links: 'namespaces' | 'buckets' | undefined;
  readonly told: SessionListener;
  /** Ends the wait for agents, and all the rest: the session is closed then. */
  readonly signal: AbortSignal;
}

export interface SessionListener {
  notice(text: string): void;
  preparing(text: string): void;
}

/** A run that is asked for. */
export interface SessionRun {
  readonly plan: RunPlan;
  readonly input: string;
  readonly viewersPerWorker: number;
  readonly browsers: number;
  readonly witnesses: number;
  readonly told: RunListener;
}

// On a machine that is full of others a process takes its time.
const LOCAL_WITHIN_MS = 60_000;
/** Servers let in 64 connections from one address. */
const VIEWERS_PER_ADDRESS_MAX = 60;
/** People have to start them. */
const REMOTE_WITHIN_MS = 600_000;
const LOCAL = 'an agent on this machine';
/** It takes all that it started with it. */
const PORTS_WITHIN_MS = 20_000;
const LOCAL_ENDS_WITHIN_MS = 3_000;

/** How an agent that the controller starts learns whom to serve. */
export const AGENT_ENVIRONMENT = { controller: 'INSWARM_CONTROLLER', secret: 'INSWARM_SECRET' } as const;

/** The machines of one measurement, for one run after the other. Close it: nothing is left then. */
export class Session {
  readonly folder: string = makeKeysFolder();
  /** `namespaces` where every machine can. */
  links: 'namespaces' | 'buckets' = 'buckets';
  private readonly config: SessionConfig;
  private readonly agents: AgentLink[] = [];
  private readonly awaited = new Awaited();
  private readonly doors: Agents[] = [];
  /** What agents said of their ports. */
  private readonly free = new Map<AgentLink, readonly number[]>();
  private local: ChildProcess | undefined;
  private current: ProcessRun | undefined;
  private closing: Promise<void> | undefined;

  private constructor(config: SessionConfig) {
    this.config = config;
  }

  /** @throws Error with one sentence, also where the signal ended it. */
  static async open(config: SessionConfig): Promise<Session> {
    const session = new Session(config);
    const { signal } = config;
    const stop = (): void => void session.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      await session.start();
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  /** @returns The run, once it is over. @throws Error with one sentence where it came to nothing. */
  async run({ told, ...asked }: SessionRun, made: (run: ProcessRun) => void): Promise<ProcessRun> {
    if (this.closing !== undefined) throw new Error('stopped');
    const { links } = this;
    const agents = this.everybody();
    const most = (agents.length - 1) * VIEWERS_PER_ADDRESS_MAX;
    if (agents.length > 1 && asked.plan.peers > most)
      throw new Error(
        `machines that are lent run ${VIEWERS_PER_ADDRESS_MAX} viewers each, so ${most} at most: lend more of them`,
      );
    // Another run is another broadcast, with keys of its own.
    const folder = mkdtempSync(join(this.folder, 'run-'));
    const addresses = links === 'namespaces' ? '198.18' : await freeLoopback();
    const run = new ProcessRun({ ...asked, agents, links, addresses, folder, told });
    // Who went while addresses were looked for told nobody.
    if (this.closing !== undefined) throw new Error('stopped');
    if (!agents.every((agent) => this.agents.includes(agent))) throw new Error('an agent has gone');
    this.current = run;
    try {
      if (agents.length > 1)
        await run.placement.share(this.machines(agents), (machine, from, count) => this.ports(machine, from, count));
      made(run);
      await run.run();
    } finally {
      this.current = undefined;
    }
    return run;
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async start(): Promise<void> {
    const { remote, told } = this.config;
    const own = { host: '127.0.0.1', port: 0, key: randomBytes(24).toString('base64url'), isOwn: true };
    const door = await this.listen(own);
    const there = remote === null || remote.count === 0 ? undefined : await this.listen({ ...remote, isOwn: false });
    this.startLocal(door.url, own.key);
    await this.awaited.until('local', LOCAL, LOCAL_WITHIN_MS);
    if (there !== undefined && !this.hasAll()) {
      const { count } = remote!;
      told.preparing(`waiting for ${count} ${count === 1 ? 'agent' : 'agents'} at ${there.url}`);
      await this.awaited.until('remote', 'the agents on other machines', REMOTE_WITHIN_MS);
    }
    this.links = this.linksOf();
  }

  private async listen(door: AgentsDoor): Promise<Agents> {
    const agents = await Agents.listen(door, {
      joined: (agent) => this.joined(agent),
      heard: (agent, message) => this.heard(agent, message),
      gone: (agent, why) => this.gone(agent, why),
    });
    this.doors.push(agents);
    if (this.closing !== undefined) {
      await agents.close();
      throw new Error('stopped');
    }
    return agents;
  }

  private hasAll(): boolean {
    const { remote } = this.config;
    return this.agents.filter(({ isOwn }) => !isOwn).length >= (remote?.count ?? 0);
  }

  /** The one of this machine is the first. */
  private everybody(): AgentLink[] {
    const own = this.agents.filter(({ isOwn }) => isOwn);
    if (own.length === 0) throw new Error(`${LOCAL} has gone`);
    if (!this.hasAll()) throw new Error('an agent on another machine has gone');
    return [...own, ...this.agents.filter(({ isOwn }) => !isOwn)];
  }

  private heard(agent: AgentLink, message: FromAgent): void {
    this.current?.heard(agent, message);
    if (message.say === 'ports') {
      this.free.set(agent, message.ports);
      this.awaited.came(`ports ${agent.number}`);
    }
    if (message.say === 'trouble') this.awaited.failed(`ports ${agent.number}`, new Error(message.why));
  }

  /** The servers are where agents have found this controller. */
  private machines(agents: readonly AgentLink[]): Shared[] {
    return agents.map((agent) => ({ agent, host: agent.isOwn ? this.config.remote!.host : agent.machine.host! }));
  }

  private async ports({ agent, host }: Shared, from: number, count: number): Promise<readonly number[]> {
    agent.send({ say: 'ports', host, from, count });
    await this.awaited.until(`ports ${agent.number}`, `free ports on ${agent.machine.name}`, PORTS_WITHIN_MS);
    const ports = this.free.get(agent)!;
    if (ports.length !== count) throw new Error(`${agent.machine.name} has no ${count} free ports`);
    return ports;
  }

  private startLocal(controller: string, secret: string): void {
    const env = { ...process.env, [AGENT_ENVIRONMENT.controller]: controller, [AGENT_ENVIRONMENT.secret]: secret };
    const child = spawnTied(this.config.agentCommand, env);
    this.local = child;
    const failed = (how: string): void => this.awaited.failed('local', new Error(`${LOCAL} ${how}`));
    child.on('error', (error) => failed(`did not start: ${error.message}`));
    child.on('exit', (code, signal) => failed(signal === null ? `ended with code ${code}` : `was ended by ${signal}`));
  }

  private linksOf(): 'namespaces' | 'buckets' {
    const { links, told } = this.config;
    const [first] = this.agents;
    const why = this.agents.length > 1 ? 'several machines take part' : first!.machine.noNamespaces;
    if (links === 'namespaces' && why !== null) throw new Error(`the kernel cannot make the links: ${why}`);
    if (links === undefined && why !== null) told.notice(`links are made by token buckets: ${why}`);
    return links ?? (why === null ? 'namespaces' : 'buckets');
  }

  private joined(agent: AgentLink): void {
    if (this.closing !== undefined) {
      agent.close();
      return;
    }
    if (agent.isOwn) {
      this.agents.push(agent);
      this.awaited.came('local');
      return;
    }
    if (agent.machine.host === null || !isIPv4(agent.machine.host)) {
      agent.close('an agent on another machine says its IPv4 address with --host');
      return;
    }
    if (this.hasAll()) {
      agent.close('there are as many agents as are asked for');
      return;
    }
    this.agents.push(agent);
    if (this.hasAll()) this.awaited.came('remote');
  }

  private gone(agent: AgentLink, why: string): void {
    const at = this.agents.indexOf(agent);
    if (at < 0) return;
    this.agents.splice(at, 1);
    const ended = this.closing === undefined ? `the agent on ${agent.machine.name} has gone (${why})` : 'stopped';
    this.current?.lost(agent, ended);
  }

  private async end(): Promise<void> {
    this.awaited.giveUp(new Error('stopped'));
    this.current?.giveUp('stopped');
    for (const agent of [...this.agents]) agent.close();
    await Promise.all(this.doors.map((door) => door.close()));
    await this.endLocal();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async endLocal(): Promise<void> {
    const { local } = this;
    if (local?.pid === undefined || local.exitCode !== null || local.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => local.once('exit', () => resolve()));
    // It ends with its channel, if it has not with its controller.
    if (local.connected) local.disconnect();
    const late = setTimeout(() => local.kill('SIGKILL'), LOCAL_ENDS_WITHIN_MS);
    await gone;
    clearTimeout(late);
  }
}
