/**
 * The contract of every core: a state machine that reads no clock, no socket and no random source.
 *
 * The embedder feeds what inputs there are with the current time, takes one output, and repeats until there is neither; then it
 * asks for the next deadline. Times
 * are Unix ms from a monotonic clock (a process takes the wall clock once, at its start, and counts from there), so the
 * same number serves deadlines and the times that go into messages.
 */
export interface Machine<Input, Output> {
  /** Feeds one input. What it leads to may show at the next {@link pollOutput} only. */
  handleInput(input: Input, nowMs: number): void;
  /** Lets time pass. No effect when no deadline has come. */
  handleTimeout(nowMs: number): void;
  /** The next output, oldest first. */
  pollOutput(): Output | undefined;
  /** When {@link handleTimeout} is wanted next. May change with each of the calls above. */
  nextDeadline(): number | undefined;
}

/** A link (one WebSocket) as cores know it: a number that the embedder or the core made up, never used twice. */
export type LinkId = number;

/** The bytes of a block as a core holds them: it knows the length and never looks inside. */
export interface Body {
  readonly byteLength: number;
}

/** A compile error when a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}

/** Where a part of a core puts its outputs: the end of a {@link Queue} that may hold other kinds, too. */
export interface Sink<T> {
  push(item: T): void;
}

/** A first-in first-out queue that is cheap at both ends: what `pollOutput` reads from. */
export class Queue<T> {
  private items: (T | undefined)[] = [];
  private head = 0;
  private end = 0;

  get length(): number {
    return this.end - this.head;
  }

  push(item: T): void {
    this.items[this.end++] = item;
  }

  shift(): T | undefined {
    if (this.head === this.end) return undefined;
    const item = this.items[this.head];
    this.items[this.head++] = undefined;
    if (this.head === this.end) {
      // A short queue keeps its places: most are filled and emptied again and again.
      if (this.end > KEPT_PLACES) this.items = [];
      this.head = 0;
      this.end = 0;
    } else if (this.head > 1024 && this.head * 2 > this.end) {
      this.items = this.items.slice(this.head, this.end);
      this.end -= this.head;
      this.head = 0;
    }
    return item;
  }
}

const KEPT_PLACES = 64;
