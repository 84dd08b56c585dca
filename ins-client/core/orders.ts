import type { FromInsClient, FromInsServer } from '../../protocol/ins-messages.ts';
import type { InsClientInput } from './io.ts';
import { type Refusal, type Requests, refusal } from './requests.ts';

export type OwnerOrder = Extract<InsClientInput, { readonly kind: 'revoke' | 'access' }>;
type Message<Type extends FromInsServer['type']> = Extract<FromInsServer, { readonly type: Type }>;

const WAITING_MAX = 256;
const RETRY_MS = 1_000;

/** What an owner tells the server about its locker: each is a request of its own, told again after a lost connection until it is done. */
export class Orders {
  private readonly requests: Requests;
  private readonly calls = new Map<number, { readonly input: OwnerOrder; request: number }>();

  constructor(requests: Requests) {
    this.requests = requests;
  }

  begin(input: OwnerOrder): void {
    if (this.calls.size < WAITING_MAX) this.calls.set(input.handle, { input, request: 0 });
    else this.requests.refuse(input.handle, refusal('OVERLOAD', RETRY_MS));
  }

  has(handle: number): boolean {
    return this.calls.has(handle);
  }

  /** It may have been done already: there is no taking it back. */
  cancel(handle: number): void {
    const call = this.calls.get(handle);
    if (call === undefined) return;
    this.calls.delete(handle);
    if (call.request !== 0) this.requests.open--;
  }

  /** Nobody waits for anything any more. */
  drop(): void {
    for (const handle of [...this.calls.keys()]) this.cancel(handle);
  }

  refuseAll(reason: Refusal): void {
    for (const handle of [...this.calls.keys()]) this.refuse(handle, reason);
  }

  /** Sends what may be sent. */
  pump(): void {
    for (const call of this.calls.values()) {
      if (call.request !== 0) continue;
      if (!this.requests.hasRoom()) return;
      call.request = this.requests.begin();
      this.requests.send(messageOf(call.input, call.request));
    }
  }

  /** @returns False when the request is none of ours. */
  refused({ request, item: _, ...reason }: Message<'refused'>): boolean {
    const handle = this.handleOf(request);
    if (handle !== undefined) this.refuse(handle, reason);
    return handle !== undefined;
  }

  /** @returns False when the request is none of ours. */
  done(request: number): boolean {
    const handle = this.handleOf(request);
    if (handle === undefined) return false;
    this.cancel(handle);
    this.requests.outputs.push({ kind: 'done', handle });
    return true;
  }

  /** The connection is gone. */
  takeBack(): void {
    for (const call of this.calls.values()) {
      if (call.request !== 0) this.requests.open--;
      call.request = 0;
    }
  }

  private refuse(handle: number, { reason, retryAfterMs, otherServer }: Refusal): void {
    this.cancel(handle);
    this.requests.refuse(handle, { reason, retryAfterMs, otherServer });
  }

  private handleOf(request: number): number | undefined {
    for (const [handle, call] of this.calls) if (call.request === request) return handle;
    return undefined;
  }
}

function messageOf(input: OwnerOrder, request: number): FromInsClient {
  return input.kind === 'revoke'
    ? { type: 'revoke', request, ids: input.ids, epoch: input.epoch }
    : { type: 'access', request, collection: input.collection, access: input.access };
}
