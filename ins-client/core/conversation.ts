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
import { Connection, type InsConversationOptions } from './connection.ts';
import { Follows } from './follows.ts';
import type { InsClientInput, InsClientOutput } from './io.ts';
import { Orders } from './orders.ts';
import { type Refusal, Requests, refusal } from './requests.ts';

export type { InsConversationOptions } from './connection.ts';

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
  private readonly orders: Orders;
  private rangeToken: Uint8Array | undefined;

  constructor(options: InsConversationOptions) {
    const max = options.application === SERVER_APPLICATION ? SERVER_MAX : CLIENT_MAX;
    this.connection = new Connection(options, this.outputs);
    this.requests = new Requests(this.outputs, this.aliases, max.requests);
    this.batches = new Batches(this.requests, max.gets);
    this.follows = new Follows(this.requests);
    this.orders = new Orders(this.requests);
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
      case 'put':
      case 'delete':
      case 'status':
      case 'describe':
        this.mustBeFree(input.handle);
        this.batches.begin(input, nowMs);
        break;
      case 'follow':
        this.mustBeFree(input.handle);
        this.follows.begin(input, this.connection.isOpen);
        break;
      case 'revoke':
      case 'access':
        this.mustBeFree(input.handle);
        this.orders.begin(input);
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
        unreachable(input);
    }
    this.pump(nowMs);
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
    this.orders.pump();
    this.batches.pump(nowMs);
  }

  private stop(): void {
    if (!this.connection.stop()) return;
    for (const part of [this.batches, this.follows, this.orders]) part.drop();
    this.rangeToken = undefined;
    this.outputs.push({ kind: 'lost', why: 'stopped', final: true, retryAfterMs: 0, otherServer: null });
  }

  private closed(input: Input<'closed'>, nowMs: number): void {
    const lost = this.connection.closed(input, nowMs);
    for (const part of [this.batches, this.follows, this.orders]) part.takeBack();
    this.aliases.reset();
    if (lost === undefined) return;
    if (lost.final) this.refuseAll(refusal('REPLACED'));
    this.outputs.push(lost);
  }

  private refuseAll(reason: Refusal): void {
    for (const part of [this.batches, this.follows, this.orders]) part.refuseAll(reason);
  }

  private signed(input: Input<'signed'>): void {
    const greeted = this.connection.signed(input);
    if (greeted === undefined) return;
    if (this.rangeToken !== undefined) this.requests.send({ type: 'range-token', token: this.rangeToken });
    this.outputs.push({ kind: 'ready', ...greeted });
    this.follows.startAll();
  }

  private cancel(handle: number): void {
    this.batches.cancel(handle, this.connection.isOpen);
    this.follows.cancel(handle, this.connection.isOpen);
    this.orders.cancel(handle);
  }

  private mustBeFree(handle: number): void {
    if (this.batches.has(handle) || this.follows.has(handle) || this.orders.has(handle))
      throw new Error(`handle ${handle} is in use`);
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
        this.batches.stored(message);
        return;
      case 'deleted':
        this.batches.deleted(message);
        return;
      case 'usage':
        this.batches.usage(message);
        return;
      case 'refused':
        if (!this.follows.refused(message) && !this.batches.refused(message)) this.orders.refused(message);
        return;
      case 'done':
        if (!this.batches.done(message.request)) this.orders.done(message.request);
        return;
      case 'token-refused':
        // Each request under it is refused by itself.
        this.aliases.refused(message.alias);
        return;
      case 'renewed':
        this.follows.renewed(message);
        return;
      case 'attributes':
        this.batches.attributes(message);
        return;
      default:
        unreachable(message);
    }
  }
}
