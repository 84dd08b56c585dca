import type { Result } from '../report.ts';

/** What a scenario is given. */
export interface PlayerContext {
  /** Shorter and less often: to see that all works. */
  readonly quick: boolean;
  /** How long the long ones last. */
  readonly minutes: number;
  result(result: Result): void;
  /** A line for people about what is going on. */
  say(text: string): void;
}

export interface PlayerScenario {
  readonly name: string;
  readonly about: string;
  /** Takes so long that it runs only when it is asked for. */
  readonly isLong?: boolean;
  run(context: PlayerContext): Promise<void>;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
