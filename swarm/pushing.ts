import type { LinkId, Sink } from '../machine/machine.ts';
import { Smoothed } from '../machine/rates.ts';
import { LANES } from '../protocol/limits.ts';
import type { PartEntry } from './catalogue.ts';
import type { SwarmOutput } from './io.ts';
import { laneCount, laneOf, NOT_PUSHED } from './lanes.ts';
import type { Neighbours } from './neighbours.ts';
import type { Serving } from './serve.ts';

/**
 * The share of the uplink that is promised to lanes: nearly all of the source's, which has what nobody has. Viewers promise
 * what is idle: in a crowd that just fits, what is pushed to those who have it in hand is missing where somebody waits for
 * it (a viewer's share of 0.75 gave 8 times the freezes of none with 100 viewers and 1.5 times the supply they need).
 */
const SOURCE_SHARE = 0.9;
const PUSH_SHARE = 0.3;
/** A viewer takes on lanes as long as less of its uplink than this is in use. */
const USE_MAX = 0.5;
/** Ms between two looks at what the uplink carries, and at least between two messages that tell of it. */
const LOOK_EVERY_MS = 1_000;
/** What is so many parts behind the newest is no news to anybody. */
const FRESH_PARTS = 12;
/** The number of free lanes is told again when it has changed by so many, or has come to nothing. */
const FREE_CHANGE = 4;

interface Child {
  lanes: number;
  tracks: readonly number[] | null;
}

/**
 * Pushes blocks to neighbours that have subscribed to lanes, as soon as they are there: no announcement, no request, so a
 * hop costs one way and not three. What is promised stays within the uplink; when that turns out to be less, those who came
 * last are told, and ask for the blocks again as everybody else does.
 */
export class Pushing {
  /** Hops from the source by lane, as we are fed by push; the source's own are 0. Kept up to date by the role. */
  readonly depths: Uint8Array;
  private readonly children = new Map<LinkId, Child>();
  private readonly bytesPerSecond = new Map<number, Smoothed>();
  private promised = 0;
  private lookAtMs = 0;
  private toldDepths: Uint8Array | undefined;
  private toldFree = 0;
  private readonly source: boolean;
  private readonly neighbours: Neighbours;
  private readonly serving: Serving;
  private readonly outputs: Sink<SwarmOutput>;

  constructor(source: boolean, neighbours: Neighbours, serving: Serving, outputs: Sink<SwarmOutput>) {
    this.depths = new Uint8Array(LANES).fill(source ? 0 : NOT_PUSHED);
    this.source = source;
    this.neighbours = neighbours;
    this.serving = serving;
    this.outputs = outputs;
  }

  /** Lanes pushed now, over all neighbours. */
  get lanes(): number {
    return this.promised;
  }

  /** A neighbour wants these lanes from now on, and no others; it is told which of them it gets. */
  subscribe(link: LinkId, wanted: number, tracks: readonly number[] | null, nowMs: number): void {
    const child = this.children.get(link) ?? { lanes: 0, tracks };
    child.tracks = tracks;
    let granted = wanted & child.lanes;
    this.promised -= laneCount(child.lanes) - laneCount(granted);
    for (let lane = 0, free = this.free(nowMs); lane < LANES && free > 0; lane++) {
      const bit = 1 << lane;
      if (!(wanted & bit) || granted & bit || this.depths[lane] === NOT_PUSHED) continue;
      granted |= bit;
      this.promised++;
      free--;
    }
    child.lanes = granted;
    if (granted === 0) this.children.delete(link);
    else this.children.set(link, child);
    this.tell(link, granted);
  }

  /** Whether this neighbour is fed by us in a lane. */
  feeds(link: LinkId, lane: number): boolean {
    return ((this.children.get(link)?.lanes ?? 0) & (1 << lane)) !== 0;
  }

  closed(link: LinkId): void {
    this.promised -= laneCount(this.children.get(link)?.lanes ?? 0);
    this.children.delete(link);
  }

  /** A part's record is known: it tells what a lane weighs. */
  recorded({ record: { track, blocks, durationUs } }: PartEntry): void {
    const rate = this.bytesPerSecond.get(track) ?? new Smoothed(0.1);
    this.bytesPerSecond.set(track, rate);
    rate.add((blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) * 1e6) / Math.max(1, durationUs));
  }

  /** A block is there and verified. @param newest - The newest part that is known. */
  block(entry: PartEntry, index: number, newest: number, nowMs: number): void {
    if (this.children.size === 0) return;
    const { track, part } = entry.record;
    if (part < newest - FRESH_PARTS) return;
    const lane = laneOf(track, part, index);
    for (const [link, { lanes, tracks }] of this.children) {
      if (!(lanes & (1 << lane)) || (tracks !== null && !tracks.includes(track))) continue;
      const child = this.neighbours.get(link);
      if (child?.availability.hasBlock(track, part, index) === false) this.serving.push(child, entry, index, nowMs);
    }
  }

  nextDeadline(): number | undefined {
    return this.bytesPerSecond.size === 0 ? undefined : this.lookAtMs;
  }

  /** Looks at what the uplink carries: takes promises back that it cannot keep, and tells neighbours what there is to be had. */
  timeout(nowMs: number): void {
    if (this.lookAtMs > nowMs) return;
    this.lookAtMs = nowMs + LOOK_EVERY_MS;
    for (const [link, child] of [...this.children].reverse()) {
      const free = this.free(nowMs);
      if (free >= 0) break;
      const kept = withoutSome(child.lanes, -free);
      this.promised -= laneCount(child.lanes) - laneCount(kept);
      child.lanes = kept;
      if (kept === 0) this.children.delete(link);
      this.tell(link, kept);
    }
    this.announce(nowMs);
  }

  /** Lanes that the uplink can carry beyond those promised; below 0 when it cannot keep what was promised. */
  private free(nowMs: number): number {
    let laneBps = 0;
    for (const { value = 0 } of this.bytesPerSecond.values()) laneBps += (value * 8) / LANES;
    if (laneBps === 0) return 0;
    const { uplink } = this.serving;
    const promisable = Math.floor((uplink.bps * (this.source ? SOURCE_SHARE : PUSH_SHARE)) / laneBps) - this.promised;
    // Viewers ask where all is in use: what is pushed then comes before what somebody waits for.
    const unused = this.source ? 1 : Math.max(0, USE_MAX - uplink.use(nowMs));
    return Math.min(promisable, Math.floor((uplink.bps * unused) / laneBps));
  }

  private announce(nowMs: number): void {
    const free = Math.max(0, Math.min(255, this.free(nowMs)));
    const { depths } = this;
    const deeper = this.toldDepths === undefined || depths.some((depth, lane) => depth !== this.toldDepths![lane]);
    const changed = Math.abs(free - this.toldFree) >= FREE_CHANGE || (free === 0) !== (this.toldFree === 0);
    if (!deeper && !changed) return;
    // Who is fed in no lane has none to give, and has told nobody of any.
    if (this.toldDepths === undefined && depths.every((depth) => depth === NOT_PUSHED)) return;
    this.toldDepths = depths.slice();
    this.toldFree = free;
    for (const { link, mode, source } of this.neighbours.all()) if (mode !== 'ins' && !source) this.greet(link);
  }

  /** Tells one neighbour what there is to be had, as all others were told. */
  greet(link: LinkId): void {
    if (this.toldDepths === undefined) return;
    const message = { type: 'lanes', depths: this.toldDepths, free: this.toldFree } as const;
    this.outputs.push({ kind: 'send-peer', link, message });
  }

  private tell(link: LinkId, lanes: number): void {
    this.outputs.push({ kind: 'send-peer', link, message: { type: 'subscribed', lanes } });
  }
}

function withoutSome(lanes: number, count: number): number {
  let rest = lanes;
  for (let lane = LANES - 1, left = count; lane >= 0 && left > 0; lane--) {
    if (!(rest & (1 << lane))) continue;
    rest &= ~(1 << lane);
    left--;
  }
  return rest;
}
