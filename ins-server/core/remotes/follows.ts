import type { InsCallerOutput } from '../../../ins-client/core/world.ts';
import type { Body } from '../../../machine/machine.ts';
import type { Labelled } from '../../../protocol/frames.ts';
import { FROM_NEWEST_START } from '../../../protocol/ins-messages.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import { RETRY_MS, UPSTREAM_FOLLOWS_MAX, UPSTREAM_PAUSE_MS } from '../limits.ts';
import type { Follow } from '../links.ts';
import type { Folder } from '../storage/locker.ts';
import type { Entry } from '../storage/shelf.ts';
import { coversEntry, type KnownToken } from '../tokens/tokens.ts';
import { passedOn, type RemoteParts } from './parts.ts';
import type { Upstream } from './upstreams.ts';

/** One follow at another server, however many follow it here. */
export interface RemoteFollow {
  readonly upstream: Upstream;
  readonly handle: number;
  readonly group: string;
  readonly ownerKey: string;
  readonly collection: Uint8Array;
  readonly from: number;
  /** The oldest part that has come; undefined before the first. */
  firstPart: number | undefined;
  known: KnownToken;
  readonly follows: Set<Follow>;
}

/** @param forged - To be called when the token is not genuine. */
export type TokenCame = (
  remote: RemoteFollow,
  sealed: Uint8Array,
  forged: (nowMs: number) => void,
  nowMs: number,
) => void;

export interface RemoteFollowsOptions extends RemoteParts {
  /** Ends a follow here, telling why. */
  readonly endFollow: (follow: Follow, reason: Reason, retryMs: number, nowMs: number) => void;
  /** An owner's new token came from its server: to be checked, then {@link RemoteFollows.renewed} is called. */
  readonly tokenCame: TokenCame;
}

/** Follows at other servers: one however many follow a collection here. */
export class RemoteFollows {
  remoteBlocks = 0;
  remoteBytes = 0;
  private readonly running = new Map<Upstream, Map<number, RemoteFollow>>();
  private readonly remoteOf = new Map<Follow, RemoteFollow>();
  private readonly parts: RemoteFollowsOptions;

  constructor(parts: RemoteFollowsOptions) {
    this.parts = parts;
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
    const { mirror, upstreams } = this.parts;
    const folder = mirror.folder(known.ownerKey, collection);
    if (folder === undefined) return 'OVERLOAD';
    const group = `${known.ownerKey}${folder.key}${[...tracks].sort((a, b) => a - b).join()}`;
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
    const upstream = upstreams.choose(known, nowMs);
    if (typeof upstream === 'string') return upstream;
    const handle = ++upstream.lastHandle;
    const remote: RemoteFollow = {
      upstream,
      handle,
      group,
      ownerKey: known.ownerKey,
      collection,
      from,
      firstPart: undefined,
      known,
      follows: new Set(),
    };
    this.at(upstream).set(handle, remote);
    this.attach(remote, make(folder, from === FROM_NEWEST_START ? 0 : from, false), known, nowMs);
    upstreams.tell(
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
    if (this.running.get(upstream)?.delete(handle) === true) {
      this.parts.upstreams.tell(upstream, { kind: 'cancel', handle }, nowMs);
    }
  }

  /** Whether what a follow gets comes from another server. */
  brings(follow: Follow): boolean {
    return this.remoteOf.has(follow);
  }

  /** A follower has a newer token: the follow at the other server may go on under it. */
  refresh(follow: Follow, known: KnownToken, nowMs: number): void {
    const remote = this.remoteOf.get(follow);
    if (remote === undefined || known.token.expires <= remote.known.token.expires) return;
    if (known.token.holder !== null || !reaches(known, remote.known)) return;
    const { sealed } = remote.known;
    remote.known = known;
    this.parts.upstreams.tell(remote.upstream, { kind: 'renew', old: sealed, token: known.sealed }, nowMs);
  }

  /** The token that came for a follow from another server was found genuine. */
  renewed(remote: RemoteFollow, known: KnownToken): ReadonlySet<Follow> {
    if (this.isRenewal(remote, known)) remote.known = known;
    return remote.follows;
  }

  /** Whether a token could take the place of the one that a follow at another server runs under. */
  isRenewal({ ownerKey, known: old }: RemoteFollow, { ownerKey: owner, token }: KnownToken): boolean {
    return owner === ownerKey && token.expires > old.token.expires;
  }

  // What the connections tell

  isUsing(upstream: Upstream): boolean {
    return (this.running.get(upstream)?.size ?? 0) > 0;
  }

  /** @returns Whether it was about a follow. */
  came(upstream: Upstream, output: InsCallerOutput, nowMs: number): boolean {
    const running = this.running.get(upstream);
    const remote = 'handle' in output ? running?.get(output.handle) : undefined;
    if (running === undefined || remote === undefined) return false;
    if (output.kind === 'arrived' && output.labelled !== null) {
      this.followed(remote, output.labelled, output.body, nowMs);
    } else if (output.kind === 'renewed') {
      const forged = (atMs: number): void => this.parts.upstreams.blame(upstream, atMs);
      this.parts.tokenCame(remote, output.token, forged, nowMs);
    } else if (output.kind === 'refused') {
      running.delete(remote.handle);
      this.endRemote(remote, output.reason, output.retryAfterMs, nowMs);
    }
    return true;
  }

  ended(upstream: Upstream, nowMs: number): void {
    const remotes = [...(this.running.get(upstream)?.values() ?? [])];
    this.running.delete(upstream);
    for (const remote of remotes) this.endRemote(remote, 'REMOTE_FAIL', UPSTREAM_PAUSE_MS, nowMs);
  }

  private at(upstream: Upstream): Map<number, RemoteFollow> {
    let running = this.running.get(upstream);
    if (running === undefined) {
      running = new Map();
      this.running.set(upstream, running);
    }
    return running;
  }

  private attach(remote: RemoteFollow, follow: Follow, known: KnownToken, nowMs: number): void {
    remote.follows.add(follow);
    this.remoteOf.set(follow, remote);
    this.refresh(follow, known, nowMs);
  }

  private followed(remote: RemoteFollow, labelled: Labelled, body: Body, nowMs: number): void {
    const { intake, upstreams, mirror, sender } = this.parts;
    this.remoteBlocks++;
    this.remoteBytes += body.byteLength;
    intake.take(labelled.name, body, nowMs, (taken, atMs) => {
      if ('reason' in taken) {
        if (taken.reason === 'NAME_MISMATCH') upstreams.blame(remote.upstream, atMs);
        return;
      }
      const folder = mirror.folder(remote.ownerKey, remote.collection);
      if (folder === undefined) return;
      const entry = mirror.copy(folder, labelled, taken.block, atMs);
      remote.firstPart = Math.min(remote.firstPart ?? labelled.part, labelled.part);
      if (folder.waiting.size > 0) sender.waits.came(folder, entry, atMs);
      sender.announce(folder, remote.follows, entry, atMs);
    });
  }

  private endRemote(remote: RemoteFollow, reason: Reason, retryMs: number, nowMs: number): void {
    const told = passedOn(reason, retryMs);
    // What is wrong with one token is not said of another, whose bearer may well ask again.
    const others = reason.startsWith('TOKEN_') ? passedOn('REMOTE_FAIL', RETRY_MS) : told;
    for (const follow of remote.follows) {
      this.remoteOf.delete(follow);
      const { reason: why, retryMs: waitMs } = follow.known === remote.known ? told : others;
      this.parts.endFollow(follow, why, waitMs, nowMs);
    }
    remote.follows.clear();
    if (reason === 'TOKEN_REVOKED') this.parts.tokenRevoked(remote.known, nowMs);
  }

  private *remoteFollows(): Generator<RemoteFollow> {
    for (const running of this.running.values()) yield* running.values();
  }
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
