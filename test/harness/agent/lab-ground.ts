import { canOpenLab } from '../links/lab/can-open.ts';
import { type LabProcess, openLab } from '../links/lab/lab.ts';
import type { Delays } from '../links/links.ts';
import type { Ground } from './ground.ts';

export const canHaveLab = canOpenLab;

/** Workers in network namespaces, with links that the kernel makes and a relay in the middle that adds the delays. */
export async function labGround(delaysMs: Delays, log: (line: string) => void): Promise<Ground> {
  const lab = await openLab({ delaysMs, log });
  const programs = new Map<string, LabProcess>();
  return {
    are: 'the kernel makes the rates (tbf, HTB) on links between network namespaces, where TCP really competes; a process in the middle adds the delays, handshakes included',
    async spawn(name, hosts, command) {
      const program = await lab.spawn({ name, hosts, command });
      programs.set(name, program);
      return program.child;
    },
    async order(order) {
      await lab.order(order);
      return true;
    },
    counts: () => lab.counts(),
    async processes() {
      const { cpuSeconds, lateMaxMs } = await lab.health();
      return { relay: { atMs: performance.now(), cpuMs: cpuSeconds * 1000, loopDelayMs: lateMaxMs, rssBytes: 0 } };
    },
    async kernel(worker) {
      const program = programs.get(worker);
      return program === undefined ? undefined : await lab.kernel(program);
    },
    close: () => lab.close(),
  };
}
