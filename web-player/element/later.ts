/** Whoever waits so long is told; what comes later than that is there for the next time. */
const PATIENCE_MS = 15_000;
/** The picture comes first. */
const IDLE_WITHIN_MS = 5_000;

/** A part of the program that is loaded once, when it is wanted. What failed is tried again when it is wanted again. */
export class Later<T> {
  private readonly load: () => Promise<T>;
  private loaded: T | undefined;

  /** @param load - An import. */
  constructor(load: () => Promise<T>) {
    this.load = load;
  }

  /** Undefined until it is. */
  get here(): T | undefined {
    return this.loaded;
  }

  /** @returns Undefined when it cannot be had, or not soon. */
  async soon(withinMs = PATIENCE_MS): Promise<T | undefined> {
    let timer = 0;
    const late = new Promise<undefined>((resolve) => {
      timer = window.setTimeout(resolve, withinMs);
    });
    const found = await Promise.race([this.get(), late]);
    window.clearTimeout(timer);
    return found;
  }

  /** Loads it when the browser has nothing better to do. */
  whenIdle(): void {
    const load = (): void => void this.get();
    if (this.loaded !== undefined) return;
    // Not in every browser.
    if (globalThis.requestIdleCallback === undefined) window.setTimeout(load, IDLE_WITHIN_MS / 2);
    else requestIdleCallback(load, { timeout: IDLE_WITHIN_MS });
  }

  private async get(): Promise<T | undefined> {
    try {
      this.loaded ??= await this.load();
    } catch {
      // Most likely offline.
    }
    return this.loaded;
  }
}
