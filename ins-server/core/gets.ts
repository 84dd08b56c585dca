import type { GetItem } from '../../protocol/ins-messages.ts';
import { REASONS, type Reason } from '../../protocol/reasons.ts';
import { bytesKey } from '../../protocol/text.ts';
import { OPERATION } from '../../protocol/token.ts';
import { RETRY_MS } from './limits.ts';
import type { Account, BatchRequest } from './links.ts';
import type { Folder, Locker } from './locker.ts';
import type { Remotes } from './remotes.ts';
import type { Sender } from './sender.ts';
import type { Entry } from './shelf.ts';
import type { Storage } from './storage.ts';
import { coversEntry, coversLabel, type KnownToken, lackOf } from './tokens.ts';
import type { Wallet } from './wallet.ts';

/** The gets of batches: each item is looked up under its own token, queued, fetched from another server, or refused. */
export class Gets {
  /** Items answered from copies of what other servers hold. */
  remoteHits = 0;
  private readonly storage: Storage;
  private readonly sender: Sender;
  private readonly remotes: Remotes;
  private readonly wallet: Wallet;

  constructor(storage: Storage, sender: Sender, remotes: Remotes, wallet: Wallet) {
    this.storage = storage;
    this.sender = sender;
    this.remotes = remotes;
    this.wallet = wallet;
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
    const { name, label, deadlineMs } = item;
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
    };
    const there = locker ?? this.storage.mirrors.get(known!.issuerKey);
    const found = there === undefined ? 'NO_OBJECT' : find(there, known, item, key, nowMs);
    if (typeof found !== 'string') {
      if (locker === undefined) this.remoteHits++;
      this.sender.queueItem(wanted, found, nowMs);
      return undefined;
    }
    if (locker !== undefined || found === 'TOKEN_SCOPE') return found;
    this.remotes.fetch(wanted, { name, label: name === null ? label : null, collection }, known!, nowMs);
    return undefined;
  }
}

/** Looks a block up in a locker, as far as a token allows. */
function find(
  locker: Locker,
  known: KnownToken | undefined,
  { name, label }: GetItem,
  collection: string | null,
  nowMs: number,
): Entry | Reason {
  if (name === null) {
    const { track, part, index } = label!;
    const folder = locker.folders.get(collection!);
    const entry = folder?.at(track, part, index);
    if (entry !== undefined && entry.expiresAtMs > nowMs) {
      return known === undefined || coversEntry(known, entry) ? entry : 'TOKEN_SCOPE';
    }
    return absenceOf(folder, part);
  }
  let there = false;
  const readable = (entry: Entry): boolean => {
    if (entry.expiresAtMs <= nowMs) return false;
    there = true;
    return known === undefined || coversEntry(known, entry);
  };
  const key = bytesKey(name);
  for (const folder of foldersFor(locker, known)) {
    const entry = folder.named(key, readable);
    if (entry !== undefined) return entry;
  }
  // Who has no token learns nothing of what is closed to him.
  return there && known?.open === undefined ? 'TOKEN_SCOPE' : 'NO_OBJECT';
}

/** Older than all there is, not there yet, or missing in between. */
function absenceOf(folder: Folder | undefined, part: number): Reason {
  const span = folder?.span();
  if (span === undefined) return 'NO_OBJECT';
  return part < span.oldest ? 'GONE' : part >= span.newest ? 'NOT_YET' : 'NO_OBJECT';
}

/** A range token opens one folder; tokens for names, and owners, look through all of them. */
function foldersFor(locker: Locker, known: KnownToken | undefined): Iterable<Folder> {
  if (known === undefined || known.nameKeys !== null || known.collectionKey === null) return locker.folders.values();
  const folder = locker.folders.get(known.collectionKey);
  return folder === undefined ? [] : [folder];
}
