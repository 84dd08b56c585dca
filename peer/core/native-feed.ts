import type { LinkId, Sink } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import { BLOCKS_PER_PART_MAX, PEER_REQUESTS_MAX, TRACKS_MAX } from '../../protocol/limits.ts';
import type { Catalogue, PartEntry } from '../../swarm/catalogue.ts';
import type { Neighbour, Neighbours } from '../../swarm/neighbours.ts';
import { isRareAmong } from '../../swarm/rarity.ts';
import { Givers } from './givers.ts';
import type { PeerOutput } from './io.ts';
import type { Lacking } from './mesh.ts';
import type { PushFeed } from './push-feed.ts';

interface Ask {
  readonly track: number;
  readonly part: number;
  readonly link: LinkId;
  readonly request: number;
  readonly atMs: number;
  readonly byAtMs: number;
  /** Long before it is due. */
  readonly ahead: boolean;
}

/** Ms for which a neighbour is not asked that was late, and at most for which one that refused is not. */
const REST_MS = 1_000;
const REST_MAX_MS = 500;
/** The same for one that sent something wrong. */
const WRONG_REST_MS = 10_000;
/** What a neighbour is told of the time there is: when the part is due, less what the way and the checks take. */
const DEADLINE_MS_MIN = 300;
const DEADLINE_MS_MAX = 4_000;
const DEADLINE_SPARE_MS = 200;
/** An answer that takes longer than this, or thrice the usual time, is late: somebody else is asked. */
const LATE_MS_MIN = 1_400;
const LATE_MS_MAX = 4_000;
/** What is due within this is asked for in the order of its time, up to so many blocks at once. */
const SOON_MS = 2_000;
const OPEN_MAX = Math.min(32, PEER_REQUESTS_MAX);
/** What is due later has room of its own beside that: what is rare has to spread whatever is urgent. */
const OPEN_AHEAD_MAX = 16;
/** Whoever was refused something that was not urgent asks for no more of it for so long. */
const AHEAD_REST_MS = 150;
/** Blocks given up on for being late that are still taken when they come after all. */
const GIVEN_UP_MAX = 64;
/** With time in hand, a part that only the source holds is waited for up to so long: a neighbour may have it by then. */
const PATIENCE_MS = 250;
const HURRY_MS = 600;
/** So long before its time a block is asked of another, if the first had so long to give it. */
const AGAIN_MS = 300;
const PATIENT_MS = 800;
/** What is due within this and was asked of somebody longer ago than this is asked of the source, where it is a neighbour. */
const RESCUE_MS = 400;
/** A refusal says that neighbours have their hands full: for so long nothing is put off, and for so long only what is rare is asked for ahead. */
const PRESSED_MS = 3_000;
const ONLY_RARE_MS = 1_000;

/** Takes parts from neighbours: each block is asked of one at a time, and of another when it does not come. */
export class NativeFeed {
  private readonly asks = new Map<number, Ask>();
  private readonly patience = new Map<number, number>();
  private requests = 0;
  private pressedAtMs = Number.NEGATIVE_INFINITY;
  /** Asks that are open for what is not urgent, and when the next may be. */
  private openAhead = 0;
  private aheadAtMs = 0;
  /** Requests that were cancelled for being late, oldest first. */
  private readonly givenUp = new Map<number, LinkId>();
  private readonly neighbours: Neighbours;
  private readonly push: PushFeed;
  private readonly givers: Givers;
  private readonly prng: Prng;
  private readonly outputs: Sink<PeerOutput>;

  constructor(neighbours: Neighbours, push: PushFeed, prng: Prng, outputs: Sink<PeerOutput>) {
    this.neighbours = neighbours;
    this.push = push;
    this.givers = new Givers(neighbours, push, prng);
    this.prng = prng;
    this.outputs = outputs;
  }

  /**
   * Asks for what is missing, each block of one neighbour at a time: what is due soon in the order of its time; and of what
   * is due later first what the fewest neighbours hold, the newest of it first, so that it spreads before everybody wants
   * it. Where neighbours have their hands full nothing else is asked for ahead of its time. Of a part whose record is not
   * known yet one block is asked for: it brings the record.
   *
   * @param lacking - In the order of their time.
   */
  fetch(lacking: readonly Lacking[], catalogue: Catalogue, nowMs: number): void {
    let at = 0;
    for (; at < lacking.length && lacking[at]!.dueAtMs - nowMs < SOON_MS; at++) {
      if (this.asks.size - this.openAhead < OPEN_MAX) this.fetchPart(lacking[at]!, false, catalogue, nowMs);
    }
    if (at === lacking.length || nowMs < this.aheadAtMs || this.openAhead >= OPEN_AHEAD_MAX) return;
    const handOn = this.neighbours.all().filter(({ gives, source }) => gives && !source).length;
    const onlyRare = nowMs - this.pressedAtMs < ONLY_RARE_MS;
    const ahead = this.withHolders(lacking, at, catalogue);
    ahead.sort((a, b) => a.holders - b.holders || b.part.part - a.part.part);
    for (const { part, holders } of ahead) {
      if (this.openAhead >= OPEN_AHEAD_MAX || (onlyRare && !isRareAmong(holders, handOn))) return;
      if (holders > 0) this.fetchPart(part, true, catalogue, nowMs);
    }
  }

  private fetchPart({ track, part, dueAtMs }: Lacking, ahead: boolean, catalogue: Catalogue, nowMs: number): void {
    const entry = catalogue.get(track, part);
    if (entry !== undefined) {
      for (let index = 0; index < entry.bodies.length; index++) {
        if (entry.bodies[index] === undefined) this.ask(track, part, index, dueAtMs, ahead, nowMs);
      }
    } else if (!this.ask(track, part, 0, dueAtMs, ahead, nowMs)) this.askBegun(track, part, dueAtMs, ahead, nowMs);
  }

  /** Whether blocks of the part are missing that nobody has been asked for. */
  seeks(track: number, part: number, entry: PartEntry | undefined): boolean {
    if (entry === undefined) return !this.asks.has(idOf(track, part, 0));
    for (let index = 0; index < entry.bodies.length; index++) {
      if (entry.bodies[index] === undefined && !this.asks.has(idOf(track, part, index))) return true;
    }
    return false;
  }

  /** Of the parts from a place on that have blocks to be asked for: how many neighbours that give hold at least a block of each. */
  private withHolders(lacking: readonly Lacking[], at: number, catalogue: Catalogue) {
    const { newestPart } = this.neighbours;
    const counted: { readonly part: Lacking; holders: number }[] = [];
    for (let next = at; next < lacking.length; next++) {
      const part = lacking[next]!;
      if (part.part > newestPart || !this.seeks(part.track, part.part, catalogue.get(part.track, part.part))) continue;
      counted.push({ part, holders: 0 });
    }
    if (counted.length === 0) return counted;
    for (const { gives, availability } of this.neighbours.all()) {
      if (!gives) continue;
      for (const one of counted) if (availability.hasSome(one.part.track, one.part.part)) one.holders++;
    }
    return counted;
  }

  /** A block is there and verified, and whom it came from. @returns Whether it had been asked for. */
  have(track: number, part: number, index: number, from: LinkId, nowMs: number): boolean {
    const id = idOf(track, part, index);
    this.patience.delete(id);
    const ask = this.asks.get(id);
    if (ask === undefined) return false;
    this.end(id, ask);
    if (ask.link === from) this.givers.answered(from, nowMs - ask.atMs);
    else this.cancel(ask);
    return true;
  }

  /** Of a part whose blocks are not known: any that a neighbour has announced. */
  private askBegun(track: number, part: number, dueAtMs: number, ahead: boolean, nowMs: number): void {
    for (const { gives, availability } of this.neighbours.all()) {
      const index = gives ? availability.firstBlock(track, part) : undefined;
      if (index !== undefined && this.ask(track, part, index, dueAtMs, ahead, nowMs)) return;
    }
  }

  /** @returns Whether somebody has been asked for the block, now or before. */
  private ask(track: number, part: number, index: number, dueAtMs: number, ahead: boolean, nowMs: number): boolean {
    const id = idOf(track, part, index);
    const open = this.asks.get(id);
    if (open !== undefined) {
      this.rescue(id, open, index, dueAtMs, nowMs);
      return true;
    }
    if (this.push.expects(track, part, index, dueAtMs, nowMs)) return true;
    if (ahead ? this.openAhead >= OPEN_AHEAD_MAX : this.asks.size - this.openAhead >= OPEN_MAX) return false;
    const from = this.givers.choose(track, part, index, nowMs);
    if (from === undefined) return false;
    if (this.givers.isWanted(from) && !this.patienceOver(id, dueAtMs, nowMs)) return false;
    this.patience.delete(id);
    this.send(id, from, { track, part, ahead }, index, dueAtMs, nowMs);
    return true;
  }

  /** What is due in a moment and does not come is asked of the source, if we know it: it has what everybody has. */
  private rescue(id: number, open: Ask, index: number, dueAtMs: number, nowMs: number): void {
    if (dueAtMs - nowMs >= RESCUE_MS || nowMs - open.atMs <= RESCUE_MS) return;
    const source = this.givers.source(open.track, open.part, index, nowMs);
    if (source === undefined || source.link === open.link) return;
    this.giveUp(id, open);
    this.send(id, source, open, index, dueAtMs, nowMs);
  }

  private send(
    id: number,
    { link }: Neighbour,
    { track, part, ahead }: Pick<Ask, 'track' | 'part' | 'ahead'>,
    index: number,
    dueAtMs: number,
    nowMs: number,
  ): void {
    this.requests = (this.requests % 0xffff_ffff) + 1;
    const request = this.requests;
    const spareMs = dueAtMs - nowMs - DEADLINE_SPARE_MS;
    const deadlineMs = Math.round(Math.max(DEADLINE_MS_MIN, Math.min(DEADLINE_MS_MAX, spareMs)));
    const lateAtMs = nowMs + Math.max(LATE_MS_MIN, Math.min(LATE_MS_MAX, this.givers.usualMs(link) * 3));
    // Nor is it waited for until there is no time left to ask somebody else.
    const byAtMs = Math.min(lateAtMs, Math.max(dueAtMs - AGAIN_MS, nowMs + PATIENT_MS));
    this.asks.set(id, { track, part, link, request, atMs: nowMs, byAtMs, ahead });
    if (ahead) this.openAhead++;
    this.givers.asked(link);
    const items = [{ track, part, index, deadlineMs }];
    this.outputs.push({ kind: 'send-peer', link, message: { type: 'request', request, items } });
  }

  refused(link: LinkId, request: number, retryAfterMs: number, nowMs: number): void {
    for (const [id, ask] of this.asks) {
      if (ask.link !== link || ask.request !== request) continue;
      this.end(id, ask);
      this.pressedAtMs = nowMs;
      if (ask.ahead) this.aheadAtMs = nowMs + AHEAD_REST_MS;
      this.givers.rest(link, nowMs + Math.max(50, Math.min(REST_MAX_MS, retryAfterMs)));
    }
  }

  /** What came under this request was wrong: ask somebody else. */
  failed(track: number, part: number, nowMs: number): void {
    for (const [id, ask] of this.asks) {
      if (ask.track !== track || ask.part !== part) continue;
      this.end(id, ask);
      this.givers.rest(ask.link, nowMs + WRONG_REST_MS);
    }
  }

  closed(link: LinkId): void {
    this.givers.closed(link);
    for (const [id, ask] of this.asks) if (ask.link === link) this.end(id, ask);
    for (const [request, from] of this.givenUp) if (from === link) this.givenUp.delete(request);
  }

  /** Whether we asked this neighbour under this number, and did not get it: nothing else is taken from it. */
  asked(link: LinkId, request: number): boolean {
    if (this.givenUp.get(request) === link) return true;
    for (const ask of this.asks.values()) if (ask.link === link && ask.request === request) return true;
    return false;
  }

  /** Whether we wait for this block of that neighbour. */
  awaits(link: LinkId, track: number, part: number, index: number): boolean {
    return this.asks.get(idOf(track, part, index))?.link === link;
  }

  nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const { byAtMs } of this.asks.values()) if (next === undefined || byAtMs < next) next = byAtMs;
    for (const atMs of this.patience.values()) if (next === undefined || atMs < next) next = atMs;
    return next;
  }

  timeout(nowMs: number): void {
    for (const [id, ask] of this.asks) {
      if (ask.byAtMs > nowMs) continue;
      this.giveUp(id, ask);
      this.givers.rest(ask.link, nowMs + REST_MS);
      this.givers.answered(ask.link, LATE_MS_MIN);
    }
    // Whoever still wants the part asks again and finds its patience over.
    for (const [id, atMs] of this.patience) if (atMs <= nowMs) this.patience.set(id, Number.POSITIVE_INFINITY);
  }

  private cancel({ link, request }: Ask): void {
    this.outputs.push({ kind: 'send-peer', link, message: { type: 'cancel', request } });
  }

  /** Waits for it no longer; it may be on its way all the same. */
  private giveUp(id: number, ask: Ask): void {
    this.end(id, ask);
    this.cancel(ask);
    this.givenUp.set(ask.request, ask.link);
    if (this.givenUp.size <= GIVEN_UP_MAX) return;
    for (const oldest of this.givenUp.keys()) {
      this.givenUp.delete(oldest);
      return;
    }
  }

  private patienceOver(id: number, dueAtMs: number, nowMs: number): boolean {
    if (dueAtMs - nowMs < HURRY_MS || nowMs - this.pressedAtMs < PRESSED_MS) return true;
    const until = this.patience.get(id);
    if (until === undefined) {
      // What nobody asked for again is forgotten now and then.
      if (this.patience.size > 256) this.patience.clear();
      this.patience.set(id, nowMs + this.prng.unit() * PATIENCE_MS);
      return false;
    }
    return until === Number.POSITIVE_INFINITY || until <= nowMs;
  }

  private end(id: number, ask: Ask): void {
    this.asks.delete(id);
    if (ask.ahead) this.openAhead--;
    this.givers.ended(ask.link);
  }
}

/** A block's place as one number: it is looked up in every decision. */
function idOf(track: number, part: number, index: number): number {
  return (part * TRACKS_MAX + track) * BLOCKS_PER_PART_MAX + index;
}
