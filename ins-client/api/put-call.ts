import type { Label } from '../../protocol/frames.ts';
import { OWN_LOCKER, type PutBlock, type Reference } from '../../protocol/ins-messages.ts';
import { BATCH_ITEMS_MAX, BLOCK_BYTES_MAX, COMPANION_BYTES_MAX, MEDIA_TYPE_CHARS_MAX } from '../../protocol/limits.ts';
import { nameOfHash, nameToText } from '../../protocol/names.ts';
import { concatBytes } from '../../protocol/text.ts';
import type { Refusal } from './errors.ts';
import { Feed } from './feed.ts';
import type { PutResult } from './results.ts';
import { UNLABELLED } from './texts.ts';
import { type Call, isLast, type RequestOutput, type Wire } from './wire.ts';

/** A block to put: its bytes alone, or more about it. The bytes must not change until it is stored. */
export type ObjectToPut = Uint8Array | LabelledToPut;

export interface LabelledToPut {
  /** 1 byte to 1 MiB. */
  readonly bytes: Uint8Array;
  /** Where it is filed in the `collection` of the call, for those who get by label or follow. */
  readonly label?: Label;
  /** A reader may start at this part. Default false. */
  readonly start?: boolean;
  /** Goes to readers along with the block; at most 12,288 bytes. */
  readonly companion?: Uint8Array;
  /** RFC 6838, at most 128 characters, such as `video/mp4`. */
  readonly mediaType?: string;
}

export interface PutSettings {
  readonly token: Uint8Array | null;
  readonly collection: Uint8Array | null;
  readonly ttlSeconds: number;
  /** Prove that we have the block before its bytes are sent: the server may hold it already. */
  readonly askFirst: boolean;
}

/** Bytes and blocks of one call that are under way. */
const WINDOW_BYTES = 8 * 1024 * 1024;
const WINDOW_ITEMS = 512;
const NOTHING = new Uint8Array(0);
/** Of a smaller block, asking costs as much as sending. */
const ASK_FIRST_BYTES = 4_096;

interface Putting {
  readonly index: number;
  readonly name: string;
  readonly put: PutBlock;
  readonly bytes: Uint8Array;
  answered: boolean;
}

/** Puts any number of blocks, in batches; takes them from where they come no faster than the server takes them. */
export class PutCall implements Call {
  readonly startedAtMs: number;
  /** In the order of what was put. */
  readonly results: Promise<readonly PutResult[]>;
  private readonly wire: Wire;
  private readonly settings: PutSettings;
  private readonly ended: () => void;
  private readonly feed: Feed<ObjectToPut>;
  private readonly done: PutResult[] = [];
  private readonly asked = new Map<number, readonly Putting[]>();
  private waiting: Putting[] = [];
  private waitingBytes = 0;
  private openItems = 0;
  private openBytes = 0;
  private taken = 0;
  private flush: unknown;
  private begun = false;
  private over = false;
  private resolve!: (results: readonly PutResult[]) => void;
  private reject!: (error: unknown) => void;

  /** @param ended - Called once, whatever way it ends. */
  constructor(
    wire: Wire,
    objects: Iterable<ObjectToPut> | AsyncIterable<ObjectToPut>,
    settings: PutSettings,
    ended: () => void,
  ) {
    this.wire = wire;
    this.settings = settings;
    this.ended = ended;
    this.startedAtMs = wire.clock.nowMs();
    this.results = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.feed = new Feed<ObjectToPut>(
      objects,
      () => this.fill(),
      (error) => this.fail(error),
    );
  }

  begin(): void {
    this.begun = true;
    this.fill();
  }

  fail(error: unknown): void {
    if (this.over) return;
    this.end();
    this.reject(error);
  }

  private end(): void {
    this.over = true;
    for (const handle of this.asked.keys()) this.wire.cancel(handle);
    this.asked.clear();
    this.waiting = [];
    if (this.flush !== undefined) this.wire.clock.clearTimer(this.flush);
    this.wire.putBytes.forget(this.fill);
    this.feed.close();
    const { openBytes } = this;
    this.openBytes = 0;
    this.wire.putBytes.give(openBytes);
    this.ended();
  }

  private readonly fill = (): void => {
    if (!this.begun || this.over) return;
    while (this.hasRoom()) {
      if (this.waiting.length >= BATCH_ITEMS_MAX && !this.ask()) return;
      const next = this.feed.take();
      if (next !== undefined) this.take(next.value);
      if (this.over) return;
      if (next === undefined) break;
    }
    const mayCome = this.hasRoom() && !this.feed.ended;
    if (mayCome) this.askSoon();
    else this.ask();
    if (this.openItems > 0 || this.waiting.length > 0 || !this.feed.ended || this.over) return;
    this.end();
    this.resolve(this.done);
  };

  private hasRoom(): boolean {
    const items = this.openItems + this.waiting.length;
    return items < WINDOW_ITEMS && this.openBytes + this.waitingBytes < WINDOW_BYTES;
  }

  private take(object: ObjectToPut): void {
    const index = this.taken++;
    try {
      const putting = this.puttingOf(index, object instanceof Uint8Array ? { bytes: object } : object);
      this.waiting.push(putting);
      this.waitingBytes += putting.bytes.length;
    } catch (error) {
      this.fail(error);
    }
  }

  private puttingOf(index: number, object: LabelledToPut): Putting {
    const { bytes, label, start = false, companion = NOTHING, mediaType = '' } = object;
    if (!(bytes instanceof Uint8Array) || bytes.length < 1 || bytes.length > BLOCK_BYTES_MAX)
      throw new RangeError(`object ${index} has ${bytes?.length} bytes: cut data into blocks of 1 byte to 1 MiB`);
    if (companion.length > COMPANION_BYTES_MAX)
      throw new RangeError(`the companion of object ${index} has ${companion.length} bytes, more than 12,288`);
    if (label !== undefined && this.settings.collection === null)
      throw new TypeError('a block put under a label needs the `collection` of the call');
    const name = nameOfHash(this.wire.hash.hashOf(bytes));
    if (mediaType.length > MEDIA_TYPE_CHARS_MAX)
      throw new RangeError(`the media type of object ${index} has ${mediaType.length} characters, more than 128`);
    const put = { ...(label ?? labelOf(name)), start, name, sizeBytes: bytes.length, companion, mediaType };
    const reference = this.referenceTo(bytes);
    return { index, name: nameToText(name), put: { ...put, reference }, bytes, answered: false };
  }

  /** Proves that we have a block (PROTOCOL.md, IN16). */
  private referenceTo(bytes: Uint8Array): Reference | null {
    const { proofPrefix, hash } = this.wire;
    if (!this.settings.askFirst || proofPrefix === undefined || bytes.length < ASK_FIRST_BYTES) return null;
    return { token: OWN_LOCKER, proof: hash.hashOf(concatBytes(proofPrefix, bytes)) };
  }

  private askSoon(): void {
    if (this.waiting.length === 0 || this.flush !== undefined) return;
    this.flush = this.wire.clock.setTimer(() => {
      this.flush = undefined;
      this.ask();
    }, 0);
  }

  /** @returns False when other calls have to be waited for. */
  private ask(): boolean {
    if (this.waiting.length === 0 || this.over) return true;
    if (this.wire.putBytes.take(1, this.fill) === 0) return false;
    this.wire.putBytes.overdraw(this.waitingBytes - 1);
    const items = this.waiting;
    this.openItems += items.length;
    this.openBytes += this.waitingBytes;
    this.waiting = [];
    this.waitingBytes = 0;
    const { token, ttlSeconds } = this.settings;
    const collection = this.settings.collection ?? UNLABELLED;
    const handle = this.wire.open(
      (handle) => ({
        kind: 'put',
        handle,
        token,
        collection,
        ttlSeconds,
        items: items.map(({ put }) => put),
        bodies: items.map(({ bytes }) => bytes),
      }),
      (output) => this.answer(handle, items, output),
    );
    this.asked.set(handle, items);
    return true;
  }

  private answer(handle: number, items: readonly Putting[], output: RequestOutput): void {
    if (isLast(output)) this.asked.delete(handle);
    if (output.kind === 'stored') for (const at of output.items) this.settle(items[at]!);
    else if (output.kind === 'refused') {
      const refused = output.item === null ? items : [items[output.item]!];
      for (const item of refused) if (!item.answered) this.refused(item, output);
    }
    this.fill();
  }

  private refused(item: Putting, refusal: Refusal): void {
    if (item.put.reference === null || refusal.reason !== 'NO_OBJECT') {
      this.settle(item, refusal);
      return;
    }
    // The server does not hold it: its bytes have to be sent.
    this.openItems--;
    this.openBytes -= item.bytes.length;
    this.wire.putBytes.give(item.bytes.length);
    item.answered = true;
    this.waiting.push({ ...item, put: { ...item.put, reference: null }, answered: false });
    this.waitingBytes += item.bytes.length;
  }

  private settle(item: Putting, refusal?: Refusal): void {
    if (this.over) return;
    const { index, name, bytes } = item;
    item.answered = true;
    this.openItems--;
    this.openBytes -= bytes.length;
    this.done[index] =
      refusal === undefined
        ? { ok: true, item: index, name }
        : {
            ok: false,
            item: index,
            name,
            reason: refusal.reason,
            retryAfterMs: refusal.retryAfterMs,
            otherServer: refusal.otherServer,
          };
    this.wire.putBytes.give(bytes.length);
  }
}

/**
 * A locker files everything under a label. That of a block without one is cut out of its name: the same block, the same label. In the
 * upper half of the parts is room for those that servers number themselves (plain HTTP).
 */
function labelOf(name: Uint8Array): Label {
  const byte = (at: number): number => name[at]!;
  const part = ((byte(2) << 24) | (byte(3) << 16) | (byte(4) << 8) | byte(5)) >>> 0;
  return { track: byte(1) & 0x0f, part: part >>> 1, index: (byte(6) << 8) | byte(7) };
}
