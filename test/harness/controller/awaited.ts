/** Things that are waited for by name, each with a deadline. */
export class Awaited {
  private readonly waiting = new Map<string, { readonly resolve: () => void; readonly reject: (why: Error) => void }>();

  /**
   * @param what - For the error: what did not come.
   * @throws Error when it has not come by then, or all is given up.
   */
  until(name: string, what: string, withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(late);
        this.waiting.delete(name);
      };
      const late = setTimeout(() => {
        end();
        reject(new Error(`${what} did not come within ${withinMs / 1000} s`));
      }, withinMs);
      this.waiting.set(name, {
        resolve: () => {
          end();
          resolve();
        },
        reject: (why) => {
          end();
          reject(why);
        },
      });
    });
  }

  came(name: string): void {
    this.waiting.get(name)?.resolve();
  }

  failed(name: string, why: Error): void {
    this.waiting.get(name)?.reject(why);
  }

  /** All that is waited for fails. */
  giveUp(why: Error): void {
    for (const { reject } of [...this.waiting.values()]) reject(why);
  }
}
