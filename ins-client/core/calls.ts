import type { Body } from '../../machine/machine.ts';
import type { PutBlock } from '../../protocol/ins-messages.ts';
import { BATCH_ITEMS_MAX, CONTROL_BYTES_MAX } from '../../protocol/limits.ts';
import { sameBytes } from '../../protocol/text.ts';
import type { HeldToken } from './aliases.ts';
import type { InsClientInput, SetAttributes, WantedBlock } from './io.ts';

/** What callers have asked for, item by item, and has not been answered. Calls outlive connections. */

type Input<Kind extends InsClientInput['kind']> = Extract<InsClientInput, { readonly kind: Kind }>;
export type ItemsInput = Input<'get' | 'put' | 'delete' | 'status' | 'describe'>;

/** What one item asks. The kinds stand in a batch in this order. */
export type Ask =
  | { readonly kind: 'get'; readonly block: WantedBlock }
  | { readonly kind: 'put'; readonly put: PutBlock; readonly body: Body }
  | { readonly kind: 'delete'; readonly name: Uint8Array }
  | { readonly kind: 'status' }
  | { readonly kind: 'describe'; readonly name: Uint8Array; readonly set: SetAttributes | null };
const ORDER = { get: 0, put: 1, delete: 2, status: 3, describe: 4 } as const;

export interface Item {
  readonly call: ItemCall;
  readonly index: number;
  readonly ask: Ask;
  /** Null for our own locker. */
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

/** Takes a call apart. `hold` notes that an item needs a token. */
export function itemCall(input: ItemsInput, hold: (token: Uint8Array | null) => HeldToken | null): ItemCall {
  const items: Item[] = [];
  const call: ItemCall = { handle: input.handle, envelope: envelopeOf(input), items, left: 0 };
  for (const { ask, token } of asksOf(input)) {
    items.push({ call, index: items.length, ask, token: hold(token), answered: false });
  }
  call.left = items.length;
  return call;
}

const NO_ENVELOPE: Envelope = { keep: null, deliver: null, collection: null, ttlSeconds: null };

function envelopeOf(input: ItemsInput): Envelope {
  switch (input.kind) {
    case 'get':
      return { ...NO_ENVELOPE, keep: input.keep, deliver: input.deliver ?? true, collection: input.collection };
    case 'put':
      return { ...NO_ENVELOPE, collection: input.collection, ttlSeconds: input.ttlSeconds };
    case 'delete':
    case 'status':
    case 'describe':
      return NO_ENVELOPE;
  }
}

function asksOf(input: ItemsInput): { readonly ask: Ask; readonly token: Uint8Array | null }[] {
  switch (input.kind) {
    case 'get':
      return input.items.map((block) => ({ ask: { kind: 'get', block }, token: block.token }));
    case 'put':
      return input.items.map((put, at) => {
        return { ask: { kind: 'put', put, body: input.bodies[at]! }, token: input.token ?? null };
      });
    case 'delete':
      return input.names.map((name) => ({ ask: { kind: 'delete', name }, token: input.token }));
    case 'status':
      return [{ ask: { kind: 'status' }, token: input.token }];
    case 'describe':
      return [{ ask: { kind: 'describe', name: input.name, set: input.set }, token: input.token }];
  }
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

export function deadlineOf({ ask }: Item): number {
  return (ask.kind === 'get' ? ask.block.deadlineAtMs : null) ?? Number.POSITIVE_INFINITY;
}

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

/** The server is to have the block already: its bytes do not follow. */
export function isReference({ reference = null }: PutBlock): boolean {
  return reference !== null;
}

function bytesOf({ ask }: Item): number {
  return ask.kind === 'put' && !isReference(ask.put) ? ask.body.byteLength : 0;
}

function messageBytesOf({ ask }: Item): number {
  return ITEM_BYTES + (ask.kind === 'put' ? ask.put.companion.length : 0);
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
    this.byAtMs = Math.min(this.byAtMs, deadlineOf(item));
    if (item.ask.kind === 'get') this.gets++;
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
    const items = this.items.sort((a, b) => ORDER[a.ask.kind] - ORDER[b.ask.kind]);
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
