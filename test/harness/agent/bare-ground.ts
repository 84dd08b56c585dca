import { type ChildProcess, spawn } from 'node:child_process';
import type { LinksKind } from '../../../report/rig.ts';
import type { Ground } from './ground.ts';
import type { KernelFindings } from './messages.ts';

/** Workers as plain processes, which make the links of their hosts themselves. For this no rights are needed. */
export function bareGround(): Ground {
  const children = new Set<ChildProcess>();
  return {
    are: 'token buckets in each program’s own send path make the rates, and delays are added there; loopback carries the bytes',
    async spawn(_name, _hosts, command) {
      const child = spawnTied(command);
      children.add(child);
      child.once('exit', () => children.delete(child));
      return child;
    },
    order: async () => false,
    counts: async () => undefined,
    processes: async () => ({}),
    kernel: async () => NO_KERNEL,
    async close() {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}

const NO_KERNEL: KernelFindings = {
  why: 'the kernel is asked only where each worker has a network namespace of its own',
  sockets: 0,
  ownBytes: 0,
  kernelBytes: 0,
  worstShare: 0,
  interfaceBytes: 0,
  interfacePackets: 0,
};

export const BARE_LINKS: LinksKind = 'buckets';

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
