import type { IndexRecord } from '../protocol/media.ts';

/** Bytes of parts that are kept after a player asked for them: half a minute of 8 Mbit/s. */
const BYTES_MAX = 32 * 1024 * 1024;
/** Parts that cannot be had and are remembered as such. */
const GONE_MAX = 4_096;

/** Parts of the past that were sought for a player: what it used last stays, within a bound. */
export class PastParts {
  private readonly parts = new Map<string, { readonly blocks: readonly Uint8Array[]; readonly sizeBytes: number }>();
  private readonly gone = new Set<string>();
  private sizeBytes = 0;

  add({ track, part }: IndexRecord, blocks: readonly Uint8Array[]): void {
    const key = keyOf(track, part);
    this.drop(key);
    const sizeBytes = blocks.reduce((sum, block) => sum + block.byteLength, 0);
    this.parts.set(key, { blocks, sizeBytes });
    this.sizeBytes += sizeBytes;
    for (const oldest of this.parts.keys()) {
      if (this.sizeBytes <= BYTES_MAX || oldest === key) break;
      this.drop(oldest);
    }
  }

  /** The part cannot be had. */
  addGone(track: number, part: number): void {
    this.gone.add(keyOf(track, part));
    for (const oldest of this.gone) {
      if (this.gone.size <= GONE_MAX) break;
      this.gone.delete(oldest);
    }
  }

  isGone(track: number, part: number): boolean {
    return this.gone.has(keyOf(track, part));
  }

  read(track: number, part: number): readonly Uint8Array[] | undefined {
    const key = keyOf(track, part);
    const found = this.parts.get(key);
    if (found === undefined) return undefined;
    this.parts.delete(key);
    this.parts.set(key, found);
    return found.blocks;
  }

  private drop(key: string): void {
    this.sizeBytes -= this.parts.get(key)?.sizeBytes ?? 0;
    this.parts.delete(key);
  }
}

function keyOf(track: number, part: number): string {
  return `${track}:${part}`;
}
