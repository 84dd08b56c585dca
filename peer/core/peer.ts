import { earlier } from '../../machine/deadlines.ts';
import { type Body, type LinkId, type Machine, Queue, unreachable } from '../../machine/machine.ts';
import { PLAYER_DEFAULTS, Player, type PlayerOptions } from '../../machine/player.ts';
import type { Prng } from '../../machine/prng.ts';
import { bitmapNewest } from '../../protocol/bitmap.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import { PROTOCOL_VERSION, PUSHED, RECORDS_MESSAGE_MAX } from '../../protocol/limits.ts';
import type { Description } from '../../protocol/media.ts';
import type { PeerMessage } from '../../protocol/peer-messages.ts';
import { CLOSE, REASONS } from '../../protocol/reasons.ts';
import { decodeRecord } from '../../protocol/records.ts';
import type { InsServerEntry, Mode, NeighbourEntry, StreamState } from '../../protocol/swarm-fields.ts';
import { bytesKey, sameBytes, toBase64Url } from '../../protocol/text.ts';
import { decodeToken } from '../../protocol/token.ts';
import type { FromTracker } from '../../protocol/tracker-messages.ts';
import { isWhole, type PartEntry } from '../../swarm/catalogue.ts';
import { Descriptions } from '../../swarm/descriptions.ts';
import { LinkNumbers } from '../../swarm/io.ts';
import { Member } from '../../swarm/member.ts';
import type { Neighbour } from '../../swarm/neighbours.ts';
import { Account } from './account.ts';
import { BlockTokens } from './block-tokens.ts';
import { Candidates } from './candidates.ts';
import { Evaluation } from './evaluate.ts';
import { InsFeed } from './ins-feed.ts';
import { Intake, type Origin } from './intake.ts';
import type { BytesFrom, PeerInput, PeerOutput } from './io.ts';
import { Lockers } from './lockers.ts';
import { NativeFeed } from './native-feed.ts';
import { PartsKept } from './parts-kept.ts';
import { PastFeed, type PastPart } from './past-feed.ts';
import { Playhead } from './playhead.ts';
import { PushFeed } from './push-feed.ts';
import type { Quality } from './quality.ts';
import { TracksTaken } from './tracks-taken.ts';

export interface PeerOptions {
  readonly stream: Uint8Array;
  /** The peer's own Ed25519 key, new for every instance: its name in the swarm and its account at the INS server. */
  readonly key: Uint8Array;
  readonly trackerUrl: string;
  readonly mode: Mode;
  /** Where neighbours can dial us (a full address, or `:PORT` for the tracker to complete); null for browsers. */
  readonly url: string | null;
  readonly region?: string | null;
  /**
   * INS servers that the viewer was told of on an earlier visit, first choice first: one is dialled while the join is under way, so that
   * the first request leaves with the join's answer. The tracker's list, when it comes, is what counts.
   */
  readonly insServers?: readonly InsServerEntry[];
  /** A provider's, for INS servers that keep blocks only for those who are invited. */
  readonly invitation?: Uint8Array;
  /**
   * Dial the neighbours that the tracker names; default true. A browser in INS mode does not: it takes no block from them,
   * and they would see its address.
   */
  readonly dialsNeighbours?: boolean;
  /** Give blocks to neighbours (native and hybrid mode). */
  readonly gives?: boolean;
  /** Bits per second given to neighbours at most; as much as the uplink carries by default. */
  readonly uploadBpsMax?: number;
  /** Which rendition is taken, where no player selects; all by default. */
  readonly quality?: Quality;
  /** Let the INS server send the live edge unasked; false is the drafts' own way. */
  readonly follow?: boolean;
  /**
   * For comparisons with what the drafts began with. `rangeTokens: false`: no token that rides on a bitmap is used; a neighbour that
   * has a block is asked for a token for it. `batches: false`: one block is asked for at a time on a connection. `insConnections`:
   * connections to the INS server over which blocks are asked for (M; the server has to allow so many). Default true, true, 1.
   */
  readonly rangeTokens?: boolean;
  readonly batches?: boolean;
  readonly insConnections?: number;
  /** Have neighbours push blocks along lanes; false: each block is asked for. Default true. */
  readonly lanes?: boolean;
  /**
   * Media from the first part on with which a viewer begins that an INS server feeds, in ms: by the mode, as the player model keeps it
   * in hand. A real player that keeps less would only skip it.
   */
  readonly beginWithMs?: number;
  /** Parts kept in memory for neighbours and for going back. */
  readonly windowParts?: number;
  readonly player?: PlayerOptions;
  /** Takes index records apart; where many peers share one process, one that remembers what it has read. */
  readonly readRecord?: typeof decodeRecord;
  readonly prng: Prng;
}

/** What a peer tells about itself. */
export interface PeerStats {
  readonly state: 'waiting' | 'playing' | 'stalled';
  readonly mode: Mode;
  readonly startupDelayMs: number | null;
  readonly freezes: number;
  readonly frozenMs: number;
  readonly dueBlocks: number;
  readonly missedBlocks: number;
  readonly bufferMs: number;
  readonly latencyMs: number | null;
  readonly part: number;
  readonly bytesFrom: Readonly<Record<BytesFrom, number>>;
  readonly givenBytes: number;
  readonly neighbours: number;
  readonly ins: string | null;
  readonly bad: number;
}

/** What a peer keeps, and the bound of each. */
export interface PeerSizes {
  /** The oldest part that may be held. */
  readonly windowFrom: number;
  readonly bounded: Readonly<Record<string, { readonly size: number; readonly max: number }>>;
}

const NEIGHBOURS_WANTED = { ins: 4, native: 12, hybrid: 12 } as const;
/** What comes through several viewers comes at uneven times: so much is kept in hand. */
const NATIVE_PLAYER = { inHandMs: 2_000 };
/** Where news comes by bitmaps, once a second from one to the next. */
const DRAFTS_PLAYER = { inHandMs: 3_000 };
/** Where neighbours may have to take over within a moment. */
const HYBRID_PLAYER = { inHandMs: 3_000 };
const NEIGHBOURS_ACCEPTED_MAX = 24;
const WINDOW_PARTS = 240;
const MORE_EVERY_MS = 5_000;
/** Neighbours below which more are asked for, and none is given up. */
const FEEDERS_MIN = 4;
/** What is kept in hand beyond the latest that parts came, where a server sends them as they are made. */
const INS_PLAYER = { inHandMs: 250 };
/** The length of a part and of a segment, until the description tells. */
const PART_MS = 250;
const SEGMENT_MS = 1_000;
/** Wrong blocks after which an INS server is left for another. */
const STRIKES_MAX = 3;
/** Neighbours' tokens under verification at once. */
const TOKEN_CHECKS_MAX = 64;

/** A peer: takes a stream's blocks from INS servers or neighbours, verifies them, plays them, and passes them on. */
export class PeerCore implements Machine<PeerInput, PeerOutput> {
  private readonly options: PeerOptions;
  private readonly outputs = new Queue<PeerOutput>();
  private readonly numbers = new LinkNumbers();
  private readonly member: Member;
  private readonly descriptions: Descriptions;
  private readonly candidates = new Candidates();
  private readonly lockers = new Lockers();
  private readonly kept = new PartsKept();
  private readonly intake: Intake;
  private readonly ins: InsFeed;
  private readonly past: PastFeed;
  private readonly native: NativeFeed;
  /** Only where range tokens are not used. */
  private readonly blockTokens: BlockTokens | undefined;
  private readonly push: PushFeed;
  private readonly player: Player;
  private readonly playhead: Playhead;
  private readonly evaluation: Evaluation;
  /** Links we dialled, open or not, and to whom. */
  private readonly dialled = new Map<LinkId, string>();
  /** Records that came before the description they are checked with. */
  private early: { sealed: Uint8Array; origin: Origin }[] = [];
  private refs = 0;
  /** Something came in since the last decision. */
  private unsettledAtMs: number | undefined;
  private deadlineMs: number | undefined;
  /** It is still that. */
  private deadlineKnown = false;
  private readonly taken: TracksTaken;
  private startedAtMs: number | undefined;
  /** Tracker and INS servers are dialled. */
  private prepared = false;
  private moreAtMs = 0;
  private readonly tokenChecks = new Map<number, { readonly owner: Uint8Array; readonly sealed: Uint8Array }>();
  private insStrikes = 0;
  /** The source sends, as far as we know. */
  private live = false;
  private readonly account = new Account();

  constructor(options: PeerOptions) {
    this.options = options;
    const { stream, key, mode, prng, trackerUrl, url } = options;
    const { outputs, numbers } = this;
    const gives = (options.gives ?? true) && mode !== 'ins';
    const nextRef = () => ++this.refs;
    const region = options.region ?? null;
    this.descriptions = new Descriptions(stream);
    this.member = new Member({
      self: { stream, key, mode, source: false, gives, url },
      join: { type: 'join', version: PROTOCOL_VERSION, role: 'viewer', stream, key, mode, url, region },
      trackerUrl,
      windowParts: options.windowParts ?? WINDOW_PARTS,
      acceptedMax: NEIGHBOURS_ACCEPTED_MAX,
      uploadBpsMax: options.uploadBpsMax,
      numbers,
      prng,
      outputs,
      sign: (bytes) => this.sign(bytes),
      availability: () => this.availability(),
    });
    const { catalogue, neighbours } = this.member;
    const readRecord = options.readRecord ?? decodeRecord;
    const descriptionOf = (revision: number) => this.descriptions.of(revision);
    this.intake = new Intake(stream, catalogue, outputs, nextRef, descriptionOf, readRecord);
    this.push = new PushFeed(neighbours, this.member.pushing, prng.fork('push'), outputs);
    this.native = new NativeFeed(neighbours, this.push, prng.fork('native'), outputs);
    const player = options.player ?? PLAYER_DEFAULTS;
    const insPlayer = options.follow === false ? DRAFTS_PLAYER : INS_PLAYER;
    const inHand = { ins: insPlayer, native: NATIVE_PLAYER, hybrid: HYBRID_PLAYER }[mode];
    this.player = new Player({ ...inHand, ...player });
    this.playhead = new Playhead(this.player);
    const { lockers } = this;
    // What sends unasked is read under a range token.
    const useFollow = (options.follow ?? true) && options.rangeTokens !== false;
    if (options.rangeTokens === false) this.blockTokens = new BlockTokens(neighbours, prng.fork('tokens'), outputs);
    this.ins = new InsFeed({
      stream,
      key,
      invitation: options.invitation,
      useFollow,
      mayBeRefused: mode === 'hybrid',
      ...(this.blockTokens === undefined ? {} : { blockTokens: this.blockTokens }),
      batches: options.batches ?? true,
      connections: options.insConnections ?? 1,
      catalogue,
      lockers,
      numbers,
      prng: prng.fork('ins'),
      outputs,
      nextRef,
    });
    this.past = new PastFeed(stream, outputs, nextRef, descriptionOf, (blocks, nowMs) =>
      this.ins.fetchPast(blocks, nowMs),
    );
    this.taken = new TracksTaken(options.quality ?? 'all', outputs, (tracks, nowMs) =>
      this.ins.setTracks(tracks ?? [], nowMs),
    );
    this.evaluation = new Evaluation(
      mode,
      catalogue,
      this.intake,
      this.ins,
      this.native,
      this.push,
      neighbours,
      lockers,
      this.playhead,
      outputs,
      prng.fork('feeding'),
      options.beginWithMs,
    );
  }

  handleInput(input: PeerInput, nowMs: number): void {
    const isNews = this.isNews(input);
    if (isNews) this.unsettledAtMs = nowMs;
    // What is merely noted of a neighbour moves no deadline; there is more of that than of all else.
    if (isNews || input.kind !== 'peer-message' || !isAnnouncement(input.message)) this.deadlineKnown = false;
    this.take(input, nowMs);
  }

  handleTimeout(nowMs: number): void {
    this.deadlineKnown = false;
    this.player.advance(nowMs);
    this.native.timeout(nowMs);
    this.push.timeout(nowMs);
    this.ins.timeout(nowMs);
    this.blockTokens?.timeout(nowMs);
    if (this.member.timeout(nowMs)) this.heartbeat(nowMs);
    this.unsettledAtMs = nowMs;
  }

  private heartbeat(nowMs: number): void {
    const { player, evaluation } = this;
    this.member.heartbeat(player.bufferMs(), player.latencyMs(nowMs) ?? 0, evaluation.fedBy === 'ins');
  }

  /** Decides only when nothing waits to go out: what is answered at once, as checks of blocks are, costs one decision together. */
  pollOutput(): PeerOutput | undefined {
    const output = this.outputs.shift();
    if (output !== undefined || this.unsettledAtMs === undefined) return output;
    const atMs = this.unsettledAtMs;
    this.unsettledAtMs = undefined;
    this.deadlineKnown = false;
    this.takeIn(atMs);
    if (this.outputs.length === 0) this.decide(atMs);
    // Checks go out first: what is answered at once changes what there is to decide.
    else this.unsettledAtMs = atMs;
    return this.outputs.shift();
  }

  nextDeadline(): number | undefined {
    if (!this.deadlineKnown) this.deadlineMs = this.findDeadline();
    this.deadlineKnown = this.unsettledAtMs === undefined;
    return this.deadlineMs;
  }

  private findDeadline(): number | undefined {
    if (!this.prepared) return undefined;
    let next = earlier(this.player.nextDeadline(), this.member.nextDeadline());
    next = earlier(next, this.native.nextDeadline());
    next = earlier(next, this.push.nextDeadline());
    next = earlier(next, this.ins.nextDeadline());
    next = earlier(next, this.blockTokens?.nextDeadline());
    return earlier(earlier(next, this.past.nextDeadline()), this.evaluation.nextDeadline());
  }

  stats(nowMs: number): PeerStats {
    const { player, account, member } = this;
    return {
      state: !player.started ? 'waiting' : player.stalled ? 'stalled' : 'playing',
      mode: this.options.mode,
      startupDelayMs: account.startupDelayMs,
      freezes: player.freezes,
      frozenMs: player.frozenMs,
      dueBlocks: account.dueBlocks,
      missedBlocks: account.missedBlocks,
      bufferMs: player.bufferMs(nowMs),
      latencyMs: player.latencyMs(nowMs) ?? null,
      part: player.playhead,
      bytesFrom: { ...account.bytesFrom },
      givenBytes: member.serving.givenBytes,
      neighbours: member.neighbours.size,
      ins: this.ins.up ? this.ins.url : null,
      bad: account.bad,
    };
  }

  /** How much is kept of what has a bound, for whoever watches that memory is bounded. */
  sizes(): PeerSizes {
    const { catalogue, neighbours } = this.member;
    const windowParts = this.options.windowParts ?? WINDOW_PARTS;
    return {
      windowFrom: catalogue.oldestPart,
      bounded: {
        'parts in the window': { size: catalogue.size, max: windowParts },
        neighbours: { size: neighbours.size, max: NEIGHBOURS_ACCEPTED_MAX + NEIGHBOURS_WANTED[this.options.mode] + 1 },
        'links dialled': { size: this.dialled.size, max: 2 * NEIGHBOURS_WANTED[this.options.mode] },
        'records before their description': { size: this.early.length, max: RECORDS_MESSAGE_MAX },
        'parts of the past that are wanted': { size: this.past.size, max: 128 },
        'tokens under verification': { size: this.tokenChecks.size, max: TOKEN_CHECKS_MAX },
      },
    };
  }

  /** The oldest part that INS servers can give to who asks by `past`; undefined where there are none. */
  get reachFrom(): number | undefined {
    return this.options.mode === 'native' ? undefined : this.lockers.source?.token.from;
  }

  /** The tracks that are taken: the chosen ones, or all. */
  private tracks(): readonly number[] {
    return this.taken.change.tracks ?? this.descriptions.tracks;
  }

  /** In INS mode a bit means "in my locker", else "in my memory". */
  private availability() {
    return this.options.mode === 'ins'
      ? this.kept.availability(this.tracks())
      : this.member.catalogue.availability(this.tracks());
  }

  private take(input: PeerInput, nowMs: number): void {
    switch (input.kind) {
      case 'prepare':
        if (this.startedAtMs === undefined) this.ins.hold();
        this.prepare(nowMs);
        return;
      case 'start':
        this.startedAtMs = nowMs;
        this.prepare(nowMs);
        this.ins.release(nowMs);
        return;
      case 'stop':
        this.stop(nowMs);
        return;
      case 'redial':
        this.redial(input.why, nowMs);
        return;
      case 'give':
        this.member.give(input.gives, nowMs);
        return;
      case 'select':
        this.taken.select(input.tracks, this.playhead.started, nowMs);
        return;
      case 'quality':
        this.taken.prefer(input.quality, nowMs);
        return;
      case 'past':
        this.wantPast(input.parts, nowMs);
        return;
      case 'screen':
        this.playhead.tell(input.screen, nowMs);
        return;
      case 'link-opened':
        if (this.member.tracker.owns(input.link)) return;
        if (this.ins.owns(input.link)) this.ins.linkInput(input.link, { kind: 'opened' }, nowMs);
        else if (this.dialled.has(input.link)) this.member.neighbours.opened(input.link, true, nowMs);
        // It was given up before it opened.
        else this.outputs.push({ kind: 'close', link: input.link, code: CLOSE.normal, why: 'no longer wanted' });
        return;
      case 'link-accepted':
        this.member.neighbours.opened(input.link, false, nowMs);
        return;
      case 'link-closed':
        this.closed(input.link, input.code, input.why, nowMs);
        return;
      case 'violation':
        this.violation(input.link, input.why, nowMs);
        return;
      case 'tracker-message':
        if (this.member.tracker.owns(input.link)) this.trackerMessage(input.message, nowMs);
        return;
      case 'peer-message':
        this.peerMessage(input.link, input.message, nowMs);
        return;
      case 'peer-block':
        this.peerBlock(input.link, input.header, input.body, nowMs);
        return;
      case 'sent':
        this.member.serving.sent(input.link, input.bytes, nowMs);
        return;
      case 'ins-message':
        this.ins.linkInput(input.link, { kind: 'message', message: input.message }, nowMs);
        return;
      case 'ins-block':
        this.account.bytesFrom.ins += input.body.byteLength;
        this.ins.linkInput(input.link, { kind: 'block', header: input.header, body: input.body }, nowMs);
        return;
      case 'signed':
        this.signed(input.ref, input.signature, nowMs);
        return;
      case 'verified':
        if (this.intake.verified(input.ref, input.ok) || this.past.intake.verified(input.ref, input.ok)) return;
        if (this.tokenVerified(input.ref, input.ok, nowMs)) return;
        this.descriptionVerified(input.ref, input.ok, nowMs);
        return;
      case 'named':
        this.intake.named(input.ref, input.ok);
        this.past.intake.named(input.ref, input.ok);
        return;
      default:
        unreachable(input);
    }
  }

  /**
   * Whether an input can change what is fetched, or from whom. Most of what neighbours announce cannot: a dozen of them tell
   * of every part, and after the first it is here or on its way.
   */
  private isNews(input: PeerInput): boolean {
    if (input.kind === 'sent') return false;
    if (input.kind !== 'peer-message') return true;
    const { message } = input;
    switch (message.type) {
      case 'request':
      case 'cancel':
      case 'want':
        return false;
      case 'have':
      case 'have-blocks': {
        const places = message.type === 'have' ? message.parts : message.blocks;
        for (const { track, part } of places) if (this.evaluation.seeks(track, part)) return true;
        return false;
      }
      case 'bitmap':
        if (this.options.mode === 'native' || message.token !== null) return true;
        for (const bitmap of message.availability) if (this.evaluation.looksBeyond(bitmapNewest(bitmap))) return true;
        return false;
      default:
        return true;
    }
  }

  /** After every input: what the parts found out is taken in. */
  private takeIn(nowMs: number): void {
    this.insEvents(nowMs);
    this.intakeEvents(nowMs);
    this.playerEvents();
  }

  /** Then one decision what to fetch. */
  private decide(nowMs: number): void {
    if (this.startedAtMs === undefined) return;
    this.member.renewToken(nowMs);
    this.dialNeighbours(nowMs);
    const { partTargetMs: partMs = PART_MS, segmentTargetMs = SEGMENT_MS } = this.descriptions.newest ?? {};
    const partsPerSegment = Math.max(1, Math.round(segmentTargetMs / partMs));
    const { started, part } = this.playhead;
    const playhead = { started, part, stalled: this.player.stalled };
    const { fedBy } = this.evaluation;
    const ahead = !(this.ins.up && this.ins.follows && fedBy === 'ins');
    this.taken.settle(playhead, partsPerSegment, ahead, this.member.catalogue, nowMs);
    this.evaluation.run(this.taken.change, this.descriptions.tracks, partMs, partsPerSegment, nowMs, this.startedAtMs);
    // The tracker gives a place at the source to who needs it.
    if (this.evaluation.fedBy !== fedBy) this.heartbeat(nowMs);
    this.past.run(nowMs);
    this.pastEvents(nowMs);
    this.ins.look({ emptyAtMs: nowMs + this.player.bufferMs(nowMs), partMs, live: this.live }, nowMs);
    this.insEvents(nowMs);
    this.playerEvents();
  }

  private prepare(nowMs: number): void {
    if (this.prepared) return;
    this.prepared = true;
    this.member.tracker.start(nowMs);
    // After a stop, the one that was in use before.
    if (this.ins.url !== '') this.ins.redial('', nowMs);
    else if (this.options.mode !== 'native') this.ins.setServers(this.options.insServers ?? [], nowMs);
  }

  private redial(why: string, nowMs: number): void {
    if (!this.prepared) return;
    if (this.member.tracker.up) this.outputs.push({ kind: 'event', event: { kind: 'tracker-lost', why } });
    this.member.tracker.redial(why, nowMs);
    this.ins.redial(why, nowMs);
    for (const link of [...this.dialled.keys()]) {
      this.outputs.push({ kind: 'close', link, code: CLOSE.goingAway, why });
      this.closed(link, CLOSE.goingAway, why, nowMs);
    }
    this.candidates.redial(nowMs);
  }

  private stop(nowMs: number): void {
    this.member.leave('leaving');
    this.ins.stop('leaving', nowMs);
    this.startedAtMs = undefined;
    this.prepared = false;
  }

  private closed(link: LinkId, code: number, why: string, nowMs: number): void {
    if (this.member.tracker.owns(link)) {
      const wasUp = this.member.tracker.up;
      this.member.tracker.closed(nowMs);
      if (wasUp) this.outputs.push({ kind: 'event', event: { kind: 'tracker-lost', why } });
      return;
    }
    if (this.ins.owns(link)) {
      this.ins.linkInput(link, { kind: 'closed', code, why }, nowMs);
      return;
    }
    const id = this.member.closed(link)?.id ?? this.dialled.get(link);
    this.dialled.delete(link);
    if (id !== undefined) this.candidates.closed(id, nowMs);
    this.native.closed(link);
    this.blockTokens?.closed(link);
    this.push.closed(link, nowMs);
  }

  private violation(link: LinkId, why: string, nowMs: number): void {
    if (this.ins.owns(link)) {
      this.bad({ from: 'ins', link, who: this.ins.url }, why, 0, 0, nowMs);
      this.ins.linkInput(link, { kind: 'violation', why }, nowMs);
      return;
    }
    const neighbour = this.member.neighbours.get(link);
    if (neighbour !== undefined) this.bad(originOf(neighbour), why, 0, 0, nowMs);
    this.outputs.push({ kind: 'close', link, code: CLOSE.violation, why });
  }

  private trackerMessage(message: FromTracker, nowMs: number): void {
    const origin: Origin = { from: 'source', link: 0, who: 'the tracker' };
    switch (message.type) {
      case 'welcome':
        this.member.welcomed(message);
        return;
      case 'joined':
        this.member.joined(message, nowMs);
        if (message.description !== null) this.offerDescription(message.description);
        this.introduce(message.neighbours, nowMs);
        if (this.options.mode !== 'native') this.ins.setServers(message.insServers, nowMs);
        for (const sealed of message.records) this.record(sealed, origin);
        this.outputs.push({
          kind: 'event',
          event: { kind: 'joined', neighbours: message.neighbours.length, insServers: message.insServers.length },
        });
        this.streamState(message.state, '', nowMs);
        return;
      case 'neighbours':
        this.introduce(message.neighbours, nowMs);
        return;
      case 'digest':
        for (const { peer, availability, token, gone } of message.neighbours) {
          const id = bytesKey(peer);
          if (gone) this.forget(id);
          else {
            if (token !== null) this.token(peer, token, nowMs);
            this.lockers.get(id)?.availability.replace(availability);
          }
        }
        for (const sealed of message.records) this.record(sealed, origin);
        return;
      case 'description':
        this.offerDescription(message.description);
        return;
      case 'stream-state':
        this.streamState(message.state, message.why, nowMs);
        return;
      case 'ins-servers':
        if (this.options.mode !== 'native') this.ins.setServers(message.insServers, nowMs);
        return;
      case 'refused':
        this.outputs.push({
          kind: 'event',
          event: { kind: 'refused', by: 'tracker', why: message.text || REASONS[message.reason].text },
        });
        return;
      default:
        unreachable(message);
    }
  }

  private introduce(entries: readonly NeighbourEntry[], nowMs: number): void {
    for (const entry of entries) {
      if (sameBytes(entry.peer, this.options.key)) continue;
      this.candidates.add(entry);
      if (entry.source && entry.url === null) this.leaveSource(bytesKey(entry.peer));
      if (entry.source && this.descriptions.newest === undefined) this.lockers.nameSource(entry.peer);
      if (entry.token !== null) this.token(entry.peer, entry.token, nowMs);
      this.lockers.get(bytesKey(entry.peer))?.availability.replace(entry.availability);
    }
  }

  /** Our place at the source is another's now, who can pass on more; we have others to take from. */
  private leaveSource(id: string): void {
    if (this.member.neighbours.size <= FEEDERS_MIN) return;
    for (const [link, dialled] of this.dialled) {
      if (dialled === id)
        this.outputs.push({ kind: 'close', link, code: CLOSE.normal, why: 'the place is for another' });
    }
  }

  /** Only the key that signs the records is the source's, whoever else says so. */
  private isSource(key: Uint8Array): boolean {
    const { newest } = this.descriptions;
    return newest !== undefined && sameBytes(newest.signingKey, key);
  }

  private forget(id: string): void {
    this.candidates.remove(id);
    // Its blocks stay in its locker until they expire, but nobody renews the token.
    if (this.lockers.source?.owner !== id) this.lockers.remove(id);
  }

  /** A token that a neighbour says is its own: only its owner can have signed it. */
  private offerToken(owner: Uint8Array, sealed: Uint8Array): void {
    const decoded = decodeToken(sealed);
    if (decoded === undefined || !sameBytes(decoded.token.issuer, owner) || this.tokenChecks.size >= TOKEN_CHECKS_MAX)
      return;
    const known = this.lockers.get(bytesKey(owner));
    if (known !== undefined && sameBytes(known.sealed, sealed)) return;
    const ref = ++this.refs;
    this.tokenChecks.set(ref, { owner, sealed });
    const { signed, signature } = decoded;
    this.outputs.push({ kind: 'verify', ref, key: owner, keyHash: null, signed, signature });
  }

  /** @returns False when the reference is not that of a token. */
  private tokenVerified(ref: number, ok: boolean, nowMs: number): boolean {
    const check = this.tokenChecks.get(ref);
    if (check === undefined) return false;
    this.tokenChecks.delete(ref);
    if (ok) this.token(check.owner, check.sealed, nowMs);
    return true;
  }

  private token(owner: Uint8Array, sealed: Uint8Array, nowMs: number): void {
    if (this.blockTokens !== undefined) return;
    const old = this.lockers.addToken(owner, sealed);
    if (old !== undefined) this.ins.tokenChanged(old, sealed, nowMs);
  }

  private peerMessage(link: LinkId, message: PeerMessage, nowMs: number): void {
    if (message.type === 'hello') {
      const banned = this.candidates.banned(bytesKey(message.key), nowMs);
      if (banned) this.outputs.push({ kind: 'close', link, code: CLOSE.policy, why: 'not welcome' });
      else this.member.greet(link, message);
      return;
    }
    const neighbour = this.member.neighbours.get(link);
    if (neighbour === undefined || this.member.peerMessage(neighbour, message, nowMs)) return;
    switch (message.type) {
      case 'bitmap':
        if (message.token !== null && this.blockTokens === undefined) this.offerToken(neighbour.key, message.token);
        this.lockers.get(neighbour.id)?.availability.replace(message.availability);
        return;
      case 'records':
        for (const sealed of message.records) this.record(sealed, originOf(neighbour));
        return;
      case 'refused':
        this.native.refused(link, message.request, message.retryAfterMs, nowMs);
        return;
      case 'token':
        if (this.blockTokens !== undefined) this.blockTokens.granted(neighbour, message.token);
        else this.offerToken(neighbour.key, message.token);
        return;
      case 'lanes':
        if (neighbour.gives && this.options.lanes !== false)
          this.push.offered(link, message.depths, message.free, nowMs);
        return;
      case 'subscribed':
        this.push.granted(link, message.lanes, this.member.catalogue.newest, nowMs);
        return;
      case 'description':
        this.offerDescription(message.description);
        return;
      case 'stream-state':
        // A hello proves no key; who answers at the address that the tracker gave for the source's key is the source.
        if (!this.isSource(neighbour.key) || this.dialled.get(link) !== neighbour.id) return;
        this.streamState(message.state, message.why, nowMs);
        return;
      default:
        // The rest is the member's.
        return;
    }
  }

  private peerBlock(link: LinkId, header: BlockHeader, body: Body, nowMs: number): void {
    const neighbour = this.member.neighbours.get(link);
    if (neighbour === undefined) return;
    this.account.bytesFrom[neighbour.source ? 'source' : 'peers'] += body.byteLength;
    const { labelled } = header;
    if (labelled === null) return;
    const { track, part, index } = labelled;
    // What was neither asked for nor subscribed to is not taken: in INS mode that is everything.
    const isPushed = header.request === PUSHED && this.push.takes(link, track, part, index);
    if (!isPushed && !this.native.asked(link, header.request)) return;
    neighbour.availability.addBlock(track, part, index);
    this.member.serving.received(link, body.byteLength, nowMs);
    this.intake.labelled(labelled, body, originOf(neighbour), false);
    this.intakeEvents(nowMs);
  }

  private record(sealed: Uint8Array, origin: Origin): void {
    if (this.descriptions.newest !== undefined) this.intake.record(sealed, origin);
    else if (this.early.length < RECORDS_MESSAGE_MAX) this.early.push({ sealed, origin });
  }

  private offerDescription(sealed: Uint8Array): void {
    const ref = ++this.refs;
    const offered = this.descriptions.offer(sealed, ref);
    if (offered === undefined) return;
    const { value, signed, signature } = offered;
    this.outputs.push({ kind: 'verify', ref, key: value.rootKey, keyHash: this.options.stream, signed, signature });
  }

  private descriptionVerified(ref: number, ok: boolean, nowMs: number): void {
    const description: Description | null | undefined = this.descriptions.verified(ref, ok);
    if (description === undefined || description === null) return;
    this.lockers.nameSource(description.signingKey);
    this.taken.describe(description.tracks, nowMs);
    this.ins.sourceNamed(nowMs);
    this.outputs.push({ kind: 'description', description });
    const { early } = this;
    this.early = [];
    for (const { sealed, origin } of early) this.intake.record(sealed, origin);
  }

  private signed(ref: number, signature: Uint8Array, nowMs: number): void {
    const token = this.member.signed(ref, signature, nowMs);
    if (token !== undefined) {
      if (token !== null) this.ins.announceToken(token, nowMs);
      return;
    }
    this.ins.signed(ref, signature, nowMs);
  }

  private sign(bytes: Uint8Array): number {
    const ref = ++this.refs;
    this.outputs.push({ kind: 'sign', ref, bytes });
    return ref;
  }

  private dialNeighbours(nowMs: number): void {
    if (this.options.dialsNeighbours === false) return;
    const { neighbours, tracker } = this.member;
    const offersSource = this.candidates.offersSource(nowMs);
    if (neighbours.size >= NEIGHBOURS_WANTED[this.options.mode] && !offersSource) return;
    let opening = 0;
    for (const link of this.dialled.keys()) if (neighbours.get(link) === undefined) opening++;
    const wanted = NEIGHBOURS_WANTED[this.options.mode] - neighbours.size - opening;
    if (wanted <= 0 && !offersSource) return;
    const taken = this.candidates.take(Math.max(0, wanted), (id) => neighbours.knows(id), this.options.prng, nowMs);
    for (const { id, url } of taken) {
      const link = this.numbers.next();
      this.dialled.set(link, id);
      this.outputs.push({ kind: 'dial', link, to: 'peer', url });
    }
    if (taken.length > 0 || neighbours.size >= FEEDERS_MIN || this.moreAtMs > nowMs || !tracker.up) return;
    this.moreAtMs = nowMs + MORE_EVERY_MS;
    tracker.send({ type: 'more', count: 16, known: this.candidates.ids() });
  }

  private insEvents(nowMs: number): void {
    if (this.ins.events.length === 0) return;
    for (let event = this.ins.events.shift(); event !== undefined; event = this.ins.events.shift()) {
      switch (event.kind) {
        case 'up':
          this.member.tokens.addServer(event.server, event.url, event.clockOffsetMs, nowMs);
          this.outputs.push({ kind: 'event', event: { kind: 'ins-up', url: event.url } });
          break;
        case 'lost':
          if (event.server !== undefined) this.member.tokens.removeServer(event.server, nowMs);
          this.kept.clear();
          this.outputs.push({ kind: 'event', event: { kind: 'ins-lost', url: event.url, why: event.why } });
          break;
        case 'refused':
          this.outputs.push({ kind: 'event', event: { kind: 'refused', by: 'ins', why: event.why } });
          break;
        case 'labelled':
          this.intakeFor(event.labelled).labelled(event.labelled, event.body, insOrigin(event), event.kept);
          break;
        case 'block': {
          const { track, part } = event.place;
          const entry = this.past.entry(event.place) ?? this.member.catalogue.get(track, part);
          if (entry !== undefined)
            this.intakeFor(event.place).block(entry, event.place.index, event.body, insOrigin(event), event.kept);
          break;
        }
        case 'none':
          this.past.refused(event.place, event.reason);
          break;
        default:
          unreachable(event);
      }
      this.intakeEvents(nowMs);
    }
  }

  /** What was asked for of the past is kept apart from the window. */
  private intakeFor({ track, part }: PastPart): Intake {
    return this.past.wants(track, part) ? this.past.intake : this.intake;
  }

  private wantPast(parts: readonly PastPart[], nowMs: number): void {
    const lacking: PastPart[] = [];
    for (const { track, part } of parts) {
      const entry = this.member.catalogue.get(track, part);
      if (entry === undefined || !isWhole(entry)) lacking.push({ track, part });
      else this.outputs.push({ kind: 'past-part', record: entry.record, bodies: entry.bodies as readonly Body[] });
    }
    this.past.want(lacking, nowMs);
  }

  private pastEvents(nowMs: number): void {
    const { past, outputs } = this;
    for (let event = past.intake.events.shift(); event !== undefined; event = past.intake.events.shift()) {
      if (event.kind === 'bad') this.bad(event.origin, event.what, event.track, event.part, nowMs);
      else past.came(event.entry, nowMs);
    }
    for (let event = past.events.shift(); event !== undefined; event = past.events.shift()) {
      if (event.kind === 'none') outputs.push({ kind: 'past-none', track: event.track, part: event.part });
      else outputs.push({ kind: 'past-part', record: event.record, bodies: event.bodies });
    }
  }

  private intakeEvents(nowMs: number): void {
    this.pastEvents(nowMs);
    for (let event = this.intake.events.shift(); event !== undefined; event = this.intake.events.shift()) {
      if (event.kind === 'bad') this.bad(event.origin, event.what, event.track, event.part, nowMs);
      else if (event.kind === 'record') {
        if (this.tracks().includes(event.entry.record.track)) this.account.recorded(event.entry);
        this.member.pushing.recorded(event.entry);
        this.evaluation.recorded(nowMs);
      } else {
        const { track, part } = event.entry.record;
        this.taken.came(event.entry.bodies[event.index]?.byteLength ?? 0, nowMs);
        if (event.kept && this.kept.add(event.entry) && this.options.mode === 'ins')
          this.member.announcer.add(track, part, nowMs);
        const { from, link } = event.origin;
        const asked = this.native.have(track, part, event.index, link, nowMs);
        if (from === 'ins') this.ins.came(link, event.entry, isWhole(event.entry), nowMs);
        this.push.came(from === 'ins' ? undefined : link, !asked, track, part, event.index, nowMs);
        this.member.pushing.block(event.entry, event.index, this.member.catalogue.newest, nowMs);
        if (isWhole(event.entry)) this.whole(event.entry, nowMs);
        else if (this.options.mode !== 'ins') this.member.announcer.addBlock(track, part, event.index, nowMs);
      }
    }
  }

  /** A part of a track is there and verified. */
  private whole(entry: PartEntry, nowMs: number): void {
    const { record } = entry;
    if (!this.evaluation.deliver(record.track, record.part)) return;
    this.outputs.push({ kind: 'part', record, bodies: entry.bodies as readonly Body[] });
    if (this.options.mode !== 'ins') this.member.announcer.add(record.track, record.part, nowMs);
    const tracks = this.taken.change.of(record.part) ?? this.descriptions.tracks;
    const lead = tracks[0];
    if (lead === undefined || !this.member.catalogue.holdsAll(tracks, record.part)) return;
    const { part, durationUs, independent, discontinuity, capturedAtMs } = this.member.catalogue.get(
      lead,
      record.part,
    )!.record;
    this.taken.whole(nowMs - capturedAtMs - durationUs / 1000, nowMs);
    this.player.add({ part, durationMs: durationUs / 1000, independent, discontinuity, capturedAtMs }, nowMs);
    this.kept.forgetBefore(this.member.catalogue.oldestPart);
  }

  private playerEvents(): void {
    for (let event = this.player.pollEvent(); event !== undefined; event = this.player.pollEvent()) {
      if (event.kind === 'started') {
        this.account.startupDelayMs = event.atMs - (this.startedAtMs ?? event.atMs);
        this.outputs.push({ kind: 'begin', part: event.part, track: null });
      }
      if (event.kind === 'missed') this.account.missed(event.from, event.to, this.tracks(), this.member.catalogue);
      this.outputs.push({ kind: 'event', event });
    }
    this.account.advance(this.player);
  }

  private streamState(state: StreamState, why: string, nowMs: number): void {
    this.live = state === 'live';
    this.player.setEnded(state === 'ended', nowMs);
    this.outputs.push({ kind: 'event', event: { kind: 'stream-state', state, why } });
  }

  private bad(origin: Origin, what: string, track: number, part: number, nowMs: number): void {
    this.account.bad++;
    this.outputs.push({ kind: 'event', event: { kind: 'bad', from: origin.who, what, track, part } });
    this.native.failed(track, part, nowMs);
    if (origin.from === 'ins') {
      this.insStrikes++;
      if (this.insStrikes % STRIKES_MAX === 0) this.ins.avoid('it sent wrong blocks', nowMs);
      return;
    }
    const neighbour = this.member.neighbours.get(origin.link);
    if (neighbour === undefined) return;
    if (!this.candidates.strike(neighbour.id, nowMs)) return;
    this.outputs.push({ kind: 'close', link: neighbour.link, code: CLOSE.policy, why: 'sent wrong blocks' });
  }
}

function insOrigin({ link, url }: { readonly link: LinkId; readonly url: string }): Origin {
  return { from: 'ins', link, who: url };
}

function isAnnouncement({ type }: PeerMessage): boolean {
  return type === 'have' || type === 'have-blocks' || type === 'bitmap';
}

const origins = new WeakMap<Neighbour, Origin>();

function originOf(neighbour: Neighbour): Origin {
  let origin = origins.get(neighbour);
  if (origin === undefined) {
    const who = `peer ${toBase64Url(neighbour.key).slice(0, 12)}${neighbour.url === null ? '' : ` at ${neighbour.url}`}`;
    origin = { from: neighbour.source ? 'source' : 'peers', link: neighbour.link, who };
    origins.set(neighbour, origin);
  }
  return origin;
}
