import type { LinkId } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import { Smoothed } from '../../machine/rates.ts';
import { LANES } from '../../protocol/limits.ts';
import type { Neighbour, Neighbours } from '../../swarm/neighbours.ts';
import type { PushFeed } from './push-feed.ts';

interface Manners {
  open: number;
  /** Ms from asking to having. */
  readonly answerMs: Smoothed;
  /** Not asked before this time: it refused or was late. */
  restUntilMs: number;
}

/** Blocks open at one neighbour. */
const OPEN_PER_NEIGHBOUR_MAX = 6;
/** What an answer takes before one has come: the source is sooner asked first than somebody's uplink. */
const FIRST_ANSWER_MS = 300;
const FIRST_ANSWER_OF_SOURCE_MS = 100;
/** By so much the source counts as slower than it is, unless it says that it could feed some more. */
const SOURCE_LAST_MS = 10_000;

/** The neighbours that give: what each has in hand for us, how fast it answers, and who is asked next. */
export class Givers {
  private readonly manners = new Map<LinkId, Manners>();
  private readonly neighbours: Neighbours;
  private readonly push: PushFeed;
  private readonly prng: Prng;

  constructor(neighbours: Neighbours, push: PushFeed, prng: Prng) {
    this.neighbours = neighbours;
    this.push = push;
    this.prng = prng;
  }

  /** Who is asked for a block: who holds it, is least busy with us and answers fastest; mostly the source last. */
  choose(track: number, part: number, index: number, nowMs: number): Neighbour | undefined {
    // Whoever was going to push it sends it sooner for being asked, and once.
    const parent = this.push.parentOf(track, part, index);
    let best: Neighbour | undefined;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const neighbour of this.neighbours.all()) {
      if (!neighbour.gives || !neighbour.availability.hasBlock(track, part, index)) continue;
      const { open, answerMs, restUntilMs } = this.of(neighbour.link);
      if (restUntilMs > nowMs) continue;
      if (neighbour.link === parent) return neighbour;
      if (open >= OPEN_PER_NEIGHBOUR_MAX) continue;
      const usualMs = answerMs.value ?? (neighbour.source ? FIRST_ANSWER_OF_SOURCE_MS : FIRST_ANSWER_MS);
      const laterMs = this.isWanted(neighbour) ? SOURCE_LAST_MS : 0;
      const score = laterMs + (open + 1) * usualMs * (0.75 + 0.5 * this.prng.unit());
      if (score < bestScore) {
        best = neighbour;
        bestScore = score;
      }
    }
    return best;
  }

  /** The source, if it is a neighbour that has the block and has not turned us away just now. */
  source(track: number, part: number, index: number, nowMs: number): Neighbour | undefined {
    for (const neighbour of this.neighbours.all()) {
      if (!neighbour.source || !neighbour.gives) continue;
      const { open, restUntilMs } = this.of(neighbour.link);
      const free = restUntilMs <= nowMs && open < OPEN_PER_NEIGHBOUR_MAX;
      if (free && neighbour.availability.hasBlock(track, part, index)) return neighbour;
    }
    return undefined;
  }

  /** Whether this is the source, and everybody wants what it gives: it has not said that it could feed another viewer. */
  isWanted({ source, link }: Neighbour): boolean {
    return source && this.push.freeLanes(link) < LANES;
  }

  /** Ms that it takes to answer; 0 when it has not yet. */
  usualMs(link: LinkId): number {
    return this.manners.get(link)?.answerMs.value ?? 0;
  }

  /** It has been asked for one block more, or less. */
  asked(link: LinkId): void {
    this.of(link).open++;
  }

  ended(link: LinkId): void {
    const manners = this.manners.get(link);
    if (manners !== undefined) manners.open--;
  }

  answered(link: LinkId, afterMs: number): void {
    this.manners.get(link)?.answerMs.add(afterMs);
  }

  /** It is not asked before this time. */
  rest(link: LinkId, untilMs: number): void {
    this.of(link).restUntilMs = untilMs;
  }

  closed(link: LinkId): void {
    this.manners.delete(link);
  }

  private of(link: LinkId): Manners {
    let manners = this.manners.get(link);
    if (manners === undefined) {
      manners = { open: 0, answerMs: new Smoothed(), restUntilMs: 0 };
      this.manners.set(link, manners);
    }
    return manners;
  }
}
