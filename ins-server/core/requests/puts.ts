import type { Body } from '../../../machine/machine.ts';
import type { BlockHeader } from '../../../protocol/frames.ts';
import type { BatchMessage, PutItem, Reference } from '../../../protocol/ins-messages.ts';
import { BLOCK_TTL_SECONDS_DEFAULT } from '../../../protocol/limits.ts';
import { proofPrefix } from '../../../protocol/proof.ts';
import { REASONS, type Reason } from '../../../protocol/reasons.ts';
import { bytesKey } from '../../../protocol/text.ts';
import { OPERATION } from '../../../protocol/token.ts';
import type { Checks } from '../checks.ts';
import type { Filed } from '../io.ts';
import { PUT_MS, SWEEP_MS } from '../limits.ts';
import type { Account, BatchRequest, Link, PendingPuts } from '../links.ts';
import type { RemotePuts } from '../remotes/puts.ts';
import type { Sender } from '../sending/sender.ts';
import type { Filing } from '../storage/filing.ts';
import type { Intake } from '../storage/intake.ts';
import { findNamed } from '../storage/lookup.ts';
import type { Block } from '../storage/shelf.ts';
import type { Storage } from '../storage/storage.ts';
import type { Shortage } from '../tokens/meters.ts';
import type { TokenPolicy } from '../tokens/token-policy.ts';
import { covers, type KnownToken } from '../tokens/tokens.ts';
import type { Target, Wallet } from '../tokens/wallet.ts';

export interface PutsOptions {
  readonly storage: Storage;
  readonly sender: Sender;
  readonly intake: Intake;
  readonly wallet: Wallet;
  readonly filing: Filing;
  readonly checks: Checks;
  readonly policy: TokenPolicy;
  readonly remotes: RemotePuts;
}

/** The puts of batches: an item is acknowledged when its block can be had (and will be, where the store is durable), then announced. */
export class Puts {
  putBlocks = 0;
  /** Batches with blocks still to come. */
  private readonly open = new Set<BatchRequest>();
  private readonly options: PutsOptions;

  constructor(options: PutsOptions) {
    this.options = options;
  }

  /** Takes note of what a batch is going to put. @param first - Number of its first put. */
  begin(call: BatchRequest, account: Account, message: BatchMessage, first: number, nowMs: number): void {
    const { collection, ttlSeconds, puts: items } = message;
    if (collection === null) {
      for (const at of items.keys()) this.options.sender.refuseItem(call, first + at, 'MALFORMED');
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
      reads: new Map(),
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
      if (item.token !== last)
        target = this.options.wallet.target(call.link, account, item.token, OPERATION.put, nowMs);
      last = item.token;
      puts.owners.push(typeof target === 'string' ? '' : (target.locker?.key ?? ''));
      puts.tokens.push(typeof target === 'string' ? undefined : target.known);
      puts.states.push('awaited');
      const reason = typeof target === 'string' ? target : this.objection(call, puts, at, target, nowMs);
      const short = reason === undefined ? this.shortage(puts, at, nowMs) : undefined;
      if (reason !== undefined) this.refuseItem(call, puts, at, reason);
      else if (short !== undefined) this.refuseItem(call, puts, at, short.reason, short.retryMs);
      else if (item.reference !== null) this.refer(call, account, puts, at, item.reference, nowMs);
    }
  }

  /**
   * Files what the server holds already, for who proves to have it or may read it (RFC 7069 A.1.3). Who may not is told what he
   * would be told if it were not there.
   */
  private refer(
    call: BatchRequest,
    account: Account,
    puts: PendingPuts,
    at: number,
    { token, proof }: Reference,
    nowMs: number,
  ): void {
    const { storage, wallet, checks, policy } = this.options;
    const { name, sizeBytes, companion } = puts.items[at]!;
    const key = bytesKey(name);
    puts.states[at] = 'busy';
    // No bytes come in for which there would have to be room.
    if (!storage.hasRoomForLabel(companion.length)) {
      this.refuseItem(call, puts, at, 'QUOTA_STORAGE');
      return;
    }
    if (proof === null) {
      const target = wallet.target(call.link, account, token, OPERATION.get, nowMs);
      if (typeof target === 'string') {
        this.refuseItem(call, puts, at, target);
        return;
      }
      const { known, locker } = target;
      const found = locker === undefined ? undefined : findNamed(locker, known, key, nowMs);
      const block = typeof found === 'object' && found.block.sizeBytes === sizeBytes ? found.block : undefined;
      if (block === undefined) {
        this.refuseItem(call, puts, at, 'NO_OBJECT');
        return;
      }
      const limited = known?.limited === true ? known : undefined;
      const short = limited && policy.meters.use(limited, 1, sizeBytes, nowMs);
      if (short !== undefined) {
        this.refuseItem(call, puts, at, short.reason, short.retryMs);
        return;
      }
      if (limited !== undefined) puts.reads.set(at, limited);
      this.commit(call, puts, at, block, nowMs);
      return;
    }
    if (!call.link.proofs.take(sizeBytes, nowMs)) {
      this.refuseItem(call, puts, at, 'OVERLOAD');
      return;
    }
    const there = storage.block(key);
    const block = there?.ready === true && there.sizeBytes === sizeBytes ? there : null;
    if (block !== null) storage.hold(block);
    checks.checkProof(proofPrefix(call.link.nonce, account.keyBytes), proof, block, sizeBytes, (ok, atMs) => {
      if (!call.ended) {
        if (ok && block !== null) this.commit(call, puts, at, block, atMs);
        else this.refuseItem(call, puts, at, 'NO_OBJECT');
      }
      if (block !== null) storage.letGo(block);
    });
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
    this.options.intake.take(name, body, nowMs, (taken, atMs) => {
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
  private objection(
    { link }: BatchRequest,
    puts: PendingPuts,
    at: number,
    { known, locker }: Target,
    nowMs: number,
  ): Reason | undefined {
    // A guest's block has its place made up here, where what is in the other locker is not known.
    if (locker === undefined && link.guest !== undefined) return 'POLICY_DENIED';
    const { track, part, name } = puts.items[at]!;
    const covered = known === undefined || covers(known, puts.collectionKey, track, part, bytesKey(name));
    if (!covered) return 'TOKEN_SCOPE';
    return locker === undefined ? undefined : this.hindrance(puts, at, nowMs);
  }

  /** Counts an item against its token and the rate of the locker, or says why it has to wait. */
  private shortage({ owners, tokens, items }: PendingPuts, at: number, nowMs: number): Shortage | undefined {
    // What goes elsewhere is counted there.
    if (tokens[at]?.here === false) return undefined;
    const { sizeBytes } = items[at]!;
    const locker = this.options.storage.locker(owners[at]!);
    const waitMs = locker.waitMs(nowMs);
    if (waitMs > 0) return { reason: 'QUOTA_AMOUNT', retryMs: Number.isFinite(waitMs) ? waitMs : 0 };
    const known = tokens[at];
    const short = known?.limited === true ? this.options.policy.meters.use(known, 1, sizeBytes, nowMs) : undefined;
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
    if (known !== undefined && this.options.policy.revocations.cover(known)) return 'TOKEN_REVOKED';
    const locker = this.options.storage.locker(owners[at]!);
    // Who was not invited where one has to be.
    if (locker.grant.quotaBytes === 0) return 'POLICY_DENIED';
    const folder = locker.folder(collection, collectionKey);
    if (folder === undefined) return 'QUOTA_STORAGE';
    const there = folder.own?.at(track, part, index);
    if (there !== undefined) return there.block.key === bytesKey(name) ? undefined : 'EXISTS';
    return this.options.storage.hasRoom(locker, sizeBytes + companion.length, nowMs) ? undefined : 'QUOTA_STORAGE';
  }

  /** Files a block that the store has, one at a time under each label. */
  private commit(call: BatchRequest, puts: PendingPuts, at: number, block: Block, nowMs: number): void {
    const { collection, ttlSeconds } = puts;
    const known = puts.tokens[at];
    if (known?.here === false) {
      this.forward(call, puts, at, known, block, nowMs);
      return;
    }
    const owner = puts.owners[at]!;
    const { track, part, index, start, companion, mediaType } = puts.items[at]!;
    const label = { track, part, index, name: block.name, start, companion };
    this.options.storage.hold(block);
    const settle = (reason: Reason | undefined): void => {
      this.options.storage.letGo(block);
      if (call.ended) return;
      if (reason !== undefined) this.refuseItem(call, puts, at, reason);
      else {
        this.settle(call, puts, at);
        this.options.sender.stored(call, puts.first + at);
      }
    };
    this.options.filing.inTurn(
      { owner, collection, label },
      (turnMs) => {
        // Much may have happened since the put was announced.
        const reason = call.ended ? 'CANCELLED' : this.hindrance(puts, at, turnMs);
        if (reason !== undefined) {
          settle(reason);
          return;
        }
        // What is there already never ends sooner for being put again.
        const there = this.options.storage.lockers
          .get(owner)
          ?.folders.get(puts.collectionKey)
          ?.own?.at(track, part, index);
        const expiresAtMs = Math.max(turnMs + ttlSeconds * 1000, there?.expiresAtMs ?? 0);
        const filed = { owner, collection, label, block, expiresAtMs, mediaType };
        this.options.filing.file(filed, turnMs, (refused, atMs) =>
          settle(refused ?? this.shelve(puts, at, filed, block, atMs)),
        );
      },
      nowMs,
    );
  }

  /** Has the block put into a locker on another server. */
  private forward(
    call: BatchRequest,
    puts: PendingPuts,
    at: number,
    known: KnownToken,
    block: Block,
    nowMs: number,
  ): void {
    const { collection, ttlSeconds, items } = puts;
    const { token: _token, reference: _reference, ...item } = items[at]!;
    const account = call.link.account!;
    const then = (refused: Reason | undefined, retryMs: number): void => {
      if (call.ended) return;
      if (refused !== undefined) {
        this.refuseItem(call, puts, at, refused, retryMs);
        return;
      }
      this.settle(call, puts, at);
      this.options.sender.stored(call, puts.first + at);
    };
    this.options.remotes.put({ account, known, collection, ttlSeconds, item, block, then }, nowMs);
  }

  /** What is filed for good gets its place, and those who follow are told. A put that was cancelled meanwhile was too late. */
  private shelve(puts: PendingPuts, at: number, filed: Filed, block: Block, nowMs: number): Reason | undefined {
    const { owner, collection, label, expiresAtMs, mediaType } = filed;
    const folder = this.options.storage.locker(owner).folder(collection, puts.collectionKey);
    const there = folder?.own?.at(label.track, label.part, label.index);
    const reason = block.ready ? this.hindrance(puts, at, nowMs) : 'OVERLOAD';
    if (folder === undefined || reason !== undefined) {
      // What was there before stays filed.
      if (there === undefined) this.options.filing.unfile([filed]);
      return reason ?? 'QUOTA_STORAGE';
    }
    if (there === undefined) {
      const entry = this.options.storage.add(folder, label, block, expiresAtMs, mediaType);
      this.options.sender.arrived(folder, entry, nowMs);
    } else {
      this.options.storage.prolong(there, expiresAtMs);
      there.mediaType = mediaType ?? '';
    }
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
    const read = puts.reads.get(at);
    if (read !== undefined) this.options.policy.meters.giveBack(read, 1, puts.items[at]!.sizeBytes);
    this.options.sender.refuseItem(call, puts.first + at, reason, retryMs);
  }

  private settle(call: BatchRequest, puts: PendingPuts, at: number): void {
    puts.states[at] = 'answered';
    if (--puts.left === 0) this.open.delete(call);
  }
}
