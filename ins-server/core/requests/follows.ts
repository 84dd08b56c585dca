import { FROM_NEWEST_START, type FromInsClient, PRIORITIES } from '../../../protocol/ins-messages.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import { bytesKey } from '../../../protocol/text.ts';
import { OPERATION } from '../../../protocol/token.ts';
import type { Room } from '../admission/room.ts';
import type { Account, Follow, Link } from '../links.ts';
import type { Remotes } from '../remotes/remotes.ts';
import type { Replies } from '../replies.ts';
import type { Sender } from '../sending/sender.ts';
import type { Folder, Locker } from '../storage/locker.ts';
import type { Entry } from '../storage/shelf.ts';
import type { TokenPolicy } from '../tokens/token-policy.ts';
import { allows, coversCollection, coversEntry, expired, type KnownToken, lackOf } from '../tokens/tokens.ts';
import type { Target } from '../tokens/wallet.ts';

type FollowMessage = Extract<FromInsClient, { readonly type: 'follow' }>;

/** Follows from their first message to their end, and the tokens they run under. */
export class Follows {
  count = 0;
  private readonly replies: Replies;
  private readonly sender: Sender;
  private readonly remotes: Remotes;
  private readonly policy: TokenPolicy;
  private readonly room: Room;

  constructor(replies: Replies, sender: Sender, remotes: Remotes, policy: TokenPolicy, room: Room) {
    this.room = room;
    this.replies = replies;
    this.sender = sender;
    this.remotes = remotes;
    this.policy = policy;
  }

  /** @returns Why not, if so. */
  begin(link: Link, message: FollowMessage, { known, locker }: Target, nowMs: number): Reason | undefined {
    const { collection, tracks, from } = message;
    const key = bytesKey(collection);
    if (known !== undefined && !coversCollection(known, key)) return lackOf(known);
    const allowed = known?.token.tracks ?? null;
    if (allowed !== null && tracks.some((track) => !allowed.includes(track))) return 'TOKEN_SCOPE';
    const make = (folder: Folder, begin: number, catchUp: boolean): Follow =>
      this.add(link, message, known, folder, begin, catchUp, nowMs);
    if (locker === undefined) return this.remotes.follows.follow(known!, collection, tracks, from, nowMs, make);
    const folder = locker.folder(collection, key);
    if (folder === undefined) return 'OVERLOAD';
    const short = known?.limited === true ? this.policy.meters.use(known, 1, 0, nowMs) : undefined;
    if (short !== undefined) return short.reason;
    const readable = (entry: Entry): boolean =>
      entry.labelled.start &&
      (tracks.length === 0 || tracks.includes(entry.labelled.track)) &&
      (known === undefined || coversEntry(known, entry));
    make(folder, from === FROM_NEWEST_START ? (folder.newestPart(readable) ?? 0) : from, true);
    return undefined;
  }

  /** Whether the account had more follows at once than it has now: one in the place of another. */
  isReplacement(account: Account): boolean {
    return countOf(account) < account.followsMost;
  }

  /** What runs under a token's number goes on under this token, if it is for reading in the same locker. */
  renew(link: Link, alias: number, known: KnownToken, nowMs: number): void {
    for (const follow of [...link.follows]) {
      if (follow.alias !== alias || follow.known === undefined) continue;
      if (!this.mayGoOn(follow, follow.known, known)) this.end(follow, 'TOKEN_SCOPE', 0, nowMs);
      else {
        follow.known = known;
        this.remotes.follows.refresh(follow, known, nowMs);
      }
    }
  }

  /** Hands a new token of a locker's owner to those who follow the locker under one like it; their follows go on under it. */
  passOn(follows: Iterable<Follow>, known: KnownToken, nowMs: number): void {
    for (const follow of follows) {
      const { link, known: old } = follow;
      if (old === undefined || !this.mayGoOn(follow, old, known) || !renews(known, old)) continue;
      if (this.policy.refusal(known, link.account!.key, nowMs) !== undefined) continue;
      const alias = link.aliases.get(follow.alias);
      if (alias?.known === old) alias.known = known;
      follow.known = known;
      this.replies.send(link, { type: 'renewed', request: follow.request, token: known.sealed });
    }
  }

  /** Ends a follow and tells why. */
  end(follow: Follow, reason: Reason, retryMs: number, nowMs: number): void {
    if (follow.ended) return;
    const { link, request } = follow;
    link.requests.delete(request);
    this.drop(follow, nowMs);
    this.replies.refuse(link, request, null, reason, retryMs);
  }

  /** Ends a follow without a word. */
  drop(follow: Follow, nowMs: number): void {
    if (follow.ended) return;
    follow.ended = true;
    this.count--;
    follow.link.follows.delete(follow);
    follow.folder.follows.delete(follow);
    this.remotes.follows.unfollow(follow, nowMs);
    this.room.left(follow);
  }

  /** Ends those of a link whose tokens have run out. */
  sweep(link: Link, nowMs: number): void {
    for (const follow of [...link.follows]) this.judge(follow, nowMs);
  }

  /** Ends those of a locker that its owner does not allow any more. */
  review(locker: Locker, nowMs: number): void {
    for (const folder of locker.folders.values()) for (const follow of [...folder.follows]) this.judge(follow, nowMs);
  }

  /** Whether a token is for reading where a follow under another one runs: in the same locker, on a server that it names. */
  private mayGoOn(follow: Follow, old: KnownToken, known: KnownToken): boolean {
    if (known.ownerKey !== old.ownerKey || !allows(known, OPERATION.get)) return false;
    if (!this.remotes.follows.brings(follow)) return known.here;
    // Of a limited one the other server would have to count.
    return !known.limited && known.token.servers.length > (known.here ? 1 : 0);
  }

  private judge(follow: Follow, nowMs: number): void {
    const { known, folder } = follow;
    if (known === undefined) return;
    if (expired(known, nowMs)) this.end(follow, 'TOKEN_EXPIRED', 0, nowMs);
    else if (this.policy.revocations.cover(known)) this.end(follow, 'TOKEN_REVOKED', 0, nowMs);
    else if (!coversCollection(known, folder.key)) this.end(follow, lackOf(known), 0, nowMs);
  }

  private add(
    link: Link,
    { request, keep, token, tracks, priority }: FollowMessage,
    known: KnownToken | undefined,
    folder: Folder,
    from: number,
    catchUp: boolean,
    nowMs: number,
  ): Follow {
    const begin = { part: from, place: -1 };
    const follow: Follow = {
      kind: 'follow',
      link,
      request,
      keep: keep && !link.server,
      known,
      alias: token,
      folder,
      tracks: tracks.length === 0 ? null : new Set(tracks),
      from,
      rank: PRIORITIES.indexOf(priority),
      cursor: catchUp ? begin : undefined,
      behindSinceMs: undefined,
      reached: begin,
      queued: 0,
      pausedUntilMs: undefined,
      paused: [],
      item: 0,
      ended: false,
    };
    this.count++;
    link.requests.set(request, follow);
    link.follows.add(follow);
    const account = link.account!;
    account.followsMost = Math.max(account.followsMost, countOf(account));
    folder.follows.add(follow);
    this.sender.startFollow(follow, nowMs);
    return follow;
  }
}

function countOf({ links }: Account): number {
  return links.reduce((sum, { follows }) => sum + follows.size, 0);
}

/** Whether a token is one before it made anew: later, of the same maker, and for no more blocks or bytes. */
function renews(known: KnownToken, old: KnownToken): boolean {
  if (old.open !== undefined || old.madeBy !== known.madeBy || old.collectionKey !== known.collectionKey) return false;
  // A range moves on with what is held; its end does not.
  const { token } = known;
  const { tracks, to, expires } = old.token;
  if (token.expires <= expires || token.to > to || old.limited || old.holderKey !== known.holderKey) return false;
  return tracks === null || token.tracks?.every((track) => tracks.includes(track)) === true;
}
