import { blob, type Read, struct, u8, u32 } from './fields.ts';
import { BITMAP_BITS_MAX } from './limits.ts';

/** What a peer can give of one track: bit `i` (byte i >> 3, value 1 << (i & 7)) stands for part `first + i`. */
export const bitmapField = struct({ track: u8, first: u32, bits: blob(BITMAP_BITS_MAX / 8) });
export type Bitmap = Read<typeof bitmapField>;

export function bitmapHas(bitmap: Bitmap, part: number): boolean {
  const at = part - bitmap.first;
  return at >= 0 && at < bitmap.bits.length * 8 && (bitmap.bits[at >> 3]! & (1 << (at & 7))) !== 0;
}

/** The parts whose bits are set, in order. */
export function* bitmapParts(bitmap: Bitmap): Generator<number> {
  for (let at = 0; at < bitmap.bits.length * 8; at++) {
    if ((bitmap.bits[at >> 3]! & (1 << (at & 7))) !== 0) yield bitmap.first + at;
  }
}

/** The newest part whose bit is set; -1 when none is. */
export function bitmapNewest(bitmap: Bitmap): number {
  for (let at = bitmap.bits.length * 8 - 1; at >= 0; at--) {
    if ((bitmap.bits[at >> 3]! & (1 << (at & 7))) !== 0) return bitmap.first + at;
  }
  return -1;
}

/** Makes the bitmap of a set of parts; keeps the newest {@link BITMAP_BITS_MAX} when the span is longer. */
export function bitmapOf(track: number, partsOnce: Iterable<number>): Bitmap {
  // Walked twice; a generator gives its values only once.
  const parts = [...partsOnce];
  let first = Number.POSITIVE_INFINITY;
  let last = -1;
  for (const part of parts) {
    if (part < first) first = part;
    if (part > last) last = part;
  }
  if (last < 0) return { track, first: 0, bits: new Uint8Array(0) };
  first = Math.max(first, last - BITMAP_BITS_MAX + 1);
  const bits = new Uint8Array(((last - first) >> 3) + 1);
  for (const part of parts) if (part >= first) bits[(part - first) >> 3]! |= 1 << ((part - first) & 7);
  return { track, first, bits };
}
