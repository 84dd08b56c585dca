/** Takes values out of an iterable of either kind one by one, never further than asked for, but for one that waits. */
export class Feed<T> {
  private readonly pull: () => IteratorResult<T> | Promise<IteratorResult<T>>;
  private readonly stop: () => void;
  private readonly ready: () => void;
  private readonly failed: (error: unknown) => void;
  private here: { readonly value: T } | undefined;
  private pulling = false;
  private over = false;

  /**
   * @param ready - After {@link take} had nothing: there is a value now, or the end.
   * @param failed - The iterable threw; nothing more comes.
   */
  constructor(source: Iterable<T> | AsyncIterable<T>, ready: () => void, failed: (error: unknown) => void) {
    const iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : (source as Iterable<T>)[Symbol.iterator]();
    this.pull = () => iterator.next();
    this.stop = () => {
      const returned = iterator.return?.();
      if (returned instanceof Promise) returned.catch(() => {});
    };
    this.ready = ready;
    this.failed = failed;
  }

  /** Nothing more will come. */
  get ended(): boolean {
    return this.over && this.here === undefined;
  }

  /** The next value; `undefined` when there is none now. */
  take(): { readonly value: T } | undefined {
    if (this.here === undefined) this.look();
    const { here } = this;
    this.here = undefined;
    return here;
  }

  /** Whether there is a value now, without taking it; where there is none, asks for it. */
  look(): boolean {
    if (this.here === undefined && !this.pulling && !this.over) this.next();
    return this.here !== undefined;
  }

  /** Lets the iterable know that no more is wanted. */
  close(): void {
    if (this.over) return;
    this.over = true;
    this.here = undefined;
    this.stop();
  }

  private next(): void {
    try {
      const next = this.pull();
      if (!(next instanceof Promise)) {
        this.arrived(next);
        return;
      }
      this.pulling = true;
      next.then(
        (result) => {
          this.pulling = false;
          if (this.over) return;
          this.arrived(result);
          this.ready();
        },
        (error: unknown) => this.fail(error),
      );
    } catch (error) {
      this.fail(error);
    }
  }

  private arrived(result: IteratorResult<T>): void {
    if (result.done === true) this.over = true;
    else this.here = { value: result.value };
  }

  private fail(error: unknown): void {
    this.pulling = false;
    if (this.over) return;
    this.over = true;
    this.failed(error);
  }
}
