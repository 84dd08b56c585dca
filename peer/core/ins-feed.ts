import type { WantedBlock } from '../../ins-client/core/io.ts';
import type { InsCallerOutput, InsWorldInput } from '../../ins-client/core/world.ts';
import { earlier } from '../../machine/deadlines.ts';
import { type Body, type LinkId, Queue, type Sink } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import { RedialPause } from '../../machine/rates.ts';
import type { Labelled } from '../../protocol/frames.ts';
import { FROM_NEWEST_START } from '../../protocol/ins-messages.ts';
import { BATCH_ITEMS_MAX } from '../../protocol/limits.ts';
import type { Reason } from '../../protocol/reasons.ts';
import type { InsServerEntry } from '../../protocol/swarm-fields.ts';
import type { Catalogue, PartEntry } from '../../swarm/catalogue.ts';
import type { LinkNumbers } from '../../swarm/io.ts';
import type { BlockGrants } from './block-tokens.ts';
import { type Asked, InsGets, type Place } from './ins-gets.ts';
import { InsMoves, type Playing } from './ins-moves.ts';
import { InsServers } from './ins-servers.ts';
import { InsSession } from './ins-session.ts';
import type { PeerOutput } from './io.ts';
import type { Lockers } from './lockers.ts';
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

/** Who had no room for us just now. */
export type Refused = 'by none' | 'by one' | 'by all';

export interface InsFeedOptions {
  readonly stream: Uint8Array;
  readonly key: Uint8Array;
  readonly invitation: Uint8Array | undefined;
  /** Let the server send the live edge unasked. */
  readonly useFollow: boolean;
  readonly catalogue: Catalogue;
  readonly lockers: Lockers;
  readonly numbers: LinkNumbers;
  readonly prng: Prng;
  readonly outputs: Sink<PeerOutput>;
  /** Tokens block by block, in the place of range tokens. */
  readonly blockTokens?: BlockGrants;
  /** Many blocks in one request (default), or one, and the next when it has come. */
  readonly batches?: boolean;
  /** Connections over which blocks are asked for, of which the server has to allow so many for one account. Default 1. */
  readonly connections?: number;
  /** Neighbours feed us where the server has no room: it may refuse us. */
  readonly mayBeRefused?: boolean;
  /** Numbers for what is to be signed, each given once. */
  readonly nextRef: () => number;
}

/** Ms after which an unanswered get is asked again. */
const ANSWER_WITHIN_MS = 1_500;
const GETS_MAX = 32;
/** Ms within which a block of the past is worth sending. */
const PAST_WITHIN_MS = 5_000;
/** Ms for which a follow waits for the records that come with the join's answer, while their signatures are checked. */
const RECORDS_WITHIN_MS = 150;
/** Looks after the server are at least so far apart where nothing comes. */
const LOOK_AGAIN_MS = 50;
/** Ms a server must have served for its loss to be worth no pause, and the pause after one that wants us no more. */
const WORKED_MS = 3_000;
const REPLACED_PAUSE_MS = 30_000;
/** Ms a locker that lacked what it was said to hold is left alone. */
const LOCKER_REST_MS = 5_000;

/**
 * A peer's dealings with its INS server: a follow for the live edge, batches in deadline order for what it does not bring,
 * and the way to another server when this one is lost, silent or slow.
 */
export class InsFeed {
  readonly events = new Queue<InsFeedEvent>();
  /** Where a follow begins: a part, or the newest that a viewer can start at. The peer says. */
  from: () => number = () => FROM_NEWEST_START;
  /** When the live edge may be asked for of a server that is there now, or again when one had no room, or all had none. */
  mayFollowAtMs: (refused: Refused, nowMs: number) => number = (_, nowMs) => nowMs;
  private tracks: readonly number[] = [];
  private readonly servers: InsServers;
  /** The one in use, or to be used as soon as it is up. */
  private session: InsSession | undefined;
  /** Another one that is tried beside it. */
  private trial: InsSession | undefined;
  /** Further connections to the server in use, for gets. */
  private extras: InsSession[] = [];
  private connectionsMax: number;
  private readonly moves: InsMoves;
  /** When it may be time to try another, or to have done with it. */
  private lookAtMs: number | undefined;
  private readonly gets = new InsGets<InsSession>();
  private readonly signs = new Map<number, { readonly session: InsSession; readonly conversationRef: number }>();
  private handles = 0;
  /** Nobody watches yet: it is dialled, and not asked for anything. */
  private held = false;
  /** The address of the session, or of the one that was lost. */
  private at = '';
  private switchAtMs: number | undefined;
  /** Servers that had no room for us since one had: each is asked once before we stay away from all. */
  private readonly withoutRoom = new Set<string>();
  private readonly pause = new RedialPause(200, 5_000);
  private readonly options: InsFeedOptions;

  constructor(options: InsFeedOptions) {
    this.options = options;
    this.servers = new InsServers(options.prng.fork('servers'));
    this.connectionsMax = options.connections ?? 1;
    this.moves = new InsMoves(options.prng.fork('moves'));
  }

  get url(): string {
    return this.at;
  }

  /** The live edge comes unasked. */
  get follows(): boolean {
    return this.options.useFollow;
  }

  get up(): boolean {
    return this.session?.up === true;
  }

  get server(): Uint8Array | undefined {
    return this.session?.server;
  }

  /** Nothing is asked for until {@link release}. */
  hold(): void {
    this.held = true;
  }

  /** The viewer watches: the live edge may be asked for from now on. */
  release(nowMs: number): void {
    this.held = false;
    if (this.session !== undefined) this.startFollow(this.session, nowMs);
  }

  /** The tracker's newest list, first choice first. A running connection to a server still on it stays. */
  setServers(servers: readonly InsServerEntry[], nowMs: number): void {
    if (servers.length === 0) return;
    this.servers.set(servers, this.at);
    if (!this.servers.has(this.at)) this.connect(this.servers.first!, nowMs);
  }

  owns(link: LinkId): boolean {
    return this.sessionOf(link) !== undefined;
  }

  private sessionOf(link: LinkId): InsSession | undefined {
    if (this.session?.owns(link) === true) return this.session;
    if (this.trial?.owns(link) === true) return this.trial;
    return this.extras.find((extra) => extra.owns(link));
  }

  private sessions(): InsSession[] {
    return [this.session, this.trial, ...this.extras].filter((session) => session !== undefined);
  }

  private has(session: InsSession): boolean {
    return session === this.session || session === this.trial || this.extras.includes(session);
  }

  /** What came over a link that is ours. */
  linkInput(link: LinkId, input: InsWorldInput, nowMs: number): void {
    const session = this.sessionOf(link);
    if (session === undefined) return;
    session.input(input, nowMs);
    this.drain(session, nowMs);
  }

  /** @returns False when the reference is none of ours. */
  signed(ref: number, signature: Uint8Array, nowMs: number): boolean {
    const sign = this.signs.get(ref);
    if (sign === undefined) return false;
    this.signs.delete(ref);
    const { session, conversationRef } = sign;
    if (!this.has(session)) return true;
    session.input({ kind: 'signed', ref: conversationRef, signature }, nowMs);
    this.drain(session, nowMs);
    return true;
  }

  /** A locker's token was renewed; a follow that waited for one can begin. */
  tokenChanged(old: Uint8Array | null, sealed: Uint8Array, nowMs: number): void {
    for (const session of this.sessions()) {
      if (old !== null) session.input({ kind: 'renew', old, token: sealed }, nowMs);
      session.followAtMs ??= this.mayFollowAtMs('by none', nowMs);
      this.drain(session, nowMs);
    }
    this.sourceNamed(nowMs);
  }

  /** Which tracks to take from now on; empty is all. */
  setTracks(tracks: readonly number[], nowMs: number): void {
    this.tracks = tracks;
    this.followAnew(nowMs);
  }

  /** The source may have another locker now: a restarted source has a new key. */
  sourceNamed(nowMs: number): void {
    const { session } = this;
    const { source } = this.options.lockers;
    if (session === undefined) return;
    if (session.follow === undefined) this.startFollow(session, nowMs);
    else if (source !== undefined && source.owner !== session.follow.owner) this.followAnew(nowMs);
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

  /** Lets the live edge be, until the time that {@link mayFollowAtMs} says. @param inVain - It did not come. */
  rest(inVain: boolean, nowMs: number): void {
    const { session } = this;
    this.endTrial(nowMs);
    if (session === undefined) return;
    session.cancelFollow(nowMs);
    session.followAtMs = this.mayFollowAtMs(inVain ? 'by all' : 'by none', nowMs);
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

  /** Asks for what is missing of one part of a track. `dueAtMs` orders it among the others. */
  fetch(track: number, part: number, dueAtMs: number, want: WantedBlock[], places: Asked[], nowMs: number): void {
    const { session } = this;
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

  /** Sends a batch that {@link fetch} has gathered. */
  flush(items: readonly WantedBlock[], places: readonly Asked[], nowMs: number): void {
    if (items.length === 0 || this.session === undefined) return;
    if (this.options.batches === false) {
      // What there is no room for now is gathered again when something has come.
      for (const [at, item] of items.entries()) {
        const session = this.leastBusy();
        if (this.gets.openAt(session) > 0) return;
        this.get(session, [item], [places[at]!], nowMs);
      }
    } else this.get(this.leastBusy(), items, places, nowMs);
  }

  /** Asks for blocks of the past: after all else that the server has for us. @returns False when no server is there. */
  fetchPast(blocks: readonly PastBlock[], nowMs: number): boolean {
    const { session } = this;
    const { source } = this.options.lockers;
    if (session?.up !== true || source === undefined || this.gets.size >= GETS_MAX / 2) return false;
    const free = blocks.filter(({ track, part, index }) => !this.gets.isAsked(track, part, index));
    const deadlineAtMs = nowMs + PAST_WITHIN_MS;
    for (let at = 0; at < free.length; at += BATCH_ITEMS_MAX) {
      const some = free.slice(at, at + BATCH_ITEMS_MAX);
      const items = some.map(({ track, part, index, name }): WantedBlock => {
        const label = name === null ? { track, part, index } : null;
        return { token: source.sealed, name, label, deadlineAtMs, priority: 'low' };
      });
      const places = some.map(({ track, part, index }) => ({ track, part, index, owner: source.owner }));
      this.get(session, items, places, nowMs, false);
    }
    return true;
  }

  private get(
    session: InsSession,
    items: readonly WantedBlock[],
    places: readonly Asked[],
    nowMs: number,
    keep = true,
  ): void {
    const handle = ++this.handles;
    this.gets.add(handle, session, places, nowMs + ANSWER_WITHIN_MS);
    session.input({ kind: 'get', handle, keep, collection: this.options.stream, items }, nowMs);
    this.drain(session, nowMs);
  }

  /** The connection to the server in use with the fewest requests open. */
  private leastBusy(): InsSession {
    let best = this.session!;
    for (const extra of this.extras) if (extra.up && this.gets.openAt(extra) < this.gets.openAt(best)) best = extra;
    return best;
  }

  nextDeadline(): number | undefined {
    const { session } = this;
    let next = earlier(earlier(session?.nextDeadline(), this.gets.nextDeadline()), this.switchAtMs);
    for (const extra of this.extras) next = earlier(next, extra.nextDeadline());
    next = earlier(earlier(next, this.trial?.nextDeadline()), this.lookAtMs);
    const asks = !this.held && session?.up === true && session.follow === undefined;
    return asks ? earlier(next, session.followAtMs) : next;
  }

  timeout(nowMs: number): void {
    if (this.lookAtMs !== undefined && this.lookAtMs <= nowMs) this.lookAtMs = undefined;
    for (const { handle, session } of this.gets.late(nowMs)) {
      this.gets.forget(handle);
      session.input({ kind: 'cancel', handle }, nowMs);
    }
    for (const session of this.sessions()) {
      session.timeout(nowMs);
      this.drain(session, nowMs);
    }
    if (this.switchAtMs !== undefined && this.switchAtMs <= nowMs) this.switchServer('it cannot be reached', nowMs);
    if (this.session !== undefined) this.startFollow(this.session, nowMs);
  }

  /** A block of a server's is verified: its part is whole with it or not. */
  came(link: LinkId, { record }: PartEntry, whole: boolean, nowMs: number): void {
    const session = this.sessionOf(link);
    if (session?.follow === undefined || !whole) return;
    const untilMs = record.capturedAtMs + record.durationUs / 1000;
    session.broughtUntilMs = Math.max(untilMs, session.broughtUntilMs ?? untilMs);
    this.moves.came(session, nowMs - untilMs);
  }

  /** Looks whether the server does what it should, and whether one that is tried does it better. */
  look(playing: Playing, nowMs: number): void {
    if (
      this.session?.awaitsRecords === true &&
      this.session.follow === undefined &&
      this.options.catalogue.newest >= 0
    ) {
      this.session.followAtMs = nowMs;
      this.startFollow(this.session, nowMs);
    }
    this.judge(playing, nowMs);
    const { session, trial, moves } = this;
    this.lookAtMs = undefined;
    if (trial !== undefined) this.lookAtMs = moves.verdictAtMs(session, trial);
    else if (session !== undefined && this.servers.size > 1) this.lookAtMs = moves.reasonAtMs(session, playing, nowMs);
    // Where there is nobody else to try now, there may be later.
    if (this.lookAtMs !== undefined) this.lookAtMs = Math.max(this.lookAtMs, nowMs + LOOK_AGAIN_MS);
  }

  private judge(playing: Playing, nowMs: number): void {
    const { session, trial, moves } = this;
    if (session === undefined) return;
    if (trial === undefined) {
      // The next one is about to be dialled anyway.
      if (this.switchAtMs !== undefined) return;
      const why = this.servers.size > 1 ? moves.reason(session, playing, nowMs) : undefined;
      const other = why === undefined ? undefined : this.servers.other(session.url, nowMs);
      if (other !== undefined) this.trial = this.dial(other, nowMs);
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
    const { session, trial } = this;
    this.trial = undefined;
    if (session !== undefined) {
      this.lost(session, why, nowMs);
      session.end(nowMs);
    }
    this.session = trial;
    this.at = trial!.url;
    this.switchAtMs = undefined;
    if (!trial!.up) return;
    this.widen(trial!, nowMs);
    this.tellUp(trial!);
    this.startFollow(trial!, nowMs);
  }

  /** Opens the further connections to the server in use. */
  private widen({ url }: InsSession, nowMs: number): void {
    while (this.extras.length < this.connectionsMax - 1) this.extras.push(this.dial(url, nowMs));
  }

  private narrow(nowMs: number): void {
    const { extras } = this;
    this.extras = [];
    for (const extra of extras) {
      this.giveBack(extra, nowMs);
      extra.end(nowMs);
    }
  }

  private endTrial(nowMs: number): void {
    const { trial } = this;
    this.trial = undefined;
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
    this.session = undefined;
    session.end(nowMs);
  }

  private connect(url: string, nowMs: number): void {
    this.stop('another server', nowMs);
    this.switchAtMs = undefined;
    this.at = url;
    this.session = this.dial(url, nowMs);
    this.drain(this.session, nowMs);
  }

  private dial(url: string, nowMs: number): InsSession {
    const { key, invitation, numbers, outputs, prng, nextRef } = this.options;
    const known = invitation === undefined ? {} : { invitation };
    const conversation = { url, key, application: 'inswarm/live', prng: prng.fork(`${url} ${nowMs}`), ...known };
    const sign = (session: InsSession, conversationRef: number, bytes: Uint8Array): void => {
      const ref = nextRef();
      this.signs.set(ref, { session, conversationRef });
      outputs.push({ kind: 'sign', ref, bytes });
    };
    const session = new InsSession(conversation, numbers, outputs, sign, nowMs);
    // The dial goes out.
    session.poll();
    return session;
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
    const handles = this.gets.handlesOf(session);
    if (session.follow !== undefined) handles.push(session.follow.handle);
    for (const handle of handles) {
      this.gets.forget(handle);
      session.input({ kind: 'cancel', handle }, nowMs);
    }
  }

  private startFollow(session: InsSession, nowMs: number): void {
    const { followAtMs } = session;
    if (this.held || !session.up || session.follow !== undefined || followAtMs === undefined || followAtMs > nowMs)
      return;
    // Tried now; without a token it waits for one to come.
    session.followAtMs = undefined;
    const { useFollow, lockers, stream, catalogue } = this.options;
    const { source } = lockers;
    if (!useFollow || source === undefined) return;
    if (session.full && this.servers.size > 1) {
      this.switchServer('it has no room', nowMs);
      return;
    }
    if (source.token.expires * 1000 <= nowMs + session.clockOffsetMs) return;
    const from = this.from();
    if (from === FROM_NEWEST_START && catalogue.newest < 0 && !session.awaitsRecords) {
      session.awaitsRecords = true;
      session.followAtMs = nowMs + RECORDS_WITHIN_MS;
      return;
    }
    const { owner, sealed } = source;
    const priority = this.options.mayBeRefused === true ? 'low' : 'normal';
    session.begin(
      { handle: ++this.handles, owner, sealed, from, askedAtMs: nowMs },
      stream,
      this.tracks,
      priority,
      nowMs,
    );
    this.drain(session, nowMs);
  }

  private drain(session: InsSession, nowMs: number): void {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      this.told(session, output, nowMs);
      // What a session says that is not in use any more is of no use.
      if (!this.has(session)) return;
    }
  }

  private told(session: InsSession, output: InsCallerOutput, nowMs: number): void {
    switch (output.kind) {
      case 'ready':
        session.server = output.server;
        session.clockOffsetMs = output.clockOffsetMs;
        session.upAtMs = nowMs;
        session.heardAtMs = nowMs;
        session.followAtMs = this.mayFollowAtMs('by none', nowMs);
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
        this.gets.forget(output.handle);
        return;
      case 'renewed': {
        const { lockers } = this.options;
        const owner = session.follow?.handle === output.handle ? lockers.get(session.follow.owner) : undefined;
        if (owner !== undefined) lockers.addToken(owner.token.issuer, output.token);
        return;
      }
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
    if (session === this.trial) {
      if (retryAfterMs > 0 || otherServer !== null) this.servers.leave(session.url, retryAfterMs, nowMs);
      else this.servers.unreached(session.url, nowMs);
      this.endTrial(nowMs);
      return;
    }
    if (session !== this.session) {
      // The server allows fewer connections than we would have.
      if (final) this.connectionsMax = 1;
      this.extras = this.extras.filter((extra) => extra !== session);
      this.giveBack(session, nowMs);
      session.end(nowMs);
      return;
    }
    if (final && this.extras.length > 0) this.connectionsMax = 1;
    const worked = session.up && nowMs - session.upAtMs > WORKED_MS;
    this.lost(session, why, nowMs);
    // Another one is under way already.
    if (this.trial !== undefined) {
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
    else if (!worked) this.switchAtMs = nowMs + this.pause.fail(this.options.prng.unit(), nowMs);
    else if (this.servers.size > 1) this.switchAtMs = nowMs;
  }

  /** Nothing is dialled before the next conversation. */
  private hangUp(session: InsSession, nowMs: number): void {
    this.session = undefined;
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
    if (session.follow?.handle !== handle && labelled !== null && this.gets.place(handle, item) === undefined) {
      // Of a follow that we let be: it was on its way.
      this.events.push({ kind: 'labelled', labelled, ...came });
      return;
    }
    if (session.follow?.handle === handle && labelled !== null) {
      session.followed(labelled.track, labelled.part);
      this.withoutRoom.clear();
      session.pace.tick(nowMs);
      this.events.push({ kind: 'labelled', labelled, ...came });
      return;
    }
    const place = this.gets.place(handle, item);
    if (place === undefined) return;
    this.gets.free(place);
    if (labelled === null) this.events.push({ kind: 'block', place, ...came });
    else if (labelled.track === place.track && labelled.part === place.part) {
      this.events.push({ kind: 'labelled', labelled, ...came });
    }
  }

  private refused(session: InsSession, output: Extract<InsCallerOutput, { kind: 'refused' }>, nowMs: number): void {
    const { handle, item, reason } = output;
    if (session.follow?.handle === handle) this.followRefused(session, output, nowMs);
    else if (item === null) this.gets.forget(handle);
    else {
      const place = this.gets.place(handle, item);
      if (place === undefined) return;
      this.events.push({ kind: 'none', place, reason });
      // Stays asked until the batch is done or its time is up: refused blocks are not asked for in a tight loop.
      if (reason === 'DEADLINE') this.gets.free(place);
      else this.options.lockers.rest(place.owner, nowMs + LOCKER_REST_MS);
    }
  }

  /** When to ask again who has another source: maybe soon where there is a server that was not asked yet. */
  private refusedUntilMs({ url }: InsSession, nowMs: number): number {
    this.withoutRoom.add(url);
    const isLast = this.withoutRoom.size >= this.servers.size;
    if (isLast) this.withoutRoom.clear();
    return this.mayFollowAtMs(isLast ? 'by all' : 'by one', nowMs);
  }

  private followRefused(
    session: InsSession,
    { reason, retryAfterMs, otherServer }: Extract<InsCallerOutput, { kind: 'refused' }>,
    nowMs: number,
  ): void {
    const { sealed, owner } = session.follow!;
    session.follow = undefined;
    const failures = ++session.followFailures;
    this.events.push({ kind: 'refused', why: reason });
    session.followAtMs = nowMs + Math.max(retryAfterMs, Math.min(4_000, 250 * 2 ** failures));
    // The same token again would be refused again: the next one starts the follow.
    const stale = reason.startsWith('TOKEN_') && this.options.lockers.get(owner)?.sealed === sealed;
    if (stale) session.followAtMs = nowMs + 1_000;
    const isBusy = reason === 'OVERLOAD' || reason === 'DRAINING';
    if (this.options.mayBeRefused === true && reason === 'OVERLOAD' && session === this.session) {
      session.full = true;
      session.followAtMs = this.refusedUntilMs(session, nowMs);
      return;
    }
    if (session === this.trial) {
      if (isBusy) this.servers.leave(session.url, retryAfterMs, nowMs);
      this.endTrial(nowMs);
    } else if (isBusy && this.servers.sentAway(this.at, { retryAfterMs, otherServer }, nowMs) <= nowMs)
      this.switchServer(reason, nowMs);
    else if (failures >= 4 && this.servers.size > 1) this.switchServer(reason, nowMs);
  }
}
