import { Queue } from '../../machine/machine.ts';

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What a call hands to its reader, in order, as an async iterable. It bounds nothing by itself: whoever pushes looks at what was
 * read.
 */
export class Channel<T> implements AsyncIterableIterator<T, undefined> {
  private readonly values = new Queue<T>();
  private readonly readers = new Queue<Reader<T>>();
  private over = false;
  private error: { readonly value: unknown } | undefined;
  private readonly onRead: (value: T) => void;
  private readonly onReturn: () => void;

  /**
   * @param onRead - A value has left.
   * @param onReturn - The reader wants no more; not called after {@link end} and {@link fail}.
   */
  constructor(onRead: (value: T) => void, onReturn: () => void) {
    this.onRead = onRead;
    this.onReturn = onReturn;
  }

  /** Values that nobody has read. */
  get unread(): number {
    return this.values.length;
  }

  push(value: T): void {
    if (this.over) return;
    const reader = this.readers.shift();
    if (reader === undefined) {
      this.values.push(value);
      return;
    }
    reader.resolve({ done: false, value });
    this.onRead(value);
  }

  /** Nothing comes after what has been pushed. */
  end(): void {
    this.over = true;
    for (let reader = this.readers.shift(); reader !== undefined; reader = this.readers.shift()) {
      reader.resolve({ done: true, value: undefined });
    }
  }

  /** The next read after what has been pushed throws, the one after that ends. */
  fail(error: unknown): void {
    if (this.over) return;
    const reader = this.readers.shift();
    if (reader === undefined) this.error = { value: error };
    else reader.reject(error);
    this.end();
  }

  /** Drops what nobody has read; then as {@link fail}. */
  abort(error: unknown): void {
    this.drop();
    this.fail(error);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.values.length > 0) {
      const value = this.values.shift() as T;
      this.onRead(value);
      return Promise.resolve({ done: false, value });
    }
    const { error } = this;
    if (error !== undefined) {
      this.error = undefined;
      return Promise.reject(error.value);
    }
    if (this.over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.readers.push({ resolve, reject }));
  }

  /** `break` in a `for await` comes here. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.drop();
    this.error = undefined;
    if (!this.over) {
      this.end();
      this.onReturn();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private drop(): void {
    while (this.values.length > 0) this.values.shift();
  }
}
