import { type Sleeper, Wheel } from '../relay/wheel.ts';
import type { Clock } from './clock.ts';

/** One timer for all hosts of a process. It keeps no process alive: what it is for has sockets. */
class ProcessClock implements Clock {
  private readonly wheel = new Wheel(performance.now());
  private timer: NodeJS.Timeout | undefined;
  private timerMs = Number.POSITIVE_INFINITY;
  private isTurning = false;

  nowMs(): number {
    return performance.now();
  }

  plan(sleeper: Sleeper, atMs: number): void {
    this.wheel.plan(sleeper, atMs, this.nowMs());
    if (!this.isTurning) this.arm();
  }

  private arm(): void {
    const { nextMs } = this.wheel;
    if (nextMs >= this.timerMs) return;
    clearTimeout(this.timer);
    this.timerMs = nextMs;
    this.timer = setTimeout(() => this.turn(), Math.ceil(Math.max(0, nextMs - this.nowMs()))).unref();
  }

  private turn(): void {
    this.timerMs = Number.POSITIVE_INFINITY;
    this.isTurning = true;
    try {
      this.wheel.turn(this.nowMs());
    } finally {
      this.isTurning = false;
      this.arm();
    }
  }
}

/** The clock of all hosts in this process. */
export const processClock: Clock = new ProcessClock();
