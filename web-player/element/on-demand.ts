import { Later } from './later.ts';

/** What a viewer handles the picture with, and the words for what may be wrong with it: loaded when the player is put into a page. */
export const controls = new Later(() => import('./controls-chunk.ts'));
/** What is opened by a press: loaded with it, or when the picture has come. */
export const extras = new Later(() => import('./extras.ts'));

/** A part of the player that comes with its styles. */
interface Styled {
  sheets(): readonly CSSStyleSheet[];
}

/** Does something with what is opened by a press, as soon as it is here. */
export type UseExtras = (act: (here: typeof import('./extras.ts')) => void) => void;

export interface OnDemandOptions {
  /** Gets the styles. */
  readonly shadow: ShadowRoot;
  /** Calls when there is something to wait for, and when it cannot be had. */
  tell(state: 'loading' | 'failed'): void;
}

/** One player's use of what is loaded later. */
export class OnDemand {
  private readonly options: OnDemandOptions;
  private readonly styled = new Set<unknown>();

  constructor(options: OnDemandOptions) {
    this.options = options;
  }

  /**
   * Acts at once with what is here, else as soon as it is.
   *
   * @param isPressed - Somebody waits for it, and is told.
   * @returns Whether it came.
   */
  async use<T extends Styled>(later: Later<T>, act: (here: T) => void, isPressed: boolean): Promise<boolean> {
    const { shadow, tell } = this.options;
    if (later.here === undefined && isPressed) tell('loading');
    const here = later.here ?? (await later.soon());
    if (here === undefined) {
      tell('failed');
      return false;
    }
    if (!this.styled.has(later)) shadow.adoptedStyleSheets = [...shadow.adoptedStyleSheets, ...here.sheets()];
    this.styled.add(later);
    act(here);
    return true;
  }
}
