import type { Body } from '../../machine/machine.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import type { FromInsServer } from '../../protocol/ins-messages.ts';
import type { HeldToken } from './aliases.ts';
import type { InsClientInput } from './io.ts';
import { Progress } from './progress.ts';
import { type Refusal, type Requests, refusal } from './requests.ts';

type Input = Extract<InsClientInput, { readonly kind: 'follow' }>;
type Message<Type extends FromInsServer['type']> = Extract<FromInsServer, { readonly type: Type }>;

interface FollowCall {
  readonly input: Input;
  readonly token: HeldToken | null;
  /** Its number on the present connection; 0 when it is not running. */
  request: number;
  arrived: number;
  readonly progress: Progress;
}

const RETRY_MS = 1_000;
/** Cancelled follows of which something may still come. */
const CANCELLED_MAX = 8;

/** The follows: each goes on behind what has come when the connection was lost. */
export class Follows {
  private readonly requests: Requests;
  private readonly calls = new Map<number, FollowCall>();
  /** What runs on the present connection, by its number there. */
  private readonly open = new Map<number, FollowCall>();
  /** What was on its way when its follow was cancelled still comes: it has been paid for. */
  private readonly cancelled = new Map<number, FollowCall>();

  constructor(requests: Requests) {
    this.requests = requests;
  }

  /** @param isOpen - There is a connection. */
  begin(input: Input, isOpen: boolean): void {
    const { handle, token } = input;
    // Half of the requests at most, so that batches always have their share.
    if (this.calls.size >= this.requests.max / 2) {
      this.requests.refuse(handle, refusal('OVERLOAD', RETRY_MS));
      return;
    }
    for (const [request, { input: old }] of this.cancelled) if (old.handle === handle) this.cancelled.delete(request);
    const held = this.requests.hold(token);
    const call = { input, token: held, request: 0, arrived: 0, progress: new Progress() };
    this.calls.set(handle, call);
    if (isOpen) this.start(call);
  }

  has(handle: number): boolean {
    return this.calls.has(handle);
  }

  /** There is a connection. */
  startAll(): void {
    for (const call of [...this.calls.values()]) this.start(call);
  }

  /** @param tellServer - There is a connection. */
  cancel(handle: number, tellServer: boolean): void {
    const call = this.calls.get(handle);
    if (call === undefined) return;
    const { request } = call;
    this.end(call);
    if (request === 0 || !tellServer) return;
    this.requests.send({ type: 'cancel', request });
    this.cancelled.set(request, call);
    for (const oldest of this.cancelled.keys()) if (this.cancelled.size > CANCELLED_MAX) this.cancelled.delete(oldest);
  }

  /** Nobody waits for anything any more. */
  drop(): void {
    for (const handle of [...this.calls.keys()]) this.cancel(handle, false);
  }

  refuseAll(reason: Refusal): void {
    for (const call of [...this.calls.values()]) this.refuse(call, reason);
  }

  /** @returns False when the request is none of ours. */
  block({ request, kept, labelled }: BlockHeader, body: Body): boolean {
    const call = this.open.get(request) ?? this.cancelled.get(request);
    if (call === undefined) return false;
    if (labelled === null || !call.progress.note(labelled)) return true;
    const { handle } = call.input;
    this.requests.outputs.push({ kind: 'arrived', handle, item: call.arrived++, labelled, kept, body });
    return true;
  }

  /** @returns False when the request is none of ours. */
  refused({ request, item, ...reason }: Message<'refused'>): boolean {
    const call = this.open.get(request);
    if (call !== undefined && item === null) this.refuse(call, reason);
    return call !== undefined;
  }

  renewed({ request, token }: Message<'renewed'>): void {
    const call = this.open.get(request);
    if (call === undefined || call.token === null) return;
    this.requests.aliases.renew(call.token, token, true, true);
    this.requests.outputs.push({ kind: 'renewed', handle: call.input.handle, token });
  }

  /** The connection is gone. */
  takeBack(): void {
    for (const call of this.open.values()) this.stop(call);
    this.open.clear();
    this.cancelled.clear();
  }

  private start(call: FollowCall): void {
    const token = this.requests.aliasOf(call.token);
    if (token === undefined) {
      this.refuse(call, refusal('OVERLOAD'));
      return;
    }
    call.request = this.requests.begin();
    this.open.set(call.request, call);
    const { keep, collection, tracks, priority = 'normal' } = call.input;
    const from = call.progress.resumeFrom(call.input.from);
    this.requests.send({ type: 'follow', request: call.request, keep, token, collection, tracks, from, priority });
  }

  private refuse(call: FollowCall, { reason, retryAfterMs, otherServer }: Refusal): void {
    this.end(call);
    this.requests.refuse(call.input.handle, { reason, retryAfterMs, otherServer });
  }

  private end(call: FollowCall): void {
    this.calls.delete(call.input.handle);
    this.open.delete(call.request);
    this.stop(call);
    this.requests.release(call.token);
  }

  private stop(call: FollowCall): void {
    if (call.request === 0) return;
    call.request = 0;
    this.requests.open--;
  }
}
