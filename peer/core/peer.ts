import { earlier } from '../../machine/deadlines.ts';
import { type Body, type LinkId, type Machine, Queue, unreachable } from '../../machine/machine.ts';
import { PLAYER_DEFAULTS, Player, type PlayerOptions } from '../../machine/player.ts';
import type { Prng } from '../../machine/prng.ts';
import type { BlockHeader } from '../../protocol/frames.ts';
import { PROTOCOL_VERSION, RECORDS_MESSAGE_MAX } from '../../protocol/limits.ts';
import type { Description } from '../../protocol/media.ts';
import type { PeerMessage } from '../../protocol/peer-messages.ts';
import { CLOSE, REASONS } from '../../protocol/reasons.ts';
import type { Mode, NeighbourEntry } from '../../protocol/swarm-fields.ts';
import { bytesKey, sameBytes, toBase64Url } from '../../protocol/text.ts';
import type { FromTracker } from '../../protocol/tracker-messages.ts';
import { Announcer } from '../../swarm/announcer.ts';
import { Catalogue, isWhole, type PartEntry } from '../../swarm/catalogue.ts';
import { Descriptions } from '../../swarm/descriptions.ts';
import { LinkNumbers } from '../../swarm/io.ts';
import { type Neighbour, Neighbours } from '../../swarm/neighbours.ts';
import { RangeTokens } from '../../swarm/range-tokens.ts';
import { Serving } from '../../swarm/serve.ts';
import { TrackerSession } from '../../swarm/tracker-session.ts';
import { Candidates } from './candidates.ts';
import { Evaluation } from './evaluate.ts';
import { InsFeed } from './ins-feed.ts';
import { Intake, type Origin } from './intake.ts';
import type { BytesFrom, PeerInput, PeerOutput } from './io.ts';
import { Lockers } from './lockers.ts';
import { NativeFeed } from './native-feed.ts';
import { PartsKept } from './parts-kept.ts';
import { Playhead } from './playhead.ts';

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
   * Dial the neighbours that the tracker names; default true. A browser in INS mode does not: it takes no block from them,
   * and they would see its address.
   */
  readonly dialsNeighbours?: boolean;
  /** Give blocks to neighbours (native and hybrid mode). */
  readonly gives?: boolean;
  /** Let the INS server send the live edge unasked; false is the drafts' own way. */
  readonly follow?: boolean;
  /** Parts kept in memory for neighbours and for going back. */
  readonly windowParts?: number;
  readonly player?: PlayerOptions;
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

const NEIGHBOURS_WANTED = { ins: 4, native: 12, hybrid: 8 } as const;
const NEIGHBOURS_ACCEPTED_MAX = 24;
const WINDOW_PARTS = 240;
const MORE_EVERY_MS = 5_000;

/** A peer: takes a stream's blocks from INS servers or neighbours, verifies them, plays them, and passes them on. */
export class PeerCore implements Machine<PeerInput, PeerOutput> {
  private readonly options: PeerOptions;
  private readonly outputs = new Queue<PeerOutput>();
  private readonly numbers = new LinkNumbers();
  private readonly catalogue: Catalogue;
  private readonly descriptions: Descriptions;
  private readonly neighbours: Neighbours;
  private readonly candidates = new Candidates();
  private readonly announcer: Announcer;
  private readonly serving: Serving;
  private readonly tokens: RangeTokens;
  private readonly tracker: TrackerSession;
  private readonly lockers = new Lockers();
  private readonly kept = new PartsKept();
  private readonly intake: Intake;
  private readonly ins: InsFeed;
  private readonly native: NativeFeed;
  private readonly player: Player;
  private readonly playhead: Playhead;
  private readonly evaluation: Evaluation;
  private readonly signs = new Map<
    number,
    { readonly conversationRef: number; readonly generation: number } | 'token' | 'join'
  >();
  private readonly dialled = new Map<LinkId, string>();
  /** Records that came before the description they are checked with. */
  private early: { sealed: Uint8Array; origin: Origin }[] = [];
  private refs = 0;
  private selected: readonly number[] | null = null;
  private startedAtMs: number | undefined;
  private startupDelayMs: number | null = null;
  private tokenSent: Uint8Array | null = null;
  private moreAtMs = 0;
  private badCount = 0;
  private blocksOf = new Map<number, number>();
  private dueBlocks = 0;
  private missedBlocks = 0;
  private readonly bytesFrom = { ins: 0, peers: 0, source: 0 };

  constructor(options: PeerOptions) {
    this.options = options;
    const { stream, key, mode, prng, trackerUrl, url } = options;
    const { outputs, numbers } = this;
    const gives = (options.gives ?? true) && mode !== 'ins';
    const nextRef = () => ++this.refs;
    this.catalogue = new Catalogue(options.windowParts ?? WINDOW_PARTS);
    this.descriptions = new Descriptions(stream);
    this.neighbours = new Neighbours(
      { stream, key, mode, source: false, gives, url },
      NEIGHBOURS_ACCEPTED_MAX,
      outputs,
    );
    this.announcer = new Announcer(mode, this.neighbours, outputs);
    this.serving = new Serving(this.catalogue, outputs);
    this.tokens = new RangeTokens(key, stream);
    this.intake = new Intake(stream, this.catalogue, outputs, nextRef, (revision) => this.descriptions.of(revision));
    this.native = new NativeFeed(this.neighbours, prng.fork('native'), outputs);
    this.player = new Player(options.player ?? PLAYER_DEFAULTS);
    this.playhead = new Playhead(this.player);
    const signRef = (conversationRef: number) => {
      this.signs.set(nextRef(), { conversationRef, generation: this.ins.generation });
      return this.refs;
    };
    const { catalogue, lockers } = this;
    const useFollow = options.follow ?? true;
    this.ins = new InsFeed({
      stream,
      key,
      useFollow,
      catalogue,
      lockers,
      numbers,
      prng: prng.fork('ins'),
      outputs,
      signRef,
    });
    this.evaluation = new Evaluation(
      mode,
      catalogue,
      this.intake,
      this.ins,
      this.native,
      this.neighbours,
      lockers,
      this.playhead,
      outputs,
    );
    const region = options.region ?? null;
    const join = { type: 'join', version: PROTOCOL_VERSION, role: 'viewer', stream, key, mode, url, region } as const;
    this.tracker = new TrackerSession(trackerUrl, join, numbers, prng.fork('tracker'), outputs);
  }

  handleInput(input: PeerInput, nowMs: number): void {
    this.take(input, nowMs);
    this.settle(nowMs);
  }

  handleTimeout(nowMs: number): void {
    this.player.advance(nowMs);
    this.neighbours.expire(nowMs);
    this.native.timeout(nowMs);
    this.ins.timeout(nowMs);
    this.announcer.timeout(nowMs, () => this.availability());
    if (this.tracker.timeout(nowMs)) this.heartbeat(nowMs);
    this.settle(nowMs);
  }

  pollOutput(): PeerOutput | undefined {
    return this.outputs.shift();
  }

  nextDeadline(): number | undefined {
    if (this.startedAtMs === undefined) return undefined;
    let next = earlier(this.player.nextDeadline(), this.neighbours.nextDeadline());
    next = earlier(next, this.native.nextDeadline());
    next = earlier(next, this.ins.nextDeadline());
    next = earlier(next, this.announcer.nextDeadline());
    next = earlier(next, this.tokens.nextDeadline());
    next = earlier(next, this.evaluation.nextDeadline());
    return earlier(next, this.tracker.nextDeadline());
  }

  stats(nowMs: number): PeerStats {
    const { player } = this;
    return {
      state: !player.started ? 'waiting' : player.stalled ? 'stalled' : 'playing',
      mode: this.options.mode,
      startupDelayMs: this.startupDelayMs,
      freezes: player.freezes,
      frozenMs: player.frozenMs,
      dueBlocks: this.dueBlocks,
      missedBlocks: this.missedBlocks,
      bufferMs: player.bufferMs(),
      latencyMs: player.latencyMs(nowMs) ?? null,
      part: player.playhead,
      bytesFrom: { ...this.bytesFrom },
      givenBytes: this.serving.givenBytes,
      neighbours: this.neighbours.size,
      ins: this.ins.up ? this.ins.url : null,
      bad: this.badCount,
    };
  }

  /** The tracks that are taken: the chosen ones, or all. */
  private tracks(): readonly number[] {
    return this.selected ?? this.descriptions.newest?.tracks.map((track) => track.id) ?? [];
  }

  /** In INS mode a bit means "in my locker", else "in my memory". */
  private availability() {
    return this.options.mode === 'ins'
      ? this.kept.availability(this.tracks())
      : this.catalogue.availability(this.tracks());
  }

  private take(input: PeerInput, nowMs: number): void {
    switch (input.kind) {
      case 'start':
        this.startedAtMs = nowMs;
        this.tracker.start(nowMs);
        return;
      case 'stop':
        this.stop(nowMs);
        return;
      case 'select':
        this.selected = input.tracks;
        this.ins.setTracks(input.tracks ?? [], nowMs);
        return;
      case 'screen':
        this.playhead.tell(input.screen, nowMs);
        return;
      case 'link-opened':
        if (this.tracker.owns(input.link)) return;
        if (this.ins.owns(input.link)) this.ins.input({ kind: 'opened' }, nowMs);
        else this.neighbours.opened(input.link, true, nowMs);
        return;
      case 'link-accepted':
        this.neighbours.opened(input.link, false, nowMs);
        return;
      case 'link-closed':
        this.closed(input.link, input.code, input.why, nowMs);
        return;
      case 'violation':
        this.violation(input.link, input.why, nowMs);
        return;
      case 'tracker-message':
        if (this.tracker.owns(input.link)) this.trackerMessage(input.message, nowMs);
        return;
      case 'peer-message':
        this.peerMessage(input.link, input.message, nowMs);
        return;
      case 'peer-block':
        this.peerBlock(input.link, input.header, input.body, nowMs);
        return;
      case 'sent':
        this.serving.sent(input.link, input.bytes, nowMs);
        return;
      case 'ins-message':
        if (this.ins.owns(input.link)) this.ins.input({ kind: 'message', message: input.message }, nowMs);
        return;
      case 'ins-block':
        this.bytesFrom.ins += input.body.byteLength;
        if (!this.ins.owns(input.link)) return;
        this.ins.input({ kind: 'block', header: input.header, body: input.body }, nowMs);
        return;
      case 'signed':
        this.signed(input.ref, input.signature, nowMs);
        return;
      case 'verified':
        if (!this.intake.verified(input.ref, input.ok)) this.descriptionVerified(input.ref, input.ok, nowMs);
        return;
      case 'named':
        this.intake.named(input.ref, input.ok);
        return;
      default:
        unreachable(input);
    }
  }

  /** After every input: what the parts found out is taken in, then one decision what to fetch. */
  private settle(nowMs: number): void {
    this.insEvents(nowMs);
    this.intakeEvents(nowMs);
    this.playerEvents();
    if (this.startedAtMs === undefined) return;
    this.makeToken(nowMs);
    this.dialNeighbours(nowMs);
    this.evaluation.run(this.tracks(), nowMs, this.startedAtMs);
    this.insEvents(nowMs);
    this.playerEvents();
  }

  private stop(nowMs: number): void {
    this.tracker.leave();
    this.ins.stop('leaving', nowMs);
    for (const { link } of this.neighbours.all()) {
      this.outputs.push({ kind: 'close', link, code: CLOSE.goingAway, why: 'leaving' });
    }
    this.startedAtMs = undefined;
  }

  private closed(link: LinkId, code: number, why: string, nowMs: number): void {
    if (this.tracker.owns(link)) {
      const wasUp = this.tracker.up;
      this.tracker.closed(nowMs);
      if (wasUp) this.outputs.push({ kind: 'event', event: { kind: 'tracker-lost', why } });
      return;
    }
    if (this.ins.owns(link)) {
      this.ins.linkClosed(code, why, nowMs);
      return;
    }
    const id = this.neighbours.closed(link)?.id ?? this.dialled.get(link);
    this.dialled.delete(link);
    if (id !== undefined) this.candidates.closed(id, nowMs);
    this.native.closed(link);
    this.serving.closed(link);
  }

  private violation(link: LinkId, why: string, nowMs: number): void {
    if (this.ins.owns(link)) {
      this.bad({ from: 'ins', link, who: this.ins.url }, why, 0, 0, nowMs);
      this.ins.input({ kind: 'violation', why }, nowMs);
      return;
    }
    const neighbour = this.neighbours.get(link);
    if (neighbour !== undefined) this.bad(originOf(neighbour), why, 0, 0, nowMs);
    this.outputs.push({ kind: 'close', link, code: CLOSE.violation, why });
  }

  private trackerMessage(message: FromTracker, nowMs: number): void {
    const origin: Origin = { from: 'source', link: 0, who: 'the tracker' };
    switch (message.type) {
      case 'welcome':
        this.sign(this.tracker.welcome(message), 'join');
        return;
      case 'joined':
        this.tracker.answered(message, nowMs);
        this.tokenSent = null;
        if (message.description !== null) this.offerDescription(message.description);
        this.introduce(message.neighbours, nowMs);
        if (this.options.mode !== 'native') this.ins.setServers(message.insServers, nowMs);
        for (const sealed of message.records) this.record(sealed, origin);
        this.outputs.push({
          kind: 'event',
          event: { kind: 'joined', neighbours: message.neighbours.length, insServers: message.insServers.length },
        });
        this.outputs.push({ kind: 'event', event: { kind: 'stream-state', state: message.state, why: '' } });
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
        this.outputs.push({ kind: 'event', event: { kind: 'stream-state', state: message.state, why: message.why } });
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
      if (entry.source && this.descriptions.newest === undefined) this.lockers.nameSource(entry.peer);
      if (entry.token !== null) this.token(entry.peer, entry.token, nowMs);
      this.lockers.get(bytesKey(entry.peer))?.availability.replace(entry.availability);
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

  private token(owner: Uint8Array, sealed: Uint8Array, nowMs: number): void {
    const old = this.lockers.addToken(owner, sealed);
    if (old !== undefined) this.ins.tokenChanged(old, sealed, nowMs);
  }

  private peerMessage(link: LinkId, message: PeerMessage, nowMs: number): void {
    if (message.type === 'hello') {
      const neighbour = this.candidates.banned(bytesKey(message.key), nowMs)
        ? undefined
        : this.neighbours.hello(link, message);
      if (neighbour !== undefined) this.announcer.greet(neighbour, this.availability());
      else this.outputs.push({ kind: 'close', link, code: CLOSE.policy, why: 'not welcome' });
      return;
    }
    const neighbour = this.neighbours.get(link);
    if (neighbour === undefined) return;
    switch (message.type) {
      case 'bitmap':
        neighbour.availability.replace(message.availability);
        if (message.token !== null) this.token(neighbour.key, message.token, nowMs);
        this.lockers.get(neighbour.id)?.availability.replace(message.availability);
        return;
      case 'have':
        for (const { track, part } of message.parts) neighbour.availability.add(track, part);
        return;
      case 'records':
        for (const sealed of message.records) this.record(sealed, originOf(neighbour));
        return;
      case 'request':
        if (this.options.mode !== 'ins') this.serving.request(link, message, nowMs);
        else {
          const refused = { request: message.request, item: null, reason: 'NOT_ALLOWED', retryAfterMs: 0 } as const;
          this.outputs.push({ kind: 'send-peer', link, message: { type: 'refused', ...refused } });
        }
        return;
      case 'cancel':
        this.serving.cancel(link, message.request);
        return;
      case 'refused':
        this.native.refused(link, message.request, message.retryAfterMs, nowMs);
        return;
      case 'want':
        if (this.tokens.current !== null) {
          this.outputs.push({ kind: 'send-peer', link, message: { type: 'token', token: this.tokens.current } });
        }
        return;
      case 'token':
        this.token(neighbour.key, message.token, nowMs);
        return;
      case 'description':
        this.offerDescription(message.description);
        return;
      case 'stream-state':
        if (!this.isSource(neighbour.key)) return;
        this.outputs.push({ kind: 'event', event: { kind: 'stream-state', state: message.state, why: message.why } });
        return;
      default:
        unreachable(message);
    }
  }

  private peerBlock(link: LinkId, header: BlockHeader, body: Body, nowMs: number): void {
    const neighbour = this.neighbours.get(link);
    if (neighbour === undefined) return;
    this.bytesFrom[neighbour.source ? 'source' : 'peers'] += body.byteLength;
    // What was not asked for is not taken: in INS mode that is everything.
    if (header.labelled === null || !this.native.asked(link, header.request)) return;
    this.intake.labelled(header.labelled, body, originOf(neighbour), false);
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
    this.ins.sourceNamed(nowMs);
    this.outputs.push({ kind: 'description', description });
    const { early } = this;
    this.early = [];
    for (const { sealed, origin } of early) this.intake.record(sealed, origin);
  }

  private signed(ref: number, signature: Uint8Array, nowMs: number): void {
    const purpose = this.signs.get(ref);
    this.signs.delete(ref);
    if (purpose === undefined) return;
    if (purpose === 'join') {
      this.tracker.signed(signature);
      return;
    }
    if (purpose !== 'token') {
      if (purpose.generation !== this.ins.generation) return;
      this.ins.input({ kind: 'signed', ref: purpose.conversationRef, signature }, nowMs);
      return;
    }
    const token = this.tokens.signed(signature);
    if (token === undefined) return;
    this.announcer.setToken(token, nowMs);
    this.ins.announceToken(token, nowMs);
  }

  private makeToken(nowMs: number): void {
    const bytes = this.tokens.make(() => this.options.prng.bytes(16), this.catalogue.oldestPart, nowMs);
    if (bytes === undefined) return;
    this.sign(bytes, 'token');
  }

  private sign(bytes: Uint8Array, purpose: 'token' | 'join'): void {
    const ref = ++this.refs;
    this.signs.set(ref, purpose);
    this.outputs.push({ kind: 'sign', ref, bytes });
  }

  private heartbeat(nowMs: number): void {
    const { current } = this.tokens;
    const token = current === this.tokenSent ? null : current;
    this.tokenSent = current;
    const latencyMs = Math.max(0, Math.round(this.player.latencyMs(nowMs) ?? 0));
    const bufferMs = Math.max(0, Math.round(this.player.bufferMs()));
    this.tracker.send({ type: 'state', availability: this.availability(), token, bufferMs, latencyMs, uploadBps: 0 });
  }

  private dialNeighbours(nowMs: number): void {
    if (this.options.dialsNeighbours === false) return;
    const wanted = NEIGHBOURS_WANTED[this.options.mode] - this.neighbours.size - this.dialled.size;
    if (wanted <= 0) return;
    const taken = this.candidates.take(wanted, (id) => this.neighbours.knows(id), this.options.prng, nowMs);
    for (const { id, url } of taken) {
      const link = this.numbers.next();
      this.dialled.set(link, id);
      this.outputs.push({ kind: 'dial', link, to: 'peer', url });
    }
    if (taken.length > 0 || this.neighbours.size >= 4 || this.moreAtMs > nowMs || !this.tracker.up) return;
    this.moreAtMs = nowMs + MORE_EVERY_MS;
    this.tracker.send({ type: 'more', count: 16, known: this.candidates.ids() });
  }

  private insEvents(nowMs: number): void {
    for (let event = this.ins.events.shift(); event !== undefined; event = this.ins.events.shift()) {
      const origin: Origin = { from: 'ins', link: 0, who: this.ins.url };
      switch (event.kind) {
        case 'up':
          this.tokens.addServer(event.server, event.url, event.clockOffsetMs, nowMs);
          this.outputs.push({ kind: 'event', event: { kind: 'ins-up', url: event.url } });
          break;
        case 'lost':
          if (event.server !== undefined) this.tokens.removeServer(event.server, nowMs);
          this.kept.clear();
          this.outputs.push({ kind: 'event', event: { kind: 'ins-lost', url: event.url, why: event.why } });
          break;
        case 'refused':
          this.outputs.push({ kind: 'event', event: { kind: 'refused', by: 'ins', why: event.why } });
          break;
        case 'labelled':
          this.intake.labelled(event.labelled, event.body, origin, event.kept);
          break;
        case 'block': {
          const entry = this.catalogue.get(event.place.track, event.place.part);
          if (entry !== undefined) this.intake.block(entry, event.place.index, event.body, origin, event.kept);
          break;
        }
        default:
          unreachable(event);
      }
      this.intakeEvents(nowMs);
    }
  }

  private intakeEvents(nowMs: number): void {
    for (let event = this.intake.events.shift(); event !== undefined; event = this.intake.events.shift()) {
      if (event.kind === 'bad') this.bad(event.origin, event.what, event.track, event.part, nowMs);
      else if (event.kind === 'record') {
        const { part, blocks } = event.entry.record;
        this.blocksOf.set(part, (this.blocksOf.get(part) ?? 0) + blocks.length);
      } else {
        const { track, part } = event.entry.record;
        if (event.kept && this.kept.add(event.entry) && this.options.mode === 'ins')
          this.announcer.add(track, part, nowMs);
        if (isWhole(event.entry)) this.whole(event.entry, nowMs);
      }
    }
  }

  /** A part of a track is there and verified. */
  private whole(entry: PartEntry, nowMs: number): void {
    const { record } = entry;
    if (!this.evaluation.deliver(record.track, record.part)) return;
    this.native.have(record.track, record.part, nowMs);
    this.outputs.push({ kind: 'part', record, bodies: entry.bodies as readonly Body[] });
    if (this.options.mode !== 'ins') this.announcer.add(record.track, record.part, nowMs);
    const tracks = this.tracks();
    const lead = tracks[0];
    if (lead === undefined || !this.catalogue.holdsAll(tracks, record.part)) return;
    const { part, durationUs, independent, discontinuity, capturedAtMs } = this.catalogue.get(
      lead,
      record.part,
    )!.record;
    this.player.add({ part, durationMs: durationUs / 1000, independent, discontinuity, capturedAtMs }, nowMs);
    this.kept.forgetBefore(this.catalogue.oldestPart);
  }

  private playerEvents(): void {
    for (let event = this.player.pollEvent(); event !== undefined; event = this.player.pollEvent()) {
      if (event.kind === 'started') this.startupDelayMs = event.atMs - (this.startedAtMs ?? event.atMs);
      if (event.kind === 'missed') this.countMissed(event.from, event.to);
      this.outputs.push({ kind: 'event', event });
    }
    if (!this.player.started) return;
    for (const [part, blocks] of this.blocksOf) {
      if (part >= this.player.playhead) continue;
      this.dueBlocks += blocks;
      this.blocksOf.delete(part);
    }
  }

  private countMissed(from: number, to: number): void {
    for (let part = from; part <= to; part++) {
      for (const track of this.tracks()) {
        const entry = this.catalogue.get(track, part);
        // Of a part that never got here at all, nobody knows the blocks: it counts as one a track.
        if (entry === undefined) this.dueBlocks++;
        this.missedBlocks += entry === undefined ? 1 : entry.bodies.length - entry.heldBlocks;
      }
    }
  }

  private bad(origin: Origin, what: string, track: number, part: number, nowMs: number): void {
    this.badCount++;
    this.outputs.push({ kind: 'event', event: { kind: 'bad', from: origin.who, what, track, part } });
    this.native.failed(track, part, nowMs);
    const neighbour = this.neighbours.get(origin.link);
    if (neighbour === undefined || origin.from === 'ins') return;
    if (!this.candidates.strike(neighbour.id, nowMs)) return;
    this.outputs.push({ kind: 'close', link: neighbour.link, code: CLOSE.policy, why: 'sent wrong blocks' });
  }
}

function originOf(neighbour: Neighbour): Origin {
  const who = `peer ${toBase64Url(neighbour.key).slice(0, 12)}${neighbour.url === null ? '' : ` at ${neighbour.url}`}`;
  return { from: neighbour.source ? 'source' : 'peers', link: neighbour.link, who };
}
