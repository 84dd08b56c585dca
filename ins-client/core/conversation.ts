import { earlier } from '../../machine/deadlines.ts';
import { type Machine, Queue, unreachable } from '../../machine/machine.ts';
import { type FromInsServer, SERVER_APPLICATION } from '../../protocol/ins-messages.ts';
import {
  REQUESTS_OPEN_MAX,
  SEND_QUEUE_BLOCKS_MAX,
  SERVER_REQUESTS_OPEN_MAX,
  SERVER_SEND_QUEUE_BLOCKS_MAX,
} from '../../protocol/limits.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { Aliases } from './aliases.ts';
import { Batches } from './batches.ts';
import { getCall } from './calls.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { Follows } from './follows.ts';
import type { InsClientInput, InsClientOutput } from './io.ts';
import type { Orders, OwnerOrder } from './orders.ts';
import type { OwnerCalls, OwnerItems } from './owner-calls.ts';
import { type Refusal, Requests, refusal } from './requests.ts';

export interface InsConversationOptions extends ConnectionOptions {
  /** For whoever fills and looks after a locker; without it there are gets and follows. */
  readonly owner?: OwnerCalls;
}

type Input<Kind extends InsClientInput['kind']> = Extract<InsClientInput, { readonly kind: Kind }>;

/**
 * What may be open on one connection: requests, and gets not answered, half of what the server queues for us, so that follows have
 * the other half.
 */
const CLIENT_MAX = { requests: REQUESTS_OPEN_MAX, gets: SEND_QUEUE_BLOCKS_MAX / 2 };
const SERVER_MAX = { requests: SERVER_REQUESTS_OPEN_MAX, gets: SERVER_SEND_QUEUE_BLOCKS_MAX / 2 };

/**
 * One client's conversation with one INS server: proves our key, keeps the connection up, and carries what callers ask over it.
 * What was asked before a connection was lost is asked again on the next one.
 *
 * Requests go out right behind the hello, without waiting for it to be accepted. Whatever the server answers that was not
 * asked is ignored.
 */
export class InsConversation implements Machine<InsClientInput, InsClientOutput> {
  private readonly outputs = new Queue<InsClientOutput>();
  private readonly aliases = new Aliases((message) => this.outputs.push({ kind: 'send', message }));
  private readonly connection: Connection;
  private readonly requests: Requests;
  private readonly batches: Batches;
  private readonly follows: Follows;
  private readonly orders: Orders | undefined;
  /** All that carries calls. */
  private readonly parts: readonly (Batches | Follows | Orders)[];
  private readonly owner: OwnerCalls | undefined;
  private rangeToken: Uint8Array | undefined;

  constructor(options: InsConversationOptions) {
    const max = options.application === SERVER_APPLICATION ? SERVER_MAX : CLIENT_MAX;
    this.connection = new Connection(options, this.outputs);
    this.requests = new Requests(this.outputs, this.aliases, max.requests);
    this.batches = new Batches(this.requests, max.gets);
    this.follows = new Follows(this.requests);
    this.owner = options.owner;
    this.orders = options.owner?.orders(this.requests);
    const { batches, follows, orders } = this;
    this.parts = orders === undefined ? [batches, follows] : [batches, follows, orders];
  }

  handleInput(input: InsClientInput, nowMs: number): void {
    switch (input.kind) {
      case 'start':
        this.connection.start(nowMs);
        break;
      case 'stop':
        this.stop();
        break;
      case 'opened':
        this.connection.opened(nowMs);
        break;
      case 'closed':
        this.closed(input, nowMs);
        break;
      case 'violation':
        this.connection.close(CLOSE.violation, input.why);
        break;
      case 'signed':
        this.signed(input);
        break;
      case 'message':
        this.message(input.message, nowMs);
        break;
      case 'block':
        if (this.connection.isOpen && !this.follows.block(input.header, input.body))
          this.batches.block(input.header, input.body);
        break;
      case 'get':
        this.mustBeFree(input.handle);
        this.batches.begin(getCall(input), nowMs);
        break;
      case 'follow':
        this.mustBeFree(input.handle);
        this.follows.begin(input, this.connection.isOpen);
        break;
      case 'cancel':
        this.cancel(input.handle);
        break;
      case 'renew': {
        const held = this.aliases.find(input.old);
        if (held !== undefined) this.aliases.renew(held, input.token, false, this.connection.isOpen);
        break;
      }
      case 'range-token':
        this.rangeToken = input.token;
        if (this.connection.isOpen) this.requests.send({ type: 'range-token', token: input.token });
        break;
      default:
        this.ownerCall(input, nowMs);
    }
    this.pump(nowMs);
  }

  private ownerCall(input: OwnerItems | OwnerOrder, nowMs: number): void {
    const { owner, orders } = this;
    if (owner === undefined || orders === undefined) throw new Error(`${input.kind} is for owners of lockers`);
    this.mustBeFree(input.handle);
    if (input.kind === 'revoke' || input.kind === 'access') orders.begin(input);
    else this.batches.begin(owner.itemsOf(input), nowMs);
  }

  handleTimeout(nowMs: number): void {
    this.connection.handleTimeout(nowMs);
    this.batches.handleTimeout(nowMs);
    this.pump(nowMs);
  }

  pollOutput(): InsClientOutput | undefined {
    return this.outputs.shift();
  }

  nextDeadline(): number | undefined {
    return earlier(this.connection.nextDeadline(), this.batches.nextDeadline());
  }

  private pump(nowMs: number): void {
    if (!this.connection.isOpen) return;
    this.orders?.pump();
    this.batches.pump(nowMs);
  }

  private stop(): void {
    if (!this.connection.stop()) return;
    for (const part of this.parts) part.drop();
    this.rangeToken = undefined;
    this.outputs.push({ kind: 'lost', why: 'stopped', final: true, retryAfterMs: 0, otherServer: null });
  }

  private closed(input: Input<'closed'>, nowMs: number): void {
    const lost = this.connection.closed(input, nowMs);
    for (const part of this.parts) part.takeBack();
    this.aliases.reset();
    if (lost === undefined) return;
    if (lost.final) this.refuseAll(refusal('REPLACED'));
    this.outputs.push(lost);
  }

  private refuseAll(reason: Refusal): void {
    for (const part of this.parts) part.refuseAll(reason);
  }

  private signed(input: Input<'signed'>): void {
    const greeted = this.connection.signed(input);
    if (greeted === undefined) return;
    if (this.rangeToken !== undefined) this.requests.send({ type: 'range-token', token: this.rangeToken });
    this.outputs.push({ kind: 'ready', ...greeted });
    this.follows.startAll();
  }

  private cancel(handle: number): void {
    for (const part of this.parts) part.cancel(handle, this.connection.isOpen);
  }

  private mustBeFree(handle: number): void {
    if (this.parts.some((part) => part.has(handle))) throw new Error(`handle ${handle} is in use`);
  }

  private message(message: FromInsServer, nowMs: number): void {
    if (message.type === 'welcome') {
      this.connection.welcome(message, nowMs);
      return;
    }
    if (message.type === 'notice') {
      // Who has no room says so before we have said anything.
      this.connection.noticed(message);
      return;
    }
    if (!this.connection.isOpen) return;
    switch (message.type) {
      case 'accepted':
        this.connection.accepted();
        this.outputs.push({ kind: 'accepted', quotaBytes: message.quotaBytes });
        return;
      case 'stored':
      case 'deleted':
        this.batches.doneWith(message);
        return;
      case 'usage':
      case 'attributes':
        this.batches.told(message);
        return;
      case 'refused':
        if (!this.follows.refused(message) && !this.batches.refused(message)) this.orders?.refused(message);
        return;
      case 'done':
        if (!this.batches.done(message.request)) this.orders?.done(message.request);
        return;
      case 'token-refused':
        // Each request under it is refused by itself.
        this.aliases.refused(message.alias);
        return;
      case 'renewed':
        this.follows.renewed(message);
        return;
      default:
        unreachable(message);
    }
  }
}
