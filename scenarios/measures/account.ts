import type { Mode } from '../../protocol/swarm-fields.ts';
import type { Freeze } from './freezes.ts';

/** One stay of a viewer, counted. Times are in ms after the run's start, sizes in bytes. */
export interface StayAccount {
  readonly viewer: number;
  /** Its first stay is 0. */
  readonly again: number;
  /** Its name. */
  readonly region: string;
  readonly mode: Mode;
  readonly isBrowser: boolean;
  /** It has not left, up to now. */
  readonly stays: boolean;
  /** From the first dial to the first frame; null: none was seen. */
  readonly startupDelayMs: number | null;
  /** How long the viewer is or was there, and how long of that since its first frame. */
  readonly hereMs: number;
  readonly watchedMs: number;
  readonly joinedAtMs: number;
  /** When it left; now, while it stays. */
  readonly endMs: number;
  readonly freezes: readonly Freeze[];
  readonly dueBlocks: number;
  readonly missedBlocks: number;
  readonly dataSentBytes: number;
  readonly controlSentBytes: number;
  readonly controlReceivedBytes: number;
  readonly receivedBytes: number;
  /** Media that was handed on; what came twice is not in it. */
  readonly usefulBytes: number;
  readonly from: { readonly ins: number; readonly peers: number; readonly source: number };
  /** Wrong records and blocks that it dropped. */
  readonly bad: number;
}
