import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Namespace, namespaceOf } from './namespace.ts';

/** How a process is started in an anonymous network namespace that is gone with it, and it with its parent, also where that is killed. */
const ALONE = ['--pdeathsig', 'KILL', 'unshare', '-n', '--'];
/** A namespace takes a few ms, on a busy machine much more. */
const NAMESPACE_WITHIN_MS = 10_000;
const LOOK_MS = 2;

/** @param log - Gets the lines that it writes. */
export function startAlone(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
): ChildProcess {
  const child = spawn('setpriv', [...ALONE, ...command], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
    env,
    // A group of its own: Ctrl-C in a terminal is for this process, which ends the others.
    detached: true,
  });
  child.on('error', (error) => log(error.message));
  for (const stream of [child.stdout!, child.stderr!]) createInterface({ input: stream }).on('line', log);
  return child;
}

export interface Alone {
  readonly pid: number;
  readonly namespace: Namespace;
}

/** @throws Error where it ends before it is in a network namespace of its own, or takes too long. */
export async function untilAlone(child: ChildProcess, name: string): Promise<Alone> {
  const ours = namespaceOf(process.pid);
  const untilMs = performance.now() + NAMESPACE_WITHIN_MS;
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  while (performance.now() < untilMs) {
    const { pid } = child;
    if (failure !== undefined) throw new Error(`${name} cannot be started: ${failure.message}`);
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${name} ended before it had a network (${child.signalCode ?? child.exitCode})`);
    }
    const theirs = pid === undefined ? undefined : namespaceOf(pid);
    if (pid !== undefined && theirs !== undefined && theirs !== ours) return { pid, namespace: new Namespace(pid) };
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`${name} has no network namespace after ${NAMESPACE_WITHIN_MS / 1000} s`);
}
