import type { DriveClock } from '../../runtime/drive.ts';
import type { InsError } from './errors.ts';
import type { Call } from './wire.ts';

export interface OpenCallsOptions {
  readonly clock: DriveClock;
  /** Ms without a connection after which a call fails; Infinity for never. */
  readonly giveUpAfterMs: number;
  /** Whether there is a connection: nobody waits for one then. */
  readonly isReady: () => boolean;
  /** What those fail with who have waited too long. */
  readonly unreachable: () => InsError;
}

/** The calls of one client that are under way, and how long they wait for a connection. It touches one timer. */
export class OpenCalls {
  private readonly calls = new Set<Call>();
  private downSinceMs: number;
  private timer: unknown;
  private readonly options: OpenCallsOptions;

  constructor(options: OpenCallsOptions) {
    this.options = options;
    this.downSinceMs = options.clock.nowMs();
  }

  add(call: Call): void {
    this.calls.add(call);
    this.watch();
  }

  has(call: Call): boolean {
    return this.calls.has(call);
  }

  delete(call: Call): void {
    this.calls.delete(call);
  }

  /** There is everything it takes to ask. */
  begin(): void {
    for (const call of [...this.calls]) call.begin();
  }

  /** The connection that was there is gone: calls wait from now on. */
  disconnected(): void {
    this.downSinceMs = this.options.clock.nowMs();
  }

  /** Sets the timer for the call that has waited longest for a connection. */
  watch(): void {
    const { clock, isReady, unreachable } = this.options;
    if (this.timer !== undefined || isReady() || this.calls.size === 0) return;
    const dueMs = Math.min(...[...this.calls].map((call) => this.dueMs(call)));
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.timer = clock.setTimer(
      () => {
        this.timer = undefined;
        if (isReady()) return;
        const nowMs = clock.nowMs();
        for (const call of [...this.calls]) if (this.dueMs(call) <= nowMs) call.fail(unreachable());
        this.watch();
      },
      Math.max(0, dueMs - clock.nowMs()),
    );
  }

  /** All fail, and none comes after them. */
  end(error: unknown): void {
    if (this.timer !== undefined) this.options.clock.clearTimer(this.timer);
    for (const call of [...this.calls]) call.fail(error);
  }

  private dueMs(call: Call): number {
    return Math.max(call.startedAtMs, this.downSinceMs) + this.options.giveUpAfterMs;
  }
}
