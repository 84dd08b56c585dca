import type { Actions } from './actions.ts';
import type { Toast } from './toast.ts';

/** Brings a player to the moment it is to begin with, once, as soon as it is known which moments are kept. */
export class StartMoment {
  private readonly actions: Actions;
  private readonly say: Toast['say'];
  private isSought = false;

  constructor(actions: Actions, say: Toast['say']) {
    this.actions = actions;
    this.say = say;
  }

  /** Before another session, and when another moment is named. */
  reset(): void {
    this.isSought = false;
  }

  /** @param startAt - Unix seconds by the source's clock; null is live. */
  seek(startAt: number | null): void {
    if (this.isSought) return;
    const found = startAt === null ? 'there' : this.actions.seekToMoment(startAt * 1_000);
    if (found === undefined) return;
    this.isSought = true;
    if (found === 'too old') this.say('That moment is no longer kept', 'latency');
    if (found === 'not yet') this.say('Live', 'forward');
  }
}
