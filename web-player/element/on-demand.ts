export type Extras = typeof import('./extras.ts');

/** Whoever waits so long is told; what comes later is there for the next press. */
const PATIENCE_MS = 15_000;
/** The picture comes first. */
const IDLE_WITHIN_MS = 5_000;

let here: Extras | undefined;

/** Loads what is opened by a press, once for all players of a page. What failed is tried again with the next call. */
export async function loadExtras(): Promise<Extras> {
  here ??= await import('./extras.ts');
  return here;
}

/** The same, when the browser has nothing better to do. Who is offline then has it loaded by a press. */
export function loadExtrasWhenIdle(): void {
  const load = (): void => void loadExtras().catch(() => {});
  if (here !== undefined) return;
  // Not in every browser.
  if (globalThis.requestIdleCallback === undefined) window.setTimeout(load, IDLE_WITHIN_MS / 2);
  else requestIdleCallback(load, { timeout: IDLE_WITHIN_MS });
}

export interface OnDemandOptions {
  /** Gets the styles. */
  readonly shadow: ShadowRoot;
  /** Calls when there is something to wait for, and when it is here or cannot be had. */
  tell(state: 'loading' | 'here' | 'failed'): void;
}

/** One player's use of what is loaded on demand. */
export class OnDemand {
  private readonly options: OnDemandOptions;
  private isStyled = false;

  constructor(options: OnDemandOptions) {
    this.options = options;
  }

  /**
   * Acts at once when it is here, else as soon as it is.
   *
   * @param isPressed - Somebody waits for it.
   * @returns Whether it came.
   */
  async use(act: (extras: Extras) => void, isPressed = true): Promise<boolean> {
    if (here === undefined && !(await this.wait(isPressed))) return false;
    const { shadow } = this.options;
    if (!this.isStyled) shadow.adoptedStyleSheets = [...shadow.adoptedStyleSheets, ...here!.extraSheets()];
    this.isStyled = true;
    act(here!);
    return true;
  }

  private async wait(isPressed: boolean): Promise<boolean> {
    const { options } = this;
    if (isPressed) options.tell('loading');
    let timer = 0;
    const late = new Promise<undefined>((resolve) => {
      timer = window.setTimeout(resolve, PATIENCE_MS);
    });
    const loaded = await Promise.race([loadExtras().catch(() => undefined), late]);
    window.clearTimeout(timer);
    options.tell(loaded === undefined ? 'failed' : 'here');
    return loaded !== undefined;
  }
}
