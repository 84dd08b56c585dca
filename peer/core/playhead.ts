import type { Player } from '../../machine/player.ts';

/** What a real player has on screen. */
export interface OnScreen {
  /** The part, how far into it, in ms, and how fast it plays; 0 when it stands. */
  readonly part: number;
  readonly offsetMs: number;
  readonly rate: number;
  /** The viewer follows the live edge: what is long over need not be fetched for it. Default false. */
  readonly live?: boolean;
}

/**
 * Where playback is, as far as fetching goes: what a real player tells of its screen, and where there is none, or it has
 * not begun, the model.
 */
export class Playhead {
  private readonly model: Player;
  private screen: (OnScreen & { readonly atMs: number }) | undefined;

  constructor(model: Player) {
    this.model = model;
  }

  get started(): boolean {
    return this.screen !== undefined || this.model.started;
  }

  /** See {@link OnScreen.live}. */
  get live(): boolean {
    return this.screen?.live === true && this.screen.rate > 0;
  }

  /** The part on screen, or the one that playback waits for; -1 before the start. */
  get part(): number {
    return this.screen?.part ?? this.model.playhead;
  }

  tell(screen: OnScreen, nowMs: number): void {
    this.screen = { ...screen, atMs: nowMs };
  }

  /** When the part's first frame is due on screen; `nowMs` for parts that are due or when nothing plays yet. */
  dueAtMs(part: number, partMs: number, nowMs: number): number {
    const { screen } = this;
    if (screen === undefined) return this.model.dueAtMs(part, partMs, nowMs);
    const aheadMs = (part - screen.part) * partMs - screen.offsetMs;
    // What stands may go on at any moment.
    const rate = screen.rate > 0 ? screen.rate : 1;
    return Math.max(nowMs, (screen.rate > 0 ? screen.atMs : nowMs) + aheadMs / rate);
  }
}
