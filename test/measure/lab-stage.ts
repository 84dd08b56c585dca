import { type Lab, type LabProcess, openLab } from '../harness/links/lab/lab.ts';
import { ownProgram } from '../harness/links/lab/own-program.ts';
import type { Host, HostCounts } from '../harness/links/links.ts';
import type { EndState, LabCalls } from './lab-program.ts';

/** One-way delays of the stage's two regions. */
export const DELAYS_MS = [
  [3, 30],
  [20, 3],
] as const;
export const ROUND_TRIP_MS = 50;

export function host(address: string, region: number, upBps = 200e6, downBps = 200e6): Host {
  return { name: address, address, region, upBps, downBps };
}

/** A program in a lab, told what to do. */
export class Player {
  readonly program: LabProcess;
  private nextId = 1;

  constructor(program: LabProcess) {
    this.program = program;
    program.child.setMaxListeners(50);
  }

  call<C extends keyof LabCalls>(call: C, ...args: Parameters<LabCalls[C]>): Promise<Awaited<ReturnType<LabCalls[C]>>> {
    const id = this.nextId++;
    const { child } = this.program;
    return new Promise((resolve, reject) => {
      const answered = (answer: { id: number; result?: never; error?: string }): void => {
        if (answer.id !== id) return;
        child.off('message', answered);
        if (answer.error === undefined) resolve(answer.result!);
        else reject(new Error(answer.error));
      };
      child.on('message', answered);
      child.send({ id, call, args });
    });
  }

  /** The end that was dialled by a port, as it looks here. */
  async at(port: number): Promise<EndState | undefined> {
    return (await this.call('look')).findLast(({ remote }) => remote.endsWith(`:${port}`));
  }
}

export async function play(lab: Lab, name: string, hosts: readonly Host[]): Promise<Player> {
  return new Player(await lab.spawn({ name, hosts, command: ownProgram('./lab-program', import.meta.url) }));
}

export function openStage(): Promise<Lab> {
  return openLab({ delaysMs: DELAYS_MS, log: (line) => console.log(line) });
}

export async function countsOf(lab: Lab, address: string): Promise<HostCounts> {
  const { hosts } = await lab.counts();
  return structuredClone(hosts.find((it) => it.address === address)!);
}
