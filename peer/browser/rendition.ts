import type { Description } from '../../protocol/media.ts';
import { byRate } from '../core/ladder.ts';

/**
 * Which rendition a player loads next where the peer's own rule decides: the one before up to the part at which the next one
 * begins, then that.
 */
export class Rendition {
  private track: number | undefined;
  private before: number | undefined;
  private fromPart = 0;
  private given = -1;
  private givenTrack: number | undefined;
  private videos: readonly number[] = [];

  /** The rule begins with the least. */
  describe({ tracks }: Description): void {
    this.videos = byRate(tracks, 'video').map(({ id }) => id);
    if (this.track !== undefined && this.videos.includes(this.track)) return;
    this.track = this.videos[0];
    this.before = undefined;
  }

  /** Another track is taken from this part on. */
  begin(track: number, part: number): void {
    if (!this.videos.includes(track)) return;
    this.before = this.givenTrack ?? this.track;
    this.track = track;
    this.fromPart = part;
  }

  /** The rule decides again, after the player did. */
  resume(): void {
    this.track = this.givenTrack ?? this.track;
    this.before = undefined;
  }

  /** The player has been given this part. */
  gave(track: number, part: number): void {
    if (!this.videos.includes(track)) return;
    this.given = part;
    this.givenTrack = track;
  }

  /**
   * Playback waits in vain. A part of the one before may never come, and nothing behind it is taken of that any more: once the next one
   * is listed, the player goes on with it.
   *
   * @param nextPart - The part of a track that is listed next; undefined before its first.
   */
  stands(nextPart: (track: number) => number | undefined): void {
    if (this.track !== undefined && (nextPart(this.track) ?? 0) > this.fromPart) this.before = undefined;
  }

  /** Undefined where there is nothing to choose. */
  get next(): number | undefined {
    if (this.videos.length < 2) return undefined;
    return this.before === undefined || this.given >= this.fromPart - 1 ? this.track : this.before;
  }
}
