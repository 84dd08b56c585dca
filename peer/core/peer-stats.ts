import type { Mode } from '../../protocol/swarm-fields.ts';
import type { BytesFrom } from './io.ts';

/** What a peer tells about itself. */
export interface PeerStats {
  readonly state: 'waiting' | 'playing' | 'stalled';
  readonly mode: Mode;
  readonly startupDelayMs: number | null;
  readonly freezes: number;
  readonly frozenMs: number;
  readonly dueBlocks: number;
  readonly missedBlocks: number;
  readonly bufferMs: number;
  readonly latencyMs: number | null;
  readonly part: number;
  readonly bytesFrom: Readonly<Record<BytesFrom, number>>;
  readonly givenBytes: number;
  readonly neighbours: number;
  readonly ins: string | null;
  readonly bad: number;
}

/** What is kept of something, and its bound. */
export interface Bounded {
  readonly size: number;
  readonly max: number;
}

/** What a peer keeps, and the bound of each. */
export interface PeerSizes {
  /** The oldest part that may be held. */
  readonly windowFrom: number;
  readonly bounded: Readonly<Record<string, Bounded>>;
}
