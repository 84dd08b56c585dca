interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** What is to happen, in order of time; what was planned first goes first at the same time. */
export class EventQueue {
  nowMs: number;
  private readonly heap: Entry[] = [];
  private planned = 0;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  at(atMs: number, run: () => void): void {
    const entry = { atMs: Math.max(atMs, this.nowMs), order: this.planned++, run };
    const { heap } = this;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!before(entry, heap[up]!)) break;
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = entry;
  }

  /** Runs everything up to a time. @returns The number of events run. */
  runUntil(endMs: number): number {
    let count = 0;
    while (this.heap.length > 0 && this.heap[0]!.atMs <= endMs) {
      const entry = this.pop();
      this.nowMs = entry.atMs;
      entry.run();
      count++;
    }
    this.nowMs = endMs;
    return count;
  }

  private pop(): Entry {
    const { heap } = this;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let down = at * 2 + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && before(heap[down + 1]!, heap[down]!)) down++;
      if (!before(heap[down]!, last)) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = last;
    return top;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
