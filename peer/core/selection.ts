import type { Description, Track } from '../../protocol/media.ts';

/** Ms after which a rendition that the player has left is no longer taken; until then the change to the next one is under way. */
const LEFT_AFTER_MS = 3_000;

/**
 * Which tracks to take. A stream with one picture and one sound is taken whole; of several renditions, those that the
 * player has asked for lately.
 */
export class Selection {
  /** Null is all. */
  tracks: readonly number[] | null = null;
  private fixed = false;
  private known: readonly Track[] = [];
  private readonly wantedAtMs = new Map<number, number>();
  private readonly changed: (tracks: readonly number[] | null) => void;

  constructor(changed: (tracks: readonly number[] | null) => void) {
    this.changed = changed;
  }

  /** Takes these from now on, whatever the player asks for; null leaves it to the player again. */
  fix(tracks: readonly number[] | null): void {
    this.fixed = tracks !== null;
    if (tracks !== null) this.set(tracks);
    else this.choose();
  }

  describe({ tracks }: Description): void {
    this.known = tracks;
    this.choose();
  }

  /** The player has asked for this track. */
  want(track: number, atMs: number): void {
    this.wantedAtMs.set(track, atMs);
    const kind = this.known.find(({ id }) => id === track)?.kind;
    for (const other of this.known) {
      if (other.kind !== kind || other.id === track) continue;
      if (atMs - (this.wantedAtMs.get(other.id) ?? 0) > LEFT_AFTER_MS) this.wantedAtMs.delete(other.id);
    }
    this.choose();
  }

  private choose(): void {
    if (this.fixed) return;
    const videos = this.known.filter(({ kind }) => kind === 'video');
    const audios = this.known.filter(({ kind }) => kind === 'audio');
    const pick = (tracks: readonly Track[]): readonly Track[] => {
      const wanted = tracks.filter(({ id }) => this.wantedAtMs.has(id));
      return wanted.length > 0 ? wanted : tracks.slice(0, 1);
    };
    if (videos.length <= 1 && audios.length <= 1) this.set(null);
    else this.set([...pick(videos), ...pick(audios)].map(({ id }) => id));
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
