import type { Label } from '../../protocol/frames.ts';
import { BATCH_ITEMS_MAX, BLOCK_BYTES_MAX } from '../../protocol/limits.ts';
import { nameToText } from '../../protocol/names.ts';
import type { WantedBlock } from '../core/io.ts';
import { Channel } from './channel.ts';
import type { Refusal } from './errors.ts';
import { Feed } from './feed.ts';
import type { Hash } from './platform.ts';
import { costOf, type GetResult, plain, verified } from './results.ts';
import { type AccountLike, type NameLike, nameBytes, openerOf, type TokenLike } from './texts.ts';
import type { Call, RequestOutput, Wire } from './wire.ts';

/** A block wanted: its name alone, or more about it. */
export type Wanted = NameLike | WantedByName | WantedByLabel;

interface WantedMore {
  /** Whose locker has it, as in the options of the call, and instead of what they say. */
  readonly token?: TokenLike;
  readonly owner?: AccountLike;
  /** Ms from now after which it is worth nothing and is refused with DEADLINE. Blocks with early deadlines come first. */
  readonly deadlineMs?: number;
}
export interface WantedByName extends WantedMore {
  readonly name: NameLike;
}
/** By label in the `collection` of the call. Its name is what the server says; the companion may tell whether it is right. */
export interface WantedByLabel extends WantedMore {
  readonly label: Label;
  /** If nothing is there under the label yet, wait for it: until the deadline, 30 s at most. Default false: NOT_YET. */
  readonly wait?: boolean;
}

export interface GetSettings {
  readonly keep: boolean;
  readonly collection: Uint8Array | null;
  readonly token: Uint8Array | null;
  readonly deadlineMs: number | null;
  /** Bytes that may wait to be read. */
  readonly bufferBytes: number;
}

/** Blocks under way and unread of one call, whatever their size. */
const WINDOW_ITEMS = 512;

interface WantedItem {
  readonly index: number;
  readonly block: WantedBlock;
  answered: boolean;
}

/**
 * Asks for any number of blocks, in batches, never for more than its reader has room for: bytes under way and unread stay within
 * `bufferBytes`, judged by the largest block that has come.
 */
export class GetCall implements Call {
  readonly startedAtMs: number;
  readonly results: Channel<GetResult>;
  private readonly wire: Wire;
  private readonly settings: GetSettings;
  private readonly ended: () => void;
  private readonly feed: Feed<Wanted>;
  /** Of a list: its places in the order in which they are asked for. */
  private readonly order: readonly number[] | undefined;
  /** Taken from the feed, not asked for. */
  private waiting: WantedItem[] = [];
  /** By handle. */
  private readonly asked = new Map<number, readonly WantedItem[]>();
  private open = 0;
  private unreadBytes = 0;
  private largestBytes = BLOCK_BYTES_MAX;
  private measured = false;
  private taken = 0;
  private flush: unknown;
  private begun = false;
  private over = false;

  /** @param ended - Called once, whatever way it ends. */
  constructor(wire: Wire, wanted: Iterable<Wanted> | AsyncIterable<Wanted>, settings: GetSettings, ended: () => void) {
    this.wire = wire;
    this.settings = settings;
    this.ended = ended;
    this.startedAtMs = wire.clock.nowMs();
    this.results = new Channel(
      (result) => this.read(result),
      () => this.end(),
    );
    const list = Array.isArray(wanted) ? (wanted as readonly Wanted[]) : undefined;
    this.order = list === undefined ? undefined : urgentFirst(list);
    this.feed = new Feed<Wanted>(
      list === undefined ? wanted : this.order!.map((place) => list[place]!),
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
    this.results.fail(error);
    this.end();
  }

  /** As {@link fail}; what is unread is dropped. */
  abort(reason: unknown): void {
    if (this.over) return;
    this.results.abort(reason);
    this.end();
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    for (const handle of this.asked.keys()) this.wire.cancel(handle);
    this.asked.clear();
    this.waiting = [];
    if (this.flush !== undefined) this.wire.clock.clearTimer(this.flush);
    this.wire.gets.forget(this.ask);
    this.feed.close();
    const { open } = this;
    this.open = 0;
    this.wire.gets.give(open);
    this.ended();
  }

  /** How many blocks there is room for. */
  private window(): number {
    const room = Math.floor(this.settings.bufferBytes / this.largestBytes);
    return Math.max(1, Math.min(WINDOW_ITEMS, room));
  }

  private room(): number {
    return this.window() - this.open - this.results.unread;
  }

  /** Takes in what there is room for, and asks for it. */
  private fill(): void {
    if (!this.begun || this.over) return;
    const room = this.room();
    // One by one as room comes would make batches of one.
    if (this.open > 0 && room < this.window() / 2) return;
    while (this.waiting.length < room) {
      const next = this.feed.take();
      if (next !== undefined) this.take(next.value);
      if (this.over) return;
      if (next === undefined) break;
    }
    const mayCome = this.waiting.length < Math.min(room, BATCH_ITEMS_MAX) && !this.feed.ended;
    if (mayCome) this.askSoon();
    else this.ask();
    if (this.open > 0 || this.waiting.length > 0 || !this.feed.ended || this.over) return;
    this.results.end();
    this.end();
  }

  private take(wanted: Wanted): void {
    const place = this.taken++;
    try {
      this.waiting.push({ index: this.order?.[place] ?? place, block: this.blockOf(wanted), answered: false });
    } catch (error) {
      this.fail(error);
    }
  }

  private blockOf(wanted: Wanted): WantedBlock {
    const item: WantedByName | WantedByLabel =
      typeof wanted === 'string' || wanted instanceof Uint8Array ? { name: wanted } : wanted;
    const { token, deadlineMs, collection } = this.settings;
    const withinMs = item.deadlineMs ?? deadlineMs;
    // All of a list were wanted when the call was made; what comes later is wanted from when it comes.
    const fromMs = this.order === undefined ? this.wire.clock.nowMs() : this.startedAtMs;
    const common = {
      token: openerOf(item) ?? token,
      deadlineAtMs: withinMs === null ? null : fromMs + withinMs,
    };
    if (!('label' in item)) return { ...common, name: nameBytes(item.name), label: null };
    if (collection === null) throw new TypeError('a block wanted by label needs the `collection` of the call');
    return { ...common, name: null, label: item.label, wait: item.wait ?? false };
  }

  /** A source that gives one by one may give more at once: these go together. */
  private askSoon(): void {
    if (this.waiting.length === 0 || this.flush !== undefined) return;
    this.flush = this.wire.clock.setTimer(() => {
      this.flush = undefined;
      this.ask();
    }, 0);
  }

  private readonly ask = (): void => {
    while (this.waiting.length > 0 && !this.over) {
      const wanted = Math.min(this.waiting.length, this.room(), BATCH_ITEMS_MAX);
      const count = wanted <= 0 ? 0 : this.wire.gets.take(wanted, this.ask);
      if (count === 0) return;
      const items = this.waiting.splice(0, count);
      this.open += count;
      const { keep, collection } = this.settings;
      const blocks = items.map(({ block }) => block);
      const handle = this.wire.open(
        (handle) => ({ kind: 'get', handle, keep, collection, items: blocks }),
        (output) => this.answer(handle, items, output),
      );
      this.asked.set(handle, items);
    }
  };

  private answer(handle: number, items: readonly WantedItem[], output: RequestOutput): void {
    if (output.kind === 'arrived') {
      const item = items[output.item]!;
      this.settle(item, gotOf(this.wire.hash, item, output));
    } else if (output.kind === 'refused') {
      const refused = output.item === null ? items : [items[output.item]!];
      for (const item of refused) if (!item.answered) this.settle(item, refusedOf(item, output));
    }
    if (output.kind === 'done' || (output.kind === 'refused' && output.item === null)) this.asked.delete(handle);
    this.fill();
  }

  private settle(item: WantedItem, result: GetResult): void {
    item.answered = true;
    this.open--;
    this.wire.gets.give(1);
    if (this.over) return;
    const bytes = costOf(result);
    if (result.ok) this.largestBytes = this.measured ? Math.max(this.largestBytes, bytes) : bytes;
    this.measured ||= result.ok;
    this.unreadBytes += bytes;
    this.results.push(result);
    if (this.unreadBytes > this.settings.bufferBytes) this.takeBack();
  }

  /** Blocks turned out larger than those before: what is under way would not fit any more and is asked for again later. */
  private takeBack(): void {
    if (this.results.unread < 2) return;
    const open: WantedItem[] = [];
    for (const [handle, items] of this.asked) {
      this.wire.cancel(handle);
      open.push(...items.filter((item) => !item.answered));
    }
    this.asked.clear();
    this.waiting.unshift(...open.map(({ index, block }) => ({ index, block, answered: false })));
    this.open -= open.length;
    this.wire.gets.give(open.length);
  }

  private read(result: GetResult): void {
    this.unreadBytes -= costOf(result);
    this.fill();
  }
}

/** The places of a list, those with early deadlines first, else as they stand. */
function urgentFirst(list: readonly Wanted[]): readonly number[] {
  const deadline = (place: number): number => (list[place] as WantedMore).deadlineMs ?? Number.POSITIVE_INFINITY;
  return Array.from(list.keys()).sort((a, b) => (deadline(a) === deadline(b) ? a - b : deadline(a) - deadline(b)));
}

function gotOf(
  hash: Hash,
  { index, block }: WantedItem,
  { labelled, kept, body }: Extract<RequestOutput, { readonly kind: 'arrived' }>,
): GetResult {
  return verified(hash, index, block.name ?? labelled?.name, plain(body as Uint8Array), labelled, kept);
}

function refusedOf({ index, block }: WantedItem, refusal: Refusal): GetResult {
  const { reason, retryAfterMs, otherServer } = refusal;
  const name = block.name === null ? null : nameToText(block.name);
  return { ok: false, item: index, name, reason, retryAfterMs, otherServer };
}
