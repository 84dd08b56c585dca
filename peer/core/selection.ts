import type { Description, Track } from '../../protocol/media.ts';

/** Ms after which a rendition that the player does not ask for any more is no longer taken, whatever it plays. */
const LEFT_AFTER_MS = 3_000;

/**
 * Which tracks to take. A stream with one picture and one sound is taken whole; of several renditions, those that the
 * player has asked for lately: while it changes from one to another it needs both, until it plays the new one.
 */
export class Selection {
  /** Null is all. */
  tracks: readonly number[] | null = null;
  private known: readonly Track[] = [];
  private readonly wantedAtMs = new Map<number, number>();
  /** The tracks whose media was asked for last, one of a kind at most. */
  private readonly played = new Set<number>();
  private expected: number | undefined;
  private readonly changed: (tracks: readonly number[] | null) => void;

  constructor(changed: (tracks: readonly number[] | null) => void) {
    this.changed = changed;
  }

  describe({ tracks }: Description): void {
    this.known = tracks;
    this.choose();
  }

  /** The player is going to change to this track: it is taken beside the one that plays, until it is played itself. */
  expect(track: number): void {
    this.expected = track;
    this.choose();
  }

  /** The player has asked for this track's playlist. What it has not begun to play it does not need beside that. */
  want(track: number, atMs: number): void {
    this.wantedAtMs.set(track, atMs);
    const others = this.othersOfKind(track);
    const begun = this.played.has(track) || others.some((other) => this.played.has(other));
    for (const other of others) {
      if (!begun || atMs - (this.wantedAtMs.get(other) ?? 0) > LEFT_AFTER_MS) this.wantedAtMs.delete(other);
    }
    this.choose();
  }

  /** The player has asked for media of this track: it has left those that it asked for before. */
  plays(track: number): void {
    const wantedAtMs = this.wantedAtMs.get(track) ?? 0;
    this.played.add(track);
    if (track === this.expected) this.expected = undefined;
    for (const other of this.othersOfKind(track)) {
      this.played.delete(other);
      // What it asked for later it is about to change to.
      if ((this.wantedAtMs.get(other) ?? 0) < wantedAtMs) this.wantedAtMs.delete(other);
    }
    this.choose();
  }

  private othersOfKind(track: number): readonly number[] {
    const kind = this.known.find(({ id }) => id === track)?.kind;
    return this.known.flatMap((other) => (other.kind === kind && other.id !== track ? other.id : []));
  }

  private choose(): void {
    const videos = this.known.filter(({ kind }) => kind === 'video');
    const audios = this.known.filter(({ kind }) => kind === 'audio');
    // Next to nothing.
    const texts = this.known.filter(({ kind }) => kind === 'text');
    const pick = (tracks: readonly Track[]): readonly Track[] => {
      const wanted = tracks.filter(({ id }) => this.wantedAtMs.has(id) || id === this.expected);
      return wanted.length > 0 ? wanted : tracks.slice(0, 1);
    };
    if (videos.length <= 1 && audios.length <= 1) this.set(null);
    else this.set([...pick(videos), ...pick(audios), ...texts].map(({ id }) => id));
  }

  private set(tracks: readonly number[] | null): void {
    if (sameNumbers(tracks, this.tracks)) return;
    this.tracks = tracks;
    this.changed(tracks);
  }
}

export function sameNumbers(a: readonly number[] | null, b: readonly number[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((value, at) => value === b[at]);
}
