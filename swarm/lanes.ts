import { LANES } from '../protocol/limits.ts';

/**
 * The lane of a block. Blocks are dealt out to lanes so that each gets its share of every kind: the many blocks of a part
 * with a key frame go to different ones, and the next such part begins at another.
 */
export function laneOf(track: number, part: number, index: number): number {
  return (part * 5 + index * 3 + track * 7) % LANES;
}

/** The depth of a lane that nobody pushes to us. */
export const NOT_PUSHED = 255;

/** How many lanes a mask names. */
export function laneCount(mask: number): number {
  let count = 0;
  for (let rest = mask & 0xff; rest !== 0; rest &= rest - 1) count++;
  return count;
}
