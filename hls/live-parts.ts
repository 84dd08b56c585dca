import type { Description, IndexRecord } from '../protocol/media.ts';
import type { LiveSource } from './live-source.ts';
import { LiveWindow, type LiveWindowOptions } from './live-window.ts';

/** Parts kept per track when no playlist lists them yet: what a stranger to the window may cost. */
const PARTS_MAX = 1_024;

/** The newest parts of one stream with their bytes: what a source or a peer serves as HLS. */
export class LiveParts implements LiveSource {
  readonly window: LiveWindow;
  private readonly tracks = new Map<number, Map<number, readonly Uint8Array[]>>();
  private readonly listeners = new Set<() => void>();

  constructor(options: LiveWindowOptions = {}) {
    this.window = new LiveWindow(options);
  }

  setDescription(description: Description): void {
    if (this.window.setDescription(description)) this.changed();
  }

  /** A part of a track is there, whole: its blocks in order. */
  add(record: IndexRecord, blocks: readonly Uint8Array[]): void {
    const parts = this.tracks.get(record.track) ?? new Map<number, readonly Uint8Array[]>();
    this.tracks.set(record.track, parts);
    parts.set(record.part, blocks);
    const changed = this.window.addRecord(record);
    this.forgetOld();
    if (changed) this.changed();
  }

  /** Playback begins with this part; `track`: that one is taken from this part on. */
  begin(part: number, track?: number): void {
    if (this.window.begin(part, track)) this.changed();
  }

  /** Parts before `beforePart` that are not there will not come. */
  giveUp(beforePart: number): void {
    if (this.window.giveUp(beforePart)) this.changed();
  }

  /** Parts from this one on can be had by whoever fetches them: playlists reach back as far. */
  reach(fromPart: number): void {
    this.window.setReach(fromPart);
  }

  /** Whether the part lies before all whose bytes are kept as they come. */
  isPast(part: number): boolean {
    const oldest = [...this.tracks.keys()].map((track) => this.window.oldestPart(track) ?? Number.POSITIVE_INFINITY);
    return part < Math.min(...oldest);
  }

  /** The stream is over. */
  end(): void {
    if (this.window.ended) return;
    this.window.end();
    this.changed();
  }

  readPart(track: number, part: number): readonly Uint8Array[] | undefined {
    return this.tracks.get(track)?.get(part);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls all who listen. */
  changed(): void {
    for (const listener of [...this.listeners]) listener();
  }

  /** All tracks, not only the one that grew: one that is no longer fetched must not stay for ever. */
  private forgetOld(): void {
    for (const [track, parts] of this.tracks) {
      const oldest = this.window.oldestPart(track) ?? 0;
      // Parts come nearly in order, so the old ones are at the front.
      for (const part of parts.keys()) {
        if (part >= oldest && parts.size <= PARTS_MAX) break;
        parts.delete(part);
      }
    }
  }
}
