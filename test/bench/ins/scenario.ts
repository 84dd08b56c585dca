import type { Result } from '../report.ts';

/** What a scenario is given. */
export interface Context {
  /** Fewer repetitions, shorter ones, fewer clients: to see that all works. */
  readonly quick: boolean;
  /** Repetitions of each measurement; each time all sides take turns. */
  readonly rounds: number;
  /** How long one side is measured at a time. */
  readonly measureMs: number;
  result(result: Result): void;
  /** A line for people about what is going on. */
  say(text: string): void;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  run(context: Context): Promise<void>;
}
