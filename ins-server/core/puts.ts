import type { Body } from '../../machine/machine.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import type { FromInsClient, PutItem } from '../../protocol/ins-messages.ts';
import { REASONS, type Reason } from '../../protocol/reasons.ts';
import { bytesKey } from '../../protocol/text.ts';
import type { Filing } from './filing.ts';
import type { Intake } from './intake.ts';
import type { Filed } from './io.ts';
import { PUT_MS, SWEEP_MS } from './limits.ts';
import type { Link, PutRequest } from './links.ts';
import type { Locker } from './locker.ts';
import type { Replies } from './replies.ts';
import type { Sender } from './sender.ts';
import type { Block } from './shelf.ts';
import type { Storage } from './storage.ts';
import { coversLabel, type KnownToken } from './tokens.ts';

type PutMessage = Extract<FromInsClient, { readonly type: 'put' }>;

/** Batches of puts: an item is acknowledged when its block can be had (and will be, where the store is durable), then announced. */
export class Puts {
  putBlocks = 0;
  private readonly open = new Set<PutRequest>();
  private readonly replies: Replies;
  private readonly storage: Storage;
  private readonly sender: Sender;
  private readonly intake: Intake;
  private readonly filing: Filing;

  constructor(replies: Replies, storage: Storage, sender: Sender, intake: Intake, filing: Filing) {
    this.replies = replies;
    this.storage = storage;
    this.sender = sender;
    this.intake = intake;
    this.filing = filing;
  }

  /** @param known - The token under which it is put; undefined for the putter's own locker. */
  begin(link: Link, message: PutMessage, locker: Locker, known: KnownToken | undefined, nowMs: number): void {
    const { request, collection, ttlSeconds, items } = message;
    const put: PutRequest = {
      kind: 'put',
      link,
      request,
      owner: locker.key,
      collection,
      ttlSeconds,
      items,
      states: items.map(() => 'awaited'),
      left: items.length,
      byAtMs: nowMs + PUT_MS,
      ended: false,
    };
    link.requests.set(request, put);
    this.open.add(put);
    for (const [at, item] of items.entries()) {
      const reason = this.hindrance(put, item, known, nowMs);
      if (reason !== undefined) this.refuseItem(put, at, reason);
    }
    if (items.length === 0) this.finish(put);
  }

  /** The bytes of an item. Those of no item, or of one that was refused meanwhile, are dropped. */
  block(link: Link, { request, item }: BlockHeader, body: Body, nowMs: number): void {
    const put = link.requests.get(request);
    if (put?.kind !== 'put' || put.states[item] !== 'awaited') return;
    const { name, sizeBytes } = put.items[item]!;
    if (body.byteLength !== sizeBytes) {
      this.refuseItem(put, item, 'SIZE');
      return;
    }
    put.states[item] = 'busy';
    this.intake.take(name, body, nowMs, (taken, atMs) => {
      if (put.ended) return;
      if ('reason' in taken) this.refuseItem(put, item, taken.reason);
      else this.commit(put, item, taken.block, atMs);
    });
  }

  /** The client gave it up, or is gone. */
  end(put: PutRequest): void {
    put.ended = true;
    this.open.delete(put);
    put.link.requests.delete(put.request);
  }

  sweep(nowMs: number): void {
    for (const put of this.open) {
      if (put.byAtMs > nowMs) continue;
      for (const [item, state] of put.states.entries()) if (state === 'awaited') this.refuseItem(put, item, 'DEADLINE');
    }
  }

  private hindrance(put: PutRequest, item: PutItem, known: KnownToken | undefined, nowMs: number): Reason | undefined {
    const key = bytesKey(put.collection);
    if (known !== undefined && !coversLabel(known, key, item.track, item.part)) return 'TOKEN_SCOPE';
    const locker = this.storage.locker(put.owner);
    const folder = locker.folder(put.collection, key);
    if (folder === undefined) return 'QUOTA_STORAGE';
    const there = folder.own?.at(item.track, item.part, item.index);
    if (there !== undefined) return there.block.key === bytesKey(item.name) ? undefined : 'EXISTS';
    return locker.hasRoom(item.sizeBytes + item.companion.length, nowMs) ? undefined : 'QUOTA_STORAGE';
  }

  /** Files a block that the store has, one at a time under each label. */
  private commit(put: PutRequest, at: number, block: Block, nowMs: number): void {
    const item = put.items[at]!;
    const { owner, collection, ttlSeconds } = put;
    const { track, part, index, start, companion } = item;
    const label = { track, part, index, name: block.name, start, companion };
    this.storage.hold(block);
    const settle = (reason: Reason | undefined): void => {
      this.storage.letGo(block);
      if (put.ended) return;
      if (reason !== undefined) this.refuseItem(put, at, reason);
      else {
        this.replies.send(put.link, { type: 'stored', request: put.request, items: [at] });
        this.answered(put, at);
      }
    };
    this.filing.inTurn(
      { owner, collection, label },
      (turnMs) => {
        // Much may have happened since the put was announced.
        const reason = put.ended ? 'CANCELLED' : this.hindrance(put, item, undefined, turnMs);
        if (reason !== undefined) {
          settle(reason);
          return;
        }
        const filed = { owner, collection, label, block, expiresAtMs: turnMs + ttlSeconds * 1000 };
        this.filing.file(filed, turnMs, (refused, atMs) =>
          settle(refused ?? this.shelve(put, item, filed, block, atMs)),
        );
      },
      nowMs,
    );
  }

  /** What is filed for good gets its place, and those who follow are told. A put that was cancelled meanwhile was too late. */
  private shelve(put: PutRequest, item: PutItem, filed: Filed, block: Block, nowMs: number): Reason | undefined {
    const { owner, collection, label, expiresAtMs } = filed;
    const reason = block.ready ? this.hindrance(put, item, undefined, nowMs) : 'OVERLOAD';
    if (reason !== undefined) {
      this.filing.unfile([filed]);
      return reason;
    }
    const folder = this.storage.locker(owner).folder(collection, bytesKey(collection))!;
    const there = folder.own?.at(label.track, label.part, label.index);
    if (there !== undefined) this.storage.prolong(there, expiresAtMs);
    else this.sender.announce(folder.follows, this.storage.add(folder, label, block, expiresAtMs), nowMs);
    this.putBlocks++;
    return undefined;
  }

  private refuseItem(put: PutRequest, item: number, reason: Reason): void {
    this.replies.refuse(put.link, put.request, item, reason, REASONS[reason].retry ? SWEEP_MS : 0);
    this.answered(put, item);
  }

  private answered(put: PutRequest, item: number): void {
    put.states[item] = 'answered';
    if (--put.left === 0) this.finish(put);
  }

  private finish(put: PutRequest): void {
    this.end(put);
    this.replies.send(put.link, { type: 'done', request: put.request });
  }
}
