import type { LiveWindow } from './live-window.ts';

/** Parts that a player waits for: they are fetched, cannot be had, or cannot be asked for now, though a little later it may be possible. */
export type Sought = 'coming' | 'gone' | 'failed';

/** What stands behind playlists: a source's own parts, or those a peer has gathered. */
export interface LiveSource {
  readonly window: LiveWindow;
  /** Bytes of a part that the window lists as available, its blocks in order; undefined when they are gone. */
  readPart(track: number, part: number): readonly Uint8Array[] | undefined;
  /**
   * A player waits for parts that are listed and not here: has them fetched. When one of them cannot be had, all are said to be gone. When
   * they have come, or something else is to be said, `onChange` calls. Sources without it list only what is here.
   */
  seek?(track: number, parts: readonly number[]): Sought;
  /** Calls after every change of the window; gives back what ends that. */
  onChange(listener: () => void): () => void;
  /** A player has asked for this track's playlist: a peer that fetches only some of them may begin with it. */
  wantTrack?(track: number): void;
  /** A player is going to change to this track as soon as it is listed: it is to be fetched beside the one that plays. */
  expectTrack?(track: number): void;
  /** A player is given this part of this track: it needs no others of its kind any more. */
  playTrack?(track: number, part: number): void;
}
