import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunPlan } from '../../../scenarios/plan/plan.ts';
import { spawnTied } from '../agent/bare-ground.ts';
import { type AgentLink, Agents } from './agents.ts';
import { Awaited } from './awaited.ts';
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

const LOCAL_WITHIN_MS = 15_000;
/** People have to start them. */
const REMOTE_WITHIN_MS = 600_000;
const LOCAL = 'an agent on this machine';

/** How an agent that the controller starts learns whom to serve. */
export const AGENT_ENVIRONMENT = { controller: 'INSWARM_CONTROLLER', secret: 'INSWARM_SECRET' } as const;

/** The machines of one measurement, for one run after the other. Close it: nothing is left then. */
export class Session {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'inswarm-measure-'));
  /** `namespaces` where every machine can. */
  links: 'namespaces' | 'buckets' = 'buckets';
  private readonly config: SessionConfig;
  private readonly agents: AgentLink[] = [];
  private readonly awaited = new Awaited();
  private listener: Agents | undefined;
  private local: ChildProcess | undefined;
  private current: ProcessRun | undefined;
  private closing: Promise<void> | undefined;

  private constructor(config: SessionConfig) {
    this.config = config;
  }

  /** @throws Error with one sentence. */
  static async open(config: SessionConfig): Promise<Session> {
    const session = new Session(config);
    try {
      await session.start();
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  /** @returns The run, once it is over. @throws Error with one sentence where it came to nothing. */
  async run({ told, ...asked }: SessionRun, made: (run: ProcessRun) => void): Promise<ProcessRun> {
    const { agents, links } = this;
    // Another run is another broadcast, with keys of its own.
    const folder = mkdtempSync(join(this.folder, 'run-'));
    const addresses = links === 'namespaces' ? '198.18' : '127.18';
    const run = new ProcessRun({ ...asked, agents, links, addresses, folder, told });
    this.current = run;
    made(run);
    try {
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
    const key = remote?.key ?? randomBytes(24).toString('base64url');
    this.listener = await Agents.listen(remote?.host ?? '127.0.0.1', remote?.port ?? 0, key, {
      joined: (agent) => this.joined(agent),
      heard: (agent, message) => this.current?.heard(agent, message),
      gone: (agent, why) => this.gone(agent, why),
    });
    const { port } = new URL(this.listener.url);
    this.startLocal(`ws://127.0.0.1:${port}`, key);
    await this.awaited.until('local', LOCAL, LOCAL_WITHIN_MS);
    if (remote !== null && remote.count > 0) {
      const { count } = remote;
      told.preparing(`waiting for ${count} ${count === 1 ? 'agent' : 'agents'} at ${this.listener.url}`);
      await this.awaited.until('remote', 'the agents on other machines', REMOTE_WITHIN_MS);
    }
    this.links = this.linksOf();
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
    this.agents.push(agent);
    // The one of this machine is the first.
    this.agents.sort((a, b) => Number(a.machine.host !== null) - Number(b.machine.host !== null));
    if (agent.machine.host === null) this.awaited.came('local');
    const others = this.agents.filter(({ machine }) => machine.host !== null).length;
    if (others >= (this.config.remote?.count ?? 0)) this.awaited.came('remote');
  }

  private gone(agent: AgentLink, why: string): void {
    this.agents.splice(this.agents.indexOf(agent), 1);
    if (this.closing === undefined) this.current?.giveUp(`the agent on ${agent.machine.name} has gone (${why})`);
  }

  private async end(): Promise<void> {
    this.awaited.giveUp(new Error('stopped'));
    this.current?.giveUp('stopped');
    for (const agent of [...this.agents]) agent.close();
    await this.listener?.close();
    if (this.local?.connected === true) this.local.disconnect();
    this.local?.kill('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
