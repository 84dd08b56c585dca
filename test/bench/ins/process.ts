import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { performance } from 'node:perf_hooks';

/** Processes of the bench: each answers calls that come over the channel to its parent. */

/** What a process can be asked. Arguments and answers are cloned. */
export type Calls = Readonly<Record<string, (argument: never) => unknown>>;
type Answer<F> = F extends (argument: never) => infer R ? Awaited<R> : never;

interface Asked {
  readonly id: number;
  readonly call: string;
  readonly argument: unknown;
}
type Answered = { readonly id: number } & ({ readonly answer: unknown } | { readonly error: string });

/** Answers calls until the parent is gone. */
export function serveCalls(calls: Calls): void {
  process.on('message', async ({ id, call, argument }: Asked) => {
    try {
      const answer = await (calls[call] as (argument: unknown) => unknown)(argument);
      process.send!({ id, answer });
    } catch (error) {
      process.send!({ id, error: (error as Error).stack ?? String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
  // The parent may have gone before there was anybody to be told.
  if (!process.connected) process.exit();
  // Ctrl-C is the parent's to handle; it ends the channel.
  process.on('SIGINT', () => {});
}

/** CPU and event loop of a process between two moments. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

export class BenchProcess<C extends Calls> {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  private lastId = 0;
  private over = false;
  private readonly gone: Promise<void>;

  /**
   * @param script - Path without its ending, relative to this file.
   * @param before - A command that starts the process, such as `ip netns exec NAME`.
   */
  constructor(
    script: string,
    options: { readonly flags?: readonly string[]; readonly before?: readonly string[] } = {},
  ) {
    const { flags = [], before = [] } = options;
    const path = new URL(`${script}${extname(import.meta.url)}`, import.meta.url).pathname;
    const profiled = script === profiling?.script ? profiling.flags : [];
    const [program, ...args] = [...before, process.execPath, ...process.execArgv, ...flags, ...profiled, path];
    this.child = spawn(program!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
    this.child.on('message', (message: Answered) => {
      const waiting = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if ('error' in message) waiting?.reject(new Error(message.error));
      else waiting?.resolve(message.answer);
    });
    this.gone = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        this.over = true;
        for (const { reject } of this.waiting.values()) reject(new Error(`${script} ended (${code ?? signal})`));
        this.waiting.clear();
        resolve();
      });
    });
    running.add(this);
  }

  get pid(): number {
    return this.child.pid!;
  }

  call<K extends keyof C & string>(call: K, ...[argument]: Parameters<C[K]>): Promise<Answer<C[K]>> {
    if (this.over) return Promise.reject(new Error('the process has ended'));
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      this.child.send({ id, call, argument });
    });
  }

  /** Ends it: a process whose channel is gone exits. */
  async stop(): Promise<void> {
    running.delete(this);
    if (this.over) return;
    if (this.child.connected) this.child.disconnect();
    const late = setTimeout(() => this.child.kill('SIGKILL'), 2_000);
    await this.gone;
    clearTimeout(late);
  }
}

let profiling: { readonly script: string; readonly flags: readonly string[] } | undefined;

/** Processes of this script get these flags of Node from now on. */
export function profile(script: string, flags: readonly string[]): void {
  profiling = { script, flags };
}

const running = new Set<{ stop(): Promise<void> }>();

/** Ends whatever is still running: at the end of a scenario, and when the bench is interrupted. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((process) => process.stop()));
}

/** Something besides processes that has to be undone at the end. Returns what forgets it. */
export function undoAtEnd(undo: () => Promise<void>): () => void {
  const entry = {
    stop: async (): Promise<void> => {
      running.delete(entry);
      await undo();
    },
  };
  running.add(entry);
  return () => running.delete(entry);
}

/** Seconds on a processor, of all threads since the process began (Linux; in ns steps). */
export function cpuSeconds(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ', 1)[0]);
  }
  return sum / 1e9;
}

/** Monotonic ms, the same in all processes of the machine. */
export function sharedNowMs(): number {
  return performance.now() + SHARED_ZERO_MS;
}
const SHARED_ZERO_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Seconds for which a process's main thread could have run and others had the processor. */
export function waitSeconds(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e9;
}
