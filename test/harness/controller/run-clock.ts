import { nowMs } from '../../../runtime/node/clock.ts';

/** The clock of one run: its start, what is done at its times, and pauses. It touches timers alone, and all of them end with the run. */
export class RunClock {
  /** Unix ms by the controller's clock; 0 before the source is on the air. */
  startMs = 0;
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly stopper = new AbortController();

  /** Ms since the source's start; negative before. */
  get elapsedMs(): number {
    return this.startMs === 0 ? -1 : nowMs() - this.startMs;
  }

  /** The run is over, or ends early: nothing more is done. */
  get isStopped(): boolean {
    return this.stopper.signal.aborted;
  }

  /** Pauses end at once, from now on. */
  stop(): void {
    this.stopper.abort();
  }

  /** What was to be done later is not. */
  clear(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** At a time of the run, unless it is over by then. */
  at(atMs: number, run: () => void): void {
    const delayMs = this.startMs + atMs - nowMs();
    const timer = setTimeout(
      () => {
        this.timers.delete(timer);
        if (!this.isStopped) run();
      },
      Math.max(0, delayMs),
    );
    this.timers.add(timer);
  }

  /** Ends early when the run is given up. */
  pause(ms: number): Promise<void> {
    const { signal } = this.stopper;
    if (signal.aborted || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }
}
