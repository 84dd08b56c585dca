import type { IndexRecord } from '../protocol/media.ts';
import type { LiveParts } from './live-parts.ts';
import type { WindowSegment } from './track-window.ts';

/** Bytes of parts that are kept after a player asked for them: half a minute of 8 Mbit/s. */
const BYTES_MAX = 32 * 1024 * 1024;
/** Parts that cannot be had and are remembered as such. */
const GONE_MAX = 4_096;

/** Parts of the past that were sought for a player, beside those of the window: what it used last stays, within a bound. */
export class PastParts {
  private readonly live: LiveParts;
  private readonly parts = new Map<string, { readonly blocks: readonly Uint8Array[]; readonly sizeBytes: number }>();
  private readonly gone = new Set<string>();
  private sizeBytes = 0;

  constructor(live: LiveParts) {
    this.live = live;
  }

  /** A part that a player has sought is there, whole. */
  add(record: IndexRecord, blocks: readonly Uint8Array[]): void {
    const { track, part } = record;
    const { guessed } = this.live.window;
    // What nobody had seen was guessed to be cut evenly; the record says how it is.
    const isGuessed = guessed.get(track)?.some((segment) => hasPart(segment, part)) === true;
    const listed = isGuessed ? this.live.window.segment(track, record.segment) : undefined;
    if (listed !== undefined && listed.parts[record.indexInSegment]?.part !== part) this.lacks(track, part);
    else {
      this.keep(keyOf(track, part), blocks);
      this.live.changed();
    }
  }

  /** A part that a player has sought cannot be had. */
  lacks(track: number, part: number): void {
    this.gone.add(keyOf(track, part));
    for (const oldest of this.gone) {
      if (this.gone.size <= GONE_MAX) break;
      this.gone.delete(oldest);
    }
    const { guessed } = this.live.window;
    const segments = guessed.get(track)?.map((segment) => (hasPart(segment, part) ? asGap(segment) : segment));
    if (segments !== undefined) guessed.set(track, segments);
    this.live.changed();
  }

  /** Those of these parts whose bytes are not here; undefined when one of them cannot be had at all. */
  lacking(track: number, parts: readonly number[]): readonly number[] | undefined {
    const lacking = parts.filter((part) => (this.live.readPart(track, part) ?? this.read(track, part)) === undefined);
    return lacking.some((part) => this.gone.has(keyOf(track, part))) ? undefined : lacking;
  }

  read(track: number, part: number): readonly Uint8Array[] | undefined {
    const key = keyOf(track, part);
    const found = this.parts.get(key);
    if (found === undefined) return undefined;
    this.parts.delete(key);
    this.parts.set(key, found);
    return found.blocks;
  }

  private keep(key: string, blocks: readonly Uint8Array[]): void {
    this.drop(key);
    const sizeBytes = blocks.reduce((sum, block) => sum + block.byteLength, 0);
    this.parts.set(key, { blocks, sizeBytes });
    this.sizeBytes += sizeBytes;
    for (const oldest of this.parts.keys()) {
      if (this.sizeBytes <= BYTES_MAX || oldest === key) break;
      this.drop(oldest);
    }
  }

  private drop(key: string): void {
    this.sizeBytes -= this.parts.get(key)?.sizeBytes ?? 0;
    this.parts.delete(key);
  }
}

function hasPart({ parts }: WindowSegment, part: number): boolean {
  return parts.some((candidate) => candidate.part === part);
}

function asGap(segment: WindowSegment): WindowSegment {
  return { ...segment, parts: segment.parts.map((part) => ({ ...part, available: false })) };
}

function keyOf(track: number, part: number): string {
  return `${track}:${part}`;
}
