/** The way from hosts of one region to those of another, as all of them share it. */
export interface Route {
  /** One way, in ms. */
  readonly delayMs: number;
  /** Until then nothing gets through; what was sent comes after, as TCP sends it again. */
  heldUntilMs: number;
}
