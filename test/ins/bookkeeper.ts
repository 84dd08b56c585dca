import { InsConversation } from '../../ins-client/core/conversation.ts';
import type { InsClientInput } from '../../ins-client/core/io.ts';
import { ownerCalls } from '../../ins-client/core/owner-calls.ts';
import { Prng } from '../../machine/prng.ts';
import { insClientCodec } from '../../protocol/ins-messages.ts';
import { blockOf, collectionOf } from './helpers.ts';

/** What is done to a conversation: something is said to it, time passes, or its caller does what callers do. */
export type Step =
  | InsClientInput
  | { readonly kind: 'pass'; readonly ms: number }
  | 'connect'
  | 'get'
  | 'put'
  | 'follow';

/** A caller that keeps the books: each item of each of its calls is answered once, and nothing else is. */
export class Bookkeeper {
  readonly reached = { arrived: 0, stored: 0, refused: 0, done: 0, renewed: 0, ready: 0, lost: 0 };
  private nowMs = 1_000_000;
  private handles = 0;
  private signRef = 0;
  private open = new Map<number, Set<number> | 'follow'>();
  private readonly cancelledFollows = new Set<number>();
  private conversation = new InsConversation({
    url: 'ws://x',
    key: new Uint8Array(32),
    application: 'x',
    prng: new Prng(1),
    owner: ownerCalls,
  });

  step(step: Step, tokens: readonly (Uint8Array | null)[]): void {
    if (step === 'connect') this.connect();
    else if (typeof step === 'string') this.call(step, tokens);
    else if (step.kind === 'pass') this.pass(step.ms);
    else if (step.kind === 'stop') {
      // All calls that are open when it stops are dropped without a word.
      this.open.clear();
      this.input(step);
      for (let handle = 1; handle <= this.handles; handle++) this.input({ kind: 'cancel', handle });
    } else {
      if (step.kind === 'cancel') {
        if (this.open.get(step.handle) === 'follow') this.cancelledFollows.add(step.handle);
        this.open.delete(step.handle);
      }
      this.input(step);
    }
  }

  private input(input: InsClientInput): void {
    this.conversation.handleInput(input, this.nowMs);
    this.drain();
  }

  private connect(): void {
    this.input({ kind: 'start' });
    this.input({ kind: 'closed', code: 1006, why: '' });
    this.pass(10_000);
    this.input({ kind: 'opened' });
    const welcome = { type: 'welcome', version: 1, clockMs: 5, blockBytesMax: 5 } as const;
    const bytes = { server: new Uint8Array(32), nonce: new Uint8Array(32) };
    this.input({ kind: 'message', message: { ...welcome, ...bytes } });
    this.input({ kind: 'signed', ref: this.signRef, signature: new Uint8Array(64) });
    this.input({ kind: 'message', message: { type: 'accepted', quotaBytes: 1 } });
  }

  private pass(ms: number): void {
    this.nowMs += ms;
    this.conversation.handleTimeout(this.nowMs);
    this.drain();
    const next = this.conversation.nextDeadline();
    if (next !== undefined && next <= this.nowMs) throw new Error('a deadline that was not dealt with');
  }

  private call(kind: 'get' | 'put' | 'follow', tokens: readonly (Uint8Array | null)[]): void {
    const handle = ++this.handles;
    const blocks = [1, 2, 3].map((at) => blockOf(at, 50));
    this.open.set(handle, kind === 'follow' ? 'follow' : new Set([0, 1, 2]));
    const common = { handle, keep: true, collection: collectionOf(1) } as const;
    if (kind === 'follow') this.input({ kind, ...common, token: tokens[0]!, tracks: [], from: 1 });
    else if (kind === 'put') {
      const items = blocks.map(({ item }) => item);
      this.input({ kind, ...common, ttlSeconds: 5, items, bodies: blocks.map(({ body }) => body) });
    } else {
      const items = blocks.map(({ item }, at) => {
        const deadlineAtMs = at === 0 ? null : this.nowMs + at * 2_000;
        return { token: tokens[at]!, name: item.name, label: null, deadlineAtMs };
      });
      this.input({ kind, ...common, items });
    }
  }

  private drain(): void {
    const { conversation, reached } = this;
    for (let output = conversation.pollOutput(); output !== undefined; output = conversation.pollOutput()) {
      if (output.kind in reached) reached[output.kind as keyof typeof reached]++;
      if (output.kind === 'send') insClientCodec.encode(output.message);
      else if (output.kind === 'sign') this.signRef = output.ref;
      else if (output.kind === 'arrived') this.arrived(output.handle, output.item);
      else if (output.kind === 'stored') this.settle(output.handle, output.items);
      else if (output.kind === 'refused' && output.item !== null) this.settle(output.handle, [output.item]);
      else if (output.kind === 'refused' && !this.open.delete(output.handle))
        throw new Error('an unknown call was refused');
      else if (output.kind === 'done') {
        const left = this.open.get(output.handle);
        if (left === undefined || left === 'follow' || left.size > 0) throw new Error('done out of turn');
        this.open.delete(output.handle);
      }
    }
  }

  /** What was on its way when a follow was cancelled still comes. */
  private arrived(handle: number, item: number): void {
    if (!this.cancelledFollows.has(handle)) this.settle(handle, [item]);
  }

  private settle(handle: number, items: readonly number[]): void {
    const left = this.open.get(handle);
    if (left === undefined) throw new Error('an unknown call was answered');
    if (left !== 'follow')
      for (const item of items) if (!left.delete(item)) throw new Error('an item was answered twice');
  }
}
