import type { Body } from '../../machine/machine.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import type { BatchMessage, PutItem } from '../../protocol/ins-messages.ts';
import { BLOCK_TTL_SECONDS_DEFAULT } from '../../protocol/limits.ts';
import { REASONS, type Reason } from '../../protocol/reasons.ts';
import { bytesKey } from '../../protocol/text.ts';
import { OPERATION } from '../../protocol/token.ts';
import type { Filing } from './filing.ts';
import type { Intake } from './intake.ts';
import type { Filed } from './io.ts';
import { PUT_MS, SWEEP_MS } from './limits.ts';
import type { Account, BatchRequest, Link, PendingPuts } from './links.ts';
import type { Shortage } from './meters.ts';
import type { Sender } from './sender.ts';
import type { Block } from './shelf.ts';
import type { Storage } from './storage.ts';
import type { TokenPolicy } from './token-policy.ts';
import { covers } from './tokens.ts';
import type { Target, Wallet } from './wallet.ts';

/** The puts of batches: an item is acknowledged when its block can be had (and will be, where the store is durable), then announced. */
export class Puts {
  putBlocks = 0;
  /** Batches with blocks still to come. */
  private readonly open = new Set<BatchRequest>();
  private readonly storage: Storage;
  private readonly sender: Sender;
  private readonly intake: Intake;
  private readonly wallet: Wallet;
  private readonly filing: Filing;
  private readonly policy: TokenPolicy;

  constructor(storage: Storage, sender: Sender, intake: Intake, wallet: Wallet, filing: Filing, policy: TokenPolicy) {
    this.policy = policy;
    this.storage = storage;
    this.sender = sender;
    this.intake = intake;
    this.wallet = wallet;
    this.filing = filing;
  }

  /** Takes note of what a batch is going to put. @param first - Number of its first put. */
  begin(call: BatchRequest, account: Account, message: BatchMessage, first: number, nowMs: number): void {
    const { collection, ttlSeconds, puts: items } = message;
    if (collection === null) {
      for (const at of items.keys()) this.sender.refuseItem(call, first + at, 'MALFORMED');
      return;
    }
    const puts: PendingPuts = {
      first,
      collection,
      collectionKey: bytesKey(collection),
      ttlSeconds: ttlSeconds === 0 ? BLOCK_TTL_SECONDS_DEFAULT : ttlSeconds,
      items,
      owners: [],
      tokens: [],
      states: [],
      left: items.length,
      byAtMs: nowMs + PUT_MS,
    };
    call.puts = puts;
    this.open.add(call);
    let last = -1;
    let target: Target | Reason = 'TOKEN_REQUIRED';
    for (const [at, item] of items.entries()) {
      // As a rule all go to one locker.
      if (item.token !== last) target = this.wallet.target(call.link, account, item.token, OPERATION.put, nowMs);
      last = item.token;
      puts.owners.push(typeof target === 'string' ? '' : (target.locker?.key ?? ''));
      puts.tokens.push(typeof target === 'string' ? undefined : target.known);
      puts.states.push('awaited');
      const reason = typeof target === 'string' ? target : this.objection(puts, at, target, nowMs);
      const short = reason === undefined ? this.shortage(puts, at, nowMs) : undefined;
      if (reason !== undefined) this.refuseItem(call, puts, at, reason);
      else if (short !== undefined) this.refuseItem(call, puts, at, short.reason, short.retryMs);
    }
  }

  /** The bytes of an item. Those of no item, or of one that was refused meanwhile, are dropped. */
  block(link: Link, { request, item }: BlockHeader, body: Body, nowMs: number): void {
    const call = link.requests.get(request);
    const puts = call?.kind === 'batch' ? call.puts : undefined;
    if (call?.kind !== 'batch' || puts === undefined) return;
    const at = item - puts.first;
    if (puts.states[at] !== 'awaited') return;
    const { name, sizeBytes } = puts.items[at]!;
    if (body.byteLength !== sizeBytes) {
      this.refuseItem(call, puts, at, 'SIZE');
      return;
    }
    puts.states[at] = 'busy';
    this.intake.take(name, body, nowMs, (taken, atMs) => {
      if (call.ended) return;
      if ('reason' in taken) this.refuseItem(call, puts, at, taken.reason);
      else this.commit(call, puts, at, taken.block, atMs);
    });
  }

  /** Nothing more is expected for a batch. */
  forget(call: BatchRequest): void {
    this.open.delete(call);
  }

  sweep(nowMs: number): void {
    for (const call of this.open) {
      const puts = call.puts!;
      if (puts.byAtMs > nowMs) continue;
      for (const [at, state] of puts.states.entries()) {
        if (state === 'awaited') this.refuseItem(call, puts, at, 'DEADLINE');
      }
    }
  }

  /** Why an item may not be put, before its bytes have come. */
  private objection(puts: PendingPuts, at: number, { known, locker }: Target, nowMs: number): Reason | undefined {
    // Only reading crosses to another server.
    if (locker === undefined) return 'POLICY_DENIED';
    const { track, part, name } = puts.items[at]!;
    const covered = known === undefined || covers(known, puts.collectionKey, track, part, bytesKey(name));
    return covered ? this.hindrance(puts, at, nowMs) : 'TOKEN_SCOPE';
  }

  /** Counts an item against its token and the rate of the locker, or says why it has to wait. */
  private shortage({ owners, tokens, items }: PendingPuts, at: number, nowMs: number): Shortage | undefined {
    const { sizeBytes } = items[at]!;
    const locker = this.storage.locker(owners[at]!);
    const waitMs = locker.waitMs(nowMs);
    if (waitMs > 0) return { reason: 'QUOTA_AMOUNT', retryMs: Number.isFinite(waitMs) ? waitMs : 0 };
    const known = tokens[at];
    const short = known?.limited === true ? this.policy.meters.use(known, 1, sizeBytes, nowMs) : undefined;
    if (short === undefined) locker.pace(sizeBytes);
    return short;
  }

  private hindrance(
    { owners, tokens, items, collection, collectionKey }: PendingPuts,
    at: number,
    nowMs: number,
  ): Reason | undefined {
    const { track, part, index, name, sizeBytes, companion }: PutItem = items[at]!;
    const known = tokens[at];
    if (known !== undefined && this.policy.revocations.cover(known)) return 'TOKEN_REVOKED';
    const locker = this.storage.locker(owners[at]!);
    // Who was not invited where one has to be.
    if (locker.grant.quotaBytes === 0) return 'POLICY_DENIED';
    const folder = locker.folder(collection, collectionKey);
    if (folder === undefined) return 'QUOTA_STORAGE';
    const there = folder.own?.at(track, part, index);
    if (there !== undefined) return there.block.key === bytesKey(name) ? undefined : 'EXISTS';
    return this.storage.hasRoom(locker, sizeBytes + companion.length, nowMs) ? undefined : 'QUOTA_STORAGE';
  }

  /** Files a block that the store has, one at a time under each label. */
  private commit(call: BatchRequest, puts: PendingPuts, at: number, block: Block, nowMs: number): void {
    const { collection, ttlSeconds } = puts;
    const owner = puts.owners[at]!;
    const { track, part, index, start, companion } = puts.items[at]!;
    const label = { track, part, index, name: block.name, start, companion };
    this.storage.hold(block);
    const settle = (reason: Reason | undefined): void => {
      this.storage.letGo(block);
      if (call.ended) return;
      if (reason !== undefined) this.refuseItem(call, puts, at, reason);
      else {
        this.settle(call, puts, at);
        this.sender.stored(call, puts.first + at);
      }
    };
    this.filing.inTurn(
      { owner, collection, label },
      (turnMs) => {
        // Much may have happened since the put was announced.
        const reason = call.ended ? 'CANCELLED' : this.hindrance(puts, at, turnMs);
        if (reason !== undefined) {
          settle(reason);
          return;
        }
        const filed = { owner, collection, label, block, expiresAtMs: turnMs + ttlSeconds * 1000 };
        this.filing.file(filed, turnMs, (refused, atMs) =>
          settle(refused ?? this.shelve(puts, at, filed, block, atMs)),
        );
      },
      nowMs,
    );
  }

  /** What is filed for good gets its place, and those who follow are told. A put that was cancelled meanwhile was too late. */
  private shelve(puts: PendingPuts, at: number, filed: Filed, block: Block, nowMs: number): Reason | undefined {
    const { owner, collection, label, expiresAtMs } = filed;
    const reason = block.ready ? this.hindrance(puts, at, nowMs) : 'OVERLOAD';
    if (reason !== undefined) {
      this.filing.unfile([filed]);
      return reason;
    }
    const folder = this.storage.locker(owner).folder(collection, puts.collectionKey)!;
    const there = folder.own?.at(label.track, label.part, label.index);
    if (there !== undefined) this.storage.prolong(there, expiresAtMs);
    else this.sender.announce(folder.follows, this.storage.add(folder, label, block, expiresAtMs), nowMs);
    this.putBlocks++;
    return undefined;
  }

  private refuseItem(
    call: BatchRequest,
    puts: PendingPuts,
    at: number,
    reason: Reason,
    retryMs = REASONS[reason].retry ? SWEEP_MS : 0,
  ): void {
    this.settle(call, puts, at);
    this.sender.refuseItem(call, puts.first + at, reason, retryMs);
  }

  private settle(call: BatchRequest, puts: PendingPuts, at: number): void {
    puts.states[at] = 'answered';
    if (--puts.left === 0) this.open.delete(call);
  }
}
