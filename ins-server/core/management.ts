import type { DeleteItem, StatusItem } from '../../protocol/ins-messages.ts';
import { BATCH_ITEMS_MAX } from '../../protocol/limits.ts';
import { REASONS } from '../../protocol/reasons.ts';
import { bytesKey } from '../../protocol/text.ts';
import { OPERATION } from '../../protocol/token.ts';
import type { Filing } from './filing.ts';
import type { FiledAt } from './io.ts';
import { RETRY_MS } from './limits.ts';
import type { Account, BatchRequest } from './links.ts';
import type { Locker } from './locker.ts';
import type { Replies } from './replies.ts';
import type { Sender } from './sender.ts';
import type { Entry } from './shelf.ts';
import { placeOfEntry, type Storage } from './storage.ts';
import type { TokenPolicy } from './token-policy.ts';
import { coversEntry, type KnownToken } from './tokens.ts';
import type { Wallet } from './wallet.ts';

export interface ManagementOptions {
  readonly replies: Replies;
  readonly storage: Storage;
  readonly sender: Sender;
  readonly wallet: Wallet;
  readonly filing: Filing;
  readonly policy: TokenPolicy;
}

/** The deletes and statuses of batches. */
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
    replies.send(call.link, { type: 'usage', request, item, objects, usedBytes, quotaBytes, names });
    sender.answered(call);
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
  for (const folder of locker.folders.values()) {
    for (const entry of folder.newestFirst()) {
      if (names.length === BATCH_ITEMS_MAX) return names;
      if (known === undefined || coversEntry(known, entry)) names.push(entry.block.name);
    }
  }
  return names;
}
