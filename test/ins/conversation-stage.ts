import { InsConversation } from '../../ins-client/core/conversation.ts';
import type { InsClientInput, InsClientOutput, WantedBlock } from '../../ins-client/core/io.ts';
import { ownerCalls } from '../../ins-client/core/owner-calls.ts';
import { Prng } from '../../machine/prng.ts';
import {
  type FromInsClient,
  type FromInsServer,
  type GetItem,
  insClientCodec,
  type PutBlock,
} from '../../protocol/ins-messages.ts';
import { blockOf, collectionOf, keysOf } from './helpers.ts';

export const keys = keysOf(1);
export const server = keysOf(2).publicKey;
export const collection = collectionOf(1);
export const nonce = new Uint8Array(32).fill(9);
export const signature = new Uint8Array(64).fill(5);
export const body = { byteLength: 100 };

type Sent<Type extends FromInsClient['type']> = Extract<FromInsClient, { readonly type: Type }>;
type Told<Kind extends InsClientOutput['kind']> = Extract<InsClientOutput, { readonly kind: Kind }>;

/** A conversation without a world: what a server and a caller say to it, and all that it puts out. Its time is the test's. */
export class ConversationStage {
  readonly conversation = new InsConversation({
    url: 'ws://server',
    key: keys.publicKey,
    application: 'test',
    prng: new Prng(1),
    owner: ownerCalls,
  });
  nowMs = 1_800_000_000_000;
  outputs: InsClientOutput[] = [];

  input(...inputs: InsClientInput[]): void {
    for (const each of inputs) {
      this.conversation.handleInput(each, this.nowMs);
      this.drain();
    }
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.conversation.handleTimeout(this.nowMs);
    this.drain();
  }

  message(...messages: FromInsServer[]): void {
    for (const each of messages) this.input({ kind: 'message', message: each });
  }

  greet(): void {
    this.input({ kind: 'opened' });
    const clockMs = this.nowMs + 700;
    this.message({ type: 'welcome', version: 1, server, nonce, clockMs, blockBytesMax: 1_000_000 });
    this.input({ kind: 'signed', ref: this.told('sign').at(-1)!.ref, signature });
  }

  connect(): void {
    this.input({ kind: 'start' });
    this.greet();
    this.message({ type: 'accepted', quotaBytes: 1_000 });
  }

  /** The connection breaks and comes back. */
  reconnect(): void {
    this.input({ kind: 'closed', code: 1006, why: 'broken' });
    this.outputs = [];
    this.pass(300);
    this.greet();
    this.message({ type: 'accepted', quotaBytes: 1_000 });
  }

  told<Kind extends InsClientOutput['kind']>(kind: Kind): Told<Kind>[] {
    return this.outputs.filter((output): output is Told<Kind> => output.kind === kind);
  }

  sent<Type extends FromInsClient['type']>(type: Type): Sent<Type>[] {
    return this.told('send')
      .map(({ message: each }) => each)
      .filter((each): each is Sent<Type> => each.type === type);
  }

  gets(): { readonly request: number; readonly items: readonly GetItem[] }[] {
    return this.sent('batch').flatMap(({ request, gets: items }) => (items.length === 0 ? [] : [{ request, items }]));
  }

  puts(): { readonly request: number; readonly items: readonly PutBlock[] }[] {
    return this.sent('batch').flatMap(({ request, puts: items }) =>
      items.length === 0
        ? []
        : [
            {
              request,
              items: items.map(({ token: _token, reference: _reference, mediaType: _mediaType, ...item }) => item),
            },
          ],
    );
  }

  get(handle: number, items: WantedBlock[]): void {
    this.input({ kind: 'get', handle, keep: true, collection, items });
  }

  block(request: number, item: number, part?: number): void {
    const { track, index, start, name, companion } = blockOf(part ?? 0).item;
    const labelled = part === undefined ? null : { track, part, index, start, name, companion };
    this.input({ kind: 'block', header: { request, item, kept: true, labelled }, body });
  }

  private drain(): void {
    for (let output = this.conversation.pollOutput(); output !== undefined; output = this.conversation.pollOutput()) {
      // What is sent must be sayable on the wire.
      if (output.kind === 'send') insClientCodec.encode(output.message);
      this.outputs.push(output);
    }
  }
}

export function want(part: number, more: Partial<WantedBlock> = {}): WantedBlock {
  return { token: null, name: blockOf(part).item.name, label: null, deadlineAtMs: null, ...more };
}
