import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Supply } from '../report/report.ts';
import type { ViewerFigures } from '../report/viewers.ts';
import type { SimResult } from '../sim/result.ts';
import type { RunOptions } from '../sim/run.ts';

/** What a process that simulates says to the one that started it. */
export type FromWorker =
  | { readonly kind: 'ready' }
  /** How much of the run is done, 0 … 1. */
  | { readonly kind: 'progress'; readonly share: number }
  | ({ readonly kind: 'result' } & SimOutcome)
  | { readonly kind: 'failed'; readonly why: string };

export interface SimOutcome {
  readonly result: SimResult;
  readonly supply: Supply;
  /** What came of each stay, where the job asks for it; none else. */
  readonly viewers: readonly ViewerFigures[];
}

/** A run to be made. */
export interface SimJob {
  readonly options: RunOptions;
  readonly wantsViewers: boolean;
}

/** Hears how the runs go, each by its place in the list. */
export interface PoolListener {
  started(job: number): void;
  progress(job: number, share: number): void;
  done(job: number, outcome: SimOutcome): void;
}

const WORKER = fileURLToPath(
  new URL(`./sim-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);
/** Whatever has not ended by itself so long after its channel closed is killed. */
const KILL_AFTER_MS = 500;

/** Runs simulations in processes of their own, as many at a time as there are processors for. */
export class SimPool {
  private readonly children = new Set<ChildProcess>();
  private readonly listener: PoolListener;
  private stopped = false;
  private next = 0;

  constructor(listener: PoolListener) {
    this.listener = listener;
  }

  /**
   * @param jobs - In the order in which they are begun.
   * @returns When all are done, or the pool was stopped.
   * @throws Error with the first failure; the other processes are ended then.
   */
  async run(jobs: readonly SimJob[], processes: number): Promise<void> {
    const workers = Array.from({ length: Math.min(processes, jobs.length) }, () => this.work(jobs));
    try {
      await Promise.all(workers);
    } finally {
      this.stop();
    }
  }

  /** Ends all processes; {@link run} returns with what is done. */
  stop(): void {
    this.stopped = true;
    for (const child of this.children) {
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      child.once('exit', () => clearTimeout(timer));
    }
  }

  /** One process, and one run after the other in it. */
  private work(jobs: readonly SimJob[]): Promise<void> {
    // A group of its own: Ctrl-C in a terminal is for this process, which ends the others.
    const child = fork(WORKER, [], { detached: process.platform !== 'win32', serialization: 'advanced' });
    this.children.add(child);
    let job = -1;
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        if (this.stopped || this.next >= jobs.length) {
          if (child.connected) child.disconnect();
          return;
        }
        job = this.next++;
        this.listener.started(job);
        child.send(jobs[job]!);
      };
      child.on('message', (message: FromWorker) => {
        if (this.stopped) return;
        if (message.kind === 'progress') this.listener.progress(job, message.share);
        else if (message.kind === 'failed') reject(new SimFailure(job, message.why));
        else {
          if (message.kind === 'result') this.listener.done(job, message);
          job = -1;
          begin();
        }
      });
      child.on('error', (error) => reject(new SimFailure(job, error.message)));
      child.on('exit', (code, signal) => {
        this.children.delete(child);
        if (job >= 0 && !this.stopped) reject(new SimFailure(job, `its process ended (${signal ?? code})`));
        resolve();
      });
    });
  }
}

/** A run that came to nothing; -1 where none had begun. */
export class SimFailure extends Error {
  readonly job: number;

  constructor(job: number, why: string) {
    super(why);
    this.job = job;
  }
}
