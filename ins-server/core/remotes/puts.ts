import type { InsCallerOutput } from '../../../ins-client/core/world.ts';
import type { PutBlock } from '../../../protocol/ins-messages.ts';
import { REASONS, type Reason } from '../../../protocol/reasons.ts';
import { bytesKey } from '../../../protocol/text.ts';
import type { StoredBody } from '../io.ts';
import {
  ACCOUNT_PUT_BYTES_MAX,
  REMOTE_PUT_MS,
  RETRY_MS,
  UPSTREAM_PAUSE_MS,
  UPSTREAM_PUT_BYTES_MAX,
} from '../limits.ts';
import type { Account } from '../links.ts';
import type { Block } from '../storage/shelf.ts';
import type { KnownToken } from '../tokens/tokens.ts';
import { passedOn, type RemoteParts } from './parts.ts';
import type { Upstream } from './upstreams.ts';

/** A block that a client has put into a locker on another server. */
export interface RemotePut {
  readonly account: Account;
  readonly known: KnownToken;
  readonly collection: Uint8Array;
  readonly ttlSeconds: number;
  readonly item: PutBlock;
  /** In the store here. */
  readonly block: Block;
  /** The other server has it, or why it has not. */
  readonly then: (refused: Reason | undefined, retryMs: number, nowMs: number) => void;
}

interface Underway extends RemotePut {
  readonly byAtMs: number;
  over: boolean;
}

interface Asked {
  /** Puts that go out with the next batch. */
  outbox: Underway[];
  readonly calls: Map<number, readonly Underway[]>;
  bytes: number;
}

/**
 * Puts into lockers on other servers, under the client's own token (RFC 7069 6.4): the block is taken in here and its name
 * checked, then it is sent on, and acknowledged when the other server has it.
 */
export class RemotePuts {
  private readonly asked = new Map<Upstream, Asked>();
  private readonly unsent = new Set<Upstream>();
  private readonly parts: RemoteParts;

  constructor(parts: RemoteParts) {
    this.parts = parts;
  }

  put(put: RemotePut, nowMs: number): void {
    const { account, known, block } = put;
    const { sizeBytes } = block;
    const upstream =
      account.putBytes + sizeBytes > ACCOUNT_PUT_BYTES_MAX ? 'OVERLOAD' : this.parts.upstreams.choose(known, nowMs);
    if (typeof upstream === 'string') {
      put.then(upstream, REASONS[upstream].retry ? RETRY_MS : 0, nowMs);
      return;
    }
    const asked = this.askedOf(upstream);
    if (asked.bytes + sizeBytes > UPSTREAM_PUT_BYTES_MAX) {
      put.then('OVERLOAD', RETRY_MS, nowMs);
      return;
    }
    asked.bytes += sizeBytes;
    account.putBytes += sizeBytes;
    this.parts.storage.hold(block);
    asked.outbox.push({ ...put, byAtMs: nowMs + REMOTE_PUT_MS, over: false });
    this.unsent.add(upstream);
  }

  /** Sends what has gathered since the last time. */
  flush(nowMs: number): void {
    for (const upstream of this.unsent) {
      const asked = this.askedOf(upstream);
      const alike = new Map<string, Underway[]>();
      for (const put of asked.outbox) {
        const key = `${put.ttlSeconds}:${bytesKey(put.collection)}${bytesKey(put.known.sealed)}`;
        const puts = alike.get(key);
        if (puts === undefined) alike.set(key, [put]);
        else puts.push(put);
      }
      asked.outbox = [];
      for (const puts of alike.values()) this.sendAll(upstream, asked, puts, nowMs);
    }
    this.unsent.clear();
  }

  /** Whoever waits for a server that does not answer is told so. */
  sweep(nowMs: number): void {
    for (const [upstream, { calls }] of this.asked) {
      for (const [handle, puts] of calls) {
        if (puts[0]!.byAtMs > nowMs) continue;
        this.parts.upstreams.tell(upstream, { kind: 'cancel', handle }, nowMs);
        calls.delete(handle);
        for (const put of puts) this.finish(upstream, put, 'REMOTE_FAIL', RETRY_MS, nowMs);
      }
    }
  }

  // What the connections tell

  isUsing(upstream: Upstream): boolean {
    const asked = this.asked.get(upstream);
    return asked !== undefined && (asked.outbox.length > 0 || asked.calls.size > 0);
  }

  /** @returns Whether it was about a put. */
  came(upstream: Upstream, output: InsCallerOutput, nowMs: number): boolean {
    const calls = this.asked.get(upstream)?.calls;
    const puts = 'handle' in output ? calls?.get(output.handle) : undefined;
    if (calls === undefined || puts === undefined) return false;
    if (output.kind === 'stored') {
      for (const item of output.items) this.finish(upstream, puts[item], undefined, 0, nowMs);
    } else if (output.kind === 'refused') {
      const { handle, item, reason, retryAfterMs } = output;
      if (item === null) calls.delete(handle);
      const refused = item === null ? puts : puts.slice(item, item + 1);
      for (const put of refused) this.finish(upstream, put, reason, retryAfterMs, nowMs);
    } else if (output.kind === 'done') calls.delete(output.handle);
    return true;
  }

  ended(upstream: Upstream, nowMs: number): void {
    const asked = this.asked.get(upstream);
    if (asked === undefined) return;
    const puts = [...asked.outbox, ...[...asked.calls.values()].flat()];
    for (const put of puts) this.finish(upstream, put, 'REMOTE_FAIL', UPSTREAM_PAUSE_MS, nowMs);
    this.asked.delete(upstream);
    this.unsent.delete(upstream);
  }

  private askedOf(upstream: Upstream): Asked {
    let asked = this.asked.get(upstream);
    if (asked === undefined) {
      asked = { outbox: [], calls: new Map(), bytes: 0 };
      this.asked.set(upstream, asked);
    }
    return asked;
  }

  private sendAll(upstream: Upstream, asked: Asked, puts: readonly Underway[], nowMs: number): void {
    const handle = ++upstream.lastHandle;
    asked.calls.set(handle, puts);
    const { known, collection, ttlSeconds } = puts[0]!;
    const items = puts.map(({ item }) => item);
    const bodies = puts.map(({ block }): StoredBody => ({ byteLength: block.sizeBytes, block }));
    this.parts.upstreams.tell(
      upstream,
      { kind: 'put', handle, token: known.sealed, collection, ttlSeconds, items, bodies },
      nowMs,
    );
  }

  private finish(
    upstream: Upstream,
    put: Underway | undefined,
    reason: Reason | undefined,
    retryMs: number,
    nowMs: number,
  ): void {
    if (put === undefined || put.over) return;
    put.over = true;
    const { account, block, then } = put;
    const asked = this.asked.get(upstream);
    if (asked !== undefined) asked.bytes -= block.sizeBytes;
    account.putBytes -= block.sizeBytes;
    if (reason === undefined) then(undefined, 0, nowMs);
    else {
      const told = passedOn(reason, retryMs);
      then(told.reason, told.retryMs, nowMs);
    }
    this.parts.storage.letGo(block);
  }
}
