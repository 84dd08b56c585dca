import type { Catalogue } from '../../swarm/catalogue.ts';

/** Starts older than the newest that are looked at. */
const OLDER_STARTS_MAX = 6;

/**
 * Where a viewer begins whom an INS server feeds: the newest part that a decoder can begin with and that has so much behind it
 * already that playing it does not end before late parts come. What there is comes at once, so a nearer start would be no
 * sooner, and would only have less in hand.
 *
 * @param partsPerSegment - Older starts than those whose records are known are guessed by this, and newer ones where all that are known
 *   are as far apart; a wrong guess costs a segment.
 * @param unheard - Parts that there are by now beyond the newest whose record is known.
 * @returns -1 when no start is known.
 */
export function insStart(
  catalogue: Catalogue,
  enoughMs: number,
  partMs: number,
  partsPerSegment: number,
  unheard = 0,
): number {
  const { newestIndependent } = catalogue;
  const newest = catalogue.newest + unheard;
  const beyond = areRegular(catalogue, partsPerSegment) ? newest - newestIndependent : 0;
  let [start, older] = [newestIndependent, 0];
  for (let part = newestIndependent + beyond; part >= catalogue.oldestPart && part >= 0; part--) {
    const isKnown = catalogue.knows(part);
    if (isKnown ? !catalogue.isStart(part) : (start - part) % partsPerSegment !== 0) continue;
    start = part;
    if ((newest - part + 1) * partMs >= enoughMs || ++older > OLDER_STARTS_MAX) return part;
  }
  return start;
}

/** As far as is known: over a segment at least. */
function areRegular(catalogue: Catalogue, partsPerSegment: number): boolean {
  const { newestIndependent, oldestPart } = catalogue;
  // The next one is overdue.
  if (catalogue.newest - newestIndependent >= partsPerSegment) return false;
  let part = newestIndependent;
  for (; part >= oldestPart && part >= 0 && catalogue.knows(part); part--) {
    if (catalogue.isStart(part) !== ((newestIndependent - part) % partsPerSegment === 0)) return false;
  }
  return newestIndependent - part > partsPerSegment;
}
