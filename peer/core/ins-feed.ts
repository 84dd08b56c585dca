import type { WantedBlock } from '../../ins-client/core/io.ts';
import type { InsCallerOutput, InsWorldInput } from '../../ins-client/core/world.ts';
import { earlier } from '../../machine/deadlines.ts';
import { type Body, type LinkId, Queue } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import { RedialPause } from '../../machine/rates.ts';
import type { Labelled } from '../../protocol/frames.ts';
import type { Reason } from '../../protocol/reasons.ts';
import type { InsServerEntry } from '../../protocol/swarm-fields.ts';
import type { PartEntry } from '../../swarm/catalogue.ts';
import { InsConnections, type InsConnectionsOptions } from './ins-connections.ts';
import { InsFollow, type InsFollowOptions } from './ins-follow.ts';
import type { Asked, Place } from './ins-gets.ts';
import { InsMoves, type Playing } from './ins-moves.ts';
import { InsRequests, type InsRequestsOptions } from './ins-requests.ts';
import { InsServers } from './ins-servers.ts';
import type { InsSession } from './ins-session.ts';
import type { PastBlock } from './past-feed.ts';

export type InsFeedEvent =
  | { readonly kind: 'up'; readonly url: string; readonly server: Uint8Array; readonly clockOffsetMs: number }
  | { readonly kind: 'lost'; readonly url: string; readonly why: string; readonly server: Uint8Array | undefined }
  | { readonly kind: 'refused'; readonly why: string }
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
/** Looks after the server are at least so far apart where nothing comes. */
const LOOK_AGAIN_MS = 50;
/** Ms a server must have served for its loss to be worth no pause, and the pause after one that wants us no more. */
const WORKED_MS = 3_000;
const REPLACED_PAUSE_MS = 30_000;
/** Refusals of a follow after which another server is asked. */
const REFUSALS_MAX = 4;

/**
 * A peer's dealings with its INS server: a follow for the live edge (`ins-follow.ts`), batches in deadline order for what it does not
 * bring (`ins-requests.ts`), and the way to another server when this one is lost, silent or slow, which is decided here.
 */
export class InsFeed {
  readonly events = new Queue<InsFeedEvent>();
  /** The live edge comes unasked. */
  readonly follows: boolean;
  /** The live edge: where a follow begins, and when it may be asked for, the peer says there. */
  readonly follow: InsFollow;
  private readonly servers: InsServers;
  private readonly connections: InsConnections;
  private readonly requests: InsRequests;
  private connectionsMax: number;
  private readonly moves: InsMoves;
  /** When it may be time to try another, or to have done with it. */
  private lookAtMs: number | undefined;
  private handles = 0;
  /** The address of the session, or of the one that was lost. */
  private at = '';
  private switchAtMs: number | undefined;
  private readonly pause = new RedialPause(200, 5_000);
  private readonly prng: Prng;

  constructor(options: InsFeedOptions) {
    const { prng } = options;
    this.prng = prng;
    this.servers = new InsServers(prng.fork('servers'));
    this.connectionsMax = options.connections ?? 1;
    this.moves = new InsMoves(prng.fork('moves'));
    this.connections = new InsConnections(options);
    const nextHandle = () => ++this.handles;
    this.follow = new InsFollow(options, this.servers, nextHandle);
    this.requests = new InsRequests(options, this.connections, nextHandle, (session, nowMs) =>
      this.drain(session, nowMs),
    );
    this.follows = options.useFollow;
  }

  private get session(): InsSession | undefined {
    return this.connections.session;
  }

  get url(): string {
    return this.at;
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
    if (this.session !== undefined) this.startFollow(this.session, nowMs);
  }

  /** The tracker's newest list, first choice first. A running connection to a server still on it stays. */
  setServers(servers: readonly InsServerEntry[], nowMs: number): void {
    if (servers.length === 0) return;
    this.servers.set(servers, this.at);
    if (!this.servers.has(this.at)) this.connect(this.servers.first!, nowMs);
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
    if (session.follow === undefined) this.startFollow(session, nowMs);
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

  /** How much later than it could the follow brings the next part. */
  behindMs(partMs: number, nowMs: number): number {
    return this.session === undefined ? 0 : this.moves.behindMs(this.session, partMs, nowMs);
  }

  /** The newest part that the follow has brought anything of; -1 when nothing. */
  get newestBrought(): number {
    return this.session?.newestBrought ?? -1;
  }

  /** Lets the live edge be, until the time that {@link InsFollow.mayFollowAtMs} says. @param inVain - It did not come. */
  rest(inVain: boolean, nowMs: number): void {
    const { session } = this;
    this.endTrial(nowMs);
    if (session === undefined) return;
    session.cancelFollow(nowMs);
    session.followAtMs = this.follow.mayFollowAtMs(inVain ? 'by all' : 'by none', nowMs);
  }

  private followAnew(nowMs: number): void {
    const { session } = this;
    if (session?.follow === undefined) return;
    session.cancelFollow(nowMs);
    session.followAtMs = nowMs;
    this.startFollow(session, nowMs);
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

  fetchPast(blocks: readonly PastBlock[], nowMs: number): boolean {
    return this.requests.past(blocks, nowMs);
  }

  nextDeadline(): number | undefined {
    const { session, extras, trial } = this.connections;
    let next = earlier(earlier(session?.nextDeadline(), this.requests.nextDeadline()), this.switchAtMs);
    for (const extra of extras) next = earlier(next, extra.nextDeadline());
    next = earlier(earlier(next, trial?.nextDeadline()), this.lookAtMs);
    const asks = !this.follow.held && session?.up === true && session.follow === undefined;
    return asks ? earlier(next, session.followAtMs) : next;
  }

  timeout(nowMs: number): void {
    if (this.lookAtMs !== undefined && this.lookAtMs <= nowMs) this.lookAtMs = undefined;
    this.requests.timeout(nowMs);
    for (const session of this.connections.all()) {
      session.timeout(nowMs);
      this.drain(session, nowMs);
    }
    if (this.switchAtMs !== undefined && this.switchAtMs <= nowMs) this.switchServer('it cannot be reached', nowMs);
    if (this.session !== undefined) this.startFollow(this.session, nowMs);
  }

  /** A block of a server's is verified: its part is whole with it or not. */
  came(link: LinkId, { record }: PartEntry, whole: boolean, nowMs: number): void {
    const session = this.connections.of(link);
    if (session?.follow === undefined || !whole) return;
    const untilMs = record.capturedAtMs + record.durationUs / 1000;
    session.broughtUntilMs = Math.max(untilMs, session.broughtUntilMs ?? untilMs);
    this.moves.came(session, nowMs - untilMs);
  }

  /** Looks whether the server does what it should, and whether one that is tried does it better. */
  look(playing: Playing, nowMs: number): void {
    const { session: waits } = this;
    if (waits !== undefined && this.follow.knowsRecords(waits, nowMs)) this.startFollow(waits, nowMs);
    this.judge(playing, nowMs);
    const { moves } = this;
    const { session, trial } = this.connections;
    this.lookAtMs = undefined;
    if (trial !== undefined) this.lookAtMs = moves.verdictAtMs(session, trial);
    else if (session !== undefined && this.servers.size > 1) this.lookAtMs = moves.reasonAtMs(session, playing, nowMs);
    // Where there is nobody else to try now, there may be later.
    if (this.lookAtMs !== undefined) this.lookAtMs = Math.max(this.lookAtMs, nowMs + LOOK_AGAIN_MS);
  }

  private judge(playing: Playing, nowMs: number): void {
    const { moves } = this;
    const { session, trial } = this.connections;
    if (session === undefined) return;
    if (trial === undefined) {
      // The next one is about to be dialled anyway.
      if (this.switchAtMs !== undefined) return;
      const why = this.servers.size > 1 ? moves.reason(session, playing, nowMs) : undefined;
      const other = why === undefined ? undefined : this.servers.other(session.url, nowMs);
      if (other !== undefined) this.connections.trial = this.connections.dial(other, nowMs);
      return;
    }
    if (trial.up && moves.wantsBoth(session, playing, nowMs)) this.startFollow(trial, nowMs);
    const verdict = moves.verdict(session, trial, nowMs);
    if (verdict === undefined) return;
    moves.tried(session, trial, nowMs);
    if (verdict === 'trial') this.move('another server is better', nowMs);
    else {
      if (!trial.up && session.upAtMs <= trial.dialledAtMs) this.servers.unreached(trial.url, nowMs);
      this.endTrial(nowMs);
    }
  }

  /** The server that was tried is the one in use from now on. */
  private move(why: string, nowMs: number): void {
    const { connections } = this;
    const { session, trial } = connections;
    connections.trial = undefined;
    if (session !== undefined) {
      this.lost(session, why, nowMs);
      session.end(nowMs);
    }
    connections.session = trial;
    this.at = trial!.url;
    this.switchAtMs = undefined;
    if (!trial!.up) return;
    this.widen(trial!, nowMs);
    this.tellUp(trial!);
    this.startFollow(trial!, nowMs);
  }

  /** Opens the further connections to the server in use. */
  private widen({ url }: InsSession, nowMs: number): void {
    const { connections } = this;
    while (connections.extras.length < this.connectionsMax - 1) connections.extras.push(connections.dial(url, nowMs));
  }

  private narrow(nowMs: number): void {
    const { extras } = this.connections;
    this.connections.extras = [];
    for (const extra of extras) {
      this.giveBack(extra, nowMs);
      extra.end(nowMs);
    }
  }

  private endTrial(nowMs: number): void {
    const { trial } = this.connections;
    this.connections.trial = undefined;
    trial?.end(nowMs);
  }

  private tellUp({ url, server, clockOffsetMs }: InsSession): void {
    this.events.push({ kind: 'up', url, server: server!, clockOffsetMs });
  }

  /** Gives this server up for the next on the list. */
  switchServer(why: string, nowMs: number): void {
    this.stop(why, nowMs);
    this.connect(this.servers.next(this.at, nowMs).url, nowMs);
  }

  /** The connection is dead: the same server is dialled anew. */
  redial(why: string, nowMs: number): void {
    if (this.at === '') return;
    this.stop(why, nowMs);
    this.connect(this.at, nowMs);
  }

  /** Like {@link switchServer}, where there is another one. */
  avoid(why: string, nowMs: number): void {
    if (this.servers.size > 1) this.switchServer(why, nowMs);
  }

  stop(why: string, nowMs: number): void {
    this.endTrial(nowMs);
    const { session } = this;
    if (session === undefined) return;
    this.lost(session, why, nowMs);
    this.connections.session = undefined;
    session.end(nowMs);
  }

  private connect(url: string, nowMs: number): void {
    this.stop('another server', nowMs);
    this.switchAtMs = undefined;
    this.at = url;
    const session = this.connections.dial(url, nowMs);
    this.connections.session = session;
    this.drain(session, nowMs);
  }

  /** What was asked of it is asked anew elsewhere, or on its next connection: the conversation must not ask, too. */
  private lost(session: InsSession, why: string, nowMs: number): void {
    const { server, url } = session;
    this.narrow(nowMs);
    this.giveBack(session, nowMs);
    session.lost();
    if (server !== undefined) this.events.push({ kind: 'lost', url, why, server });
  }

  private giveBack(session: InsSession, nowMs: number): void {
    this.requests.giveBack(session, nowMs);
    if (session.follow !== undefined) session.input({ kind: 'cancel', handle: session.follow.handle }, nowMs);
  }

  private startFollow(session: InsSession, nowMs: number): void {
    const did = this.follow.start(session, nowMs);
    if (did === 'asked') this.drain(session, nowMs);
    else if (did === 'no room') this.switchServer('it has no room', nowMs);
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
        session.server = output.server;
        session.clockOffsetMs = output.clockOffsetMs;
        session.upAtMs = nowMs;
        session.heardAtMs = nowMs;
        session.followAtMs = this.follow.mayFollowAtMs('by none', nowMs);
        if (session === this.session) this.switchAtMs = undefined;
        if (session !== this.session) return;
        this.widen(session, nowMs);
        this.tellUp(session);
        this.startFollow(session, nowMs);
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
        this.connectionLost(session, output, nowMs);
        return;
      default:
        // The rest answers what we never ask.
        return;
    }
  }

  private connectionLost(
    session: InsSession,
    { why, final, retryAfterMs, otherServer }: Extract<InsCallerOutput, { kind: 'lost' }>,
    nowMs: number,
  ): void {
    const { connections } = this;
    if (session === connections.trial) {
      if (retryAfterMs > 0 || otherServer !== null) this.servers.leave(session.url, retryAfterMs, nowMs);
      else this.servers.unreached(session.url, nowMs);
      this.endTrial(nowMs);
      return;
    }
    if (session !== this.session) {
      // The server allows fewer connections than we would have.
      if (final) this.connectionsMax = 1;
      connections.extras = connections.extras.filter((extra) => extra !== session);
      this.giveBack(session, nowMs);
      session.end(nowMs);
      return;
    }
    if (final && connections.extras.length > 0) this.connectionsMax = 1;
    const worked = session.up && nowMs - session.upAtMs > WORKED_MS;
    this.lost(session, why, nowMs);
    // Another one is under way already.
    if (connections.trial !== undefined) {
      if (retryAfterMs > 0 || otherServer !== null) this.servers.leave(session.url, retryAfterMs, nowMs);
      this.move(why, nowMs);
      return;
    }
    if (retryAfterMs > 0 || otherServer !== null) {
      this.hangUp(session, nowMs);
      this.events.push({ kind: 'refused', why });
      this.switchAtMs = this.servers.sentAway(this.at, { retryAfterMs, otherServer }, nowMs);
      return;
    }
    // From one that worked to the next at once, or to the same again; where none does, with a growing pause between.
    if (worked) this.pause.succeed();
    else this.hangUp(session, nowMs);
    if (final && this.servers.size === 1) this.switchAtMs = nowMs + REPLACED_PAUSE_MS;
    else if (!worked) this.switchAtMs = nowMs + this.pause.fail(this.prng.unit(), nowMs);
    else if (this.servers.size > 1) this.switchAtMs = nowMs;
  }

  /** Nothing is dialled before the next conversation. */
  private hangUp(session: InsSession, nowMs: number): void {
    this.connections.session = undefined;
    session.end(nowMs);
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
    if (session.follow?.handle === handle) this.followRefused(session, output, nowMs);
    else {
      const place = this.requests.refused(handle, item, reason, nowMs);
      if (place !== undefined) this.events.push({ kind: 'none', place, reason });
    }
  }

  private followRefused(
    session: InsSession,
    output: Extract<InsCallerOutput, { kind: 'refused' }>,
    nowMs: number,
  ): void {
    const { reason, retryAfterMs, otherServer } = output;
    this.events.push({ kind: 'refused', why: reason });
    // Neighbours feed us then.
    if (this.follow.refused(session, output, session === this.session, nowMs)) return;
    const isBusy = reason === 'OVERLOAD' || reason === 'DRAINING';
    if (session === this.connections.trial) {
      if (isBusy) this.servers.leave(session.url, retryAfterMs, nowMs);
      this.endTrial(nowMs);
    } else if (isBusy && this.servers.sentAway(this.at, { retryAfterMs, otherServer }, nowMs) <= nowMs)
      this.switchServer(reason, nowMs);
    else if (session.followFailures >= REFUSALS_MAX && this.servers.size > 1) this.switchServer(reason, nowMs);
  }
}
