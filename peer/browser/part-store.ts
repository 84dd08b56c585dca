import { LiveWindow, type LiveWindowOptions } from '../../hls/live-window.ts';
import type { Description, IndexRecord } from '../../protocol/media.ts';

/** Parts of one track kept at most, whatever the window says: two minutes of parts of 250 ms. */
const PARTS_MAX = 480;
/** Parts whose blocks are on the way. */
const ARRIVING_MAX = 256;

/** What is known of a part's way here. */
interface Arrival {
  readonly firstAtMs: number;
  readonly firstBytes: number;
  lastAtMs: number;
  bytes: number;
}

interface StoredPart {
  readonly blocks: readonly Uint8Array[];
  readonly transferMs: number | undefined;
}

/** The parts that a peer in the page has gathered: a live source for the player, bounded by its window. */
export class PartStore {
  readonly window: LiveWindow;
  private readonly tracks = new Map<number, Map<number, StoredPart>>();
  private readonly arriving = new Map<string, Arrival>();
  private readonly listeners = new Set<() => void>();

  constructor(options: LiveWindowOptions = {}) {
    this.window = new LiveWindow(options);
  }

  readPart(track: number, part: number): readonly Uint8Array[] | undefined {
    return this.tracks.get(track)?.get(part)?.blocks;
  }

  /** Ms that the part's bytes took; undefined for a part of one block, whose first byte nobody in a page sees. */
  transferMs(track: number, part: number): number | undefined {
    return this.tracks.get(track)?.get(part)?.transferMs;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  describe(description: Description): void {
    if (this.window.setDescription(description)) this.changed();
  }

  /** A block of the part has come; tells how fast bytes come when the part has several. */
  arrived(track: number, part: number, bytes: number, atMs: number): void {
    const id = `${track}:${part}`;
    const arrival = this.arriving.get(id);
    if (arrival !== undefined) {
      arrival.lastAtMs = atMs;
      arrival.bytes += bytes;
      return;
    }
    if (this.arriving.size >= ARRIVING_MAX) this.arriving.delete(this.arriving.keys().next().value!);
    this.arriving.set(id, { firstAtMs: atMs, firstBytes: bytes, lastAtMs: atMs, bytes });
  }

  /** A part of a track is there, whole and verified. */
  add(record: IndexRecord, blocks: readonly Uint8Array[]): void {
    const { track, part } = record;
    const id = `${track}:${part}`;
    const transferMs = transferOf(this.arriving.get(id));
    this.arriving.delete(id);
    const parts = this.tracks.get(track) ?? new Map<number, StoredPart>();
    this.tracks.set(track, parts);
    parts.set(part, { blocks, transferMs });
    if (this.window.addRecord(record)) this.changed();
    this.forgetOld();
  }

  /** Nothing comes any more. */
  end(): void {
    this.window.end();
    this.changed();
  }

  private forgetOld(): void {
    for (const [track, parts] of this.tracks) {
      const oldest = this.window.oldestPart(track) ?? 0;
      for (const part of parts.keys()) if (part < oldest) parts.delete(part);
      while (parts.size > PARTS_MAX) parts.delete(parts.keys().next().value!);
    }
  }

  private changed(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

/** The first block's own time is not seen: its bytes are taken to have come as fast as the others. */
function transferOf(arrival: Arrival | undefined): number | undefined {
  if (arrival === undefined || arrival.bytes <= arrival.firstBytes) return undefined;
  const { firstAtMs, lastAtMs, firstBytes, bytes } = arrival;
  return ((lastAtMs - firstAtMs) * bytes) / (bytes - firstBytes);
}
