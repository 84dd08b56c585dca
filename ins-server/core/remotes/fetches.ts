import { Heap } from '../../../ins-client/core/heap.ts';
import type { WantedBlock } from '../../../ins-client/core/io.ts';
import type { InsCallerOutput } from '../../../ins-client/core/world.ts';
import type { Body } from '../../../machine/machine.ts';
import type { Label, Labelled } from '../../../protocol/frames.ts';
import { HASH_BYTES } from '../../../protocol/names.ts';
import { REASONS, type Reason } from '../../../protocol/reasons.ts';
import { bytesKey, sameBytes } from '../../../protocol/text.ts';
import {
  ERRANDS_PER_ACCOUNT_MAX,
  FETCHES_MAX,
  REMOTE_MS,
  REMOTE_MS_MIN,
  RETRY_MS,
  UPSTREAM_PAUSE_MS,
} from '../limits.ts';
import type { WantedItem } from '../links.ts';
import type { Folder } from '../storage/locker.ts';
import type { Entry } from '../storage/shelf.ts';
import { coversEntry, type KnownToken } from '../tokens/tokens.ts';
import { passedOn, type RemoteParts } from './parts.ts';
import type { Upstream } from './upstreams.ts';

/** Which block is wanted from another server. */
export interface RemoteItem {
  readonly name: Uint8Array | null;
  readonly label: Label | null;
  readonly collection: Uint8Array | null;
}

interface Asker {
  readonly wanted: WantedItem;
  readonly known: KnownToken;
  /** What is told when no other server has it: why it is not in the locker here; undefined where there is none. */
  readonly otherwise: Reason | undefined;
  over: boolean;
}

/** One block on its way here, however many have asked for it. */
interface Fetch {
  readonly key: string;
  readonly ownerKey: string;
  readonly item: RemoteItem;
  readonly askers: Asker[];
  /** Where gets wait for it to be put; undefined for what has to be there. */
  readonly waitedIn: Folder | undefined;
  /** The token under which it is fetched. */
  known: KnownToken;
  /** Servers that do not have it, and tokens that do not open it. */
  readonly tried: Set<string>;
  askedAtMs: number;
  byAtMs: number;
}

/** What is asked of one server. */
interface Asked {
  /** Fetches that go out with the next batch. */
  outbox: Fetch[];
  readonly batches: Map<number, readonly Fetch[]>;
}

const NO_COLLECTION = new Uint8Array(HASH_BYTES);

/**
 * Single blocks from other servers: one fetch however many ask. A block is checked whole before it goes on, kept as a copy until
 * its original ends, and given only to those whose own token covers it. What one server does not have is asked of the next that
 * the token names.
 */
export class RemoteFetches {
  remoteBlocks = 0;
  remoteBytes = 0;
  private readonly asked = new Map<Upstream, Asked>();
  private readonly fetches = new Map<string, Fetch>();
  private readonly unsent = new Set<Upstream>();
  private readonly due = new Heap<Asker>();
  private readonly parts: RemoteParts;

  constructor(parts: RemoteParts) {
    this.parts = parts;
  }

  /**
   * Wants a block that is not here for one item of a batch; the item is answered when it comes, or refused in time.
   *
   * @param otherwise - The reason to give when nobody has it.
   */
  fetch(wanted: WantedItem, item: RemoteItem, known: KnownToken, nowMs: number, otherwise?: Reason): void {
    const account = wanted.call.link.account!;
    const asker: Asker = { wanted, known, otherwise, over: false };
    if (account.errands >= ERRANDS_PER_ACCOUNT_MAX) {
      this.parts.sender.refuseItem(wanted.call, wanted.item, 'OVERLOAD', RETRY_MS);
      return;
    }
    account.errands++;
    const key = fetchKey(known.ownerKey, item);
    const running = this.fetches.get(key);
    if (running !== undefined) running.askers.push(asker);
    else {
      const untilMs = wanted.deadlineAtMs ?? nowMs + REMOTE_MS;
      const byAtMs = Math.min(Math.max(untilMs, nowMs + REMOTE_MS_MIN), nowMs + REMOTE_MS);
      const reason = this.begin(key, item, known, [asker], undefined, byAtMs, nowMs);
      if (reason !== undefined) {
        this.refuse(asker, reason, REASONS[reason].retry ? RETRY_MS : 0);
        return;
      }
    }
    if (wanted.deadlineAtMs !== null) this.due.push(wanted.deadlineAtMs, asker);
    // What was answered long before its deadline would pile up.
    if (this.due.size > 2 * FETCHES_MAX) this.due.remove(({ over }) => over);
  }

  /** Has the other server wait for a label that gets wait for in a folder of copies. */
  awaits(folder: Folder, label: Label, known: KnownToken, nowMs: number): void {
    const item = { name: null, label, collection: folder.collection };
    const key = `w${fetchKey(known.ownerKey, item)}`;
    // Of thousands who wait for the same, each finds it asked for.
    if (this.fetches.has(key)) return;
    const untilMs = this.parts.sender.waits.lastUntilMs(folder, label);
    if (untilMs === undefined) return;
    const reason = this.begin(key, item, known, [], folder, untilMs, nowMs);
    if (reason !== undefined) this.endWait(folder, label, reason, REASONS[reason].retry ? RETRY_MS : 0);
  }

  /** Sends what has gathered since the last time. */
  flush(nowMs: number): void {
    for (const upstream of this.unsent) {
      const asked = this.askedOf(upstream);
      const byCollection = new Map<string, Fetch[]>();
      for (const fetch of asked.outbox) {
        const key = fetch.item.label === null ? '' : bytesKey(fetch.item.collection!);
        const batch = byCollection.get(key);
        if (batch === undefined) byCollection.set(key, [fetch]);
        else batch.push(fetch);
      }
      asked.outbox = [];
      for (const batch of byCollection.values()) this.sendBatch(upstream, batch, nowMs);
    }
    this.unsent.clear();
  }

  nextDeadline(): number | undefined {
    while (this.due.peek()?.over === true) this.due.pop();
    return this.due.peekKey();
  }

  /** Those who wanted it sooner than it came are told so. */
  timeout(nowMs: number): void {
    for (let atMs = this.nextDeadline(); atMs !== undefined && atMs <= nowMs; atMs = this.nextDeadline()) {
      const asker = this.due.pop()!;
      this.finish(asker);
      const { call, item } = asker.wanted;
      if (!call.ended) this.parts.sender.refuseItem(call, item, 'DEADLINE');
    }
  }

  /** Forgets what nobody waits for any more. */
  sweep(): void {
    for (const { key, waitedIn, item } of this.fetches.values()) {
      if (waitedIn === undefined) continue;
      if (this.parts.sender.waits.lastUntilMs(waitedIn, item.label!) === undefined) this.fetches.delete(key);
    }
  }

  // What the connections tell

  isUsing(upstream: Upstream): boolean {
    const asked = this.asked.get(upstream);
    return asked !== undefined && (asked.outbox.length > 0 || asked.batches.size > 0);
  }

  /** @returns Whether it was about a fetch. */
  came(upstream: Upstream, output: InsCallerOutput, nowMs: number): boolean {
    const batches = this.asked.get(upstream)?.batches;
    const batch = 'handle' in output ? batches?.get(output.handle) : undefined;
    if (batches === undefined || batch === undefined) return false;
    if (output.kind === 'arrived') {
      const fetch = batch[output.item];
      if (fetch !== undefined) this.fetched(upstream, fetch, output.labelled, output.body, nowMs);
    } else if (output.kind === 'refused') {
      const { handle, item, reason, retryAfterMs } = output;
      if (item === null) batches.delete(handle);
      const refused = item === null ? batch : batch.slice(item, item + 1);
      for (const fetch of refused) this.refused(upstream, fetch, reason, retryAfterMs, nowMs);
    } else if (output.kind === 'done') batches.delete(output.handle);
    return true;
  }

  /** The connection is gone: what was asked there is worth little when it comes back, and is asked of others. */
  drop(upstream: Upstream, nowMs: number): void {
    const asked = this.asked.get(upstream);
    if (asked === undefined) return;
    this.asked.delete(upstream);
    this.unsent.delete(upstream);
    const { outbox, batches } = asked;
    for (const handle of batches.keys()) upstream.conversation.handleInput({ kind: 'cancel', handle }, nowMs);
    for (const fetch of [...outbox, ...[...batches.values()].flat()]) {
      this.refused(upstream, fetch, 'REMOTE_FAIL', UPSTREAM_PAUSE_MS, nowMs);
    }
  }

  private askedOf(upstream: Upstream): Asked {
    let asked = this.asked.get(upstream);
    if (asked === undefined) {
      asked = { outbox: [], batches: new Map() };
      this.asked.set(upstream, asked);
    }
    return asked;
  }

  /** @returns Why not, if so. */
  private begin(
    key: string,
    item: RemoteItem,
    known: KnownToken,
    askers: Asker[],
    waitedIn: Folder | undefined,
    byAtMs: number,
    nowMs: number,
  ): Reason | undefined {
    if (this.fetches.size >= FETCHES_MAX) return 'OVERLOAD';
    const upstream = this.parts.upstreams.choose(known, nowMs);
    if (typeof upstream === 'string') return upstream;
    const { ownerKey } = known;
    const fetch: Fetch = {
      key,
      ownerKey,
      item,
      askers,
      waitedIn,
      known,
      tried: new Set(),
      askedAtMs: nowMs,
      byAtMs,
    };
    this.fetches.set(key, fetch);
    this.send(upstream, fetch);
    return undefined;
  }

  private send(upstream: Upstream, fetch: Fetch): void {
    this.askedOf(upstream).outbox.push(fetch);
    this.unsent.add(upstream);
  }

  private sendBatch(upstream: Upstream, batch: readonly Fetch[], nowMs: number): void {
    const handle = ++upstream.lastHandle;
    this.askedOf(upstream).batches.set(handle, batch);
    const items = batch.map(
      ({ item, known, byAtMs, waitedIn }): WantedBlock => ({
        token: known.sealed,
        name: item.name,
        label: item.label,
        deadlineAtMs: byAtMs,
        wait: waitedIn !== undefined,
      }),
    );
    const { collection } = batch[0]!.item;
    this.parts.upstreams.tell(upstream, { kind: 'get', handle, keep: false, collection, items }, nowMs);
  }

  private fetched(upstream: Upstream, fetch: Fetch, labelled: Labelled | null, body: Body, nowMs: number): void {
    const { mirror, upstreams, intake } = this.parts;
    if (labelled === null || !isAsked(fetch.item, labelled)) {
      upstreams.blame(upstream, nowMs);
      this.refused(upstream, fetch, 'REMOTE_FAIL', 0, nowMs);
      return;
    }
    this.remoteBlocks++;
    this.remoteBytes += body.byteLength;
    intake.take(labelled.name, body, nowMs, (taken, atMs) => {
      const place = 'block' in taken ? placeFor(fetch, labelled) : undefined;
      const folder = place === undefined ? undefined : mirror.folder(fetch.ownerKey, place.collection);
      if ('block' in taken && place !== undefined && folder !== undefined) {
        this.deliver(fetch, folder, mirror.copy(folder, place.labelled, taken.block, atMs), atMs);
        return;
      }
      const wrong = 'reason' in taken && taken.reason === 'NAME_MISMATCH';
      if (wrong) upstreams.blame(upstream, atMs);
      if (wrong) this.refused(upstream, fetch, 'REMOTE_FAIL', 0, atMs);
      else this.settle(fetch, 'OVERLOAD', RETRY_MS);
    });
  }

  private deliver(fetch: Fetch, folder: Folder, entry: Entry, nowMs: number): void {
    if (this.fetches.get(fetch.key) === fetch) this.fetches.delete(fetch.key);
    for (const asker of fetch.askers) {
      const { wanted, known, over } = asker;
      this.finish(asker);
      if (over || wanted.call.ended) continue;
      if (coversEntry(known, entry)) this.parts.sender.queueItem(wanted, entry, nowMs);
      else this.parts.sender.refuseItem(wanted.call, wanted.item, 'TOKEN_SCOPE');
    }
    if (folder.waiting.size > 0) this.parts.sender.waits.came(folder, entry, nowMs);
  }

  /** One server, or one token, is no good for it: another may be. */
  private refused(upstream: Upstream, fetch: Fetch, reason: Reason, retryMs: number, nowMs: number): void {
    if (this.fetches.get(fetch.key) !== fetch) return;
    if (reason === 'TOKEN_REVOKED') this.parts.tokenRevoked(fetch.known, nowMs);
    const again = this.next(upstream, fetch, reason, nowMs);
    if (again === undefined) {
      this.settle(fetch, reason, retryMs);
      return;
    }
    fetch.askedAtMs = nowMs;
    this.send(again, fetch);
  }

  /** Whom to ask next after a refusal; undefined for nobody. */
  private next(upstream: Upstream, fetch: Fetch, reason: Reason, nowMs: number): Upstream | undefined {
    const { upstreams, sender } = this.parts;
    if (fetch.waitedIn !== undefined) {
      const untilMs = sender.waits.lastUntilMs(fetch.waitedIn, fetch.item.label!);
      if (untilMs === undefined) return undefined;
      // Some wait longer than the one for whom it was asked. Who does not wait at all is not asked over and over.
      const waited = nowMs - fetch.askedAtMs >= REMOTE_MS_MIN;
      if ((reason === 'DEADLINE' || reason === 'NOT_YET') && waited && untilMs > nowMs) {
        fetch.byAtMs = untilMs;
        return upstreams.isReady(upstream) ? upstream : undefined;
      }
    }
    if (fetch.byAtMs <= nowMs) return undefined;
    if (reason.startsWith('TOKEN_')) {
      // The first asker's token may have run out while another's is good.
      fetch.tried.add(bytesKey(fetch.known.sealed));
      const other = this.otherToken(fetch);
      if (other === undefined) return undefined;
      fetch.known = other;
      const chosen = upstreams.choose(other, nowMs, fetch.tried);
      return typeof chosen === 'string' ? undefined : chosen;
    }
    if (reason === 'NOT_YET' || reason === 'DEADLINE') return undefined;
    fetch.tried.add(bytesKey(upstream.server));
    const chosen = upstreams.choose(fetch.known, nowMs, fetch.tried);
    return typeof chosen === 'string' ? undefined : chosen;
  }

  /** An asker's token that was not tried yet. */
  private otherToken({ askers, waitedIn, item, tried }: Fetch): KnownToken | undefined {
    const tokens = askers.flatMap(({ over, wanted, known }) => (over || wanted.call.ended ? [] : [known]));
    if (waitedIn !== undefined) tokens.push(...this.parts.sender.waits.tokens(waitedIn, item.label!));
    return tokens.find(({ sealed }) => !tried.has(bytesKey(sealed)));
  }

  /** Nobody gets this block. */
  private settle(fetch: Fetch, reason: Reason, retryMs: number): void {
    if (this.fetches.get(fetch.key) !== fetch) return;
    this.fetches.delete(fetch.key);
    for (const asker of fetch.askers) this.refuse(asker, reason, retryMs);
    if (fetch.waitedIn !== undefined) this.endWait(fetch.waitedIn, fetch.item.label!, reason, retryMs);
  }

  private endWait(folder: Folder, label: Label, reason: Reason, retryMs: number): void {
    const told = passedOn(reason, retryMs);
    this.parts.sender.waits.refuseAll(folder, label, told.reason, told.retryMs);
  }

  private refuse(asker: Asker, reason: Reason, retryMs: number): void {
    const { wanted, otherwise, over } = asker;
    this.finish(asker);
    if (over || wanted.call.ended) return;
    const told = otherwise === undefined ? passedOn(reason, retryMs) : { reason: otherwise, retryMs: 0 };
    this.parts.sender.refuseItem(wanted.call, wanted.item, told.reason, told.retryMs);
  }

  private finish(asker: Asker): void {
    if (asker.over) return;
    asker.over = true;
    asker.wanted.call.link.account!.errands--;
  }
}

function fetchKey(ownerKey: string, { name, label, collection }: RemoteItem): string {
  if (name !== null) return `${ownerKey}n${bytesKey(name)}`;
  return `${ownerKey}l${bytesKey(collection!)}${label!.track}:${label!.part}:${label!.index}`;
}

function isAsked({ name, label }: RemoteItem, labelled: Labelled): boolean {
  if (name !== null && !sameBytes(name, labelled.name)) return false;
  if (label === null) return true;
  return label.track === labelled.track && label.part === labelled.part && label.index === labelled.index;
}

/**
 * Where a copy is filed. The collection is known when it was asked for by label, or when the token opens nothing else. Of a block
 * that a token names it is not, whatever the asker says: its label there means nothing here, and its name makes up another.
 */
function placeFor({ item, known }: Fetch, labelled: Labelled): { collection: Uint8Array; labelled: Labelled } {
  const collection = item.label !== null ? item.collection : known.nameKeys === null ? known.token.collection : null;
  if (collection !== null) return { collection, labelled };
  const view = new DataView(labelled.name.buffer, labelled.name.byteOffset, labelled.name.byteLength);
  const label = { track: 0, part: view.getUint32(1), index: view.getUint16(5), start: false };
  return { collection: NO_COLLECTION, labelled: { ...labelled, ...label } };
}
