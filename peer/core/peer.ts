import { earlier } from '../../machine/deadlines.ts';
import { type LinkId, type Machine, Queue, unreachable } from '../../machine/machine.ts';
import { Player } from '../../machine/player.ts';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { decodeRecord } from '../../protocol/records.ts';
import type { StreamState } from '../../protocol/swarm-fields.ts';
import { Descriptions } from '../../swarm/descriptions.ts';
import { LinkNumbers } from '../../swarm/io.ts';
import { Membership } from '../../swarm/membership.ts';
import { Account } from './account.ts';
import { Evaluation } from './evaluate.ts';
import { playerOf } from './in-hand.ts';
import { InsFeed } from './ins-feed.ts';
import { Intake } from './intake.ts';
import type { PeerInput, PeerOutput } from './io.ts';
import { Lockers } from './lockers.ts';
import type { MakeMesh, Mesh, MeshParts } from './mesh.ts';
import { isAnnouncement, isNews } from './news.ts';
import { PartsKept } from './parts-kept.ts';
import type { MakePast, Past } from './past.ts';
import type { PeerOptions } from './peer-options.ts';
import type { PeerSizes, PeerStats } from './peer-stats.ts';
import { Playhead } from './playhead.ts';
import { Reception } from './reception.ts';
import { Signalling } from './signalling.ts';
import { TracksTaken } from './tracks-taken.ts';

const WINDOW_PARTS = 240;
/** Ms after the start without playback from which neighbours may be needed. */
const MESH_AFTER_MS = 400;
/** The length of a part and of a segment, until the description tells. */
const PART_MS = 250;
const SEGMENT_MS = 1_000;

/** A peer: takes a stream's blocks from INS servers or neighbours, verifies them, plays them, and passes them on. */
export class PeerCore implements Machine<PeerInput, PeerOutput> {
  private readonly options: PeerOptions;
  private readonly outputs = new Queue<PeerOutput>();
  private readonly numbers = new LinkNumbers();
  private readonly member: Membership;
  private readonly descriptions: Descriptions;
  private readonly signalling: Signalling;
  private readonly reception: Reception;
  private readonly lockers = new Lockers();
  private readonly kept = new PartsKept();
  private readonly intake: Intake;
  private readonly ins: InsFeed;
  /** None: nobody has asked for what is over. */
  private past: Past | undefined;
  /** None: INS servers alone feed us. */
  private mesh: Mesh | undefined;
  private isMeshWanted = false;
  /** Whether blocks are given, for a mesh that is still to come. */
  private gives = true;
  private readonly player: Player;
  private readonly playhead: Playhead;
  private readonly evaluation: Evaluation;
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
  /** The source sends, as far as we know. */
  private live = false;
  private readonly account = new Account();
  private readonly descriptionOf = (revision: number) => this.descriptions.of(revision);

  constructor(options: PeerOptions) {
    this.options = options;
    const { stream, key, mode, prng, trackerUrl, url } = options;
    const { outputs, numbers, lockers } = this;
    const nextRef = () => ++this.refs;
    const region = options.region ?? null;
    this.descriptions = new Descriptions(stream);
    this.member = new Membership({
      join: { type: 'join', version: PROTOCOL_VERSION, role: 'viewer', stream, key, mode, url, region },
      trackerUrl,
      windowParts: options.windowParts ?? WINDOW_PARTS,
      numbers,
      prng,
      outputs,
      sign: (bytes) => this.sign(bytes),
      availability: () => this.availability(),
    });
    const { catalogue } = this.member;
    const readRecord = options.readRecord ?? decodeRecord;
    this.intake = new Intake(stream, catalogue, outputs, nextRef, this.descriptionOf, readRecord);
    const mesh = options.mesh?.(this.meshParts());
    const blockTokens = mesh?.blockTokens;
    this.player = new Player(playerOf(options));
    this.playhead = new Playhead(this.player);
    this.ins = new InsFeed({
      stream,
      key,
      invitation: options.invitation,
      // What sends unasked is read under a range token.
      useFollow: (options.follow ?? true) && options.rangeTokens !== false,
      mayBeRefused: mode === 'hybrid',
      ...(blockTokens === undefined ? {} : { blockTokens }),
      batches: options.batches ?? true,
      connections: options.insConnections ?? 1,
      catalogue,
      lockers,
      numbers,
      prng: prng.fork('ins'),
      outputs,
      nextRef,
    });
    this.taken = new TracksTaken(options.quality ?? 'all', options.choice, outputs, (tracks, nowMs) =>
      this.ins.setTracks(tracks ?? [], nowMs),
    );
    this.evaluation = new Evaluation(
      mode,
      catalogue,
      this.intake,
      this.ins,
      lockers,
      this.playhead,
      outputs,
      options.beginWithMs,
    );
    const { member, descriptions, intake, ins, taken, evaluation, player, kept, account } = this;
    this.reception = new Reception({
      ...{ mode, member, descriptions, intake, ins, taken, evaluation, player, kept, account, outputs },
    });
    this.signalling = new Signalling({
      ...{ options, member, descriptions, lockers, intake, ins, taken, outputs, nextRef },
      streamState: (state, why, nowMs) => this.streamState(state, why, nowMs),
    });
    if (mesh !== undefined) this.setMesh(mesh);
  }

  private meshParts(): MeshParts {
    const { options, lockers, numbers, outputs } = this;
    const { catalogue, tracker, tokens } = this.member;
    return {
      ...{ options, catalogue, lockers, tracker, numbers, outputs },
      nextRef: () => ++this.refs,
      availability: () => this.availability(),
      token: () => tokens.current,
    };
  }

  handleInput(input: PeerInput, nowMs: number): void {
    const isNew = isNews(input, this.options.mode, this.evaluation);
    if (isNew) this.unsettledAtMs = nowMs;
    // What is merely noted of a neighbour moves no deadline; there is more of that than of all else.
    if (isNew || input.kind !== 'peer-message' || !isAnnouncement(input.message)) this.deadlineKnown = false;
    this.take(input, nowMs);
  }

  handleTimeout(nowMs: number): void {
    this.deadlineKnown = false;
    this.player.advance(nowMs);
    this.ins.timeout(nowMs);
    this.mesh?.timeout(nowMs);
    if (this.member.timeout(nowMs)) this.heartbeat(nowMs);
    this.unsettledAtMs = nowMs;
  }

  private heartbeat(nowMs: number): void {
    const { player, evaluation, mesh } = this;
    const figures = { bufferMs: player.bufferMs(), latencyMs: player.latencyMs(nowMs) ?? 0 };
    this.member.heartbeat({ ...figures, uploadBps: mesh?.uploadBps ?? 0, insFed: evaluation.fedBy === 'ins' });
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
    next = earlier(next, this.mesh?.nextDeadline());
    next = earlier(next, this.ins.nextDeadline());
    if (this.startedAtMs !== undefined && !this.isMeshWanted && this.mayWantMesh)
      next = earlier(next, this.startedAtMs + MESH_AFTER_MS);
    return earlier(earlier(next, this.past?.nextDeadline()), this.evaluation.nextDeadline());
  }

  stats(nowMs: number): PeerStats {
    const { player, account, mesh } = this;
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
      givenBytes: mesh?.givenBytes ?? 0,
      neighbours: mesh?.size ?? 0,
      ins: this.ins.up ? this.ins.failover.url : null,
      bad: account.bad,
    };
  }

  /** How much is kept of what has a bound, for whoever watches that memory is bounded. */
  sizes(): PeerSizes {
    const { catalogue } = this.member;
    const windowParts = this.options.windowParts ?? WINDOW_PARTS;
    return {
      windowFrom: catalogue.oldestPart,
      bounded: {
        'parts in the window': { size: catalogue.size, max: windowParts },
        ...this.mesh?.sizes(),
        ...this.signalling.sizes(),
        ...this.past?.sizes(),
      },
    };
  }

  /** The oldest part that INS servers can give to who asks by `past`; undefined where there are none. */
  get reachFrom(): number | undefined {
    return this.options.mode === 'native' ? undefined : this.lockers.source?.token.from;
  }

  /** In INS mode a bit means "in my locker", else "in my memory". */
  private availability() {
    return this.options.mode === 'ins'
      ? this.kept.availability(this.reception.tracks)
      : this.member.catalogue.availability(this.reception.tracks);
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
        this.gives = input.gives;
        this.mesh?.give(input.gives, nowMs);
        return;
      case 'mesh':
        this.addMesh(input.make, nowMs);
        return;
      case 'choice':
        this.taken.setChoice(input.make, nowMs);
        return;
      case 'select':
        this.taken.select(input.tracks, this.playhead.started, nowMs);
        return;
      case 'hear':
        this.taken.hear(input.tracks, nowMs);
        return;
      case 'quality':
        this.taken.prefer(input.quality, nowMs);
        return;
      case 'past':
        this.pastOf(input.make).want(input.parts, nowMs);
        return;
      case 'screen':
        this.playhead.tell(input.screen, nowMs);
        return;
      case 'link-opened':
        if (this.member.tracker.owns(input.link)) return;
        if (this.ins.owns(input.link)) this.ins.linkInput(input.link, { kind: 'opened' }, nowMs);
        // It was given up before it opened.
        else if (this.mesh?.opened(input.link, nowMs) !== true)
          this.outputs.push({ kind: 'close', link: input.link, code: CLOSE.normal, why: 'no longer wanted' });
        return;
      case 'link-accepted':
        if (this.mesh !== undefined) this.mesh.accepted(input.link, nowMs);
        else
          this.outputs.push({ kind: 'close', link: input.link, code: CLOSE.tryLater, why: 'no neighbours are taken' });
        return;
      case 'link-closed':
        this.closed(input.link, input.code, input.why, nowMs);
        return;
      case 'violation':
        this.violation(input.link, input.why, nowMs);
        return;
      case 'tracker-message':
        if (this.member.tracker.owns(input.link)) this.signalling.trackerMessage(input.message, nowMs);
        return;
      case 'peer-message':
        this.mesh?.message(input.link, input.message, nowMs);
        this.signalling.meshEvents(nowMs);
        return;
      case 'peer-block':
        this.reception.peerBlock(input.link, input.header, input.body, nowMs);
        return;
      case 'sent':
        this.mesh?.sent(input.link, input.bytes, nowMs);
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
        if (this.intake.verified(input.ref, input.ok) || this.past?.verified(input.ref, input.ok)) return;
        if (this.mesh?.verified(input.ref, input.ok)) this.signalling.meshEvents(nowMs);
        else this.signalling.verified(input.ref, input.ok, nowMs);
        return;
      case 'named':
        this.intake.named(input.ref, input.ok);
        this.past?.named(input.ref, input.ok);
        return;
      default:
        unreachable(input);
    }
  }

  /** After every input: what the parts found out is taken in. */
  private takeIn(nowMs: number): void {
    this.reception.insEvents(nowMs);
    this.reception.intakeEvents(nowMs);
    this.playerEvents();
  }

  /** Then one decision what to fetch. */
  private decide(nowMs: number): void {
    this.wantMesh(nowMs);
    if (this.startedAtMs === undefined) return;
    this.member.renewToken(nowMs);
    this.mesh?.dial(nowMs);
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
    this.past?.run(nowMs);
    this.ins.failover.look({ emptyAtMs: nowMs + this.player.bufferMs(nowMs), partMs, live: this.live }, nowMs);
    this.reception.insEvents(nowMs);
    this.playerEvents();
  }

  private prepare(nowMs: number): void {
    if (this.prepared) return;
    this.prepared = true;
    this.member.tracker.start(nowMs);
    // After a stop, the one that was in use before.
    if (this.ins.failover.url !== '') this.ins.failover.redial('', nowMs);
    else if (this.options.mode !== 'native') this.ins.failover.setServers(this.options.insServers ?? [], nowMs);
  }

  private redial(why: string, nowMs: number): void {
    if (!this.prepared) return;
    if (this.member.tracker.up) this.outputs.push({ kind: 'event', event: { kind: 'tracker-lost', why } });
    this.member.tracker.redial(why, nowMs);
    this.ins.failover.redial(why, nowMs);
    this.mesh?.redial(why, nowMs);
  }

  private stop(nowMs: number): void {
    this.member.tracker.leave();
    this.mesh?.leave('leaving');
    this.ins.failover.stop('leaving', nowMs);
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
    this.mesh?.closed(link, nowMs);
  }

  private violation(link: LinkId, why: string, nowMs: number): void {
    if (this.ins.owns(link)) {
      this.reception.bad({ from: 'ins', link, who: this.ins.failover.url }, why, 0, 0, nowMs);
      this.ins.linkInput(link, { kind: 'violation', why }, nowMs);
      return;
    }
    const origin = this.mesh?.originOf(link);
    if (origin !== undefined) this.reception.bad(origin, why, 0, 0, nowMs);
    this.outputs.push({ kind: 'close', link, code: CLOSE.violation, why });
  }

  /** Whether neighbours may be needed soon: not before, so that what a mesh takes to load delays no first picture. */
  private wantMesh(nowMs: number): void {
    if (this.isMeshWanted || !this.mayWantMesh) return;
    const hasNoServer = this.member.tracker.up && this.ins.failover.url === '';
    const isLate = nowMs >= (this.startedAtMs ?? nowMs) + MESH_AFTER_MS;
    if (!this.playhead.started && !hasNoServer && !this.ins.full && !isLate) return;
    this.isMeshWanted = true;
    this.outputs.push({ kind: 'want-mesh' });
  }

  /** In INS mode no block is given to or taken from a neighbour, and who is in native mode is made with a mesh. */
  private get mayWantMesh(): boolean {
    return this.mesh === undefined && this.options.mode === 'hybrid';
  }

  private addMesh(make: MakeMesh, nowMs: number): void {
    if (this.mesh !== undefined) return;
    const mesh = make(this.meshParts());
    this.setMesh(mesh);
    const { current } = this.member.tokens;
    if (current !== null) mesh.setToken(current, nowMs);
    if (!this.gives) mesh.give(false, nowMs);
  }

  private setMesh(mesh: Mesh): void {
    this.mesh = mesh;
    this.evaluation.mesh = mesh;
    this.signalling.setMesh(mesh);
    this.reception.mesh = mesh;
  }

  private pastOf(make: MakePast): Past {
    const { ins, reception, descriptionOf } = this;
    this.past ??= make({ ...this.meshParts(), ins, reception, descriptionOf });
    reception.past = this.past;
    return this.past;
  }

  private signed(ref: number, signature: Uint8Array, nowMs: number): void {
    const token = this.member.signed(ref, signature);
    if (token === undefined) this.ins.signed(ref, signature, nowMs);
    else if (token !== null) {
      this.mesh?.setToken(token, nowMs);
      this.ins.announceToken(token, nowMs);
    }
  }

  private sign(bytes: Uint8Array): number {
    const ref = ++this.refs;
    this.outputs.push({ kind: 'sign', ref, bytes });
    return ref;
  }

  private playerEvents(): void {
    for (let event = this.player.pollEvent(); event !== undefined; event = this.player.pollEvent()) {
      if (event.kind === 'started') {
        this.account.startupDelayMs = event.atMs - (this.startedAtMs ?? event.atMs);
        this.outputs.push({ kind: 'begin', part: event.part, track: null });
      }
      if (event.kind === 'missed')
        this.account.missed(event.from, event.to, this.reception.tracks, this.member.catalogue);
      this.outputs.push({ kind: 'event', event });
    }
    this.account.advance(this.player);
  }

  private streamState(state: StreamState, why: string, nowMs: number): void {
    this.live = state === 'live';
    this.player.setEnded(state === 'ended', nowMs);
    this.outputs.push({ kind: 'event', event: { kind: 'stream-state', state, why } });
  }
}
