import type { Sink } from '../../machine/machine.ts';
import type { Track } from '../../protocol/media.ts';
import type { PeerOutput } from './io.ts';

/**
 * Which rendition a viewer without a player's own choice takes: what its line carries, the best, the least, all of them (as one
 * who passes everything on), or one by its name or its track.
 */
export type Quality = 'auto' | 'best' | 'lowest' | 'all' | { readonly name: string } | { readonly track: number };

/** Which tracks are taken of which part. */
export interface Taken {
  /** What is taken from the last change on; null is all. */
  readonly tracks: readonly number[] | null;
  /** What is taken before the change, or after it where there is nothing before. */
  readonly earlier: readonly number[] | null;
  /** Where the old ones end; -1 where there are none. */
  readonly atPart: number;
  of(part: number): readonly number[] | null;
}

/** What a change has to know of the picture. */
export interface PlayheadNow {
  readonly started: boolean;
  readonly part: number;
  readonly stalled: boolean;
}

/** What a change has to know of what is held. */
export interface HeldParts {
  readonly newestIndependent: number;
  isStart(part: number): boolean;
  knows(part: number): boolean;
  holdsAll(tracks: readonly number[], part: number): boolean;
}

/** What a choice is made with: how things are when it comes. */
export interface ChoiceParts {
  readonly quality: Quality;
  /** The sounds that a player has asked for; none is the first. */
  readonly heard: readonly number[];
  /** What the description names; none before it is known. */
  readonly known: readonly Track[];
  /** What is taken; null is all. */
  readonly tracks: readonly number[] | null;
  readonly outputs: Sink<PeerOutput>;
  readonly changed: (tracks: readonly number[] | null, nowMs: number) => void;
}

/** Makes a choice: what has the code gives it to a peer. */
export type MakeRenditionChoice = (parts: ChoiceParts) => RenditionChoice;

/** Chooses among renditions, and changes from one to the next: wanted where there are several, and not before playback begins. */
export interface RenditionChoice {
  /** The same one for ever. */
  readonly change: Taken;
  /**
   * A player chooses; null is all. From now on the rule is not asked. What it adds while it plays is taken from the segment on
   * that follows the one on screen.
   */
  select(tracks: readonly number[] | null, started: boolean, nowMs: number): void;
  /** The tracks that a player has asked for: of those the sounds go with every picture, from the segment on screen on. */
  hear(tracks: readonly number[]): void;
  describe(tracks: readonly Track[], nowMs: number): void;
  /** Takes another rendition from the next part on where a decoder can begin; one of those that are taken now, at once. */
  prefer(quality: Quality, nowMs: number): void;
  /** A verified block has come. */
  came(bytes: number, nowMs: number): void;
  /** A part is there of all tracks that are taken of it, so long after its last frame by clocks that may differ. */
  whole(lagMs: number, nowMs: number): void;
  /**
   * Looks whether a change is due.
   *
   * @param ahead - It may be decided before its part is reached; not so where a follow brings everything as it is made.
   */
  settle(playhead: PlayheadNow, partsPerSegment: number, ahead: boolean, held: HeldParts, nowMs: number): void;
}
