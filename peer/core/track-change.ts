import type { HeldParts, Taken } from './rendition-choice.ts';
import { sameNumbers } from './selection.ts';

/** Parts are looked at so far ahead of the play-head for where the old rendition ends. */
const LOOK_PARTS = 96;
/** Parts that a segment has at most, as far as a change goes back. */
const BACK_PARTS = 32;

/**
 * Where a change takes effect: `next`, where nothing is held yet; `newest`, with the segment under way at the newest part that is
 * held, because what comes now is too much; `screen`, with the segment behind the one on screen, because a player that is told to
 * change may throw away what it holds of that.
 */
export type ChangeFrom = 'next' | 'newest' | 'screen';

/**
 * Which tracks are taken of which part. A change of rendition takes effect at a part where a decoder can begin: the old one
 * is taken to there and no further, the new one from there on, so that no part is loaded in both unless the change cannot wait.
 */
export class TrackChange implements Taken {
  /** Null is all. */
  private after: readonly number[] | null = null;
  private before: readonly number[] | null = null;
  /** Before this part the old ones are taken. */
  private fromPart = -1;
  private wanted:
    | { readonly tracks: readonly number[]; readonly from: ChangeFrom; readonly isTold: boolean }
    | undefined;

  get tracks(): readonly number[] | null {
    return this.after;
  }

  get atPart(): number {
    return this.fromPart;
  }

  get pending(): boolean {
    return this.wanted !== undefined;
  }

  of(part: number): readonly number[] | null {
    return part < this.fromPart ? this.before : this.after;
  }

  get earlier(): readonly number[] | null {
    return this.fromPart < 0 ? this.after : this.before;
  }

  /** At once, for every part. */
  set(tracks: readonly number[] | null): void {
    this.after = tracks;
    this.before = tracks;
    this.fromPart = -1;
    this.wanted = undefined;
  }

  /** Of every part, without a change of rendition: the one that is under way or wanted goes on. */
  map(other: (tracks: readonly number[]) => readonly number[]): void {
    this.after = this.after && other(this.after);
    this.before = this.before && other(this.before);
    if (this.wanted !== undefined) this.want(other(this.wanted.tracks), this.wanted.from, this.wanted.isTold);
  }

  /** Those that were not taken before the change. */
  get added(): readonly number[] {
    return this.after?.filter((track) => this.before?.includes(track) === false) ?? [];
  }

  /**
   * From a part on where a decoder can begin.
   *
   * @param isTold - By a viewer or a player, who may never play what a change that is still ahead would bring: it takes its place. Any other
   *   waits for that one to be behind us.
   */
  want(tracks: readonly number[], from: ChangeFrom, isTold = false): void {
    const isSo = sameNumbers(tracks, this.after) && !(isTold && this.fromPart >= 0);
    this.wanted = isSo ? undefined : { tracks, from, isTold };
  }

  /**
   * Makes the change once its part is reached.
   *
   * @param ahead - It may be decided before its part is reached; not so where a follow brings everything as it is made.
   * @returns True when what is taken has changed.
   */
  settle(playhead: number, partsPerSegment: number, ahead: boolean, held: HeldParts): boolean {
    this.follow(playhead, held);
    const { wanted } = this;
    if (wanted === undefined || this.after === null) return false;
    const isAhead = this.fromPart > playhead;
    const takesItsPlace = isAhead && wanted.isTold;
    // To take less needs no place to begin at.
    if (!takesItsPlace && wanted.tracks.every((track) => this.after!.includes(track))) {
      this.after = wanted.tracks;
      this.wanted = undefined;
      return true;
    }
    if (isAhead && !takesItsPlace) return false;
    const at = this.place(wanted.from, playhead, partsPerSegment, ahead, held);
    if (at < 0 && !takesItsPlace) return false;
    if (!takesItsPlace) this.before = this.after;
    this.after = wanted.tracks;
    this.fromPart = takesItsPlace && (at < 0 || at > this.fromPart) ? this.fromPart : at;
    this.wanted = undefined;
    return true;
  }

  private place(from: ChangeFrom, playhead: number, partsPerSegment: number, ahead: boolean, held: HeldParts): number {
    if (from === 'next') return this.nextStart(playhead, ahead ? 2 * partsPerSegment : 1, partsPerSegment, held);
    const missing = this.firstMissing(playhead, held);
    if (from === 'screen') for (let part = playhead + 1; part < missing; part++) if (held.isStart(part)) return part;
    return lastStart(missing, held);
  }

  private firstMissing(playhead: number, held: HeldParts): number {
    let part = playhead;
    while (part < playhead + LOOK_PARTS && held.holdsAll(this.of(part)!, part)) part++;
    return part;
  }

  /** The first start behind everything that is held, among so many parts; -1 for none. */
  private nextStart(playhead: number, among: number, partsPerSegment: number, held: HeldParts): number {
    let first = playhead;
    for (let part = playhead; part < playhead + LOOK_PARTS; part++)
      if (held.holdsAll(this.of(part)!, part)) first = part + 1;
    for (let part = first; part < first + among; part++) if (mayStart(part, partsPerSegment, held)) return part;
    return -1;
  }

  /** What was guessed to be a start and is none is taken of the old rendition, too; the old one is done with behind the change. */
  private follow(playhead: number, held: HeldParts): void {
    if (this.fromPart < 0) return;
    while (this.fromPart > playhead && held.knows(this.fromPart) && !held.isStart(this.fromPart)) this.fromPart++;
    if (playhead <= this.fromPart) return;
    this.before = this.after;
    this.fromPart = -1;
  }
}

/** The last known start at or before `part`; -1 for none. */
export function lastStart(part: number, held: HeldParts): number {
  for (let at = part; at >= Math.max(0, part - BACK_PARTS); at--) if (held.isStart(at)) return at;
  return -1;
}

/** Whether a decoder can begin there, as far as its record or, before there is one, the length of segments tells. */
function mayStart(part: number, partsPerSegment: number, held: HeldParts): boolean {
  if (held.knows(part)) return held.isStart(part);
  const newest = held.newestIndependent;
  const before = lastStart(newest - 1, held);
  // Parts are up to as long as is said: there may be more of them in a segment.
  const between = before < 0 ? partsPerSegment : newest - before;
  return newest >= 0 && (part - newest) % between === 0;
}
