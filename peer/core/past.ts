import type { Description } from '../../protocol/media.ts';
import type { InsFeed, InsFeedEvent } from './ins-feed.ts';
import type { MeshParts } from './mesh.ts';
import type { Bounded } from './peer-stats.ts';
import type { Reception } from './reception.ts';

/** One part of one track that is over. */
export interface PastPart {
  readonly track: number;
  readonly part: number;
}

/** What it is made with; nothing else of the peer is known to it. */
export interface PastNeeds extends Pick<MeshParts, 'options' | 'catalogue' | 'lockers' | 'outputs' | 'nextRef'> {
  readonly descriptionOf: (revision: number) => Description | undefined;
  readonly ins: Pick<InsFeed, 'requests'>;
  /** Hears of what is not right. */
  readonly reception: Pick<Reception, 'bad'>;
}

/** Makes it: who asks a peer for what is over brings this along. */
export type MakePast = (needs: PastNeeds) => Past;

/** What a viewer who seeks back wants of the time before the window. A peer that is never asked for that has none. */
export interface Past {
  sizes(): Record<string, Bounded>;
  nextDeadline(): number | undefined;
  /** A player wants these: what is in the window it has at once. */
  want(parts: readonly PastPart[], nowMs: number): void;
  /** Takes in what has been verified, and asks for what is not on its way. */
  run(nowMs: number): void;
  /** An INS server gave something, or refused it. @returns Whether it was for this. */
  takes(event: InsFeedEvent): boolean;
  /** An answer to `verify`. @returns False when the reference is none of ours. */
  verified(ref: number, ok: boolean): boolean;
  /** An answer to `check-name`. */
  named(ref: number, ok: boolean): void;
}
