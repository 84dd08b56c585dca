import type { Body } from '../../machine/machine.ts';
import type { BatchMessage } from '../../protocol/ins-messages.ts';
import { BATCH_ITEMS_MAX, CONTROL_BYTES_MAX } from '../../protocol/limits.ts';
import { sameBytes } from '../../protocol/text.ts';
import type { HeldToken } from './aliases.ts';
import type { InsClientInput, WantedBlock } from './io.ts';

/** What callers have asked for, item by item, and has not been answered. Calls outlive connections. */

type Get = Extract<InsClientInput, { readonly kind: 'get' }>;

/** The lists of a batch; what is asked stands in them in this order. */
const LISTS = ['gets', 'puts', 'deletes', 'statuses', 'describes'] as const;
type List = (typeof LISTS)[number];

/** What one item asks. */
export type Ask = { readonly [L in List]: AskOf<L> }[List];
export interface AskOf<L extends List> {
  readonly list: L;
  /** As the batch says it, under the number of its token. */
  readonly item: (token: number, nowMs: number) => BatchMessage[L][number];
  /** What answers it, beside a refusal. */
  readonly answer: 'block' | 'stored' | 'deleted' | 'usage' | 'attributes';
  /** Null for our own locker. */
  readonly token: Uint8Array | null;
  /** Unix ms; infinite for none. */
  readonly deadlineAtMs: number;
  /** The bytes that follow the batch. */
  readonly body: Body | null;
  /** What it takes in the message beside what all take. */
  readonly messageBytes: number;
}

/** Most items have neither. */
export const PLAIN = { deadlineAtMs: Number.POSITIVE_INFINITY, body: null, messageBytes: 0 } as const;

/** A call as its caller makes it, taken apart. */
export interface Asked {
  readonly handle: number;
  readonly envelope: Envelope;
  readonly asks: readonly Ask[];
}

export interface Item {
  readonly call: ItemCall;
  readonly index: number;
  readonly ask: Ask;
  readonly token: HeldToken | null;
  answered: boolean;
}

/** What a batch says once for all its items; null where no item of it has need of that. */
export interface Envelope {
  readonly keep: boolean | null;
  readonly deliver: boolean | null;
  readonly collection: Uint8Array | null;
  readonly ttlSeconds: number | null;
}

export interface ItemCall {
  readonly handle: number;
  readonly envelope: Envelope;
  readonly items: readonly Item[];
  left: number;
}

/** The items of a call. `hold` notes that an item needs a token. */
export function itemCall(asked: Asked, hold: (token: Uint8Array | null) => HeldToken | null): ItemCall {
  const { handle, envelope, asks } = asked;
  const items: Item[] = [];
  const call: ItemCall = { handle, envelope, items, left: asks.length };
  for (const [index, ask] of asks.entries()) {
    items.push({ call, index, ask, token: hold(ask.token), answered: false });
  }
  return call;
}

export const NO_ENVELOPE: Envelope = { keep: null, deliver: null, collection: null, ttlSeconds: null };

/** Takes a get apart, the one call of items that viewers make. */
export function getCall({ handle, keep, deliver = true, collection, items }: Get): Asked {
  const asks = items.map((block): Ask => {
    const { token, deadlineAtMs } = block;
    return {
      ...PLAIN,
      ...{ list: 'gets', answer: deliver ? 'block' : 'stored', token },
      deadlineAtMs: deadlineAtMs ?? PLAIN.deadlineAtMs,
      item: (alias, nowMs) => getItem(alias, block, nowMs),
    };
  });
  return { handle, envelope: { ...NO_ENVELOPE, keep, deliver, collection }, asks };
}

function getItem(token: number, block: WantedBlock, nowMs: number): BatchMessage['gets'][number] {
  const { name, label, deadlineAtMs, wait = false, priority = 'normal' } = block;
  const deadlineMs = deadlineAtMs === null ? 0 : Math.max(1, Math.floor(deadlineAtMs - nowMs));
  return { token, deadlineMs, name, label, wait, priority };
}

/** What a batch says of its items, list by list. */
export function listsOf(
  items: readonly Item[],
  aliasOf: (token: HeldToken | null) => number,
  nowMs: number,
): Pick<BatchMessage, List> {
  const lists: { readonly [L in List]: BatchMessage[L][number][] } = {
    ...{ gets: [], puts: [], deletes: [], statuses: [], describes: [] },
  };
  for (const { ask, token } of items) (lists[ask.list] as unknown[]).push(ask.item(aliasOf(token), nowMs));
  return lists;
}

/** Items that travel as one request, in the order of their kinds. */
export interface Batch {
  readonly envelope: Envelope;
  readonly items: readonly Item[];
  /** The earliest deadline in it, Unix ms. */
  readonly byAtMs: number;
  /** Blocks that the server has to send, bytes of blocks that it has to take in, and bytes of the message, about. */
  readonly gets: number;
  readonly putBytes: number;
  readonly messageBytes: number;
}

/** Bytes of the puts of one batch: small enough that other requests get their turn. */
const PUT_BATCH_BYTES = 4 * 1024 * 1024;
/** Bytes of the message; companions can be long. */
const MESSAGE_BYTES = CONTROL_BYTES_MAX - 8_192;
/** What an item takes in it besides its companion. */
const ITEM_BYTES = 96;

/** Cuts items of one call into batches. */
export function batchesOf(envelope: Envelope, items: readonly Item[]): Batch[] {
  const batches: Batch[] = [];
  let growing = new GrowingBatch(envelope);
  for (const item of items) {
    if (!growing.fits([item], bytesOf(item), messageBytesOf(item))) {
      batches.push(growing.done());
      growing = new GrowingBatch(envelope);
    }
    growing.add(item);
  }
  if (!growing.isEmpty) batches.push(growing.done());
  return batches;
}

function bytesOf({ ask }: Item): number {
  return ask.body?.byteLength ?? 0;
}

function messageBytesOf({ ask }: Item): number {
  return ITEM_BYTES + ask.messageBytes;
}

/** A batch in the making. */
export class GrowingBatch {
  private envelope: Envelope;
  private readonly items: Item[] = [];
  private byAtMs = Number.POSITIVE_INFINITY;
  private gets = 0;
  private putBytes = 0;
  private messageBytes = 0;

  constructor(envelope: Envelope) {
    this.envelope = envelope;
  }

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  /** Whether so many more items, bytes of puts and bytes of the message may join. One item may always stand alone. */
  fits(items: readonly Item[], putBytes: number, messageBytes: number): boolean {
    if (this.isEmpty) return true;
    if (this.items.length + items.length > BATCH_ITEMS_MAX) return false;
    return this.putBytes + putBytes <= PUT_BATCH_BYTES && this.messageBytes + messageBytes <= MESSAGE_BYTES;
  }

  add(item: Item): void {
    this.items.push(item);
    this.byAtMs = Math.min(this.byAtMs, item.ask.deadlineAtMs);
    if (item.ask.list === 'gets') this.gets++;
    this.putBytes += bytesOf(item);
    this.messageBytes += messageBytesOf(item);
  }

  /** Takes in another batch; false when the two cannot go as one. */
  join(batch: Batch): boolean {
    const envelope = joinedEnvelope(this.envelope, batch.envelope);
    if (envelope === undefined || !this.fits(batch.items, batch.putBytes, batch.messageBytes)) return false;
    this.envelope = envelope;
    for (const item of batch.items) this.add(item);
    return true;
  }

  done(): Batch {
    const { envelope, byAtMs, gets, putBytes, messageBytes } = this;
    const items = this.items.sort((a, b) => LISTS.indexOf(a.ask.list) - LISTS.indexOf(b.ask.list));
    return { envelope, items, byAtMs, gets, putBytes, messageBytes };
  }
}

function joinedEnvelope(a: Envelope, b: Envelope): Envelope | undefined {
  if (a === b) return a;
  const differ = <T>(x: T | null, y: T | null): boolean => x !== null && y !== null && x !== y;
  if (differ(a.keep, b.keep) || differ(a.deliver, b.deliver) || differ(a.ttlSeconds, b.ttlSeconds)) return undefined;
  if (a.collection !== null && b.collection !== null && !sameBytes(a.collection, b.collection)) return undefined;
  return {
    keep: a.keep ?? b.keep,
    deliver: a.deliver ?? b.deliver,
    collection: a.collection ?? b.collection,
    ttlSeconds: a.ttlSeconds ?? b.ttlSeconds,
  };
}
