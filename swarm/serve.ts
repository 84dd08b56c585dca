import type { LinkId, Sink } from '../machine/machine.ts';
import { BATCH_ITEMS_MAX, PEER_REQUESTS_MAX, PUSHED, WHOLE_PART } from '../protocol/limits.ts';
import type { PeerMessage, RequestItem } from '../protocol/peer-messages.ts';
import type { Reason } from '../protocol/reasons.ts';
import type { Availability } from './availability.ts';
import { type Catalogue, isWhole, type PartEntry } from './catalogue.ts';
import type { SwarmOutput } from './io.ts';
import type { Neighbour, Neighbours } from './neighbours.ts';
import { isRare } from './rarity.ts';
import { Uplink } from './uplink.ts';

type Request = Extract<PeerMessage, { type: 'request' }>;

/** Blocks that may wait for one link. */
const WAITING_MAX = PEER_REQUESTS_MAX + BATCH_ITEMS_MAX;
/** An item without a deadline is refused when it would have to wait longer than this. */
const DEADLINE_MS_DEFAULT = 10_000;
/** Whoever would have to wait longer than this is served sooner by somebody else, however much time there is. */
const WAIT_MS_MAX = 400;
/** A pushed block takes its place as if it were due then; what has not left after the longer time leaves no more. */
const PUSH_DUE_MS = 1000;
export const PUSH_WITHIN_MS = 1500;
/** Ms for which a pushed block may be on its way, and of how many that is remembered by neighbour. */
const ON_ITS_WAY_MS = 1000;
const ON_THEIR_WAY_MAX = 64;
/** A rare block takes its place as if it were due then: behind what is overdue, before all else. */
const RARE_DUE_MS = 400;
/** Give and take of the last seconds count: after so many ms half of it is forgotten. */
const BALANCE_HALF_LIFE_MS = 10_000;
/** By so much a neighbour comes sooner or later at most for what it gave us or took. */
const BALANCE_MS_MAX = 300;

const NOTHING = new Uint8Array(0);

interface Job {
  readonly link: LinkId;
  readonly request: number;
  readonly item: number;
  readonly entry: PartEntry;
  readonly index: number;
  readonly withRecord: boolean;
  readonly deadlineAtMs: number;
  /** The place in the queue: the deadline, moved by what the link gave and took. */
  readonly orderMs: number;
  /** It comes early because few had it when it was asked for. */
  readonly isRare?: boolean;
  /** Of a block that nobody asked for: what its receiver has. */
  readonly pushedTo?: Availability;
}

/** One neighbour's account. */
interface Line {
  waiting: number;
  inSocketBytes: number;
  /** Bytes it took less those it gave, lately. */
  balanceBytes: number;
  balanceAtMs: number;
  /** When blocks that nobody had asked for were sent to it. */
  readonly pushedAtMs: Map<string, number>;
}

/**
 * Gives blocks to neighbours that ask, over one uplink that all of them share: in the order of deadlines, what is rare
 * early, those first that gave us much, and a little at a time, so that what is urgent never waits long. What cannot be in
 * time is refused at once, so that the asker turns elsewhere.
 */
export class Serving {
  /** Block bytes given so far. */
  givenBytes = 0;
  /** From when on the uplink is free for neighbours, as far as is known now. When it is so sooner, {@link pump}. */
  freeAtMs: (nowMs: number) => number = () => Number.NEGATIVE_INFINITY;
  readonly uplink: Uplink;
  private readonly lines = new Map<LinkId, Line>();
  private readonly queue: Job[] = [];
  private readonly catalogue: Catalogue;
  private readonly neighbours: Neighbours;
  private readonly outputs: Sink<SwarmOutput>;

  /** @param uploadBpsMax - What is given at most, in bits per second; as much as the uplink carries by default. */
  constructor(catalogue: Catalogue, neighbours: Neighbours, outputs: Sink<SwarmOutput>, uploadBpsMax?: number) {
    this.catalogue = catalogue;
    this.neighbours = neighbours;
    this.outputs = outputs;
    this.uplink = new Uplink(uploadBpsMax);
  }

  request(link: LinkId, { request, items }: Request, nowMs: number): void {
    for (const [item, want] of items.entries()) this.take(link, request, item, want, nowMs);
    this.pump(nowMs);
  }

  /** Sends a block that nobody asked for, unless it has come from elsewhere by then, or would come too late to be of use. */
  push({ link, availability }: Neighbour, entry: PartEntry, index: number, nowMs: number): void {
    const line = this.lineOf(link);
    const orderMs = nowMs + PUSH_DUE_MS;
    if (this.waitMs(orderMs, nowMs) > PUSH_WITHIN_MS || line.waiting >= WAITING_MAX) return;
    const deadlineAtMs = nowMs + PUSH_WITHIN_MS;
    const job = { link, request: PUSHED, item: 0, entry, index, withRecord: true, deadlineAtMs, orderMs };
    insert(this.queue, { ...job, pushedTo: availability });
    line.waiting++;
    this.pump(nowMs);
  }

  cancel(link: LinkId, request: number): void {
    if (request !== PUSHED) this.drop((job) => job.link === link && job.request === request);
  }

  sent(link: LinkId, bytes: number, nowMs: number): void {
    const line = this.lines.get(link);
    if (line === undefined) return;
    line.inSocketBytes = Math.max(0, line.inSocketBytes - bytes);
    this.uplink.left(bytes, this.queue.length > 0, nowMs);
    this.pump(nowMs);
  }

  /** The neighbour gave us a block: it comes sooner when it asks. */
  received(link: LinkId, bytes: number, nowMs: number): void {
    this.turnBalance(this.lineOf(link), -bytes, nowMs);
  }

  closed(link: LinkId): void {
    const line = this.lines.get(link);
    if (line === undefined) return;
    this.uplink.lost(line.inSocketBytes);
    this.drop((job) => job.link === link);
    this.lines.delete(link);
  }

  /** When the upload limit allows more, or the uplink is free for neighbours again. */
  nextDeadline(): number | undefined {
    return this.queue.length === 0 ? undefined : this.limitedUntilMs;
  }

  timeout(nowMs: number): void {
    if (this.limitedUntilMs !== undefined && this.limitedUntilMs <= nowMs) this.pump(nowMs);
  }

  private limitedUntilMs: number | undefined;

  private take(link: LinkId, request: number, item: number, want: RequestItem, nowMs: number): void {
    const all = want.index === WHOLE_PART;
    const entry = this.catalogue.get(want.track, want.part);
    if (entry === undefined || (all ? !isWhole(entry) : entry.bodies[want.index] === undefined)) {
      this.refuse(link, request, item, 'NO_OBJECT', 0);
      return;
    }
    const line = this.lineOf(link);
    const pushedAtMs = line.pushedAtMs.get(blockId(want.track, want.part, want.index));
    // The push, which was on its way when this was written, is the answer.
    if (pushedAtMs !== undefined && nowMs - pushedAtMs < ON_ITS_WAY_MS) return;
    const deadlineMs = want.deadlineMs || DEADLINE_MS_DEFAULT;
    const deadlineAtMs = nowMs + deadlineMs;
    const rare = !all && isRare(this.neighbours, want.track, want.part, want.index);
    const dueAtMs = rare ? Math.min(deadlineAtMs, nowMs + RARE_DUE_MS) : deadlineAtMs;
    const orderMs = dueAtMs + this.moveMs(line, nowMs);
    const indices = all ? [...entry.bodies.keys()] : [want.index];
    const inMs = this.waitMs(orderMs, nowMs);
    if (inMs > Math.min(deadlineMs, WAIT_MS_MAX) || line.waiting + indices.length > WAITING_MAX) {
      this.refuse(link, request, item, 'OVERLOAD', Math.ceil(Math.max(50, inMs - WAIT_MS_MAX)));
      return;
    }
    for (const index of indices) {
      this.drop((job) => job.link === link && job.request === PUSHED && job.entry === entry && job.index === index);
      // The record goes with the first block it is needed for: a receiver verifies nothing without it.
      const withRecord = index === 0 || !all;
      insert(this.queue, { link, request, item, entry, index, withRecord, deadlineAtMs, orderMs, isRare: rare });
    }
    line.waiting += indices.length;
  }

  /** Ms until all that comes before `orderMs` has left. */
  private waitMs(orderMs: number, nowMs: number): number {
    let aheadBytes = 0;
    for (const job of this.queue) {
      if (job.orderMs > orderMs) break;
      aheadBytes += job.entry.bodies[job.index]!.byteLength;
    }
    return this.uplink.backlogMs(nowMs) + this.uplink.msFor(aheadBytes);
  }

  /** Goes on where there is room. */
  pump(nowMs: number): void {
    let freeAtMs = this.freeAtMs(nowMs);
    while (this.queue.length > 0 && freeAtMs <= nowMs && this.uplink.hasRoom(nowMs)) {
      this.serve(this.queue.shift()!, nowMs);
      freeAtMs = this.freeAtMs(nowMs);
    }
    this.limitedUntilMs = freeAtMs > nowMs ? freeAtMs : this.uplink.allowedAtMs(nowMs);
  }

  private serve(job: Job, nowMs: number): void {
    const { link, request, item, entry, index, withRecord } = job;
    const line = this.lineOf(link);
    line.waiting--;
    const { track, part, independent: start } = entry.record;
    if (job.pushedTo !== undefined) {
      if (job.deadlineAtMs < nowMs || job.pushedTo.hasBlock(track, part, index)) return;
      job.pushedTo.addBlock(track, part, index);
    }
    if (job.deadlineAtMs < nowMs) {
      this.drop((other) => other.link === link && other.request === request && other.item === item);
      this.refuse(link, request, item, 'DEADLINE', 0);
      return;
    }
    if (job.isRare === true && !isRare(this.neighbours, track, part, index)) {
      this.putBack(job, nowMs);
      return;
    }
    this.neighbours.get(link)?.availability.addBlock(track, part, index);
    if (request === PUSHED) noteIn(line.pushedAtMs, blockId(track, part, index), nowMs);
    const { record, sealed, bodies } = entry;
    const body = bodies[index]!;
    const companion = withRecord ? sealed : NOTHING;
    const labelled = { track, part, index, name: record.blocks[index]!.name, start, companion };
    this.outputs.push({ kind: 'send-block', link, header: { request, item, kept: false, labelled }, body });
    line.inSocketBytes += body.byteLength;
    this.uplink.handed(body.byteLength, nowMs);
    this.turnBalance(line, body.byteLength, nowMs);
    this.givenBytes += body.byteLength;
  }

  /** Others have got it meanwhile: it comes when it is due. */
  private putBack(job: Job, nowMs: number): void {
    const line = this.lineOf(job.link);
    line.waiting++;
    insert(this.queue, { ...job, orderMs: job.deadlineAtMs + this.moveMs(line, nowMs), isRare: false });
  }

  private drop(which: (job: Job) => boolean): void {
    for (let at = this.queue.length - 1; at >= 0; at--) {
      const job = this.queue[at]!;
      if (!which(job)) continue;
      this.queue.splice(at, 1);
      this.lineOf(job.link).waiting--;
    }
  }

  private moveMs(line: Line, nowMs: number): number {
    this.turnBalance(line, 0, nowMs);
    return Math.max(-BALANCE_MS_MAX, Math.min(BALANCE_MS_MAX, this.uplink.msFor(line.balanceBytes)));
  }

  private turnBalance(line: Line, bytes: number, nowMs: number): void {
    line.balanceBytes = line.balanceBytes * 0.5 ** ((nowMs - line.balanceAtMs) / BALANCE_HALF_LIFE_MS) + bytes;
    line.balanceAtMs = nowMs;
  }

  private lineOf(link: LinkId): Line {
    const line = this.lines.get(link) ?? {
      waiting: 0,
      inSocketBytes: 0,
      balanceBytes: 0,
      balanceAtMs: 0,
      pushedAtMs: new Map(),
    };
    this.lines.set(link, line);
    return line;
  }

  private refuse(link: LinkId, request: number, item: number, reason: Reason, retryAfterMs: number): void {
    this.outputs.push({ kind: 'send-peer', link, message: { type: 'refused', request, item, reason, retryAfterMs } });
  }
}

function blockId(track: number, part: number, index: number): string {
  return `${track}:${part}:${index}`;
}

/** Remembers the time, and of the oldest no more. */
function noteIn(times: Map<string, number>, id: string, nowMs: number): void {
  times.delete(id);
  times.set(id, nowMs);
  if (times.size <= ON_THEIR_WAY_MAX) return;
  for (const oldest of times.keys()) {
    times.delete(oldest);
    return;
  }
}

/** Keeps the queue in order; equal places keep their order of arrival. */
function insert(queue: Job[], job: Job): void {
  let at = queue.length;
  while (at > 0 && queue[at - 1]!.orderMs > job.orderMs) at--;
  queue.splice(at, 0, job);
}
