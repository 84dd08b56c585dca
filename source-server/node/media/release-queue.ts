import { nowMs } from '../../../runtime/node/clock.ts';

/** Something that goes out at its time. */
export interface Queued<T> {
  readonly item: T;
  /** Unix ms at which it is due, asked each time anew because the clock's line may move; undefined: when its turn comes. */
  readonly dueMs: (() => number) | undefined;
}

/** Hands things out in order, none before it is due. */
export class ReleaseQueue<T> {
  private readonly queue: Queued<T>[] = [];
  private readonly release: (item: T) => void;
  private timer: NodeJS.Timeout | undefined;
  private busy = false;

  constructor(release: (item: T) => void) {
    this.release = release;
  }

  push(item: T, dueMs: (() => number) | undefined): void {
    this.queue.push({ item, dueMs });
    this.run();
  }

  isEmpty(): boolean {
    return this.queue.length === 0;
  }

  /** Drops what waits, and lets go of the timer. */
  close(): void {
    this.queue.length = 0;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private run(): void {
    if (this.busy || this.timer !== undefined) return;
    this.busy = true;
    for (let head = this.queue[0]; head !== undefined; head = this.queue[0]) {
      const waitMs = head.dueMs === undefined ? 0 : head.dueMs() - nowMs();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.wake(), Math.min(waitMs, 1000));
        break;
      }
      this.queue.shift();
      this.release(head.item);
    }
    this.busy = false;
  }

  private wake(): void {
    this.timer = undefined;
    this.run();
  }
}
