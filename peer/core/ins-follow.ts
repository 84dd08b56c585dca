import type { InsCallerOutput } from '../../ins-client/core/world.ts';
import { FROM_NEWEST_START } from '../../protocol/ins-messages.ts';
import type { Catalogue } from '../../swarm/catalogue.ts';
import type { InsServers } from './ins-servers.ts';
import type { InsSession } from './ins-session.ts';
import type { Lockers } from './lockers.ts';

export interface InsFollowOptions {
  readonly stream: Uint8Array;
  /** Let the server send the live edge unasked. */
  readonly useFollow: boolean;
  readonly catalogue: Catalogue;
  readonly lockers: Lockers;
  /** Neighbours feed us where the server has no room: it may refuse us. */
  readonly mayBeRefused?: boolean;
}

/** Who had no room for us just now. */
export type Refused = 'by none' | 'by one' | 'by all';

/** Ms for which a follow waits for the records that come with the join's answer, while their signatures are checked. */
const RECORDS_WITHIN_MS = 150;
/** Ms until a refused follow is asked for again: twice as long each time, and up to so long. */
const AGAIN_MS = 250;
const AGAIN_MS_MAX = 4_000;
/** Ms for a new token to come where the one that we have was refused. */
const NEW_TOKEN_MS = 1_000;

/** The live edge, asked for of a server that sends it unasked from then on: when it may be asked for, from where on, and what a refusal means. */
export class InsFollow {
  /** Where a follow begins: a part, or the newest that a viewer can start at. The peer says. */
  from: (nowMs: number) => number = () => FROM_NEWEST_START;
  /** When the live edge may be asked for of a server that is there now, or again when one had no room, or all had none. */
  mayFollowAtMs: (refused: Refused, nowMs: number) => number = (_, nowMs) => nowMs;
  /** Nobody watches yet: nothing is asked for. */
  held = false;
  /** The tracks that are taken; empty is all. */
  tracks: readonly number[] = [];
  /** Servers that had no room for us since one had: each is asked once before we stay away from all. */
  private readonly withoutRoom = new Set<string>();
  private readonly options: InsFollowOptions;
  private readonly servers: InsServers;
  private readonly nextHandle: () => number;

  constructor(options: InsFollowOptions, servers: InsServers, nextHandle: () => number) {
    this.options = options;
    this.servers = servers;
    this.nextHandle = nextHandle;
  }

  /** Asks for the live edge where it is time. @returns `no room` where this server has to be left for another one. */
  start(session: InsSession, nowMs: number): 'asked' | 'no room' | undefined {
    const { followAtMs } = session;
    if (this.held || !session.up || session.follow !== undefined || followAtMs === undefined || followAtMs > nowMs)
      return undefined;
    // Tried now; without a token it waits for one to come.
    session.followAtMs = undefined;
    const { useFollow, lockers, stream, catalogue } = this.options;
    const { source } = lockers;
    if (!useFollow || source === undefined) return undefined;
    if (session.full && this.servers.size > 1) return 'no room';
    if (source.token.expires * 1000 <= nowMs + session.clockOffsetMs) return undefined;
    const from = this.from(nowMs);
    if (from === FROM_NEWEST_START && catalogue.newest < 0 && !session.awaitsRecords) {
      session.awaitsRecords = true;
      session.followAtMs = nowMs + RECORDS_WITHIN_MS;
      return undefined;
    }
    const { owner, sealed } = source;
    const priority = this.options.mayBeRefused === true ? 'low' : 'normal';
    const follow = { handle: this.nextHandle(), owner, sealed, tracks: this.tracks, from, askedAtMs: nowMs };
    session.begin(follow, stream, priority, nowMs);
    return 'asked';
  }

  /** The first records are here for which the follow waited. @returns Whether it may be asked for. */
  knowsRecords(session: InsSession, nowMs: number): boolean {
    if (!session.awaitsRecords || session.follow !== undefined || this.options.catalogue.newest < 0) return false;
    session.followAtMs = nowMs;
    return true;
  }

  /** The source may have another locker now: a restarted source has a new key. @returns Whether another one is followed than that. */
  isOfAnother({ follow }: InsSession): boolean {
    const { source } = this.options.lockers;
    return source !== undefined && follow !== undefined && source.owner !== follow.owner;
  }

  /** It has brought something. */
  brought(session: InsSession, track: number, part: number, nowMs: number): void {
    session.followed(track, part);
    this.withoutRoom.clear();
    session.pace.tick(nowMs);
  }

  /** The server hands on the token that the locker's owner has renewed. */
  renewed({ follow }: InsSession, handle: number, token: Uint8Array): void {
    const { lockers } = this.options;
    const owner = follow?.handle === handle ? lockers.get(follow.owner) : undefined;
    if (owner !== undefined) lockers.addToken(owner.token.issuer, token);
  }

  /**
   * The server does not give it: it is asked for again later.
   *
   * @param isInUse - By the server in use, not by one that is on trial.
   * @returns Whether that is because it has no room for what may be refused.
   */
  refused(
    session: InsSession,
    { reason, retryAfterMs }: Pick<Extract<InsCallerOutput, { kind: 'refused' }>, 'reason' | 'retryAfterMs'>,
    isInUse: boolean,
    nowMs: number,
  ): boolean {
    const { sealed, owner } = session.follow!;
    session.follow = undefined;
    const pauseMs = AGAIN_MS * 2 ** ++session.followFailures;
    session.followAtMs = nowMs + Math.max(retryAfterMs, Math.min(AGAIN_MS_MAX, pauseMs));
    // The same token again would be refused again: the next one starts the follow.
    const stale = reason.startsWith('TOKEN_') && this.options.lockers.get(owner)?.sealed === sealed;
    if (stale) session.followAtMs = nowMs + NEW_TOKEN_MS;
    if (this.options.mayBeRefused !== true || reason !== 'OVERLOAD' || !isInUse) return false;
    session.full = true;
    session.followAtMs = this.refusedUntilMs(session, nowMs);
    return true;
  }

  /** When to ask again who has another source: maybe soon where there is a server that was not asked yet. */
  private refusedUntilMs({ url }: InsSession, nowMs: number): number {
    this.withoutRoom.add(url);
    const isLast = this.withoutRoom.size >= this.servers.size;
    if (isLast) this.withoutRoom.clear();
    return this.mayFollowAtMs(isLast ? 'by all' : 'by one', nowMs);
  }
}
