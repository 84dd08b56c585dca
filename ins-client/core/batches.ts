import type { Body } from '../../machine/machine.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import { type BatchMessage, EMPTY_BATCH, type FromInsServer, OWN_LOCKER } from '../../protocol/ins-messages.ts';
import {
  type Asked,
  type Batch,
  batchesOf,
  GrowingBatch,
  type Item,
  type ItemCall,
  itemCall,
  listsOf,
} from './calls.ts';
import { Heap } from './heap.ts';
import type { InsClientOutput } from './io.ts';
import { type Refusal, type Requests, refusal } from './requests.ts';

type Message<Type extends FromInsServer['type']> = Extract<FromInsServer, { readonly type: Type }>;

/** Bytes put and not acknowledged on one connection. */
const PUT_WINDOW_BYTES = 8 * 1024 * 1024;
/** What callers may have waiting for a connection or for its turn. */
const ITEMS_WAITING_MAX = 16_384;
const PUT_BYTES_WAITING_MAX = 64 * 1024 * 1024;
const RETRY_MS = 1_000;

/**
 * The calls that consist of items: gets, and what owners ask (`owner-calls.ts`). Whatever waits when there is room travels together, the most
 * urgent first; each item is answered by itself.
 */
export class Batches {
  private readonly requests: Requests;
  /** Gets that the server may owe us at once. */
  private readonly getsMax: number;
  private readonly calls = new Map<number, ItemCall>();
  /** What waits, by deadline, then as it came. */
  private readonly others = new Heap<Batch>();
  private readonly gets = new Heap<Batch>();
  private readonly puts = new Heap<Batch>();
  private readonly lanes = [this.others, this.gets, this.puts] as const;
  /** What runs on the present connection, by its number there. */
  private readonly open = new Map<number, Batch>();
  private readonly due = new Heap<Item>();
  private itemsWaiting = 0;
  private putBytesWaiting = 0;
  private getsOpen = 0;
  private putBytesOpen = 0;

  constructor(requests: Requests, getsMax: number) {
    this.requests = requests;
    this.getsMax = getsMax;
  }

  begin(asked: Asked, nowMs: number): void {
    if (this.isTooMuch(asked)) {
      this.requests.refuse(asked.handle, refusal('OVERLOAD', RETRY_MS));
      return;
    }
    const call = itemCall(asked, this.requests.hold);
    this.calls.set(call.handle, call);
    if (call.items.length === 0) this.finish(call);
    for (const item of call.items) {
      const { deadlineAtMs } = item.ask;
      if (deadlineAtMs <= nowMs) this.refuse(item, refusal('DEADLINE'));
      else if (deadlineAtMs < Number.POSITIVE_INFINITY) this.due.push(deadlineAtMs, item);
    }
    // Items answered long before their deadline would pile up in the heap.
    if (this.due.size > 2 * ITEMS_WAITING_MAX) this.due.remove(({ answered }) => answered);
    this.queue(call);
  }

  has(handle: number): boolean {
    return this.calls.has(handle);
  }

  /** @param tellServer - There is a connection. */
  cancel(handle: number, tellServer: boolean): void {
    const call = this.calls.get(handle);
    if (call === undefined) return;
    this.calls.delete(handle);
    for (const item of call.items) this.settle(item);
    this.forgetWaiting((batch) => batch.items[0]!.call === call);
    for (const [request, batch] of this.open) {
      if (!batch.items.some((item) => item.call === call) || batch.items.some((item) => !item.answered)) continue;
      if (tellServer) this.requests.send({ type: 'cancel', request });
      this.end(request, batch);
    }
  }

  /** Nobody waits for anything any more. */
  drop(): void {
    for (const handle of [...this.calls.keys()]) this.cancel(handle, false);
  }

  refuseAll(reason: Refusal): void {
    for (const call of [...this.calls.values()]) this.refuseCall(call, reason);
  }

  /** Sends what may be sent. */
  pump(nowMs: number): void {
    while (this.requests.hasRoom()) {
      const batch = this.next();
      if (batch === undefined) return;
      this.send(batch, nowMs);
    }
  }

  /** What may go now, as one batch. None of a kind waits for room that only another kind needs. */
  private next(): Batch | undefined {
    let growing: GrowingBatch | undefined;
    let getsRoom = this.getsMax - this.getsOpen;
    // One batch of puts may always be under way, however large its blocks.
    let putRoom = this.putBytesOpen === 0 ? Number.POSITIVE_INFINITY : PUT_WINDOW_BYTES - this.putBytesOpen;
    let aliases = this.requests.aliases.available();
    for (const lane of this.lanes) {
      for (let batch = lane.peek(); batch !== undefined; batch = lane.peek()) {
        const tokens = newTokens(batch);
        if (tokens > aliases || batch.gets > getsRoom || batch.putBytes > putRoom) break;
        growing ??= new GrowingBatch(batch.envelope);
        if (!growing.join(batch)) return growing.done();
        lane.pop();
        aliases -= tokens;
        getsRoom -= batch.gets;
        putRoom -= batch.putBytes;
        this.itemsWaiting -= batch.items.length;
        this.putBytesWaiting -= batch.putBytes;
      }
    }
    return growing?.done();
  }

  private send(batch: Batch, nowMs: number): void {
    const items = batch.items.filter((item) => !item.answered);
    if (items.length === 0) return;
    const request = this.requests.begin();
    const open = { ...batch, items };
    this.open.set(request, open);
    this.getsOpen += open.gets;
    this.putBytesOpen += open.putBytes;
    this.requests.send(this.message(request, open, nowMs));
    for (const [item, { ask }] of items.entries()) {
      const { body } = ask;
      if (body === null) continue;
      const header = { request, item, kept: false, labelled: null };
      this.requests.outputs.push({ kind: 'send-block', header, body });
    }
  }

  private message(request: number, { envelope, items }: Batch, nowMs: number): BatchMessage {
    const { keep, deliver, collection, ttlSeconds } = envelope;
    const common = { keep: keep ?? false, deliver: deliver ?? true, collection, ttlSeconds: ttlSeconds ?? 0 };
    const lists = listsOf(items, (held) => this.requests.aliasOf(held) ?? OWN_LOCKER, nowMs);
    return { ...EMPTY_BATCH, request, ...common, ...lists };
  }

  // The answers

  /** @returns False when the request is none of ours. */
  block({ request, item: at, kept, labelled }: BlockHeader, body: Body): boolean {
    const item = this.open.get(request)?.items[at];
    if (item === undefined) return this.open.has(request);
    if (item.ask.list !== 'gets' || item.answered) return true;
    const { call, index } = item;
    this.requests.outputs.push({ kind: 'arrived', handle: call.handle, item: index, labelled, kept, body });
    this.answer(item);
    return true;
  }

  /** Items of several calls may have their answers in one message: each call is told of its own. */
  doneWith({ type, request, items: at }: Message<'stored' | 'deleted'>): void {
    const batch = this.open.get(request);
    const items = [...new Set(at)].map((place) => batch?.items[place]);
    const byCall = new Map<ItemCall, Item[]>();
    for (const item of items) {
      if (item === undefined || item.answered || item.ask.answer !== type) continue;
      const others = byCall.get(item.call);
      if (others === undefined) byCall.set(item.call, [item]);
      else others.push(item);
    }
    for (const [{ handle }, own] of byCall) {
      this.requests.outputs.push({ kind: type, handle, items: own.map(({ index }) => index) });
      for (const item of own) this.answer(item);
    }
  }

  /** What was asked about a locker or a block. */
  told(message: Message<'usage' | 'attributes'>): void {
    const item = this.open.get(message.request)?.items[message.item];
    if (item === undefined || item.answered || item.ask.answer !== message.type) return;
    const { handle } = item.call;
    const { type, request: _, item: __, ...told } = message;
    this.requests.outputs.push({ kind: type, handle, [type]: told } as InsClientOutput);
    this.answer(item);
  }

  /** One item, or all that is left of the request. @returns False when the request is none of ours. */
  refused({ request, item: at, ...refused }: Message<'refused'>): boolean {
    const batch = this.open.get(request);
    if (batch === undefined) return false;
    if (at !== null) {
      const item = batch.items[at];
      if (item !== undefined && !item.answered) this.refuse(item, refused);
      return true;
    }
    this.end(request, batch);
    this.refuseLeft(batch, refused);
    return true;
  }

  /** @returns False when the request is none of ours. */
  done(request: number): boolean {
    const batch = this.open.get(request);
    if (batch === undefined) return false;
    this.end(request, batch);
    // A server that says done has answered everything; what it left out cannot be had from it.
    for (const item of batch.items) if (!item.answered) this.refuse(item, refusal('NO_OBJECT'));
    return true;
  }

  private refuseLeft(batch: Batch, reason: Refusal): void {
    const left = batch.items.filter((item) => !item.answered);
    for (const call of new Set(left.map((item) => item.call))) {
      const own = left.filter((item) => item.call === call);
      if (own.length === call.left) this.refuseCall(call, reason);
      else for (const item of own) this.refuse(item, reason);
    }
  }

  // Time

  handleTimeout(nowMs: number): void {
    for (let key = this.due.peekKey(); key !== undefined && key <= nowMs; key = this.due.peekKey()) {
      const item = this.due.pop()!;
      if (!item.answered) this.refuse(item, refusal('DEADLINE'));
    }
  }

  nextDeadline(): number | undefined {
    while (this.due.peek()?.answered === true) this.due.pop();
    return this.due.peekKey();
  }

  // Ends

  /** The connection is gone: what ran on it waits for the next one. */
  takeBack(): void {
    this.forgetWaiting(() => true);
    for (const [request, batch] of [...this.open]) this.end(request, batch);
    for (const call of this.calls.values()) this.queue(call);
  }

  private isTooMuch({ asks }: Asked): boolean {
    const bytes = asks.reduce((sum, { body }) => sum + (body?.byteLength ?? 0), 0);
    if (bytes > 0) return this.putBytesWaiting + bytes > PUT_BYTES_WAITING_MAX;
    return this.itemsWaiting + asks.length > ITEMS_WAITING_MAX;
  }

  private queue(call: ItemCall): void {
    const open = call.items.filter((item) => !item.answered);
    for (const batch of batchesOf(call.envelope, open)) {
      this.laneOf(batch).push(batch.byAtMs, batch);
      this.itemsWaiting += batch.items.length;
      this.putBytesWaiting += batch.putBytes;
    }
  }

  private laneOf(batch: Batch): Heap<Batch> {
    return batch.gets > 0 ? this.gets : batch.putBytes > 0 ? this.puts : this.others;
  }

  private answer(item: Item): void {
    this.settle(item);
    if (item.call.left === 0) this.finish(item.call);
  }

  /** Nothing more is expected for this item. */
  private settle(item: Item): void {
    if (item.answered) return;
    item.answered = true;
    item.call.left--;
    this.requests.release(item.token);
  }

  private finish({ handle }: ItemCall): void {
    this.calls.delete(handle);
    this.requests.outputs.push({ kind: 'done', handle });
  }

  private refuse(item: Item, { reason, retryAfterMs, otherServer }: Refusal): void {
    const { handle } = item.call;
    this.requests.outputs.push({ kind: 'refused', handle, item: item.index, reason, retryAfterMs, otherServer });
    this.answer(item);
  }

  private refuseCall(call: ItemCall, reason: Refusal): void {
    this.calls.delete(call.handle);
    this.forgetWaiting((batch) => batch.items[0]!.call === call);
    for (const item of call.items) this.settle(item);
    this.requests.refuse(call.handle, reason);
  }

  private end(request: number, batch: Batch): void {
    this.open.delete(request);
    this.requests.open--;
    this.getsOpen -= batch.gets;
    this.putBytesOpen -= batch.putBytes;
  }

  private forgetWaiting(gone: (batch: Batch) => boolean): void {
    for (const lane of this.lanes) {
      lane.remove((batch) => {
        if (!gone(batch)) return false;
        this.itemsWaiting -= batch.items.length;
        this.putBytesWaiting -= batch.putBytes;
        return true;
      });
    }
  }
}

/** Tokens that may still need a number. */
function newTokens({ items }: Batch): number {
  let count = 0;
  for (const { token } of items) if (token !== null && token.alias === 0) count++;
  return count;
}
