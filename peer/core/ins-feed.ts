import type { WantedBlock } from '../../ins-client/core/io.ts';
import type { InsCallerOutput, InsWorldInput } from '../../ins-client/core/world.ts';
import { earlier } from '../../machine/deadlines.ts';
import { type Body, type LinkId, Queue } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import type { Labelled } from '../../protocol/frames.ts';
import type { Reason } from '../../protocol/reasons.ts';
import { InsConnections, type InsConnectionsOptions } from './ins-connections.ts';
import { InsFailover, type InsServerEvent } from './ins-failover.ts';
import { InsFollow, type InsFollowOptions } from './ins-follow.ts';
import type { Asked, Place } from './ins-gets.ts';
import { InsRequests, type InsRequestsOptions } from './ins-requests.ts';
import { InsServers } from './ins-servers.ts';
import type { InsSession } from './ins-session.ts';

export type InsFeedEvent =
  | InsServerEvent
  | (Came & { readonly kind: 'labelled'; readonly labelled: Labelled })
  | (Came & { readonly kind: 'block'; readonly place: Place })
  /** The server does not give a block that was asked for. */
  | { readonly kind: 'none'; readonly place: Place; readonly reason: Reason };

interface Came {
  readonly link: LinkId;
  readonly url: string;
  readonly body: Body;
  /** It is filed in our locker on the server in use. */
  readonly kept: boolean;
}

export interface InsFeedOptions extends InsConnectionsOptions, InsRequestsOptions, InsFollowOptions {
  readonly prng: Prng;
  /** Connections over which blocks are asked for, of which the server has to allow so many for one account. Default 1. */
  readonly connections?: number;
}

/** A server that feeds us says something with every part. */
const HEARD_WITHIN_MS = 350;

/**
 * A peer's dealings with its INS server: a follow for the live edge (`ins-follow.ts`), and batches in deadline order for what it does not bring
 * (`ins-requests.ts`). What servers say is taken in here; which server is in use is decided beside it (`ins-failover.ts`).
 */
export class InsFeed {
  readonly events = new Queue<InsFeedEvent>();
  /** The live edge comes unasked. */
  readonly follows: boolean;
  /** The live edge: where a follow begins, and when it may be asked for, the peer says there. */
  readonly follow: InsFollow;
  /** Which server is in use. */
  readonly failover: InsFailover;
  /** What is asked for block by block. */
  readonly requests: InsRequests;
  private readonly connections: InsConnections;
  private handles = 0;

  constructor(options: InsFeedOptions) {
    const { prng } = options;
    const servers = new InsServers(prng.fork('servers'));
    const connections = new InsConnections(options);
    const nextHandle = () => ++this.handles;
    const drain = (session: InsSession, nowMs: number): void => this.drain(session, nowMs);
    const follow = new InsFollow(options, servers, nextHandle);
    const requests = new InsRequests(options, connections, nextHandle, drain);
    const { events } = this;
    const connectionsMax = options.connections ?? 1;
    this.connections = connections;
    this.follow = follow;
    this.requests = requests;
    this.failover = new InsFailover({ prng, servers, connections, follow, requests, events, connectionsMax, drain });
    this.follows = options.useFollow;
  }

  private get session(): InsSession | undefined {
    return this.connections.session;
  }

  get up(): boolean {
    return this.session?.up === true;
  }

  get server(): Uint8Array | undefined {
    return this.session?.server;
  }

  /** Nothing is asked for until {@link release}. */
  hold(): void {
    this.follow.held = true;
  }

  /** The viewer watches: the live edge may be asked for from now on. */
  release(nowMs: number): void {
    this.follow.held = false;
    if (this.session !== undefined) this.failover.startFollow(this.session, nowMs);
  }

  owns(link: LinkId): boolean {
    return this.connections.of(link) !== undefined;
  }

  /** What came over a link that is ours. */
  linkInput(link: LinkId, input: InsWorldInput, nowMs: number): void {
    const session = this.connections.of(link);
    if (session === undefined) return;
    session.input(input, nowMs);
    this.drain(session, nowMs);
  }

  /** @returns False when the reference is none of ours. */
  signed(ref: number, signature: Uint8Array, nowMs: number): boolean {
    const session = this.connections.signed(ref, signature, nowMs);
    if (session) this.drain(session, nowMs);
    return session !== undefined;
  }

  /** A locker's token was renewed; a follow that waited for one can begin. */
  tokenChanged(old: Uint8Array | null, sealed: Uint8Array, nowMs: number): void {
    for (const session of this.connections.all()) {
      if (old !== null) session.input({ kind: 'renew', old, token: sealed }, nowMs);
      session.followAtMs ??= this.follow.mayFollowAtMs('by none', nowMs);
      this.drain(session, nowMs);
    }
    this.sourceNamed(nowMs);
  }

  /** Which tracks to take from now on; empty is all. */
  setTracks(tracks: readonly number[], nowMs: number): void {
    this.follow.tracks = tracks;
    this.followAnew(nowMs);
  }

  /** The source may have another locker now: a restarted source has a new key. */
  sourceNamed(nowMs: number): void {
    const { session } = this;
    if (session === undefined) return;
    if (session.follow === undefined) this.failover.startFollow(session, nowMs);
    else if (this.follow.isOfAnother(session)) this.followAnew(nowMs);
  }

  /** Whether the live edge has been asked for, whether it comes, and whether there is no room for us. */
  get asked(): boolean {
    return this.session?.follow !== undefined;
  }

  /** When the server in use was dialled, and when it was asked for the live edge. */
  get dialledAtMs(): number | undefined {
    return this.session?.dialledAtMs;
  }

  get askedAtMs(): number | undefined {
    return this.session?.follow?.askedAtMs;
  }

  get brings(): boolean {
    return this.session?.brings === true;
  }

  /** The server in use has said something within so many ms: what it is asked for, it is likely to bring. */
  answers(nowMs: number, withinMs = HEARD_WITHIN_MS): boolean {
    const { session } = this;
    return session?.up === true && nowMs - session.heardAtMs < withinMs;
  }

  get full(): boolean {
    return this.session?.full === true;
  }

  /** The newest part that the follow has brought anything of; -1 when nothing. */
  get newestBrought(): number {
    return this.session?.newestBrought ?? -1;
  }

  /** Lets the live edge be, until the time that {@link InsFollow.mayFollowAtMs} says. @param inVain - It did not come. */
  rest(inVain: boolean, nowMs: number): void {
    const { session } = this;
    this.failover.endTrial(nowMs);
    if (session === undefined) return;
    session.cancelFollow(nowMs);
    session.followAtMs = this.follow.mayFollowAtMs(inVain ? 'by all' : 'by none', nowMs);
  }

  private followAnew(nowMs: number): void {
    const { session } = this;
    if (session?.follow === undefined) return;
    session.cancelFollow(nowMs);
    session.followAtMs = nowMs;
    this.failover.startFollow(session, nowMs);
  }

  /** Hands our own new range token to those who follow our locker. */
  announceToken(token: Uint8Array, nowMs: number): void {
    this.session?.input({ kind: 'range-token', token }, nowMs);
    if (this.session !== undefined) this.drain(this.session, nowMs);
  }

  /** Whether the follow is going to bring this part of a track without being asked. */
  expects(track: number, part: number): boolean {
    return this.session?.expects(track, part) === true;
  }

  /** Whether the follow has brought something within the time of a part and a half. */
  keepsPace(partMs: number, nowMs: number): boolean {
    const { session } = this;
    return session?.follow !== undefined && session.up && nowMs - session.heardAtMs < partMs * 1.5;
  }

  /** See {@link InsRequests}. */
  fetch(track: number, part: number, dueAtMs: number, want: WantedBlock[], places: Asked[], nowMs: number): void {
    this.requests.gather(track, part, dueAtMs, want, places, nowMs);
  }

  flush(items: readonly WantedBlock[], places: readonly Asked[], nowMs: number): void {
    this.requests.flush(items, places, nowMs);
  }

  nextDeadline(): number | undefined {
    const { session, extras, trial } = this.connections;
    let next = earlier(session?.nextDeadline(), this.requests.nextDeadline());
    for (const extra of extras) next = earlier(next, extra.nextDeadline());
    next = earlier(earlier(next, trial?.nextDeadline()), this.failover.nextDeadline());
    const asks = !this.follow.held && session?.up === true && session.follow === undefined;
    return asks ? earlier(next, session.followAtMs) : next;
  }

  timeout(nowMs: number): void {
    this.requests.timeout(nowMs);
    for (const session of this.connections.all()) {
      session.timeout(nowMs);
      this.drain(session, nowMs);
    }
    this.failover.timeout(nowMs);
    if (this.session !== undefined) this.failover.startFollow(this.session, nowMs);
  }

  private drain(session: InsSession, nowMs: number): void {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      this.told(session, output, nowMs);
      // What a session says that is not in use any more is of no use.
      if (!this.connections.has(session)) return;
    }
  }

  private told(session: InsSession, output: InsCallerOutput, nowMs: number): void {
    switch (output.kind) {
      case 'ready':
        this.failover.ready(session, output, nowMs);
        return;
      case 'arrived':
        this.arrived(session, output, nowMs);
        return;
      case 'refused':
        this.refused(session, output, nowMs);
        return;
      case 'done':
        this.requests.done(output.handle);
        return;
      case 'renewed':
        this.follow.renewed(session, output.handle, output.token);
        return;
      case 'lost':
        this.failover.connectionLost(session, output, nowMs);
        return;
      default:
        // The rest answers what we never ask.
        return;
    }
  }

  private arrived(
    session: InsSession,
    { handle, item, labelled, kept, body }: Extract<InsCallerOutput, { kind: 'arrived' }>,
    nowMs: number,
  ): void {
    session.heardAtMs = nowMs;
    // What a server keeps that is only tried is not announced.
    const came = { link: session.link ?? 0, url: session.url, body, kept: kept && session === this.session };
    if (session.follow?.handle !== handle && labelled !== null && this.requests.place(handle, item) === undefined) {
      // Of a follow that we let be: it was on its way.
      this.events.push({ kind: 'labelled', labelled, ...came });
      return;
    }
    if (session.follow?.handle === handle && labelled !== null) {
      this.follow.brought(session, labelled.track, labelled.part, nowMs);
      this.events.push({ kind: 'labelled', labelled, ...came });
      return;
    }
    const place = this.requests.place(handle, item);
    if (place === undefined) return;
    this.requests.free(place);
    if (labelled === null) this.events.push({ kind: 'block', place, ...came });
    else if (labelled.track === place.track && labelled.part === place.part) {
      this.events.push({ kind: 'labelled', labelled, ...came });
    }
  }

  private refused(session: InsSession, output: Extract<InsCallerOutput, { kind: 'refused' }>, nowMs: number): void {
    const { handle, item, reason } = output;
    if (session.follow?.handle === handle) this.failover.followRefused(session, output, nowMs);
    else {
      const place = this.requests.refused(handle, item, reason, nowMs);
      if (place !== undefined) this.events.push({ kind: 'none', place, reason });
    }
  }
}
