import type { WantedBlock } from '../../ins-client/core/io.ts';
import { BATCH_ITEMS_MAX } from '../../protocol/limits.ts';
import type { Reason } from '../../protocol/reasons.ts';
import type { Catalogue } from '../../swarm/catalogue.ts';
import type { BlockGrants } from './block-tokens.ts';
import type { InsConnections } from './ins-connections.ts';
import { type Asked, InsGets, type Place } from './ins-gets.ts';
import type { InsSession } from './ins-session.ts';
import type { Lockers } from './lockers.ts';

export interface InsRequestsOptions {
  readonly stream: Uint8Array;
  readonly catalogue: Catalogue;
  readonly lockers: Lockers;
  /** Tokens block by block, in the place of range tokens. */
  readonly blockTokens?: BlockGrants;
  /** Many blocks in one request (default), or one, and the next when it has come. */
  readonly batches?: boolean;
  /** Neighbours feed us where the server has no room: it may refuse us. */
  readonly mayBeRefused?: boolean;
}

/** Ms after which an unanswered get is asked again. */
const ANSWER_WITHIN_MS = 1_500;
const GETS_MAX = 32;
/** Ms a locker that lacked what it was said to hold is left alone. */
const LOCKER_REST_MS = 5_000;

/** What is asked of INS servers block by block: batches in deadline order, of what no follow brings. Knows what is on its way, and from which locker. */
export class InsRequests {
  private readonly gets = new InsGets<InsSession>();
  private readonly options: InsRequestsOptions;
  private readonly connections: InsConnections;
  private readonly nextHandle: () => number;
  private readonly drain: (session: InsSession, nowMs: number) => void;

  /** @param drain - Takes in what a session says when it was asked. */
  constructor(
    options: InsRequestsOptions,
    connections: InsConnections,
    nextHandle: () => number,
    drain: (session: InsSession, nowMs: number) => void,
  ) {
    this.options = options;
    this.connections = connections;
    this.nextHandle = nextHandle;
    this.drain = drain;
  }

  /** Gathers what is missing of one part of a track. `dueAtMs` orders it among the others. */
  gather(track: number, part: number, dueAtMs: number, want: WantedBlock[], places: Asked[], nowMs: number): void {
    const { session } = this.connections;
    if (session?.server === undefined || this.gets.size >= GETS_MAX) return;
    const { lockers, catalogue, blockTokens } = this.options;
    const { server, clockOffsetMs } = session;
    const locker = blockTokens === undefined ? lockers.choose(server, track, part, nowMs, clockOffsetMs) : undefined;
    if (blockTokens === undefined && locker === undefined) return;
    const entry = catalogue.get(track, part);
    const deadlineAtMs = Math.max(dueAtMs, nowMs + 500);
    const indexes = entry === undefined ? [0] : entry.bodies.keys();
    for (const index of indexes) {
      if (entry?.bodies[index] !== undefined || this.gets.isAsked(track, part, index)) continue;
      if (want.length >= BATCH_ITEMS_MAX) return;
      const from = locker ?? blockTokens?.take({ track, part, index }, nowMs);
      if (from === undefined) continue;
      const name = entry?.record.blocks[index]?.name ?? null;
      const label = name === null ? { track, part, index } : null;
      const item = { token: from.sealed, name, label, deadlineAtMs };
      want.push(this.options.mayBeRefused === true ? { ...item, priority: 'low' } : item);
      places.push({ track, part, index, owner: from.owner });
    }
  }

  /** Sends a batch that {@link gather} has made. */
  flush(items: readonly WantedBlock[], places: readonly Asked[], nowMs: number): void {
    if (items.length === 0 || this.connections.session === undefined) return;
    if (this.options.batches === false) {
      // What there is no room for now is gathered again when something has come.
      for (const [at, item] of items.entries()) {
        const session = this.leastBusy();
        if (this.gets.openAt(session) > 0) return;
        this.get(session, [item], [places[at]!], nowMs);
      }
    } else this.get(this.leastBusy(), items, places, nowMs);
  }

  /** A server is there, and has little to do for us. */
  get isIdle(): boolean {
    return this.connections.session?.up === true && this.gets.size < GETS_MAX / 2;
  }

  /** Whether a block is on its way. */
  isAsked({ track, part, index }: Place): boolean {
    return this.gets.isAsked(track, part, index);
  }

  /** Asks the server in use for what it need not keep for us. */
  ask(items: readonly WantedBlock[], places: readonly Asked[], nowMs: number): void {
    const { session } = this.connections;
    if (session !== undefined) this.get(session, items, places, nowMs, false);
  }

  private get(
    session: InsSession,
    items: readonly WantedBlock[],
    places: readonly Asked[],
    nowMs: number,
    keep = true,
  ): void {
    const handle = this.nextHandle();
    this.gets.add(handle, session, places, nowMs + ANSWER_WITHIN_MS);
    session.input({ kind: 'get', handle, keep, collection: this.options.stream, items }, nowMs);
    this.drain(session, nowMs);
  }

  /** The connection to the server in use with the fewest requests open. */
  private leastBusy(): InsSession {
    const { session, extras } = this.connections;
    let best = session!;
    for (const extra of extras) if (extra.up && this.gets.openAt(extra) < this.gets.openAt(best)) best = extra;
    return best;
  }

  nextDeadline(): number | undefined {
    return this.gets.nextDeadline();
  }

  timeout(nowMs: number): void {
    for (const { handle, session } of this.gets.late(nowMs)) this.cancel(session, handle, nowMs);
  }

  /** The place that a server answers for; `undefined` where it is none that was asked for. */
  place(handle: number, item: number): Place | undefined {
    return this.gets.place(handle, item);
  }

  /** Something has come for a place: it is not on its way any more. */
  free(place: Place): void {
    this.gets.free(place);
  }

  /** A block is not given. @returns Which. */
  refused(handle: number, item: number | null, reason: Reason, nowMs: number): Place | undefined {
    if (item === null) {
      this.gets.forget(handle);
      return undefined;
    }
    const place = this.gets.place(handle, item);
    if (place === undefined) return undefined;
    // Stays asked until the batch is done or its time is up: refused blocks are not asked for in a tight loop.
    if (reason === 'DEADLINE') this.gets.free(place);
    else this.options.lockers.rest(place.owner, nowMs + LOCKER_REST_MS);
    return place;
  }

  done(handle: number): void {
    this.gets.forget(handle);
  }

  /** What was asked of this session is asked anew elsewhere: the conversation must not ask, too. */
  giveBack(session: InsSession, nowMs: number): void {
    for (const handle of this.gets.handlesOf(session)) this.cancel(session, handle, nowMs);
  }

  private cancel(session: InsSession, handle: number, nowMs: number): void {
    this.gets.forget(handle);
    session.input({ kind: 'cancel', handle }, nowMs);
  }
}
