import type { Catalogue } from '../../swarm/catalogue.ts';
import type { Neighbour, Neighbours } from '../../swarm/neighbours.ts';

/** Starts that are looked at behind and before the newest one that is known by its record: who joined long ago knows old ones. */
const BEHIND_MAX = 12;
const BEFORE_MAX = 64;
/**
 * Ms of media that neighbours are to hold from the start on: the distance to their newest is what a viewer has in hand
 * once it has caught up. Where nobody holds so much, as when the stream is young, half of it will do, and so on.
 */
const RUN_MS = 2_000;
/** Neighbours that are to hold each part of it. */
const HOLDERS_WANTED = 2;
/** Before so many neighbours have told what they hold, the choice waits, at most so many ms after the first. */
const GIVERS_WANTED = 5;
const WAIT_MS = 300;
/** Ms after which a place that has not led to a start is chosen anew. */
const AGAIN_MS = 4_000;

/**
 * Where a viewer begins who is fed by neighbours: not at the live edge, which few of them have reached and nobody could
 * keep up from, but at the newest place where a decoder can begin and from which some of them hold each part already.
 */
export class StartPosition {
  private firstGiverAtMs: number | undefined;
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
  choose(track: number, partsPerSegment: number, partMs: number, nowMs: number): number {
    if (nowMs - this.chosenAtMs < AGAIN_MS && this.holders(track, this.chosen, 1) > 0) return this.chosen;
    const base = this.catalogue.newestIndependent;
    if (base < 0) return -1;
    if (!this.knowsEnough(nowMs)) return -1;
    let best = -1;
    for (let run = Math.ceil(RUN_MS / partMs); run >= 1 && best < 0; run >>= 1) {
      best = this.newestHeld(track, base, partsPerSegment, run);
    }
    this.chosen = best;
    this.chosenAtMs = nowMs;
    return best;
  }

  /** The first neighbour to say hello may have come a moment before us: some others are waited for, not for long. */
  private knowsEnough(nowMs: number): boolean {
    let givers = 0;
    for (const neighbour of this.neighbours.all()) if (gives(neighbour)) givers++;
    if (givers > 0) this.firstGiverAtMs ??= nowMs;
    return givers >= GIVERS_WANTED || nowMs - (this.firstGiverAtMs ?? nowMs) >= WAIT_MS;
  }

  /** The newest start that enough neighbours hold with what follows, or the one that the most of them do; -1 if none. */
  private newestHeld(track: number, base: number, partsPerSegment: number, run: number): number {
    let best = -1;
    let bestHolders = 0;
    const before = Math.floor((this.newestAnnounced() - base) / partsPerSegment);
    for (let step = Math.min(BEFORE_MAX, before); step >= -BEHIND_MAX && bestHolders < HOLDERS_WANTED; step--) {
      const part = base + step * partsPerSegment;
      const holders = this.holders(track, part, run);
      if (holders <= bestHolders) continue;
      best = part;
      bestHolders = holders;
    }
    return best;
  }

  private newestAnnounced(): number {
    let newest = -1;
    for (const neighbour of this.neighbours.all()) {
      if (gives(neighbour)) newest = Math.max(newest, neighbour.availability.newest);
    }
    return newest;
  }

  /** By how many neighbours that part of the run is held which the fewest hold. */
  private holders(track: number, part: number, run: number): number {
    if (part < this.catalogue.oldestPart) return 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (let at = part; at < part + run && fewest > 0; at++) {
      let holders = 0;
      for (const neighbour of this.neighbours.all()) {
        if (gives(neighbour) && neighbour.availability.has(track, at)) holders++;
      }
      fewest = Math.min(fewest, holders);
    }
    return fewest;
  }
}

function gives({ gives, availability }: Neighbour): boolean {
  return gives && availability.newest >= 0;
}
