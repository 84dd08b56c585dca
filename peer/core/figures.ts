import type { Mode } from '../../protocol/swarm-fields.ts';
import type { BytesFrom } from './io.ts';

/**
 * What a player in a page says of itself to programs (`window.inswarm.figures()`), in the words that a headless peer's `stats()` has.
 * Startup, freezes, buffer and latency are those of the screen; beside them stands what the player model makes of the same parts,
 * which is what headless peers have. Times in ms, sizes in bytes, all since the page was opened.
 */
export interface PlayerFigures {
  /** `waiting` before the first frame; `stalled` while the picture stands for want of data, or for good. */
  readonly state: 'waiting' | 'playing' | 'stalled';
  /** Why nothing more will come; null while all is well. */
  readonly failure: string | null;
  readonly mode: Mode;
  /** On screen; -1 before the first frame. */
  readonly part: number;
  readonly bufferMs: number;
  readonly latencyMs: number | null;
  /** From the press on play to the first frame. */
  readonly startupDelayMs: number | null;
  readonly freezes: number;
  /** Of all freezes, the one that lasts included. */
  readonly frozenMs: number;
  /** The last {@link FREEZES_TOLD} of them, oldest first. */
  readonly lastFreezes: readonly ToldFreeze[];
  /** By the model. */
  readonly dueBlocks: number;
  readonly missedBlocks: number;
  /** Block bytes, by where they came from; and those of parts that were handed to the player. */
  readonly bytesFrom: Readonly<Record<BytesFrom, number>>;
  readonly usefulBytes: number;
  /** Block bytes given to neighbours. */
  readonly givenBytes: number;
  /** Wrong blocks and records that were dropped. */
  readonly bad: number;
  readonly neighbours: number;
  /** Address of the INS server in use. */
  readonly ins: string | null;
  /** WebSocket payload and frame headers, without TCP/IP. */
  readonly sentBytes: BytesByKind;
  readonly receivedBytes: BytesByKind;
  /** The same by whom they went to or came from. */
  readonly links: Readonly<Record<'tracker' | 'ins' | 'peer', LinkBytes>>;
  readonly model: {
    readonly startupDelayMs: number | null;
    readonly freezes: number;
    readonly frozenMs: number;
  };
}

export interface BytesByKind {
  readonly data: number;
  readonly control: number;
}

export interface LinkBytes {
  readonly controlIn: number;
  readonly controlOut: number;
  readonly dataIn: number;
  readonly dataOut: number;
}

/** A freeze. */
export interface ToldFreeze {
  /** Unix ms at which the picture stopped, by the page's clock. */
  readonly atMs: number;
  /** How long it stood; null while it stands. */
  readonly frozenMs: number | null;
}

export const FREEZES_TOLD = 50;
