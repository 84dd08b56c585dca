import { type ChildProcess, spawn } from 'node:child_process';
import type { Ground } from './ground.ts';

const RATES = 'token buckets in each program’s own send path make the rates';
const OWN = `${RATES}, and delays are added there; loopback carries the bytes`;
const SHARED = `${RATES}; the network between the machines carries the bytes and has the delays that it has`;

/** Workers as plain processes, which make the links of their hosts themselves. For this no rights are needed. */
export function bareGround(addsDelays = true): Ground {
  const children = new Set<ChildProcess>();
  let closed = false;
  return {
    are: addsDelays ? OWN : SHARED,
    async spawn(_name, _hosts, command) {
      if (closed) throw new Error('the run is over');
      const child = spawnTied(command);
      children.add(child);
      child.once('exit', () => children.delete(child));
      return child;
    },
    order: async () => false,
    counts: async () => undefined,
    processes: async () => ({}),
    kernel: async () => undefined,
    async close() {
      closed = true;
      for (const child of children) child.kill('SIGKILL');
    },
  };
}

/**
 * A process that does not outlive this one, however this one ends: Linux kills it (PR_SET_PDEATHSIG), also while it is stopped; elsewhere it ends
 * when it finds its channel closed.
 */
export function spawnTied(command: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const tied = process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL', '--', ...command] : [...command];
  return spawn(tied[0]!, tied.slice(1), {
    // What it prints is for people who look for a fault.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env,
    // A group of its own: Ctrl-C in a terminal is for the controller.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
}
