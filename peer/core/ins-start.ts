import type { Catalogue } from '../../swarm/catalogue.ts';

/** Starts older than the newest that are looked at. */
const OLDER_STARTS_MAX = 4;

/**
 * Where a viewer begins whom an INS server feeds: the newest part that a decoder can begin with and that has so much behind it
 * already that playing it does not end before late parts come. What there is comes at once, so a nearer start would be no
 * sooner, and would only have less in hand.
 *
 * @returns The newest start that is known where none has enough behind it; -1 when none is known.
 */
export function insStart(catalogue: Catalogue, enoughMs: number, partMs: number): number {
  const { newest, newestIndependent } = catalogue;
  let starts = 0;
  for (let part = newestIndependent; part >= catalogue.oldestPart && starts <= OLDER_STARTS_MAX; part--) {
    if (!catalogue.isStart(part)) continue;
    if ((newest - part + 1) * partMs >= enoughMs) return part;
    starts++;
  }
  return newestIndependent;
}
