import type { Catalogue } from '../../swarm/catalogue.ts';
import type { Neighbour, Neighbours } from '../../swarm/neighbours.ts';

/** Starts that are looked at behind and before the newest one that is known by its record. */
const BEHIND_MAX = 12;
const BEFORE_MAX = 4;
/** Parts that count as enough to begin with. */
const RUN_PARTS = 6;
/** Ms after which a place that has not led to a start is chosen anew. */
const AGAIN_MS = 4_000;

/**
 * Where a viewer begins who is fed by neighbours: not at the live edge, which few of them have reached and nobody could
 * keep up from, but at the newest place where a decoder can begin and that a good part of them holds already.
 */
export class StartPosition {
  private chosen = -1;
  private chosenAtMs = Number.NEGATIVE_INFINITY;
  private readonly catalogue: Catalogue;
  private readonly neighbours: Neighbours;

  constructor(catalogue: Catalogue, neighbours: Neighbours) {
    this.catalogue = catalogue;
    this.neighbours = neighbours;
  }

  /**
   * @param partsPerSegment - Starts of which no record is known are guessed by this; a wrong guess costs a segment.
   * @returns -1 while nobody who gives has anything.
   */
  choose(track: number, partsPerSegment: number, nowMs: number): number {
    if (nowMs - this.chosenAtMs < AGAIN_MS && this.holders(track, this.chosen) > 0) return this.chosen;
    const base = this.catalogue.newestIndependent;
    if (base < 0) return -1;
    let givers = 0;
    for (const neighbour of this.neighbours.all()) if (gives(neighbour)) givers++;
    const enough = Math.max(2, Math.ceil(givers * 0.4));
    let best = -1;
    let bestHolders = 0;
    for (let step = BEFORE_MAX; step >= -BEHIND_MAX && bestHolders < enough; step--) {
      const part = base + step * partsPerSegment;
      const holders = this.holders(track, part);
      if (holders <= bestHolders) continue;
      best = part;
      bestHolders = holders;
    }
    this.chosen = best;
    this.chosenAtMs = nowMs;
    return best;
  }

  private holders(track: number, part: number): number {
    if (part < this.catalogue.oldestPart) return 0;
    let holders = 0;
    for (const neighbour of this.neighbours.all()) {
      if (gives(neighbour) && neighbour.availability.hasRun(track, part, RUN_PARTS)) holders++;
    }
    return holders;
  }
}

function gives({ gives, availability }: Neighbour): boolean {
  return gives && availability.newest >= 0;
}
