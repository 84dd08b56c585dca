import type { LiveWish } from '../model.ts';
import type { Picture } from '../picture.ts';
import type { Choice } from './choice.ts';

/** A part of the page. It makes its element once, and shows on it what there is whenever it is told to. */
export interface View {
  readonly element: HTMLElement;
  show(picture: Picture): void;
}

/** What buttons can do. */
export interface Deeds {
  readonly choice: Choice;
  /** Sends a wish, and says what came of it; asks back first where much would be lost. */
  wish(wish: LiveWish): void;
}
