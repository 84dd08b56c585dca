import { earlier } from '../../../machine/deadlines.ts';
import { Queue, type Sink } from '../../../machine/machine.ts';
import type { Labelled } from '../../../protocol/frames.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import type { Overload } from '../admission/overload.ts';
import type { Room } from '../admission/room.ts';
import type { InsServerLimits, InsServerOutput } from '../io.ts';
import { FOLLOW_QUEUE_MAX, FOLLOW_WITHIN_MS, GET_WITHIN_MS, RETRY_MS } from '../limits.ts';
import type { BatchRequest, Follow, Link, Sending, WantedItem } from '../links.ts';
import type { Replies } from '../replies.ts';
import { Waits } from '../requests/waits.ts';
import type { Folder } from '../storage/locker.ts';
import { type Entry, type Place, placeOf } from '../storage/shelf.ts';
import type { Storage } from '../storage/storage.ts';
import type { Shortage } from '../tokens/meters.ts';
import type { TokenPolicy } from '../tokens/token-policy.ts';
import { coversEntry, type KnownToken } from '../tokens/tokens.ts';
import { Allowance } from './allowance.ts';
import type { Flow, Scheduler } from './scheduler.ts';

/** In a link's queue, everything of one priority comes before all of the next: deadlines are Unix ms, below 2^42. */
const RANK_KEYS = 2 ** 42;

/** Of what goes out in a turn, the part that one link is sent in a row while others wait: a call for each block costs twice as much. */
const TURN_SHARE = 1 / 4;

/**
 * Decides which block goes out next.
 *
 * A link has a queue in the order of priorities and deadlines, and at most a window of bytes in its send buffer: what is urgent
 * waits for a window at most. Where there is a cap, all links together get so many bytes per second. From the second link on that is
 * sent something in a turn of the event loop, so many bytes are sent in that turn before the others have to wait for the next; a link
 * that is alone is held by its window only, and a block that comes live goes at once where nobody waits, and counts.
 * While that is enough, everybody is sent what they wait for at once; where not, the scheduler says who is next. A follow keeps
 * a place instead of a queue: what it has not been sent yet stays on the shelf, and what ends there before is never sent.
 */
export class Sender {
  sentBlocks = 0;
  sentBytes = 0;
  keptBlocks = 0;
  /** Links that can be sent something, as far as they are concerned, and have not been looked at since. */
  private readonly woken = new Set<Link>();
  /** Blocks newly kept in lockers that somebody follows. Told in turn, not in place: a keeper may be followed by a keeper. */
  private readonly news = new Queue<{ readonly folder: Folder; readonly entry: Entry }>();
  /** Gets that wait for what is not there yet. */
  readonly waits = new Waits(this);
  private readonly outputs: Sink<InsServerOutput>;
  private readonly storage: Storage;
  private readonly limits: InsServerLimits;
  private readonly replies: Replies;
  private readonly scheduler: Scheduler;
  private readonly allowance: Allowance;
  private readonly turn = new Turn();
  private readonly policy: TokenPolicy;
  private readonly overload: Overload;
  private readonly room: Room;
  private readonly endFollow: EndFollow;
  /** Follows whose tokens let nothing more go for a while. */
  private readonly paused = new Set<Follow>();
  /** Unix ms at which the first of them may go on; undefined while there is none. */
  private resumeAtMs: number | undefined;

  constructor(
    outputs: Sink<InsServerOutput>,
    replies: Replies,
    storage: Storage,
    limits: InsServerLimits,
    scheduler: Scheduler,
    policy: TokenPolicy,
    overload: Overload,
    room: Room,
    endFollow: EndFollow,
  ) {
    this.scheduler = scheduler;
    this.allowance = new Allowance(limits.bandwidthBps);
    this.policy = policy;
    this.overload = overload;
    this.room = room;
    this.endFollow = endFollow;
    this.outputs = outputs;
    this.replies = replies;
    this.storage = storage;
    this.limits = limits;
  }

  /** Queues one item of a batch; what is not to be delivered is only kept. */
  queueItem(wanted: WantedItem, entry: Entry, nowMs: number): void {
    const { call, item, labelled, deadlineAtMs, known, rank } = wanted;
    const { link } = call;
    if (call.deliver && link.queue.size >= link.budget.blocks) {
      this.refuseItem(call, item, 'OVERLOAD', RETRY_MS);
      return;
    }
    const short = this.use(known, 1, entry, nowMs);
    if (short !== undefined) {
      this.refuseItem(call, item, short.reason, short.retryMs);
      return;
    }
    if (!call.deliver) {
      const objection = known === undefined ? undefined : this.policy.objection(known, entry);
      if (objection === undefined && this.keep(entry, link, nowMs)) {
        this.stored(call, item);
        return;
      }
      this.giveBack(known, entry);
      if (objection !== undefined) this.refuseItem(call, item, objection);
      else this.refuseItem(call, item, 'QUOTA_STORAGE', RETRY_MS);
      return;
    }
    const dropAtMs = deadlineAtMs ?? Number.POSITIVE_INFINITY;
    this.enqueue(
      { call, item, labelled, entry, known, rank, cameAtMs: nowMs, dropAtMs },
      deadlineAtMs ?? nowMs + GET_WITHIN_MS,
    );
  }

  /** A block of a batch is where it was to go. */
  stored(call: BatchRequest, item: number): void {
    this.replies.send(call.link, { type: 'stored', request: call.request, items: [item] });
    this.answered(call);
  }

  refuseItem(call: BatchRequest, item: number, reason: Reason, retryMs = 0, otherServer: string | null = null): void {
    this.replies.refuse(call.link, call.request, item, reason, retryMs, otherServer);
    this.answered(call);
  }

  /** Sends a follow what there is from its beginning on. */
  startFollow(follow: Follow, nowMs: number): void {
    this.feed(follow, nowMs);
  }

  /** A block has come into a folder: those who follow it or wait for it get it. */
  arrived(folder: Folder, entry: Entry, nowMs: number): void {
    if (folder.waiting.size > 0) this.waits.came(folder, entry, nowMs);
    this.announce(folder, folder.follows, entry, nowMs);
  }

  /** Tells those who follow of a block that has come. */
  announce(folder: Folder, follows: ReadonlySet<Follow>, entry: Entry, nowMs: number): void {
    const { part, track, index } = entry.labelled;
    if (follows.size > 0) this.room.came(folder.locker.key, folder.key, track, entry.block.sizeBytes, nowMs);
    for (const follow of follows) {
      if (!wants(follow, entry)) continue;
      const place = placeOf(track, index);
      // Ahead of where it is, it will be found on the way.
      if (follow.cursor !== undefined && isBehind(follow.cursor, part, place)) continue;
      if (follow.queued < FOLLOW_QUEUE_MAX) this.queueFollowed(follow, entry, nowMs, nowMs);
      else if (follow.cursor === undefined && isBehind(follow.reached, part, place)) {
        follow.cursor = follow.reached;
        follow.behindSinceMs = nowMs;
      } else if (follow.link.queue.size < follow.link.budget.blocks) this.queueFollowed(follow, entry, nowMs, nowMs);
    }
  }

  /** The send buffer of a link has shrunk to `leftBytes`. */
  drained(link: Link, leftBytes: number, nowMs: number): void {
    const { sendWindowBytes } = this.limits;
    if (link.inFlightBytes >= sendWindowBytes && leftBytes < sendWindowBytes) link.roomSinceMs = nowMs;
    link.inFlightBytes = leftBytes;
    link.progressAtMs = nowMs;
    if (this.isReady(link)) this.woken.add(link);
  }

  /** Sends what may be sent now. */
  pump(nowMs: number): void {
    for (;;) {
      for (const link of this.woken) {
        this.woken.delete(link);
        if (this.scheduler.empty) this.fill(link, nowMs);
        if (this.isReady(link)) this.line(link);
      }
      while (this.hasRoom(nowMs)) {
        const flow = this.scheduler.first();
        if (flow === undefined) break;
        this.serve(flow, nowMs);
      }
      const news = this.news.shift();
      if (news === undefined) return;
      this.arrived(news.folder, news.entry, nowMs);
    }
  }

  /** Takes what a request has queued out of its link's queue. */
  forget(call: BatchRequest | Follow): void {
    call.ended = true;
    this.takeBack(call.link, (sending) => sending.call === call);
  }

  /** A link is gone, and with it all that waited for it. */
  gone(link: Link): void {
    this.takeBack(link, () => true);
  }

  /** When there is room again for those who wait, or a token's rate lets a follow go on. */
  nextDeadline(): number | undefined {
    if (this.scheduler.empty) return this.resumeAtMs;
    return earlier(this.resumeAtMs, this.turnIsUsedUp() ? this.turn.atMs : this.allowance.opensAtMs());
  }

  /** The event loop has gone round: there is a new turn, and what had to wait for a token's rate goes on. */
  timeout(nowMs: number): void {
    this.turn.begin(nowMs);
    if (this.resumeAtMs !== undefined && this.resumeAtMs <= nowMs) this.resume(nowMs);
  }

  /** One more item of a batch has its answer. */
  answered(call: BatchRequest): void {
    call.left--;
    if (call.left > 0 || call.ended) return;
    call.ended = true;
    call.link.requests.delete(call.request);
    this.replies.send(call.link, { type: 'done', request: call.request });
  }

  private resume(nowMs: number): void {
    this.resumeAtMs = undefined;
    for (const follow of this.paused) {
      if (follow.pausedUntilMs! > nowMs) {
        this.resumeAtMs = earlier(this.resumeAtMs, follow.pausedUntilMs);
        continue;
      }
      this.paused.delete(follow);
      follow.pausedUntilMs = undefined;
      for (const sending of follow.paused.splice(0)) this.queueLate(sending, nowMs);
    }
  }

  private queueFollowed(follow: Follow, entry: Entry, cameAtMs: number, nowMs: number): void {
    const { part, track, index } = entry.labelled;
    const place = placeOf(track, index);
    if (isBehind(follow.reached, part, place)) follow.reached = { part, place };
    follow.queued++;
    const { link } = follow;
    const { known, rank } = follow;
    const dropAtMs = Number.POSITIVE_INFINITY;
    const sending = { call: follow, item: 0, labelled: true, entry, known, rank, cameAtMs, dropAtMs };
    // The usual case at the live edge: nothing waits, so nothing can be more urgent.
    const free = link.queue.size === 0 && link.inFlightBytes < this.limits.sendWindowBytes;
    if (free && this.scheduler.empty && this.allowance.isOpen(nowMs)) {
      if (this.passes(sending, nowMs)) this.scheduler.charge(this.flowOf(sending), this.send(sending, nowMs));
      return;
    }
    this.queueLate(sending, nowMs);
  }

  private queueLate(sending: Sending, nowMs: number): void {
    this.enqueue(sending, nowMs + FOLLOW_WITHIN_MS);
  }

  private enqueue(sending: Sending, dueAtMs: number): void {
    const { link } = sending.call;
    link.queue.push(sending.rank * RANK_KEYS + dueAtMs, sending);
    if (this.isReady(link)) this.woken.add(link);
  }

  /** Queues the next blocks of a follow that catches up. */
  private feed(follow: Follow, nowMs: number): void {
    while (follow.cursor !== undefined && follow.queued < FOLLOW_QUEUE_MAX && !follow.ended) {
      const entry = follow.folder.next(follow.cursor, (found) => found.expiresAtMs > nowMs && wants(follow, found));
      if (entry === undefined) {
        follow.cursor = undefined;
        follow.behindSinceMs = undefined;
        return;
      }
      const { part, track, index } = entry.labelled;
      follow.cursor = { part, place: placeOf(track, index) };
      this.queueFollowed(follow, entry, follow.behindSinceMs ?? Number.POSITIVE_INFINITY, nowMs);
    }
  }

  /** It has something to be sent and room for it. */
  private isReady(link: Link): boolean {
    return link.queue.size > 0 && link.inFlightBytes < this.limits.sendWindowBytes && !link.closed;
  }

  /** The server may send something now. */
  private hasRoom(nowMs: number): boolean {
    // A millisecond is as good as a turn, and comes without asking.
    if (nowMs !== this.turn.atMs) this.turn.begin(nowMs);
    return !this.turnIsUsedUp() && this.allowance.isOpen(nowMs);
  }

  private turnIsUsedUp(): boolean {
    return this.turn.shared && this.turn.bytes >= this.limits.turnBytes;
  }

  /** Sends a link what it waits for, as long as nobody else waits. */
  private fill(link: Link, nowMs: number): void {
    while (this.hasRoom(nowMs) && this.isReady(link)) {
      const sending = link.queue.pop()!;
      if (this.passes(sending, nowMs)) this.scheduler.charge(this.flowOf(sending), this.send(sending, nowMs));
      if (sending.call.kind === 'follow') this.feed(sending.call, nowMs);
    }
  }

  /** Has a link that is ready wait where its next block belongs. */
  private line(link: Link): void {
    const flow = this.flowOf(link.queue.peek()!);
    flow.ready = true;
    this.scheduler.list(flow);
  }

  /** Sends a link a few blocks, as one call to the kernel takes them: it is its turn. */
  private serve(flow: Flow, nowMs: number): void {
    const { link } = flow;
    let bytes = 0;
    while (bytes < this.limits.turnBytes * TURN_SHARE && this.isReady(link) && this.allowance.isOpen(nowMs)) {
      if (this.flowOf(link.queue.peek()!) !== flow) break;
      const sending = link.queue.pop()!;
      if (this.passes(sending, nowMs)) bytes += this.send(sending, nowMs);
      if (sending.call.kind === 'follow') this.feed(sending.call, nowMs);
    }
    if (bytes > 0) this.scheduler.charge(flow, bytes);
    flow.ready = false;
    if (this.isReady(link)) this.line(link);
  }

  /** What the next block of a link belongs to; the link waits nowhere else from now on. */
  private flowOf({ call, known, rank }: Sending): Flow {
    const { link } = call;
    const flow = this.scheduler.flow(link, call.kind === 'follow' ? call.known : known, rank);
    if (flow !== link.flow) {
      if (link.flow !== undefined) link.flow.ready = false;
      link.flow = flow;
    }
    return flow;
  }

  /** Whether a block that has left its queue is to be sent; if not, its reader has been told what there is to tell. */
  private passes(sending: Sending, nowMs: number): boolean {
    const { call } = sending;
    if (call.kind === 'follow') call.queued--;
    if (call.ended) return false;
    const hindrance = this.hindrance(sending, nowMs);
    if (hindrance === undefined) return call.kind === 'batch' || this.mayFollow(call, sending, nowMs);
    if (call.kind === 'batch') {
      this.giveBack(sending.known, sending.entry);
      this.refuseItem(call, sending.item, hindrance);
    }
    return false;
  }

  /** @returns Bytes, for which its flow is to be charged. */
  private send(sending: Sending, nowMs: number): number {
    const { call, entry } = sending;
    const { link } = call;
    const sizeBytes = link.guest?.bodyless === true ? 0 : entry.block.sizeBytes;
    this.allowance.spend(sizeBytes);
    this.turn.spend(link, sizeBytes);
    const kept = call.keep && this.keep(entry, link, nowMs);
    const labelled = sending.labelled ? labelFor(link, entry, nowMs) : null;
    const item = call.kind === 'batch' ? sending.item : call.item;
    const header = { request: call.request, item, kept, labelled };
    const { block, mediaType } = entry;
    if (link.guest === undefined) this.outputs.push({ kind: 'send-block', link: link.id, header, block });
    else this.outputs.push({ kind: 'send-block', link: link.id, header, block, mediaType });
    link.guest?.needs(sizeBytes);
    if (link.inFlightBytes === 0) link.progressAtMs = nowMs;
    link.inFlightBytes += sizeBytes;
    this.sentBlocks++;
    this.sentBytes += sizeBytes;
    entry.reads++;
    entry.shelf.owner.access.count(link.account!, sizeBytes, nowMs);
    if (call.kind === 'batch') this.answered(call);
    else {
      call.item = (call.item + 1) & 0xffff;
      this.overload.sent(call, sending.cameAtMs, nowMs);
    }
    return sizeBytes;
  }

  /** Why a block is not to be sent after all. */
  private hindrance({ call, entry, known, dropAtMs }: Sending, nowMs: number): Reason | undefined {
    if (!entry.alive || entry.expiresAtMs <= nowMs) return 'GONE';
    if (dropAtMs <= nowMs) return 'DEADLINE';
    const used = call.kind === 'follow' ? call.known : known;
    return used === undefined ? undefined : this.policy.objection(used, entry);
  }

  /** Counts a block of a follow against its token: beyond the token's rate it waits, beyond its amount the follow is over. */
  private mayFollow(follow: Follow, sending: Sending, nowMs: number): boolean {
    const short = follow.pausedUntilMs === undefined ? this.use(follow.known, 0, sending.entry, nowMs) : NOT_YET;
    if (short === undefined) return true;
    if (short.retryMs === 0) this.endFollow(follow, short.reason, nowMs);
    else {
      follow.queued++;
      follow.paused.push(sending);
      follow.pausedUntilMs ??= nowMs + Math.min(short.retryMs, PAUSE_MS_MAX);
      this.paused.add(follow);
      this.resumeAtMs = earlier(this.resumeAtMs, follow.pausedUntilMs);
    }
    return false;
  }

  private use(known: KnownToken | undefined, uses: number, { block }: Entry, nowMs: number): Shortage | undefined {
    return known?.limited === true ? this.policy.meters.use(known, uses, block.sizeBytes, nowMs) : undefined;
  }

  private giveBack(known: KnownToken | undefined, { block }: Entry): void {
    if (known?.limited === true) this.policy.meters.giveBack(known, 1, block.sizeBytes);
  }

  private takeBack(link: Link, which: (sending: Sending) => boolean): void {
    link.queue.remove((sending) => {
      const out = which(sending);
      if (out && sending.call.kind === 'batch') this.giveBack(sending.known, sending.entry);
      return out;
    });
  }

  private keep(entry: Entry, { account }: Link, nowMs: number): boolean {
    const { kept, folder } = this.storage.keep(entry, account!.locker, nowMs);
    if (folder !== undefined) {
      this.keptBlocks++;
      if (folder.follows.size > 0 || folder.waiting.size > 0) this.news.push({ folder, entry });
    }
    return kept;
  }
}

/** Ends a follow, telling why. */
type EndFollow = (follow: Follow, reason: Reason, nowMs: number) => void;

const NOT_YET: Shortage = { reason: 'QUOTA_AMOUNT', retryMs: 1 };
/** Ms after which a follow that waits for its rate looks again: its token may be another one by then. */
const PAUSE_MS_MAX = 1_000;

/** What has been handed out since the event loop last went round. */
class Turn {
  bytes = 0;
  atMs = 0;
  /** More than one link has got something: with one alone, there is nobody to be fair to. */
  shared = false;
  private link: Link | undefined;

  begin(nowMs: number): void {
    this.atMs = nowMs;
    this.bytes = 0;
    this.shared = false;
    this.link = undefined;
  }

  spend(link: Link, bytes: number): void {
    this.bytes += bytes;
    if (this.link === undefined) this.link = link;
    else if (this.link !== link) this.shared = true;
  }
}

/** Another server learns how long a block lives, so that its copy lives no longer; and so do the caches of HTTP. */
function labelFor(link: Link, entry: Entry, nowMs: number): Labelled {
  if (!link.server && link.guest === undefined) return entry.labelled;
  return { ...entry.labelled, lifeSeconds: Math.floor((entry.expiresAtMs - nowMs) / 1000) };
}

/** Whether a block is for this follow. */
function wants(follow: Follow, entry: Entry): boolean {
  const { track, part } = entry.labelled;
  if (follow.ended || part < follow.from || (follow.tracks !== null && !follow.tracks.has(track))) return false;
  return follow.known === undefined || coversEntry(follow.known, entry);
}

function isBehind(place: Place, part: number, other: number): boolean {
  return part > place.part || (part === place.part && other > place.place);
}
