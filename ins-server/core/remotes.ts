import type { WantedBlock } from '../../ins-client/core/io.ts';
import type { InsCallerOutput, InsWorldInput } from '../../ins-client/core/world.ts';
import type { Body } from '../../machine/machine.ts';
import type { Label, Labelled } from '../../protocol/frames.ts';
import { FROM_NEWEST_START } from '../../protocol/ins-messages.ts';
import { BLOCK_TTL_SECONDS_DEFAULT, BLOCK_TTL_SECONDS_MAX } from '../../protocol/limits.ts';
import { HASH_BYTES } from '../../protocol/names.ts';
import type { Reason } from '../../protocol/reasons.ts';
import { bytesKey, sameBytes } from '../../protocol/text.ts';
import type { Intake } from './intake.ts';
import { FETCHES_MAX, REMOTE_MS, REMOTE_MS_MIN, RETRY_MS, UPSTREAM_FOLLOWS_MAX, UPSTREAM_PAUSE_MS } from './limits.ts';
import type { Follow, WantedItem } from './links.ts';
import type { Folder } from './locker.ts';
import type { Sender } from './sender.ts';
import type { Block, Entry } from './shelf.ts';
import type { Storage } from './storage.ts';
import { coversEntry, type KnownToken } from './tokens.ts';
import { type Upstream, Upstreams, type UpstreamsOptions, type UpstreamUser } from './upstreams.ts';

/** What is asked of one server. */
interface Asked {
  /** Fetches that go out with the next batch. */
  outbox: Fetch[];
  readonly batches: Map<number, readonly Fetch[]>;
  readonly follows: Map<number, RemoteFollow>;
}

/** Which block is wanted from another server. */
export interface RemoteItem {
  readonly name: Uint8Array | null;
  readonly label: Label | null;
  readonly collection: Uint8Array | null;
}

/** One block on its way here, however many have asked for it. */
interface Fetch {
  readonly key: string;
  readonly issuerKey: string;
  readonly item: RemoteItem;
  readonly waiters: { readonly wanted: WantedItem; readonly known: KnownToken }[];
  /** The token under which it is fetched. */
  known: KnownToken;
  readonly byAtMs: number;
}

/** One follow at another server, however many follow it here. */
export interface RemoteFollow {
  readonly upstream: Upstream;
  readonly handle: number;
  readonly group: string;
  readonly issuerKey: string;
  readonly collection: Uint8Array;
  readonly from: number;
  /** The oldest part that has come; undefined before the first. */
  firstPart: number | undefined;
  known: KnownToken;
  readonly follows: Set<Follow>;
}

export interface RemotesOptions extends UpstreamsOptions {
  readonly storage: Storage;
  readonly sender: Sender;
  readonly intake: Intake;
  /** Ends a follow here, telling why. */
  readonly endFollow: (follow: Follow, reason: Reason, retryMs: number, nowMs: number) => void;
  /** An owner's new token came from its server: to be checked, then {@link Remotes.renewed} is called. */
  readonly tokenCame: (remote: RemoteFollow, sealed: Uint8Array, nowMs: number) => void;
}

const NO_COLLECTION = new Uint8Array(HASH_BYTES);

/** Reasons of another server that are about what was asked; all others are about the server. */
const PASSED_ON: ReadonlySet<Reason> = new Set<Reason>([
  'TOKEN_INVALID',
  'TOKEN_EXPIRED',
  'TOKEN_NOT_YET',
  'TOKEN_REVOKED',
  'TOKEN_REPLAYED',
  'TOKEN_SCOPE',
  'POLICY_DENIED',
  'NO_OBJECT',
  'GONE',
  'NOT_YET',
]);

/**
 * Fetches from other servers on behalf of clients: one conversation to each server, one fetch however many ask for a block,
 * one follow however many follow a collection. A block is checked whole before it goes on, kept as a copy until its
 * original ends, and given only to those whose own token covers it.
 */
export class Remotes implements UpstreamUser {
  remoteBlocks = 0;
  remoteBytes = 0;
  private readonly upstreams: Upstreams;
  private readonly asked = new Map<Upstream, Asked>();
  private readonly fetches = new Map<string, Fetch>();
  private readonly remoteOf = new Map<Follow, RemoteFollow>();
  private readonly unsent = new Set<Upstream>();
  private readonly options: RemotesOptions;

  constructor(options: RemotesOptions) {
    this.options = options;
    this.upstreams = new Upstreams(options, this);
  }

  get count(): number {
    return this.upstreams.count;
  }

  /** Wants a block that is not here for one item of a batch; the item is answered when it comes, or refused in time. */
  fetch(wanted: WantedItem, item: RemoteItem, known: KnownToken, nowMs: number): void {
    const { sender } = this.options;
    const key = fetchKey(known.issuerKey, item);
    const running = this.fetches.get(key);
    if (running !== undefined) {
      running.waiters.push({ wanted, known });
      return;
    }
    const upstream = this.fetches.size < FETCHES_MAX ? this.upstreams.choose(known, nowMs) : 'OVERLOAD';
    if (typeof upstream === 'string') {
      sender.refuseItem(wanted.call, wanted.item, upstream, upstream === 'POLICY_DENIED' ? 0 : RETRY_MS);
      return;
    }
    const untilMs = wanted.deadlineAtMs ?? nowMs + REMOTE_MS;
    const byAtMs = Math.min(Math.max(untilMs, nowMs + REMOTE_MS_MIN), nowMs + REMOTE_MS);
    const { issuerKey } = known;
    const fetch: Fetch = { key, issuerKey, item, waiters: [{ wanted, known }], known, byAtMs };
    this.fetches.set(key, fetch);
    this.send(upstream, fetch);
  }

  /**
   * Brings a follow here what its token opens elsewhere.
   *
   * @param make - Makes the follow from where it begins, and where it catches up from what is here already.
   */
  follow(
    known: KnownToken,
    collection: Uint8Array,
    tracks: readonly number[],
    from: number,
    nowMs: number,
    make: (folder: Folder, from: number, catchUp: boolean) => Follow,
  ): Reason | undefined {
    const folder = this.folderOf(known.issuerKey, collection);
    if (folder === undefined) return 'OVERLOAD';
    const group = `${known.issuerKey}${folder.key}${[...tracks].sort((a, b) => a - b).join()}`;
    const remotes = [...this.remoteFollows()].filter((remote) => remote.group === group);
    const joined = remotes.find((remote) => canJoin(remote, from) && reaches(remote.known, known));
    if (joined !== undefined) {
      const first = joined.firstPart ?? 0;
      let begin = from;
      if (from === FROM_NEWEST_START) {
        const covered = (entry: Entry): boolean => coversEntry(known, entry) && followed(tracks, entry);
        const start = folder.newestPart((entry) => entry.labelled.start && covered(entry));
        begin = start === undefined || start < first ? first : start;
      }
      this.attach(joined, make(folder, begin, joined.firstPart !== undefined), known, nowMs);
      return undefined;
    }
    if (remotes.length >= UPSTREAM_FOLLOWS_MAX) return 'OVERLOAD';
    const upstream = this.upstreams.choose(known, nowMs);
    if (typeof upstream === 'string') return upstream;
    const remote: RemoteFollow = {
      upstream,
      handle: ++upstream.lastHandle,
      group,
      issuerKey: known.issuerKey,
      collection,
      from,
      firstPart: undefined,
      known,
      follows: new Set(),
    };
    this.askedOf(upstream).follows.set(remote.handle, remote);
    this.attach(remote, make(folder, from === FROM_NEWEST_START ? 0 : from, false), known, nowMs);
    const { handle } = remote;
    this.upstreams.tell(
      upstream,
      { kind: 'follow', handle, keep: false, token: known.sealed, collection, tracks, from },
      nowMs,
    );
    return undefined;
  }

  /** Nobody is to be sent anything for this follow any more. */
  unfollow(follow: Follow, nowMs: number): void {
    const remote = this.remoteOf.get(follow);
    if (remote === undefined) return;
    this.remoteOf.delete(follow);
    remote.follows.delete(follow);
    if (remote.follows.size > 0) return;
    const { upstream, handle } = remote;
    if (this.askedOf(upstream).follows.delete(handle)) this.upstreams.tell(upstream, { kind: 'cancel', handle }, nowMs);
  }

  /** A follower has a newer token: the follow at the other server may go on under it. */
  refresh(follow: Follow, known: KnownToken, nowMs: number): void {
    const remote = this.remoteOf.get(follow);
    if (remote === undefined || known.token.expires <= remote.known.token.expires) return;
    if (known.token.holder !== null || !reaches(known, remote.known)) return;
    const { sealed } = remote.known;
    remote.known = known;
    this.upstreams.tell(remote.upstream, { kind: 'renew', old: sealed, token: known.sealed }, nowMs);
  }

  /** The token that came for a follow from another server was found genuine. */
  renewed(remote: RemoteFollow, known: KnownToken): ReadonlySet<Follow> {
    if (known.issuerKey === remote.issuerKey && known.token.expires > remote.known.token.expires) remote.known = known;
    return remote.follows;
  }

  /** Something came from the connection to another server. */
  input(id: number, input: InsWorldInput, nowMs: number): void {
    this.upstreams.input(id, input, nowMs);
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
    return this.upstreams.nextDeadline();
  }

  timeout(nowMs: number): void {
    this.upstreams.timeout(nowMs);
  }

  sweep(nowMs: number): void {
    this.upstreams.sweep(nowMs);
  }

  stop(nowMs: number): void {
    this.upstreams.stop(nowMs);
  }

  // What the connections tell

  isUsing(upstream: Upstream): boolean {
    const { outbox, batches, follows } = this.askedOf(upstream);
    return outbox.length > 0 || batches.size > 0 || follows.size > 0;
  }

  came(upstream: Upstream, output: InsCallerOutput, nowMs: number): void {
    const { batches, follows } = this.askedOf(upstream);
    switch (output.kind) {
      case 'arrived': {
        const { handle, item, labelled, body } = output;
        const remote = follows.get(handle);
        const fetch = batches.get(handle)?.[item];
        if (remote !== undefined && labelled !== null) this.followed(remote, labelled, body, nowMs);
        else if (fetch !== undefined) this.fetched(upstream, fetch, labelled, body, nowMs);
        return;
      }
      case 'refused':
        this.refused(upstream, output, nowMs);
        return;
      case 'done':
        batches.delete(output.handle);
        return;
      case 'renewed': {
        const remote = follows.get(output.handle);
        if (remote !== undefined) this.options.tokenCame(remote, output.token, nowMs);
        return;
      }
      default:
    }
  }

  /** Follows go on when the connection comes back soon. Fetches are worth little by then. */
  lost(upstream: Upstream, nowMs: number): boolean {
    this.dropFetches(upstream, nowMs);
    return this.askedOf(upstream).follows.size > 0;
  }

  ended(upstream: Upstream, nowMs: number): void {
    this.dropFetches(upstream, nowMs);
    for (const remote of this.askedOf(upstream).follows.values()) {
      this.endRemote(remote, 'REMOTE_FAIL', UPSTREAM_PAUSE_MS, nowMs);
    }
    this.asked.delete(upstream);
    this.unsent.delete(upstream);
  }

  private askedOf(upstream: Upstream): Asked {
    let asked = this.asked.get(upstream);
    if (asked === undefined) {
      asked = { outbox: [], batches: new Map(), follows: new Map() };
      this.asked.set(upstream, asked);
    }
    return asked;
  }

  // Fetches

  private send(upstream: Upstream, fetch: Fetch): void {
    this.askedOf(upstream).outbox.push(fetch);
    this.unsent.add(upstream);
  }

  private sendBatch(upstream: Upstream, batch: readonly Fetch[], nowMs: number): void {
    const handle = ++upstream.lastHandle;
    this.askedOf(upstream).batches.set(handle, batch);
    const items = batch.map(
      ({ item, known, byAtMs }): WantedBlock => ({
        token: known.sealed,
        name: item.name,
        label: item.label,
        deadlineAtMs: byAtMs,
      }),
    );
    const { collection } = batch[0]!.item;
    this.upstreams.tell(upstream, { kind: 'get', handle, keep: false, collection, items }, nowMs);
  }

  private fetched(upstream: Upstream, fetch: Fetch, labelled: Labelled | null, body: Body, nowMs: number): void {
    const { name, label } = fetch.item;
    const asked =
      labelled !== null &&
      (name === null || sameBytes(name, labelled.name)) &&
      (label === null ||
        (label.track === labelled.track && label.part === labelled.part && label.index === labelled.index));
    if (!asked) {
      this.upstreams.blame(upstream, nowMs);
      this.settle(fetch, 'REMOTE_FAIL', 0);
      return;
    }
    this.remoteBlocks++;
    this.remoteBytes += body.byteLength;
    this.options.intake.take(labelled.name, body, nowMs, (taken, atMs) => {
      const collection = fetch.known.token.collection ?? fetch.item.collection ?? NO_COLLECTION;
      const folder = 'block' in taken ? this.folderOf(fetch.issuerKey, collection) : undefined;
      if ('block' in taken && folder !== undefined) {
        this.deliver(fetch, this.copy(folder, labelled, taken.block, atMs), atMs);
        return;
      }
      const wrong = 'reason' in taken && taken.reason === 'NAME_MISMATCH';
      if (wrong) this.upstreams.blame(upstream, atMs);
      this.settle(fetch, wrong ? 'REMOTE_FAIL' : 'OVERLOAD', wrong ? 0 : RETRY_MS);
    });
  }

  private deliver(fetch: Fetch, entry: Entry, nowMs: number): void {
    this.fetches.delete(fetch.key);
    for (const { wanted, known } of fetch.waiters) {
      if (wanted.call.ended) continue;
      if (coversEntry(known, entry)) this.options.sender.queueItem(wanted, entry, nowMs);
      else this.options.sender.refuseItem(wanted.call, wanted.item, 'TOKEN_SCOPE');
    }
  }

  private refused(
    upstream: Upstream,
    { handle, item, reason, retryAfterMs }: Extract<InsCallerOutput, { readonly kind: 'refused' }>,
    nowMs: number,
  ): void {
    const { batches, follows } = this.askedOf(upstream);
    const remote = follows.get(handle);
    if (remote !== undefined) {
      follows.delete(handle);
      this.endRemote(remote, reason, retryAfterMs, nowMs);
      return;
    }
    const batch = batches.get(handle) ?? [];
    if (item === null) batches.delete(handle);
    for (const fetch of item === null ? batch : batch.slice(item, item + 1)) {
      if (this.fetches.get(fetch.key) !== fetch) continue;
      // The first asker's token may have run out while another's is good.
      const other = reason.startsWith('TOKEN_') ? nextToken(fetch) : undefined;
      if (other === undefined) {
        this.settle(fetch, reason, retryAfterMs);
        continue;
      }
      fetch.known = other;
      this.send(upstream, fetch);
    }
  }

  /** Nobody gets this block. */
  private settle(fetch: Fetch, reason: Reason, retryMs: number): void {
    if (this.fetches.get(fetch.key) !== fetch) return;
    this.fetches.delete(fetch.key);
    const passed = PASSED_ON.has(reason) || reason === 'OVERLOAD';
    for (const { wanted } of fetch.waiters) {
      if (wanted.call.ended) continue;
      if (passed) this.options.sender.refuseItem(wanted.call, wanted.item, reason, retryMs);
      else this.options.sender.refuseItem(wanted.call, wanted.item, 'REMOTE_FAIL', Math.max(retryMs, RETRY_MS));
    }
  }

  private dropFetches(upstream: Upstream, nowMs: number): void {
    const asked = this.askedOf(upstream);
    const { batches } = asked;
    const fetches = [...asked.outbox, ...[...batches.values()].flat()];
    for (const handle of batches.keys()) upstream.conversation.handleInput({ kind: 'cancel', handle }, nowMs);
    batches.clear();
    asked.outbox = [];
    for (const fetch of fetches) this.settle(fetch, 'REMOTE_FAIL', UPSTREAM_PAUSE_MS);
  }

  // Follows

  private attach(remote: RemoteFollow, follow: Follow, known: KnownToken, nowMs: number): void {
    remote.follows.add(follow);
    this.remoteOf.set(follow, remote);
    this.refresh(follow, known, nowMs);
  }

  private followed(remote: RemoteFollow, labelled: Labelled, body: Body, nowMs: number): void {
    this.remoteBlocks++;
    this.remoteBytes += body.byteLength;
    this.options.intake.take(labelled.name, body, nowMs, (taken, atMs) => {
      if ('reason' in taken) {
        if (taken.reason === 'NAME_MISMATCH') this.upstreams.blame(remote.upstream, atMs);
        return;
      }
      const folder = this.folderOf(remote.issuerKey, remote.collection);
      if (folder === undefined) return;
      const entry = this.copy(folder, labelled, taken.block, atMs);
      remote.firstPart = Math.min(remote.firstPart ?? labelled.part, labelled.part);
      this.options.sender.announce(remote.follows, entry, atMs);
    });
  }

  private endRemote(remote: RemoteFollow, reason: Reason, retryMs: number, nowMs: number): void {
    const told = PASSED_ON.has(reason) ? reason : 'REMOTE_FAIL';
    for (const follow of remote.follows) {
      this.remoteOf.delete(follow);
      this.options.endFollow(follow, told, told === reason ? retryMs : Math.max(retryMs, RETRY_MS), nowMs);
    }
    remote.follows.clear();
  }

  private *remoteFollows(): Generator<RemoteFollow> {
    for (const { follows } of this.asked.values()) yield* follows.values();
  }

  // Copies

  private folderOf(issuerKey: string, collection: Uint8Array): Folder | undefined {
    return this.options.storage.mirror(issuerKey).folder(collection, bytesKey(collection));
  }

  /** Files a copy; where another block had the label, the original has changed. */
  private copy(folder: Folder, labelled: Labelled, block: Block, nowMs: number): Entry {
    const { lifeSeconds = BLOCK_TTL_SECONDS_DEFAULT, ...label } = labelled;
    const { storage } = this.options;
    const expiresAtMs = nowMs + Math.min(lifeSeconds, BLOCK_TTL_SECONDS_MAX) * 1000;
    const there = folder.at(label.track, label.part, label.index);
    if (there?.block === block) {
      storage.prolong(there, expiresAtMs);
      return there;
    }
    if (there !== undefined) storage.remove(there);
    return storage.add(folder, label, block, expiresAtMs);
  }
}

function fetchKey(issuerKey: string, { name, label, collection }: RemoteItem): string {
  if (name !== null) return `${issuerKey}n${bytesKey(name)}`;
  return `${issuerKey}l${bytesKey(collection!)}${label!.track}:${label!.part}:${label!.index}`;
}

/** A waiter's token that was not tried yet. */
function nextToken({ waiters, known }: Fetch): KnownToken | undefined {
  const at = waiters.findIndex((waiter) => waiter.known === known);
  return waiters.slice(at + 1).find((waiter) => waiter.known !== known && !waiter.wanted.call.ended)?.known;
}

function canJoin({ firstPart, from: begun }: RemoteFollow, from: number): boolean {
  if (from === FROM_NEWEST_START) return true;
  return (firstPart !== undefined && from >= firstPart) || (begun !== FROM_NEWEST_START && from >= begun);
}

/** Whether a follow under one token brings all that one under the other would. What is past does not matter to it. */
function reaches({ token: one }: KnownToken, { token: other }: KnownToken): boolean {
  if (one.to < other.to) return false;
  return one.tracks === null || other.tracks?.every((track) => one.tracks?.includes(track)) === true;
}

function followed(tracks: readonly number[], { labelled }: Entry): boolean {
  return tracks.length === 0 || tracks.includes(labelled.track);
}
