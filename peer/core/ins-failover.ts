import type { InsCallerOutput } from '../../ins-client/core/world.ts';
import { earlier } from '../../machine/deadlines.ts';
import type { LinkId, Sink } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import { RedialPause } from '../../machine/rates.ts';
import type { InsServerEntry } from '../../protocol/swarm-fields.ts';
import type { PartEntry } from '../../swarm/catalogue.ts';
import type { InsConnections } from './ins-connections.ts';
import type { InsFollow } from './ins-follow.ts';
import { InsMoves, type Playing } from './ins-moves.ts';
import type { InsRequests } from './ins-requests.ts';
import type { InsServers } from './ins-servers.ts';
import type { InsSession } from './ins-session.ts';

/** What becomes of INS servers. */
export type InsServerEvent =
  | { readonly kind: 'up'; readonly url: string; readonly server: Uint8Array; readonly clockOffsetMs: number }
  | { readonly kind: 'lost'; readonly url: string; readonly why: string; readonly server: Uint8Array | undefined }
  | { readonly kind: 'refused'; readonly why: string };

export interface InsFailoverOptions {
  readonly prng: Prng;
  readonly servers: InsServers;
  readonly connections: InsConnections;
  readonly follow: InsFollow;
  readonly requests: InsRequests;
  readonly events: Sink<InsServerEvent>;
  /** Connections over which blocks are asked for, of which the server has to allow so many for one account. */
  readonly connectionsMax: number;
  /** Takes in what a session says when it was asked. */
  readonly drain: (session: InsSession, nowMs: number) => void;
}

/** Looks after the server are at least so far apart where nothing comes. */
const LOOK_AGAIN_MS = 50;
/** Ms a server must have served for its loss to be worth no pause, and the pause after one that wants us no more. */
const WORKED_MS = 3_000;
const REPLACED_PAUSE_MS = 30_000;
/** Refusals of a follow after which another server is asked. */
const REFUSALS_MAX = 4;

/**
 * Which INS server is in use, and the way to another one when it is lost, silent, slow or full: dials, tries one beside the other (`ins-moves.ts` says when),
 * and says of which the live edge is asked for. What comes from servers is not its matter.
 */
export class InsFailover {
  private readonly options: InsFailoverOptions;
  private readonly servers: InsServers;
  private readonly connections: InsConnections;
  private readonly follow: InsFollow;
  private readonly requests: InsRequests;
  private readonly events: Sink<InsServerEvent>;
  private connectionsMax: number;
  private readonly moves: InsMoves;
  /** When it may be time to try another, or to have done with it. */
  private lookAtMs: number | undefined;
  /** The address of the session, or of the one that was lost. */
  private at = '';
  private switchAtMs: number | undefined;
  private readonly pause = new RedialPause(200, 5_000);
  private readonly prng: Prng;

  constructor(options: InsFailoverOptions) {
    this.options = options;
    this.prng = options.prng;
    this.servers = options.servers;
    this.connections = options.connections;
    this.follow = options.follow;
    this.requests = options.requests;
    this.events = options.events;
    this.connectionsMax = options.connectionsMax;
    this.moves = new InsMoves(options.prng.fork('moves'));
  }

  get url(): string {
    return this.at;
  }

  /** The tracker's newest list, first choice first. A running connection to a server still on it stays. */
  setServers(servers: readonly InsServerEntry[], nowMs: number): void {
    if (servers.length === 0) return;
    this.servers.set(servers, this.at);
    if (!this.servers.has(this.at)) this.connect(this.servers.first!, nowMs);
  }

  nextDeadline(): number | undefined {
    return earlier(this.switchAtMs, this.lookAtMs);
  }

  timeout(nowMs: number): void {
    if (this.lookAtMs !== undefined && this.lookAtMs <= nowMs) this.lookAtMs = undefined;
    if (this.switchAtMs !== undefined && this.switchAtMs <= nowMs) this.switchServer('it cannot be reached', nowMs);
  }

  /** How much later than it could the follow brings the next part. */
  behindMs(partMs: number, nowMs: number): number {
    const { session } = this.connections;
    return session === undefined ? 0 : this.moves.behindMs(session, partMs, nowMs);
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
    const { session: waits } = this.connections;
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

  /** The server that was tried is not taken. */
  endTrial(nowMs: number): void {
    const { trial } = this.connections;
    this.connections.trial = undefined;
    trial?.end(nowMs);
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
    const { session } = this.connections;
    if (session === undefined) return;
    this.lost(session, why, nowMs);
    this.connections.session = undefined;
    session.end(nowMs);
  }

  /** Asks a server for the live edge where it is time, or leaves it where it has no room. */
  startFollow(session: InsSession, nowMs: number): void {
    const did = this.follow.start(session, nowMs);
    if (did === 'asked') this.options.drain(session, nowMs);
    else if (did === 'no room') this.switchServer('it has no room', nowMs);
  }

  /** A server has let us in. */
  ready(session: InsSession, output: Extract<InsCallerOutput, { kind: 'ready' }>, nowMs: number): void {
    session.server = output.server;
    session.clockOffsetMs = output.clockOffsetMs;
    session.upAtMs = nowMs;
    session.heardAtMs = nowMs;
    session.followAtMs = this.follow.mayFollowAtMs('by none', nowMs);
    if (session !== this.connections.session) return;
    this.switchAtMs = undefined;
    this.widen(session, nowMs);
    this.tellUp(session);
    this.startFollow(session, nowMs);
  }

  /** A connection could not be made, or is gone. */
  connectionLost(
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
    if (session !== connections.session) {
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

  /** A server does not give the live edge. */
  followRefused(session: InsSession, output: Extract<InsCallerOutput, { kind: 'refused' }>, nowMs: number): void {
    const { reason, retryAfterMs, otherServer } = output;
    this.events.push({ kind: 'refused', why: reason });
    // Neighbours feed us then.
    if (this.follow.refused(session, output, session === this.connections.session, nowMs)) return;
    const isBusy = reason === 'OVERLOAD' || reason === 'DRAINING';
    if (session === this.connections.trial) {
      if (isBusy) this.servers.leave(session.url, retryAfterMs, nowMs);
      this.endTrial(nowMs);
    } else if (isBusy && this.servers.sentAway(this.at, { retryAfterMs, otherServer }, nowMs) <= nowMs)
      this.switchServer(reason, nowMs);
    else if (session.followFailures >= REFUSALS_MAX && this.servers.size > 1) this.switchServer(reason, nowMs);
  }

  private tellUp({ url, server, clockOffsetMs }: InsSession): void {
    this.events.push({ kind: 'up', url, server: server!, clockOffsetMs });
  }

  private connect(url: string, nowMs: number): void {
    this.stop('another server', nowMs);
    this.switchAtMs = undefined;
    this.at = url;
    const session = this.connections.dial(url, nowMs);
    this.connections.session = session;
    this.options.drain(session, nowMs);
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
}
