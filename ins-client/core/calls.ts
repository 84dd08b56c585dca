import type { Body } from '../../machine/machine.ts';
import type { Label, Labelled } from '../../protocol/frames.ts';
import type { PutBlock } from '../../protocol/ins-messages.ts';
import { BATCH_ITEMS_MAX, CONTROL_BYTES_MAX } from '../../protocol/limits.ts';
import type { HeldToken } from './aliases.ts';

/** What callers have asked for and has not been answered. Calls outlive connections. */

interface Item {
  readonly index: number;
  answered: boolean;
}

export interface GetCallItem extends Item {
  readonly token: HeldToken | null;
  readonly name: Uint8Array | null;
  readonly label: Label | null;
  readonly deadlineAtMs: number | null;
}

export interface GetCall {
  readonly kind: 'get';
  readonly handle: number;
  readonly keep: boolean;
  readonly collection: Uint8Array | null;
  readonly items: readonly GetCallItem[];
  left: number;
}

export interface PutCallItem extends Item {
  readonly put: PutBlock;
  readonly body: Body;
}

export interface PutCall {
  readonly kind: 'put';
  readonly handle: number;
  readonly collection: Uint8Array;
  readonly ttlSeconds: number;
  readonly items: readonly PutCallItem[];
  left: number;
}

export interface FollowCall {
  readonly kind: 'follow';
  readonly handle: number;
  readonly keep: boolean;
  readonly token: HeldToken | null;
  readonly collection: Uint8Array;
  readonly tracks: readonly number[];
  readonly from: number;
  /** Its number on the present connection; 0 when it is not running. */
  wire: number;
  arrived: number;
  readonly progress: Progress;
}

export type Call = GetCall | PutCall | FollowCall;

/** Part of a get or a put that travels as one request. */
export interface Batch {
  readonly call: GetCall | PutCall;
  /** Which of the call's items, by their place in the batch. */
  readonly items: readonly number[];
  /** The earliest deadline in it. */
  readonly byAtMs: number;
  readonly bytes: number;
}

/** Bytes of one batch of puts: small enough that other requests get their turn. */
const PUT_BATCH_BYTES = 4 * 1024 * 1024;
/** Bytes of the message before them; companions can be long. */
const PUT_MESSAGE_BYTES = CONTROL_BYTES_MAX - 8_192;
/** What an item takes in it besides its companion. */
const PUT_ITEM_BYTES = 64;

/** Cuts what is left unanswered of a call into batches. */
export function batchesOf(call: GetCall | PutCall): Batch[] {
  return call.kind === 'get' ? getBatches(call) : putBatches(call);
}

function getBatches(call: GetCall): Batch[] {
  const open = call.items.filter((item) => !item.answered);
  const batches: Batch[] = [];
  for (let at = 0; at < open.length; at += BATCH_ITEMS_MAX) {
    const items = open.slice(at, at + BATCH_ITEMS_MAX);
    const byAtMs = Math.min(...items.map((item) => item.deadlineAtMs ?? Number.POSITIVE_INFINITY));
    batches.push({ call, items: items.map((item) => item.index), byAtMs, bytes: 0 });
  }
  return batches;
}

function putBatches(call: PutCall): Batch[] {
  const batches: Batch[] = [];
  let items: number[] = [];
  let bytes = 0;
  let messageBytes = 0;
  const cut = (): void => {
    if (items.length > 0) batches.push({ call, items, byAtMs: Number.POSITIVE_INFINITY, bytes });
    items = [];
    bytes = 0;
    messageBytes = 0;
  };
  for (const { index, answered, put, body } of call.items) {
    if (answered) continue;
    const itemBytes = put.companion.length + PUT_ITEM_BYTES;
    const full = bytes + body.byteLength > PUT_BATCH_BYTES || messageBytes + itemBytes > PUT_MESSAGE_BYTES;
    if (full || items.length === BATCH_ITEMS_MAX) cut();
    items.push(index);
    bytes += body.byteLength;
    messageBytes += itemBytes;
  }
  cut();
  return batches;
}

/** Parts by which a track may lag behind the newest one and still be waited for after a reconnect. */
const LAG_PARTS_MAX = 64;

/** Newest parts of a track whose blocks are remembered one by one. */
const RECENT_PARTS = 16;

/** What a follow has brought: after a reconnect it goes on behind that, and what comes twice is not told twice. */
export class Progress {
  /** By track: the newest parts, and which blocks of them have come. */
  private readonly recent = new Map<number, Map<number, Set<number>>>();
  private resumed = false;

  /** Notes a block; false when it was there before. */
  note({ track, part, index }: Labelled): boolean {
    let parts = this.recent.get(track);
    if (parts === undefined) {
      parts = new Map();
      this.recent.set(track, parts);
    }
    const seen = parts.get(part);
    if (seen !== undefined) {
      if (seen.has(index)) return false;
      seen.add(index);
      return true;
    }
    if (parts.size === RECENT_PARTS) {
      const oldest = Math.min(...parts.keys());
      // Older than what is remembered: after a reconnect it can only be a repetition.
      if (part < oldest) return !this.resumed;
      parts.delete(oldest);
    }
    parts.set(part, new Set([index]));
    return true;
  }

  /** From where to go on after a reconnect; `from` when nothing has come. */
  resumeFrom(from: number): number {
    const newest = [...this.recent.values()].map((parts) => Math.max(...parts.keys()));
    if (newest.length === 0) return from;
    this.resumed = true;
    const last = Math.max(...newest);
    // The newest part of a track may lack blocks, so it is asked for again. A track that has ended holds nobody back.
    return Math.min(...newest.filter((part) => part >= last - LAG_PARTS_MAX));
  }
}
