import type { Neighbours } from './neighbours.ts';

/** What fewer than this share of the neighbours hold is rare among them. */
const RARE_SHARE = 0.15;

/**
 * Whether a block is rare among our neighbours, those that hand blocks on. Each copy of a rare block lets one more of them
 * give it: as long as it is rare it is given before what somebody waits for, and taken before it is wanted. Otherwise a
 * crowd that is late asks for nothing but what all want at once, nothing fresh spreads, and uplinks stand idle (latest
 * useful first is what reaches the best rate: Bonald and others, SIGMETRICS 2008).
 */
export function isRare(neighbours: Neighbours, track: number, part: number, index: number): boolean {
  let holders = 0;
  let handOn = 0;
  for (const { mode, source, availability } of neighbours.all()) {
    if (mode === 'ins' || source) continue;
    handOn++;
    if (availability.hasBlock(track, part, index)) holders++;
  }
  return isRareAmong(holders, handOn);
}

/** The same, counted elsewhere. */
export function isRareAmong(holders: number, neighbours: number): boolean {
  return holders < neighbours * RARE_SHARE;
}
