import type { LinkId, Sink } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import { LANES } from '../../protocol/limits.ts';
import { laneOf, NOT_PUSHED } from '../../swarm/lanes.ts';
import type { Neighbours } from '../../swarm/neighbours.ts';
import type { Pushing } from '../../swarm/pushing.ts';
import { PUSH_WITHIN_MS } from '../../swarm/serve.ts';
import type { PeerOutput } from './io.ts';

/** Who feeds one lane. */
interface Lane {
  parent: LinkId | undefined;
  /** The parent has said that it pushes. */
  granted: boolean;
  /** What is older was there before the parent pushed. */
  fromPart: number;
  /** When it was asked, and when it last pushed something. */
  askedAtMs: number;
  pushedAtMs: number;
  /** Blocks that came from elsewhere first, less those that it brought. */
  misses: number;
  /** Nobody as deep as this is a descendant of ours (RFC 8966 section 2.4). */
  feasibleDepth: number;
  /** Until then a deeper one might be. */
  heldUntilMs: number;
  /** The parent before, and until when what it pushed may still come. */
  former: LinkId | undefined;
  formerUntilMs: number;
}

interface Offer {
  readonly depths: Uint8Array;
  free: number;
}

/** Hops beyond which a block is sooner asked for. */
const DEPTH_MAX = 16;
/** Hops from the source of who is fed by an INS server. */
const INS_DEPTH = 1;
/** Ms between two choices, and in which a neighbour has to answer a subscription. */
const CHOOSE_EVERY_MS = 300;
const ANSWER_WITHIN_MS = 1_500;
/** A parent that brought nothing for so long while others had something, or missed so many, is left, and for how long. */
const SILENT_MS = 3_000;
const MISSES_MAX = 4;
const LEFT_MS = 8_000;
/** News of a lost parent is with all descendants after this. */
const HOLD_MS = 2_000;
/** What a parent has pushed before it hears that it is left has come after this. */
const FORMER_MS = 2_000;
/** A block that is going to be pushed is asked for when it is so late that nobody pushes it any more, or its time is so near. */
const PATIENCE_MS = PUSH_WITHIN_MS + 100;
const URGENT_MS = 600;
/** Blocks whose first sighting is remembered. */
const SIGHTED_MAX = 512;

/**
 * The lanes that neighbours push to us: whom to subscribe to for which, and which blocks therefore need not be asked for.
 *
 * A parent is a neighbour that is itself fed in the lane, nearest to the source first. Loops cannot form: a new parent is
 * less deep than we ever were in this lane since we last told everybody that nobody feeds us; only after that news has had
 * the time to travel may it be deeper.
 */
export class PushFeed {
  private readonly lanes: Lane[] = Array.from({ length: LANES }, () => ({
    parent: undefined,
    granted: false,
    fromPart: 0,
    askedAtMs: 0,
    pushedAtMs: 0,
    misses: 0,
    feasibleDepth: NOT_PUSHED,
    heldUntilMs: 0,
    former: undefined,
    formerUntilMs: 0,
  }));
  private readonly offers = new Map<LinkId, Offer>();
  private readonly leftUntilMs = new Map<LinkId, number>();
  private readonly told = new Map<LinkId, number>();
  private readonly sightedAtMs = new Map<string, number>();
  private chooseAtMs = 0;
  private wanted = false;
  private byIns = false;
  private wantedTracks: readonly number[] | null = null;
  private tracks: readonly number[] | null = null;
  private readonly neighbours: Neighbours;
  private readonly pushing: Pushing;
  private readonly prng: Prng;
  private readonly outputs: Sink<PeerOutput>;

  constructor(neighbours: Neighbours, pushing: Pushing, prng: Prng, outputs: Sink<PeerOutput>) {
    this.neighbours = neighbours;
    this.pushing = pushing;
    this.prng = prng;
    this.outputs = outputs;
  }

  /** Lanes that somebody pushes to us. */
  get fed(): number {
    return this.lanes.filter(({ granted }) => granted).length;
  }

  /** A neighbour says what it could push. */
  offered(link: LinkId, depths: Uint8Array, free: number, nowMs: number): void {
    this.offers.set(link, { depths, free });
    for (const [lane, state] of this.lanes.entries()) {
      if (state.parent !== link) continue;
      const depth = depths[lane]!;
      if (depth >= DEPTH_MAX) this.drop(lane, nowMs);
      else if (state.granted) this.setDepth(lane, depth + 1);
    }
  }

  /** How many lanes more a neighbour could push, as far as it has told. */
  freeLanes(link: LinkId): number {
    return this.offers.get(link)?.free ?? 0;
  }

  /** A neighbour says which lanes it pushes to us from now on. @param newest - The newest part that we know, or that it has announced. */
  granted(link: LinkId, lanes: number, newest: number, nowMs: number): void {
    for (const [lane, state] of this.lanes.entries()) {
      if (state.parent !== link) continue;
      const depth = this.depthOf(link, lane);
      if (!(lanes & (1 << lane)) || depth >= DEPTH_MAX) {
        this.drop(lane, nowMs);
        this.leftUntilMs.set(link, nowMs + LEFT_MS / 2);
      } else if (!state.granted) {
        Object.assign(state, { granted: true, fromPart: newest + 1, pushedAtMs: nowMs, misses: 0 });
        this.setDepth(lane, depth + 1);
      }
    }
  }

  /** Whether a block that nobody asked for is taken from this neighbour: it counts as answered, and would not come again. */
  takes(link: LinkId, track: number, part: number, index: number, nowMs: number): boolean {
    const { parent, former, formerUntilMs } = this.lanes[laneOf(track, part, index)]!;
    return parent === link || (former === link && nowMs < formerUntilMs);
  }

  /** A block has come from a neighbour; `undefined` is an INS server. */
  came(link: LinkId | undefined, pushed: boolean, track: number, part: number, index: number, nowMs: number): void {
    this.sightedAtMs.delete(`${track}:${part}:${index}`);
    const state = this.lanes[laneOf(track, part, index)]!;
    if (!state.granted || part < state.fromPart) return;
    if (pushed && state.parent === link) {
      state.pushedAtMs = nowMs;
      state.misses = Math.max(0, state.misses - 1);
    } else state.misses++;
  }

  /** Whether the block is going to be pushed, so that asking for it would bring it twice. */
  expects(track: number, part: number, index: number, dueAtMs: number, nowMs: number): boolean {
    const state = this.lanes[laneOf(track, part, index)]!;
    if (!state.granted || part < state.fromPart || dueAtMs - nowMs < URGENT_MS) return false;
    const id = `${track}:${part}:${index}`;
    const sightedAtMs = this.sightedAtMs.get(id);
    if (sightedAtMs === undefined) {
      if (this.sightedAtMs.size >= SIGHTED_MAX) this.sightedAtMs.clear();
      this.sightedAtMs.set(id, nowMs);
      return true;
    }
    return nowMs - sightedAtMs < PATIENCE_MS;
  }

  /** Who pushes the block's lane to us. */
  parentOf(track: number, part: number, index: number): LinkId | undefined {
    const { granted, parent } = this.lanes[laneOf(track, part, index)]!;
    return granted ? parent : undefined;
  }

  closed(link: LinkId, nowMs: number): void {
    this.offers.delete(link);
    this.leftUntilMs.delete(link);
    this.told.delete(link);
    for (const [lane, { parent }] of this.lanes.entries()) if (parent === link) this.drop(lane, nowMs);
  }

  nextDeadline(): number | undefined {
    if (this.offers.size === 0) return undefined;
    return this.wanted || this.lanes.some(({ parent }) => parent !== undefined) ? this.chooseAtMs : undefined;
  }

  /** An INS server sends us everything as soon as it is there: we are as near to the source as its own neighbours, in all lanes. */
  fedByIns(isFed: boolean, nowMs: number): void {
    if (isFed === this.byIns) return;
    this.byIns = isFed;
    for (const [lane, state] of this.lanes.entries()) {
      if (state.parent !== undefined) this.drop(lane, nowMs);
      if (isFed) this.setDepth(lane, INS_DEPTH);
      else {
        state.heldUntilMs = nowMs + HOLD_MS;
        this.pushing.depths[lane] = NOT_PUSHED;
      }
    }
    this.tellAll();
  }

  /** Whether pushing is of use now, and in which tracks (null is all); what follows from it is done in time. */
  want(wanted: boolean, tracks: readonly number[] | null): void {
    this.wanted = wanted;
    this.wantedTracks = tracks;
  }

  timeout(nowMs: number): void {
    this.settle(this.wanted, this.wantedTracks, nowMs);
  }

  /**
   * Looks after the lanes: leaves parents that bring nothing, and subscribes where nobody feeds us.
   *
   * @param wanted - Pushing is of use now: playback is near the edge and fed by neighbours.
   * @param tracks - Those that are taken; null is all.
   */
  settle(wanted: boolean, tracks: readonly number[] | null, nowMs: number): void {
    if (nowMs < this.chooseAtMs || this.offers.size === 0) return;
    this.chooseAtMs = nowMs + CHOOSE_EVERY_MS * (0.75 + 0.5 * this.prng.unit());
    if (!sameTracks(tracks, this.tracks)) for (const link of this.told.keys()) this.told.set(link, -1);
    this.tracks = tracks;
    for (const [lane, state] of this.lanes.entries()) {
      if (state.parent !== undefined && (!wanted || this.failed(state, nowMs))) {
        if (wanted) this.leftUntilMs.set(state.parent, nowMs + LEFT_MS);
        this.drop(lane, nowMs);
      }
      if (wanted && state.parent === undefined) this.choose(lane, nowMs);
    }
    this.tellAll();
  }

  private failed(state: Lane, nowMs: number): boolean {
    if (!state.granted) return nowMs - state.askedAtMs > ANSWER_WITHIN_MS;
    return state.misses >= MISSES_MAX || (state.misses > 0 && nowMs - state.pushedAtMs > SILENT_MS);
  }

  private choose(lane: number, nowMs: number): void {
    const state = this.lanes[lane]!;
    let best: LinkId | undefined;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const [link, { depths, free }] of this.offers) {
      const depth = depths[lane]!;
      if (free <= 0 || depth >= DEPTH_MAX - 1 || this.pushing.feeds(link, lane)) continue;
      if (this.neighbours.get(link)?.gives !== true || (this.leftUntilMs.get(link) ?? 0) > nowMs) continue;
      if (depth >= state.feasibleDepth && nowMs < state.heldUntilMs) continue;
      // Near the source first; among equals those with much to give, and not all lanes from one.
      const score = depth + this.lanesFrom(link) * 0.5 - Math.min(free, 32) / 64 + this.prng.unit() * 0.5;
      if (score >= bestScore) continue;
      best = link;
      bestScore = score;
    }
    if (best === undefined) return;
    if (nowMs >= state.heldUntilMs) state.feasibleDepth = NOT_PUSHED;
    state.parent = best;
    state.granted = false;
    state.askedAtMs = nowMs;
    this.offers.get(best)!.free--;
  }

  private lanesFrom(link: LinkId): number {
    return this.lanes.filter(({ parent }) => parent === link).length;
  }

  private drop(lane: number, nowMs: number): void {
    const state = this.lanes[lane]!;
    if (state.granted) state.heldUntilMs = nowMs + HOLD_MS;
    if (state.parent !== undefined) Object.assign(state, { former: state.parent, formerUntilMs: nowMs + FORMER_MS });
    state.parent = undefined;
    state.granted = false;
    this.pushing.depths[lane] = NOT_PUSHED;
  }

  private setDepth(lane: number, depth: number): void {
    const state = this.lanes[lane]!;
    state.feasibleDepth = Math.min(state.feasibleDepth, depth);
    this.pushing.depths[lane] = depth;
  }

  private depthOf(link: LinkId, lane: number): number {
    if (this.neighbours.get(link)?.source === true) return 0;
    return this.offers.get(link)?.depths[lane] ?? NOT_PUSHED;
  }

  /** Each neighbour hears of all lanes that are wanted of it when they have changed. */
  private tellAll(): void {
    const masks = new Map<LinkId, number>();
    for (const [lane, { parent }] of this.lanes.entries()) {
      if (parent !== undefined) masks.set(parent, (masks.get(parent) ?? 0) | (1 << lane));
    }
    for (const link of new Set([...masks.keys(), ...this.told.keys()])) {
      const lanes = masks.get(link) ?? 0;
      if (this.told.get(link) === lanes) continue;
      if (lanes === 0) this.told.delete(link);
      else this.told.set(link, lanes);
      this.outputs.push({ kind: 'send-peer', link, message: { type: 'subscribe', lanes, tracks: this.tracks } });
    }
  }
}

function sameTracks(a: readonly number[] | null, b: readonly number[] | null): boolean {
  return a === b || (a !== null && b !== null && a.length === b.length && a.every((track, at) => track === b[at]));
}
