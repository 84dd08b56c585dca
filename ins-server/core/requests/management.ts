import type { DeleteItem, DescribeItem, StatusItem } from '../../../protocol/ins-messages.ts';
import { BATCH_ITEMS_MAX } from '../../../protocol/limits.ts';
import { REASONS, type Reason } from '../../../protocol/reasons.ts';
import { bytesKey } from '../../../protocol/text.ts';
import { OPERATION } from '../../../protocol/token.ts';
import type { FiledAt } from '../io.ts';
import { RETRY_MS, STATUS_LOOKS_MAX } from '../limits.ts';
import type { Account, BatchRequest } from '../links.ts';
import type { Replies } from '../replies.ts';
import type { Sender } from '../sending/sender.ts';
import type { Filing } from '../storage/filing.ts';
import type { Locker } from '../storage/locker.ts';
import { findNamed } from '../storage/lookup.ts';
import type { Entry } from '../storage/shelf.ts';
import { filedOf, placeOfEntry, type Storage } from '../storage/storage.ts';
import type { TokenPolicy } from '../tokens/token-policy.ts';
import { allows, coversEntry, type KnownToken } from '../tokens/tokens.ts';
import type { Wallet } from '../tokens/wallet.ts';

export interface ManagementOptions {
  readonly replies: Replies;
  readonly storage: Storage;
  readonly sender: Sender;
  readonly wallet: Wallet;
  readonly filing: Filing;
  readonly policy: TokenPolicy;
}

/** The deletes, statuses and describes of batches. */
export class Management {
  private readonly options: ManagementOptions;

  constructor(options: ManagementOptions) {
    this.options = options;
  }

  delete(call: BatchRequest, account: Account, item: number, { token, name }: DeleteItem, nowMs: number): void {
    const { replies, sender, filing, policy } = this.options;
    const target = this.target(call, account, item, token, OPERATION.delete, nowMs);
    if (target === undefined) return;
    const { known } = target;
    const short = known?.limited === true ? policy.meters.use(known, 1, 0, nowMs) : undefined;
    if (short !== undefined) {
      sender.refuseItem(call, item, short.reason, short.retryMs);
      return;
    }
    const places: FiledAt[] = [];
    if (!this.take(target.locker, target.known, bytesKey(name), places)) {
      sender.refuseItem(call, item, 'NO_OBJECT');
      return;
    }
    // It has to be gone for good before it is called so.
    filing.unfile(places, nowMs, (ok) => {
      if (call.ended) return;
      if (!ok) {
        sender.refuseItem(call, item, 'OVERLOAD', RETRY_MS);
        return;
      }
      replies.send(call.link, { type: 'deleted', request: call.request, items: [item] });
      sender.answered(call);
    });
  }

  status(call: BatchRequest, account: Account, item: number, { token }: StatusItem, nowMs: number): void {
    const { replies, sender } = this.options;
    const target = this.target(call, account, item, token, OPERATION.status, nowMs);
    if (target === undefined) return;
    const { request } = call;
    const { usedBytes, objects } = target.locker.usage(nowMs);
    const { quotaBytes } = target.locker.grant;
    const names = newestNames(target.locker, target.known);
    const { reads, readBytes, readerCount: readers, sinceMs } = target.locker.access;
    const access = { reads, readBytes, readers, sinceMs: reads === 0 ? Math.floor(nowMs) : sinceMs };
    replies.send(call.link, { type: 'usage', request, item, objects, usedBytes, quotaBytes, names, ...access });
    sender.answered(call);
  }

  /** Tells, or first sets, a block's attributes (RFC 7069 6.2.3). Who may read it may know them; setting them is like putting it. */
  describe(call: BatchRequest, account: Account, item: number, message: DescribeItem, nowMs: number): void {
    const { token, name, set } = message;
    const operation = set === null ? OPERATION.get | OPERATION.status : OPERATION.put;
    const target = this.target(call, account, item, token, operation, nowMs);
    if (target === undefined) return;
    const { locker, known } = target;
    const found = findNamed(locker, known, bytesKey(name), nowMs);
    if (typeof found === 'string') this.options.sender.refuseItem(call, item, found);
    else if (set === null) this.tell(call, item, found, known, nowMs);
    else if (found.shelf.owner !== locker) this.options.sender.refuseItem(call, item, 'POLICY_DENIED');
    else this.set(call, item, target, found, set, nowMs);
  }

  /** Changes what is under all labels that the token covers, for good before it is told. */
  private set(
    call: BatchRequest,
    item: number,
    { locker, known }: { readonly locker: Locker; readonly known: KnownToken | undefined },
    found: Entry,
    { ttlSeconds, mediaType }: NonNullable<DescribeItem['set']>,
    nowMs: number,
  ): void {
    const { storage, sender, filing } = this.options;
    const entries: Entry[] = [];
    for (const { own } of locker.folders.values()) {
      own?.named(found.block.key, (entry) => {
        if (known === undefined || coversEntry(known, entry)) entries.push(entry);
        return false;
      });
    }
    let left = entries.length;
    let failed: Reason | undefined;
    for (const entry of entries) {
      const expiresAtMs = ttlSeconds === 0 ? entry.expiresAtMs : nowMs + ttlSeconds * 1000;
      const type = mediaType ?? entry.mediaType;
      const settle = (refused: Reason | undefined, atMs: number): void => {
        failed ??= refused;
        if (refused === undefined) {
          storage.reschedule(entry, expiresAtMs);
          entry.mediaType = type;
        }
        if (--left > 0 || call.ended) return;
        if (failed === undefined) this.tell(call, item, found, known, atMs);
        else sender.refuseItem(call, item, failed, REASONS[failed].retry ? RETRY_MS : 0);
      };
      const file = (turnMs: number): void => {
        if (!entry.alive) settle('GONE', turnMs);
        else {
          const filed = { ...filedOf(entry), expiresAtMs, mediaType: type };
          filing.file(filed, turnMs, (refused, atMs) => settle(refused ?? (entry.alive ? undefined : 'GONE'), atMs));
        }
      };
      filing.inTurn(placeOfEntry(entry), file, nowMs);
    }
  }

  private tell(call: BatchRequest, item: number, entry: Entry, known: KnownToken | undefined, nowMs: number): void {
    const { block, mediaType, expiresAtMs } = entry;
    const reads = known === undefined || allows(known, OPERATION.status) ? entry.reads : null;
    const lifeSeconds = Math.max(0, Math.ceil((expiresAtMs - nowMs) / 1000));
    const { request, link } = call;
    const { sizeBytes } = block;
    this.options.replies.send(link, { type: 'attributes', request, item, sizeBytes, mediaType, lifeSeconds, reads });
    this.options.sender.answered(call);
  }

  /** The locker that an item is about, on this server: only reading crosses to another one. Refuses the item if there is none. */
  private target(
    call: BatchRequest,
    account: Account,
    item: number,
    token: number,
    operation: number,
    nowMs: number,
  ): { readonly known: KnownToken | undefined; readonly locker: Locker } | undefined {
    const target = this.options.wallet.target(call.link, account, token, operation, nowMs);
    if (typeof target !== 'string' && target.locker !== undefined)
      return { known: target.known, locker: target.locker };
    const reason = typeof target === 'string' ? target : 'POLICY_DENIED';
    this.options.sender.refuseItem(call, item, reason, REASONS[reason].retry ? RETRY_MS : 0);
    return undefined;
  }

  /** Takes a block out of a locker under all labels that a token covers; false when it was under none. `places`: where it had been put. */
  private take(locker: Locker, known: KnownToken | undefined, key: string, places: FiledAt[]): boolean {
    const accepts = (entry: Entry): boolean => known === undefined || coversEntry(known, entry);
    let taken = false;
    for (const folder of locker.folders.values()) {
      for (let entry = folder.named(key, accepts); entry !== undefined; entry = folder.named(key, accepts)) {
        taken = true;
        // The owner's own goes for everybody; of what was kept of others, only the reference does.
        if (entry.shelf !== folder.own) folder.unkeep(entry);
        else {
          places.push(placeOfEntry(entry));
          this.options.storage.remove(entry);
        }
      }
    }
    return taken;
  }
}

/** The newest names in a locker, of those that a token covers. */
function newestNames(locker: Locker, known: KnownToken | undefined): Uint8Array[] {
  const names: Uint8Array[] = [];
  let seen = 0;
  for (const folder of locker.folders.values()) {
    for (const entry of folder.newestFirst()) {
      if (names.length === BATCH_ITEMS_MAX || seen++ === STATUS_LOOKS_MAX) return names;
      if (known === undefined || coversEntry(known, entry)) names.push(entry.block.name);
    }
  }
  return names;
}
