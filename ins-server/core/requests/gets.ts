import { type GetItem, PRIORITIES } from '../../../protocol/ins-messages.ts';
import { REASONS, type Reason } from '../../../protocol/reasons.ts';
import { bytesKey } from '../../../protocol/text.ts';
import { OPERATION } from '../../../protocol/token.ts';
import { RETRY_MS } from '../limits.ts';
import type { Account, BatchRequest, WantedItem } from '../links.ts';
import type { Remotes } from '../remotes/remotes.ts';
import type { Sender } from '../sending/sender.ts';
import type { Locker } from '../storage/locker.ts';
import { findLabelled, findNamed } from '../storage/lookup.ts';
import type { Entry } from '../storage/shelf.ts';
import type { Storage } from '../storage/storage.ts';
import { coversLabel, type KnownToken, lackOf } from '../tokens/tokens.ts';
import type { Wallet } from '../tokens/wallet.ts';
import type { Waits } from './waits.ts';

/** The gets of batches: each item is looked up under its own token, queued, fetched from another server, or refused. */
export class Gets {
  /** Items answered from copies of what other servers hold. */
  remoteHits = 0;
  private readonly storage: Storage;
  private readonly sender: Sender;
  private readonly remotes: Remotes;
  private readonly wallet: Wallet;
  private readonly waits: Waits;

  constructor(storage: Storage, sender: Sender, remotes: Remotes, wallet: Wallet, waits: Waits) {
    this.storage = storage;
    this.sender = sender;
    this.remotes = remotes;
    this.wallet = wallet;
    this.waits = waits;
  }

  /** Answers one item, at once or when its block is there. */
  get(
    call: BatchRequest,
    account: Account,
    at: number,
    item: GetItem,
    collection: Uint8Array | null,
    nowMs: number,
  ): void {
    const reason = this.item(call, account, at, item, collection, nowMs);
    if (reason !== undefined) this.sender.refuseItem(call, at, reason, REASONS[reason].retry ? RETRY_MS : 0);
  }

  private item(
    call: BatchRequest,
    account: Account,
    at: number,
    item: GetItem,
    collection: Uint8Array | null,
    nowMs: number,
  ): Reason | undefined {
    const { link } = call;
    const { name, label, deadlineMs, priority } = item;
    if (name === null && (label === null || collection === null)) return 'MALFORMED';
    // Neither sent nor kept: nothing would come of it.
    if (!call.deliver && !call.keep) return 'MALFORMED';
    const target = this.wallet.target(link, account, item.token, OPERATION.get, nowMs);
    if (typeof target === 'string') return target;
    const { known, locker } = target;
    const key = collection === null ? null : bytesKey(collection);
    if (name === null && known !== undefined && known.nameKeys === null) {
      if (!coversLabel(known, key!, label!.track, label!.part)) return lackOf(known);
    }
    const wanted = {
      call,
      item: at,
      labelled: label !== null || link.server || link.guest !== undefined,
      deadlineAtMs: deadlineMs === 0 ? null : nowMs + deadlineMs,
      known,
      rank: PRIORITIES.indexOf(priority),
    };
    // What has not been put yet is nowhere else either, as a rule.
    const mayBeElsewhere =
      known !== undefined && !link.server && (locker === undefined || known.token.servers.length > 1);
    let found = locker === undefined ? 'NO_OBJECT' : find(locker, known, item, key, nowMs);
    const absence = locker !== undefined && typeof found === 'string' ? found : undefined;
    if (mayBeElsewhere && (locker === undefined || found === 'NO_OBJECT' || found === 'GONE')) {
      const copies = this.storage.mirrors.get(known.ownerKey);
      found = copies === undefined ? 'NO_OBJECT' : find(copies, known, item, key, nowMs);
      if (typeof found !== 'string') this.remoteHits++;
    }
    if (typeof found !== 'string') {
      this.sender.queueItem(wanted, found, nowMs);
      return undefined;
    }
    if (found === 'TOKEN_SCOPE') return found;
    if (item.wait && name === null && found !== 'GONE')
      return this.wait(wanted, item, known, locker, collection!, nowMs);
    if (!mayBeElsewhere || absence === 'NOT_YET') return absence ?? found;
    const wantedItem = { name, label: name === null ? label : null, collection };
    this.remotes.fetches.fetch(wanted, wantedItem, known, nowMs, absence);
    return undefined;
  }

  /** Waits for a label, here or in what comes from another server, which is asked to wait as well. */
  private wait(
    wanted: WantedItem,
    { label }: GetItem,
    known: KnownToken | undefined,
    locker: Locker | undefined,
    collection: Uint8Array,
    nowMs: number,
  ): Reason | undefined {
    const home = locker ?? this.storage.mirror(known!.ownerKey);
    const folder = home.folder(collection, bytesKey(collection));
    if (folder === undefined) return 'OVERLOAD';
    const waiter = this.waits.add(wanted, known, folder, label!, nowMs);
    if (waiter === 'OVERLOAD') return waiter;
    if (locker === undefined) this.remotes.fetches.awaits(folder, label!, known!, nowMs);
    return undefined;
  }
}

function find(
  locker: Locker,
  known: KnownToken | undefined,
  { name, label }: GetItem,
  collection: string | null,
  nowMs: number,
): Entry | Reason {
  if (name !== null) return findNamed(locker, known, bytesKey(name), nowMs);
  return findLabelled(locker, known, collection!, label!, nowMs);
}
