interface Waiting {
  readonly resolve: () => void;
  readonly reject: (why: Error) => void;
}

/** Things that are waited for by name, each with a deadline. */
export class Awaited {
  private readonly waiting = new Map<string, Set<Waiting>>();
  private givenUp: Error | undefined;

  get isGivenUp(): boolean {
    return this.givenUp !== undefined;
  }

  /**
   * @param what - For the error: what did not come.
   * @throws Error when it has not come by then, or all is given up, also before.
   */
  until(name: string, what: string, withinMs: number): Promise<void> {
    if (this.givenUp !== undefined) return Promise.reject(this.givenUp);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(late);
        this.forget(name, one);
      };
      const one: Waiting = {
        resolve: () => {
          end();
          resolve();
        },
        reject: (why) => {
          end();
          reject(why);
        },
      };
      const late = setTimeout(
        () => one.reject(new Error(`${what} did not come within ${withinMs / 1000} s`)),
        withinMs,
      );
      const others = this.waiting.get(name);
      if (others === undefined) this.waiting.set(name, new Set([one]));
      else others.add(one);
    });
  }

  came(name: string): void {
    for (const { resolve } of [...(this.waiting.get(name) ?? [])]) resolve();
  }

  failed(name: string, why: Error): void {
    for (const { reject } of [...(this.waiting.get(name) ?? [])]) reject(why);
  }

  /** All that is waited for fails, now and from now on; the first reason stands. */
  giveUp(why: Error): void {
    this.givenUp ??= why;
    for (const name of [...this.waiting.keys()]) this.failed(name, this.givenUp);
  }

  private forget(name: string, one: Waiting): void {
    const all = this.waiting.get(name);
    all?.delete(one);
    if (all?.size === 0) this.waiting.delete(name);
  }
}
