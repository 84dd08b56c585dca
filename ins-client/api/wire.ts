import type { DriveClock } from '../../runtime/drive.ts';
import type { InsCallerInput, InsCallerOutput } from '../core/world.ts';
import type { Budget } from './budget.ts';
import type { Hash } from './platform.ts';

/** What the conversation is asked, and what it tells about it. */
export type RequestInput = Extract<InsCallerInput, { readonly handle: number }>;
export type RequestOutput = Extract<InsCallerOutput, { readonly handle: number }>;

/** What calls have in common: the conversation, and the bounds that they share. */
export interface Wire {
  readonly hash: Hash;
  readonly clock: DriveClock;
  /** What proves that we have a block begins with this; `undefined` before the first connection. */
  readonly proofPrefix: Uint8Array | undefined;
  /** Blocks asked for and not answered. */
  readonly gets: Budget;
  /** Bytes of blocks put and not answered. */
  readonly putBytes: Budget;
  /** Asks. Its outputs go to `take` until the conversation is done with it; then the handle is nobody's. */
  open(make: (handle: number) => RequestInput, take: (output: RequestOutput) => void): number;
  /** Nothing more is told of it. No effect on what is nobody's. */
  cancel(handle: number): void;
}

/** One call of the API under way. */
export interface Call {
  /** Unix ms. */
  readonly startedAtMs: number;
  /** There is everything it takes to ask. */
  begin(): void;
  /** Ends it, and what it has asked; whoever waits for it gets the error. */
  fail(error: unknown): void;
}

/** Whether nothing more comes for the handle of an output. */
export function isLast(output: RequestOutput): boolean {
  return output.kind === 'done' || (output.kind === 'refused' && output.item === null);
}
