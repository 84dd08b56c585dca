import { Deadlines, earlier } from '../../machine/deadlines.ts';
import { type Body, type Machine, Queue, unreachable } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import { Backoff } from '../../machine/rates.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import {
  EMPTY_BATCH,
  type FromInsServer,
  helloSigned,
  OWN_LOCKER,
  SERVER_APPLICATION,
} from '../../protocol/ins-messages.ts';
import {
  PROTOCOL_VERSION,
  REQUESTS_OPEN_MAX,
  SEND_QUEUE_BLOCKS_MAX,
  SERVER_REQUESTS_OPEN_MAX,
  SERVER_SEND_QUEUE_BLOCKS_MAX,
} from '../../protocol/limits.ts';
import { CLOSE, REASONS, type Reason } from '../../protocol/reasons.ts';
import { Aliases, type HeldToken } from './aliases.ts';
import {
  type Batch,
  batchesOf,
  type Call,
  type FollowCall,
  type GetCall,
  type GetCallItem,
  Progress,
  type PutCall,
} from './calls.ts';
import { Heap } from './heap.ts';
import type { InsClientInput, InsClientOutput } from './io.ts';

export interface InsConversationOptions {
  /** The server's address, `ws://…` or `wss://…`. */
  readonly url: string;
  /** Our account: an Ed25519 public key. */
  readonly key: Uint8Array;
  /** The application that the account belongs to. */
  readonly application: string;
  /** A provider's sealed word that the account may keep blocks there; for servers that keep only those of invited accounts. */
  readonly invitation?: Uint8Array;
  /** For the pauses between dials. */
  readonly prng: Prng;
}

type Input<Kind extends InsClientInput['kind']> = Extract<InsClientInput, { readonly kind: Kind }>;
type Message<Type extends FromInsServer['type']> = Extract<FromInsServer, { readonly type: Type }>;

/** Ms from the dial to an open connection, and from there to a server that has accepted us. */
const DIAL_MS = 10_000;
const HELLO_MS = 5_000;
/** The first pause after a connection is lost, and the longest. */
const PAUSE_MS = 250;
const PAUSE_MS_MAX = 10_000;
/**
 * What may be open on one connection. Follows are half of the requests at most, so that batches always have their share;
 * items not answered half of what the server queues for us, so that follows have theirs.
 */
const CLIENT_MAX = { requests: REQUESTS_OPEN_MAX, items: SEND_QUEUE_BLOCKS_MAX / 2 };
const SERVER_MAX = { requests: SERVER_REQUESTS_OPEN_MAX, items: SERVER_SEND_QUEUE_BLOCKS_MAX / 2 };
/** Bytes put and not acknowledged on one connection. */
const PUT_WINDOW_BYTES = 8 * 1024 * 1024;
/** What callers may have waiting for a connection or for its turn. */
const ITEMS_WAITING_MAX = 16_384;
const PUT_BYTES_WAITING_MAX = 64 * 1024 * 1024;

/**
 * One client's conversation with one INS server: proves our key, keeps the connection up, and carries gets, follows and
 * puts over it. What was asked before a connection was lost is asked again on the next one.
 *
 * Requests go out right behind the hello, without waiting for it to be accepted. Whatever the server answers that was not
 * asked is ignored.
 */
export class InsConversation implements Machine<InsClientInput, InsClientOutput> {
  private readonly outputs = new Queue<InsClientOutput>();
  private readonly deadlines = new Deadlines<'connect' | 'redial'>();
  private readonly backoff = new Backoff(PAUSE_MS, PAUSE_MS_MAX);
  private readonly aliases = new Aliases((message) => this.outputs.push({ kind: 'send', message }));
  private readonly options: InsConversationOptions;
  private readonly max: { readonly requests: number; readonly items: number };
  private state: 'idle' | 'dialling' | 'greeting' | 'signing' | 'open' | 'closing' | 'pausing' = 'idle';
  private wanted = false;
  private replaced = false;
  private greeted: { readonly server: Uint8Array; readonly clockOffsetMs: number } | undefined;
  private signRef = 0;
  private lastWire = 0;
  private rangeToken: Uint8Array | undefined;

  private readonly calls = new Map<number, Call>();
  private readonly gets: Batch[] = [];
  private readonly puts: Batch[] = [];
  /** What runs on the present connection, by its number there. */
  private readonly batches = new Map<number, Batch>();
  private readonly follows = new Map<number, FollowCall>();
  private followCalls = 0;
  private itemsWaiting = 0;
  private putBytesWaiting = 0;
  private itemsOpen = 0;
  private putBytesOpen = 0;
  private readonly due = new Heap<{ readonly call: GetCall; readonly item: GetCallItem }>();

  constructor(options: InsConversationOptions) {
    this.options = options;
    this.max = options.application === SERVER_APPLICATION ? SERVER_MAX : CLIENT_MAX;
  }

  handleInput(input: InsClientInput, nowMs: number): void {
    switch (input.kind) {
      case 'start':
        this.wanted = true;
        if (this.state === 'idle') this.dial(nowMs);
        break;
      case 'stop':
        this.stop();
        break;
      case 'opened':
        if (this.state !== 'dialling') break;
        this.state = 'greeting';
        this.deadlines.set('connect', nowMs + HELLO_MS);
        break;
      case 'closed':
        this.closed(input, nowMs);
        break;
      case 'violation':
        this.close(CLOSE.violation, input.why);
        break;
      case 'signed':
        this.signed(input);
        break;
      case 'message':
        this.message(input.message, nowMs);
        break;
      case 'block':
        if (this.state === 'open') this.block(input.header, input.body);
        break;
      case 'get':
        this.get(input, nowMs);
        break;
      case 'follow':
        this.follow(input);
        break;
      case 'put':
        this.put(input);
        break;
      case 'cancel':
        this.cancel(input.handle);
        break;
      case 'renew': {
        const held = this.aliases.find(input.old);
        if (held !== undefined) this.aliases.renew(held, input.token, false, this.state === 'open');
        break;
      }
      case 'range-token':
        this.rangeToken = input.token;
        if (this.state === 'open') this.send({ type: 'range-token', token: input.token });
        break;
      default:
        unreachable(input);
    }
    this.pump(nowMs);
  }

  handleTimeout(nowMs: number): void {
    for (let name = this.deadlines.take(nowMs); name !== undefined; name = this.deadlines.take(nowMs)) {
      if (name === 'redial') this.dial(nowMs);
      else this.close(CLOSE.idle, 'the server does not answer');
    }
    for (let key = this.due.peekKey(); key !== undefined && key <= nowMs; key = this.due.peekKey()) {
      const { call, item } = this.due.pop()!;
      if (!item.answered) this.refuseItem(call, item.index, 'DEADLINE');
    }
    this.pump(nowMs);
  }

  pollOutput(): InsClientOutput | undefined {
    return this.outputs.shift();
  }

  nextDeadline(): number | undefined {
    while (this.due.peek()?.item.answered === true) this.due.pop();
    return earlier(this.deadlines.next(), this.due.peekKey());
  }

  // The connection

  private dial(nowMs: number): void {
    this.state = 'dialling';
    this.deadlines.set('connect', nowMs + DIAL_MS);
    this.outputs.push({ kind: 'dial', url: this.options.url });
  }

  private stop(): void {
    if (!this.wanted) return;
    this.wanted = false;
    this.drop();
    this.close(CLOSE.normal, 'done');
    this.deadlines.clear('redial');
    if (this.state === 'pausing') this.state = 'idle';
    this.outputs.push({ kind: 'lost', why: 'stopped', final: true });
  }

  private close(code: number, why: string): void {
    this.deadlines.clear('connect');
    if (this.state === 'idle' || this.state === 'pausing' || this.state === 'closing') return;
    this.state = 'closing';
    this.outputs.push({ kind: 'close', code, why });
  }

  private closed({ code, why }: Input<'closed'>, nowMs: number): void {
    if (this.state === 'idle' || this.state === 'pausing') return;
    this.deadlines.clear('connect');
    this.state = 'idle';
    const replaced = this.replaced || code === CLOSE.replaced;
    this.replaced = false;
    this.takeBack();
    if (!this.wanted) return;
    if (replaced) {
      this.wanted = false;
      for (const call of [...this.calls.values()]) this.refuseCall(call, 'REPLACED');
      this.outputs.push({ kind: 'lost', why: REASONS.REPLACED.text, final: true });
      return;
    }
    this.state = 'pausing';
    this.deadlines.set('redial', nowMs + this.backoff.fail(this.options.prng.unit()));
    this.outputs.push({ kind: 'lost', why, final: false });
  }

  private message(message: FromInsServer, nowMs: number): void {
    if (message.type === 'welcome') {
      if (this.state === 'greeting') this.welcome(message, nowMs);
      return;
    }
    if (this.state !== 'open') return;
    switch (message.type) {
      case 'accepted':
        this.deadlines.clear('connect');
        this.backoff.succeed();
        return;
      case 'stored':
        this.stored(message);
        return;
      case 'refused':
        this.refused(message);
        return;
      case 'done':
        this.done(message.request);
        return;
      case 'token-refused':
        // Each request under it is refused by itself.
        this.aliases.refused(message.alias);
        return;
      case 'renewed':
        this.renewed(message);
        return;
      case 'notice':
        if (message.kind === 'replaced') this.replaced = true;
        return;
      case 'usage':
      case 'deleted':
        return;
      default:
        unreachable(message);
    }
  }

  private welcome({ version, server, nonce, clockMs }: Message<'welcome'>, nowMs: number): void {
    if (version !== PROTOCOL_VERSION) {
      this.close(CLOSE.policy, `the server speaks version ${version}, we speak ${PROTOCOL_VERSION}`);
      return;
    }
    this.state = 'signing';
    this.greeted = { server, clockOffsetMs: clockMs - nowMs };
    this.outputs.push({
      kind: 'sign',
      ref: ++this.signRef,
      bytes: helloSigned(nonce, server, this.options.key),
    });
  }

  private signed({ ref, signature }: Input<'signed'>): void {
    const { greeted } = this;
    if (this.state !== 'signing' || ref !== this.signRef || greeted === undefined) return;
    this.state = 'open';
    const { key, application, invitation = null } = this.options;
    this.send({ type: 'hello', version: PROTOCOL_VERSION, key, application, signature, invitation });
    if (this.rangeToken !== undefined) this.send({ type: 'range-token', token: this.rangeToken });
    this.outputs.push({ kind: 'ready', ...greeted });
    for (const call of this.calls.values()) if (call.kind === 'follow') this.startFollow(call);
  }

  private send(message: Extract<InsClientOutput, { readonly kind: 'send' }>['message']): void {
    this.outputs.push({ kind: 'send', message });
  }

  // The calls

  private get({ handle, keep, collection, items }: Input<'get'>, nowMs: number): void {
    if (this.itemsWaiting + items.length > ITEMS_WAITING_MAX) {
      this.refuseUnasked(handle, 'OVERLOAD');
      return;
    }
    const call: GetCall = {
      kind: 'get',
      handle,
      keep,
      collection,
      items: items.map(({ token, name, label, deadlineAtMs }, index) => ({
        index,
        answered: false,
        token: token === null ? null : this.aliases.hold(token),
        name,
        label,
        deadlineAtMs,
      })),
      left: items.length,
    };
    this.add(call);
    if (items.length === 0) this.finish(call);
    for (const item of call.items) {
      if (item.deadlineAtMs === null) continue;
      if (item.deadlineAtMs <= nowMs) this.refuseItem(call, item.index, 'DEADLINE');
      else this.due.push(item.deadlineAtMs, { call, item });
    }
    // Items answered long before their deadline would pile up in the heap.
    if (this.due.size > 2 * ITEMS_WAITING_MAX) this.due.remove(({ item }) => item.answered);
    this.queue(call);
  }

  private put({ handle, collection, ttlSeconds, items, bodies }: Input<'put'>): void {
    const bytes = bodies.reduce((sum, body) => sum + body.byteLength, 0);
    if (this.putBytesWaiting + bytes > PUT_BYTES_WAITING_MAX) {
      this.refuseUnasked(handle, 'OVERLOAD');
      return;
    }
    const call: PutCall = {
      kind: 'put',
      handle,
      collection,
      ttlSeconds,
      items: items.map((put, index) => ({ index, answered: false, put, body: bodies[index]! })),
      left: items.length,
    };
    this.add(call);
    if (items.length === 0) this.finish(call);
    this.queue(call);
  }

  private follow({ handle, keep, token, collection, tracks, from }: Input<'follow'>): void {
    if (this.followCalls >= this.max.requests / 2) {
      this.refuseUnasked(handle, 'OVERLOAD');
      return;
    }
    const call: FollowCall = {
      kind: 'follow',
      handle,
      keep,
      token: token === null ? null : this.aliases.hold(token),
      collection,
      tracks,
      from,
      wire: 0,
      arrived: 0,
      progress: new Progress(),
    };
    this.add(call);
    this.followCalls++;
    if (this.state === 'open') this.startFollow(call);
  }

  private add(call: Call): void {
    if (this.calls.has(call.handle)) throw new Error(`handle ${call.handle} is in use`);
    this.calls.set(call.handle, call);
  }

  private queue(call: GetCall | PutCall): void {
    for (const batch of batchesOf(call)) {
      if (call.kind === 'get') this.gets.push(batch);
      else this.puts.push(batch);
      this.itemsWaiting += batch.items.length;
      this.putBytesWaiting += batch.bytes;
    }
  }

  private cancel(handle: number): void {
    const call = this.calls.get(handle);
    if (call === undefined) return;
    this.calls.delete(handle);
    if (call.kind === 'follow') {
      if (call.wire !== 0) this.send({ type: 'cancel', request: call.wire });
      this.endFollow(call);
      return;
    }
    for (const [wire, batch] of this.batches) {
      if (batch.call !== call) continue;
      this.send({ type: 'cancel', request: wire });
      this.endBatch(wire, batch);
    }
    this.forgetWaiting((batch) => batch.call === call);
    for (const item of call.items) this.settle(call, item);
  }

  private startFollow(call: FollowCall): void {
    const token = this.aliasOf(call.token);
    if (token === undefined) {
      this.refuseCall(call, 'OVERLOAD');
      return;
    }
    call.wire = this.nextWire();
    this.follows.set(call.wire, call);
    const { keep, collection, tracks } = call;
    const from = call.progress.resumeFrom(call.from);
    this.send({ type: 'follow', request: call.wire, keep, token, collection, tracks, from });
  }

  /** Sends what may be sent: gets in the order of their deadlines, then puts in the order they came. */
  private pump(nowMs: number): void {
    if (this.state !== 'open') return;
    while (this.gets.length > 0 && this.batches.size + this.follows.size < this.max.requests) {
      const at = earliest(this.gets);
      const batch = this.gets[at]!;
      if (this.itemsOpen + batch.items.length > this.max.items) break;
      if (this.aliases.available() < batch.items.length) break;
      this.gets.splice(at, 1);
      this.itemsWaiting -= batch.items.length;
      this.sendGet(batch, nowMs);
    }
    while (this.puts.length > 0 && this.batches.size + this.follows.size < this.max.requests) {
      const batch = this.puts[0]!;
      if (this.putBytesOpen > 0 && this.putBytesOpen + batch.bytes > PUT_WINDOW_BYTES) break;
      this.puts.shift();
      this.itemsWaiting -= batch.items.length;
      this.putBytesWaiting -= batch.bytes;
      this.sendPut(batch);
    }
  }

  private sendGet(batch: Batch, nowMs: number): void {
    const call = batch.call as GetCall;
    const open = batch.items.filter((index) => !call.items[index]!.answered);
    if (open.length === 0) return;
    const items = open.map((index) => {
      const { token, name, label, deadlineAtMs } = call.items[index]!;
      const deadlineMs = deadlineAtMs === null ? 0 : Math.max(1, Math.floor(deadlineAtMs - nowMs));
      return { token: this.aliasOf(token) ?? OWN_LOCKER, deadlineMs, name, label };
    });
    const request = this.nextWire();
    this.batches.set(request, { ...batch, items: open });
    this.itemsOpen += open.length;
    this.send({ ...EMPTY_BATCH, request, keep: call.keep, collection: call.collection, gets: items });
  }

  private sendPut(batch: Batch): void {
    const call = batch.call as PutCall;
    const request = this.nextWire();
    this.batches.set(request, batch);
    this.putBytesOpen += batch.bytes;
    const { collection, ttlSeconds } = call;
    const puts = batch.items.map((index) => ({ token: OWN_LOCKER, ...call.items[index]!.put }));
    this.send({ ...EMPTY_BATCH, request, collection, ttlSeconds, puts });
    for (const [item, index] of batch.items.entries()) {
      const header = { request, item, kept: false, labelled: null };
      this.outputs.push({ kind: 'send-block', header, body: call.items[index]!.body });
    }
  }

  private aliasOf(token: HeldToken | null): number | undefined {
    return token === null ? OWN_LOCKER : this.aliases.number(token);
  }

  private nextWire(): number {
    this.lastWire = this.lastWire === 0xffff_ffff ? 1 : this.lastWire + 1;
    return this.lastWire;
  }

  // The answers

  private block({ request, item, kept, labelled }: BlockHeader, body: Body): void {
    const follow = this.follows.get(request);
    if (follow !== undefined) {
      if (labelled === null || !follow.progress.note(labelled)) return;
      this.outputs.push({ kind: 'arrived', handle: follow.handle, item: follow.arrived++, labelled, kept, body });
      return;
    }
    const batch = this.batches.get(request);
    const index = batch?.items[item];
    if (batch?.call.kind !== 'get' || index === undefined || batch.call.items[index]!.answered) return;
    this.outputs.push({ kind: 'arrived', handle: batch.call.handle, item: index, labelled, kept, body });
    this.answer(batch.call, index);
  }

  private stored({ request, items }: Message<'stored'>): void {
    const batch = this.batches.get(request);
    if (batch?.call.kind !== 'put') return;
    const { call } = batch;
    const indexes = [...new Set(items)].map((item) => batch.items[item]);
    const stored = indexes.filter((index) => index !== undefined && !call.items[index]!.answered) as number[];
    if (stored.length === 0) return;
    this.outputs.push({ kind: 'stored', handle: call.handle, items: stored });
    for (const index of stored) this.answer(call, index);
  }

  private refused({ request, item, reason, retryAfterMs, otherServer }: Message<'refused'>): void {
    const follow = this.follows.get(request);
    if (follow !== undefined) {
      if (item === null) this.refuseCall(follow, reason, retryAfterMs, otherServer);
      return;
    }
    const batch = this.batches.get(request);
    if (batch === undefined) return;
    if (item !== null) {
      const index = batch.items[item];
      if (index !== undefined && !batch.call.items[index]!.answered) {
        this.refuseItem(batch.call, index, reason, retryAfterMs, otherServer);
      }
      return;
    }
    this.endBatch(request, batch);
    const open = batch.items.filter((index) => !batch.call.items[index]!.answered);
    if (open.length === batch.call.left && open.length > 0) {
      this.refuseCall(batch.call, reason, retryAfterMs, otherServer);
      return;
    }
    for (const index of open) this.refuseItem(batch.call, index, reason, retryAfterMs, otherServer);
  }

  private done(request: number): void {
    const batch = this.batches.get(request);
    if (batch === undefined) return;
    this.endBatch(request, batch);
    // A server that says done has answered everything; what it left out cannot be had from it.
    for (const index of batch.items) {
      if (!batch.call.items[index]!.answered) this.refuseItem(batch.call, index, 'NO_OBJECT');
    }
  }

  private renewed({ request, token }: Message<'renewed'>): void {
    const follow = this.follows.get(request);
    if (follow === undefined || follow.token === null) return;
    this.aliases.renew(follow.token, token, true, true);
    this.outputs.push({ kind: 'renewed', handle: follow.handle, token });
  }

  // Ends

  private answer(call: GetCall | PutCall, index: number): void {
    this.settle(call, call.items[index]!);
    call.left--;
    if (call.left === 0) this.finish(call);
  }

  /** Nothing more is expected for this item. */
  private settle(call: GetCall | PutCall, item: { answered: boolean; readonly index: number }): void {
    if (item.answered) return;
    item.answered = true;
    const token = call.kind === 'get' ? call.items[item.index]!.token : null;
    if (token !== null) this.aliases.release(token);
  }

  private finish(call: GetCall | PutCall): void {
    this.calls.delete(call.handle);
    this.outputs.push({ kind: 'done', handle: call.handle });
  }

  private refuseItem(
    call: GetCall | PutCall,
    index: number,
    reason: Reason,
    retryAfterMs = 0,
    otherServer: string | null = null,
  ): void {
    const { handle } = call;
    this.outputs.push({ kind: 'refused', handle, item: index, reason, retryAfterMs, otherServer });
    this.answer(call, index);
  }

  private refuseCall(call: Call, reason: Reason, retryAfterMs = 0, otherServer: string | null = null): void {
    const { handle } = call;
    this.calls.delete(handle);
    if (call.kind === 'follow') this.endFollow(call);
    else {
      this.forgetWaiting((batch) => batch.call === call);
      for (const item of call.items) this.settle(call, item);
    }
    this.outputs.push({ kind: 'refused', handle, item: null, reason, retryAfterMs, otherServer });
  }

  private refuseUnasked(handle: number, reason: Reason): void {
    this.outputs.push({ kind: 'refused', handle, item: null, reason, retryAfterMs: 1_000, otherServer: null });
  }

  private endFollow(call: FollowCall): void {
    this.followCalls--;
    this.follows.delete(call.wire);
    call.wire = 0;
    if (call.token !== null) this.aliases.release(call.token);
  }

  private endBatch(wire: number, batch: Batch): void {
    this.batches.delete(wire);
    if (batch.call.kind === 'get') this.itemsOpen -= batch.items.length;
    else this.putBytesOpen -= batch.bytes;
  }

  private forgetWaiting(gone: (batch: Batch) => boolean): void {
    for (const waiting of [this.gets, this.puts]) {
      for (let at = waiting.length - 1; at >= 0; at--) {
        const batch = waiting[at]!;
        if (!gone(batch)) continue;
        waiting.splice(at, 1);
        this.itemsWaiting -= batch.items.length;
        this.putBytesWaiting -= batch.bytes;
      }
    }
  }

  /** The connection is gone: what ran on it waits for the next one. */
  private takeBack(): void {
    this.forgetWaiting(() => true);
    this.batches.clear();
    this.itemsOpen = 0;
    this.putBytesOpen = 0;
    this.follows.clear();
    this.aliases.reset();
    for (const call of this.calls.values()) {
      if (call.kind === 'follow') call.wire = 0;
      else this.queue(call);
    }
  }

  /** Nobody waits for anything any more. */
  private drop(): void {
    for (const handle of [...this.calls.keys()]) this.cancel(handle);
    this.rangeToken = undefined;
  }
}

/** The batch with the earliest deadline; the oldest of those that are equal. */
function earliest(batches: readonly Batch[]): number {
  let best = 0;
  for (let at = 1; at < batches.length; at++) if (batches[at]!.byAtMs < batches[best]!.byAtMs) best = at;
  return best;
}
