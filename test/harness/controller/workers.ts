import type { ProgramSpec, ToWorker } from '../agent/programs.ts';
import type { Host } from '../links/links.ts';
import type { Awaited } from './awaited.ts';
import type { WorkerSpec } from './layout.ts';
import type { Placement } from './placement.ts';

/** Within this a process is ready, a program has started, and an agent has answered. */
export const READY_WITHIN_MS = 60_000;
const ENDED_WITHIN_MS = 10_000;
/** Processes that are started beside each other. */
const STARTED_AT_ONCE = 4;

/** The worker processes of a run: has agents start and kill them, and programs started in them. */
export class Workers {
  /** Those that have said that they are ready, and have not ended. */
  readonly alive = new Set<string>();
  /** Everything is being ended: nothing is started any more. */
  isClosed = false;
  /** Those that were killed on purpose. */
  private readonly killed = new Set<string>();
  private readonly placement: Placement;
  private readonly awaited: Awaited;

  constructor(placement: Placement, awaited: Awaited) {
    this.placement = placement;
    this.awaited = awaited;
  }

  /** A few at a time. @param told - Hears how many there are. */
  async spawnAll(told: (done: number) => void): Promise<void> {
    let done = 0;
    told(done);
    const left = [...this.placement.layout.workers];
    const count = Math.min(STARTED_AT_ONCE, left.length);
    const oneByOne = async (): Promise<void> => {
      for (let worker = left.shift(); worker !== undefined; worker = left.shift()) {
        await this.spawn(worker);
        done++;
        told(done);
      }
    };
    await Promise.all(Array.from({ length: count }, oneByOne));
  }

  async spawn({ name, hosts }: WorkerSpec): Promise<void> {
    if (this.isClosed) throw new Error('the run is over');
    this.placement.agent(name)!.send({ say: 'spawn', worker: name, hosts });
    await this.awaited.until(`ready ${name}`, `the process of ${name}`, READY_WITHIN_MS);
    this.alive.add(name);
  }

  async kill(worker: string): Promise<void> {
    if (!this.alive.has(worker)) return;
    this.killed.add(worker);
    this.placement.agent(worker)!.send({ say: 'kill', worker });
    await this.awaited.until(`ended ${worker}`, `the end of ${worker}`, ENDED_WITHIN_MS);
  }

  /** @returns Whether it was killed on purpose. */
  ended(worker: string): boolean {
    this.alive.delete(worker);
    this.awaited.came(`ended ${worker}`);
    return this.killed.delete(worker);
  }

  /** Starts the program that a host is there for, and waits for it. */
  async start({ name, address }: Host, program: ProgramSpec): Promise<void> {
    this.tell(address, { do: 'start', id: name, program, atMs: null });
    await this.awaited.until(`started ${name}`, `${name}`, READY_WITHIN_MS);
  }

  /** Tells the worker that an address is in. */
  tell(address: string, message: ToWorker): void {
    const worker = this.placement.worker(address)!;
    this.placement.agent(worker)?.send({ say: 'tell', worker, message });
  }
}
