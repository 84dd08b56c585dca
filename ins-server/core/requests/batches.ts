import type { BatchMessage } from '../../../protocol/ins-messages.ts';
import type { Account, BatchRequest, Link } from '../links.ts';
import type { Sender } from '../sending/sender.ts';
import type { Gets } from './gets.ts';
import type { Management } from './management.ts';
import type { Puts } from './puts.ts';

/** Items of a batch, over all its lists. */
export function sizeOf({ gets, puts, deletes, statuses, describes }: BatchMessage): number {
  return gets.length + puts.length + deletes.length + statuses.length + describes.length;
}

/** Batches: each item goes its own way, numbered through the lists; `done` comes behind the last answer. */
export class Batches {
  private readonly sender: Sender;
  private readonly gets: Gets;
  private readonly puts: Puts;
  private readonly management: Management;

  constructor(sender: Sender, gets: Gets, puts: Puts, management: Management) {
    this.sender = sender;
    this.gets = gets;
    this.puts = puts;
    this.management = management;
  }

  begin(link: Link, account: Account, message: BatchMessage, nowMs: number): void {
    const { request, keep, deliver, gets, puts, deletes, statuses, describes } = message;
    const call: BatchRequest = {
      kind: 'batch',
      link,
      request,
      keep: keep && !link.server,
      deliver,
      // One more than there are, until all have been looked at.
      left: sizeOf(message) + 1,
      puts: undefined,
      ended: false,
    };
    link.requests.set(request, call);
    let next = 0;
    for (const item of gets) this.gets.get(call, account, next++, item, message.collection, nowMs);
    if (puts.length > 0) this.puts.begin(call, account, message, next, nowMs);
    next += puts.length;
    for (const item of deletes) this.management.delete(call, account, next++, item, nowMs);
    for (const item of statuses) this.management.status(call, account, next++, item, nowMs);
    for (const item of describes) this.management.describe(call, account, next++, item, nowMs);
    this.sender.answered(call);
  }
}
