import { Heap } from '../../../ins-client/core/heap.ts';
import type { Label } from '../../../protocol/frames.ts';
import { WAIT_SECONDS_MAX } from '../../../protocol/limits.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import { DRAINING_RETRY_MS, RETRY_MS, WAITS_MAX } from '../limits.ts';
import type { BatchRequest, Link, WantedItem } from '../links.ts';
import type { Sender } from '../sending/sender.ts';
import type { Folder, Locker } from '../storage/locker.ts';
import type { Entry } from '../storage/shelf.ts';
import { coversCollection, coversEntry, expired, type KnownToken, lackOf } from '../tokens/tokens.ts';

/** A get by label of what is not there yet. */
export interface Waiter {
  readonly wanted: WantedItem;
  readonly known: KnownToken | undefined;
  readonly folder: Folder;
  readonly place: string;
  readonly untilMs: number;
  /** It was answered, or nobody wants the answer any more. */
  over: boolean;
}

/** Gets that wait for labels: answered when a block comes under theirs, or at their deadlines. */
export class Waits {
  private readonly due = new Heap<Waiter>();
  private size = 0;
  private readonly sender: Sender;

  constructor(sender: Sender) {
    this.sender = sender;
  }

  get count(): number {
    return this.size;
  }

  /** @returns Why it may not wait, if so. */
  add(
    wanted: WantedItem,
    known: KnownToken | undefined,
    folder: Folder,
    label: Label,
    nowMs: number,
  ): Waiter | 'OVERLOAD' {
    const { link } = wanted.call;
    if (this.size >= WAITS_MAX || link.waits.size + link.queue.size >= link.budget.blocks) return 'OVERLOAD';
    const untilMs = Math.min(wanted.deadlineAtMs ?? Number.POSITIVE_INFINITY, nowMs + WAIT_SECONDS_MAX * 1000);
    const waiter: Waiter = { wanted, known, folder, place: placeKey(label), untilMs, over: false };
    const others = folder.waiting.get(waiter.place);
    if (others === undefined) folder.waiting.set(waiter.place, new Set([waiter]));
    else others.add(waiter);
    link.waits.add(waiter);
    this.due.push(untilMs, waiter);
    this.size++;
    // What was answered long before its deadline would pile up.
    if (this.due.size > 2 * this.size + 64) this.due.remove(({ over }) => over);
    return waiter;
  }

  /** A block has come into a folder. */
  came(folder: Folder, entry: Entry, nowMs: number): void {
    const waiters = folder.waiting.get(placeKey(entry.labelled));
    if (waiters === undefined) return;
    for (const waiter of [...waiters]) {
      const { wanted, known } = waiter;
      this.end(waiter);
      if (known !== undefined && expired(known, nowMs)) this.refuse(wanted, 'TOKEN_EXPIRED', 0);
      else if (known === undefined || coversEntry(known, entry)) this.sender.queueItem(wanted, entry, nowMs);
      else this.refuse(wanted, lackOf(known), 0);
    }
  }

  /** Those who wait for a label will not get it. */
  refuseAll(folder: Folder, label: Label, reason: Reason, retryMs: number): void {
    for (const waiter of [...(folder.waiting.get(placeKey(label)) ?? [])]) {
      this.end(waiter);
      this.refuse(waiter.wanted, reason, retryMs);
    }
  }

  /** The owner of a locker has closed something in it: who waited there without a token will not get it. */
  review(locker: Locker): void {
    for (const folder of locker.folders.values()) {
      for (const waiter of [...folder.waiting.values()].flatMap((waiters) => [...waiters])) {
        const { known, wanted } = waiter;
        if (known?.open === undefined || coversCollection(known, folder.key)) continue;
        this.end(waiter);
        this.refuse(wanted, lackOf(known), 0);
      }
    }
  }

  /** When the last of those who wait for a label stops; undefined when nobody does. */
  lastUntilMs(folder: Folder, label: Label): number | undefined {
    const waiters = folder.waiting.get(placeKey(label));
    return waiters === undefined ? undefined : Math.max(...[...waiters].map(({ untilMs }) => untilMs));
  }

  /** The tokens of those who wait for a label. */
  tokens(folder: Folder, label: Label): KnownToken[] {
    return [...(folder.waiting.get(placeKey(label)) ?? [])].flatMap(({ known }) => known ?? []);
  }

  /** A request was cancelled, or (undefined) its link is gone. */
  forget(link: Link, call?: BatchRequest): void {
    for (const waiter of [...link.waits]) if (call === undefined || waiter.wanted.call === call) this.end(waiter);
  }

  /** The server is to stop: what is waited for comes no more, or not here. */
  stop(otherServer: () => string | null): void {
    for (let waiter = this.due.pop(); waiter !== undefined; waiter = this.due.pop()) {
      const { call, item } = waiter.wanted;
      if (waiter.over) continue;
      this.end(waiter);
      if (!call.ended) this.sender.refuseItem(call, item, 'DRAINING', DRAINING_RETRY_MS, otherServer());
    }
  }

  nextDeadline(): number | undefined {
    while (this.due.peek()?.over === true) this.due.pop();
    return this.due.peekKey();
  }

  timeout(nowMs: number): void {
    for (let atMs = this.nextDeadline(); atMs !== undefined && atMs <= nowMs; atMs = this.nextDeadline()) {
      const waiter = this.due.pop()!;
      this.end(waiter);
      const { deadlineAtMs } = waiter.wanted;
      if (deadlineAtMs !== null && deadlineAtMs <= nowMs) this.refuse(waiter.wanted, 'DEADLINE', 0);
      else this.refuse(waiter.wanted, 'NOT_YET', RETRY_MS);
    }
  }

  private refuse({ call, item }: WantedItem, reason: Reason, retryMs: number): void {
    if (!call.ended) this.sender.refuseItem(call, item, reason, retryMs);
  }

  private end(waiter: Waiter): void {
    if (waiter.over) return;
    waiter.over = true;
    this.size--;
    const { folder, place, wanted } = waiter;
    wanted.call.link.waits.delete(waiter);
    const waiters = folder.waiting.get(place);
    waiters?.delete(waiter);
    if (waiters?.size === 0) folder.waiting.delete(place);
  }
}

function placeKey({ track, part, index }: Label): string {
  return `${track}:${part}:${index}`;
}
