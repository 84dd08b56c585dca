import { earlier } from '../../machine/deadlines.ts';
import { type LinkId, type Machine, Queue, unreachable } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import {
  BLOCK_BYTES_DEFAULT,
  BLOCK_TTL_SECONDS_DEFAULT,
  PROTOCOL_VERSION,
  RANGE_TOKEN_RENEW_SECONDS,
} from '../../protocol/limits.ts';
import type { PeerMessage } from '../../protocol/peer-messages.ts';
import { CLOSE, REASONS } from '../../protocol/reasons.ts';
import type { InsServerEntry, StreamState } from '../../protocol/swarm-fields.ts';
import type { FromTracker } from '../../protocol/tracker-messages.ts';
import { LinkNumbers } from '../../swarm/io.ts';
import { Member } from '../../swarm/member.ts';
import { InsFeeds } from './ins-feeds.ts';
import type { SourceInput, SourceOutput } from './io.ts';
import { type Published, Publisher } from './publisher.ts';
import { Room } from './room.ts';

export interface SourceOptions {
  readonly stream: Uint8Array;
  readonly rootKey: Uint8Array;
  /** Signs records and range tokens; the source's name in the swarm and its account at the INS servers. */
  readonly signingKey: Uint8Array;
  readonly title: string;
  readonly trackerUrl: string;
  /** The servers to feed, first choice first. */
  readonly insServers: readonly InsServerEntry[];
  /** A provider's, for INS servers that keep only what those put who are invited. */
  readonly invitation?: Uint8Array;
  /** Where neighbours can dial us: an address, or `:PORT`. */
  readonly url: string | null;
  /** Where the stream is served as plain HLS; null for nowhere. */
  readonly hlsUrl: string | null;
  readonly region?: string | null;
  readonly blockBytes?: number;
  /** Seconds the INS servers keep a block. */
  readonly ttlSeconds?: number;
  /** Parts kept in memory for neighbours and for plain HLS. */
  readonly windowParts?: number;
  readonly prng: Prng;
}

export interface SourceStats {
  readonly part: number;
  readonly neighbours: number;
  /** Block bytes given to neighbours, and put on INS servers. */
  readonly givenBytes: number;
  readonly putBytes: number;
  readonly insUp: number;
}

/** Ms after which a part is announced at the latest although no INS server has acknowledged it: neighbours can have it from us. */
const STORED_WITHIN_MS = 1_000;
/**
 * What is on its way to INS servers goes before what neighbours ask for, where it takes the uplink longer than this: of a put all have
 * something, and who gets it late asks us, so that the next one is late, too.
 */
const PUTS_FIRST_MS = 60;
/** So much later than the uplink alone needs for them puts have left it: it was still giving something to neighbours. */
const PUTS_SPARE_MS = 50;
/** Ms without a block given after which neighbours get one all the same: only what is given tells how much the uplink carries. */
const PUTS_FIRST_FOR_MS = 500;
/** All whom a tracker tells where we are: 64 who take blocks, 20 who only want to hear what there is. */
const NEIGHBOURS_ACCEPTED_MAX = 84;
const WINDOW_PARTS = 240;
/** What runs out before the next range token is not in the one before; and some seconds, for clocks and for whoever is at it. */
const RUNS_OUT_SECONDS = RANGE_TOKEN_RENEW_SECONDS + 5;
/** Where little is kept, what is live has to be covered: viewers begin that far back at most. */
const COVERED_SECONDS_MIN = 20;

/** The source: names, signs and stores every part, and announces it once it can be had. */
export class SourceCore implements Machine<SourceInput, SourceOutput> {
  private readonly options: SourceOptions;
  private readonly outputs = new Queue<SourceOutput>();
  private readonly numbers = new LinkNumbers();
  private readonly member: Member;
  private readonly publisher: Publisher;
  private readonly feeds: InsFeeds;
  private readonly room: Room;
  private readonly insSigns = new Map<number, { readonly feed: number; readonly ref: number }>();
  /** Parts that wait for an INS server's word, by put handle. */
  private readonly unstored = new Map<number, { readonly published: Published; readonly byAtMs: number }>();
  private sealedDescription: Uint8Array | undefined;
  private state: StreamState = 'live';
  private stateWhy = '';
  private refs = 0;
  private puts = 0;
  private putBytes = 0;
  /** The first part that was put since there is a server without a break. */
  private firstStored: number | undefined;
  /** When a neighbour has taken a block last. */
  private givenAtMs = Number.NEGATIVE_INFINITY;
  private running = false;

  constructor(options: SourceOptions) {
    this.options = options;
    this.room = new Room(options.ttlSeconds ?? BLOCK_TTL_SECONDS_DEFAULT);
    const { stream, signingKey: key, rootKey, prng, url, trackerUrl, title } = options;
    const { outputs, numbers } = this;
    const region = options.region ?? null;
    this.member = new Member({
      self: { stream, key, mode: 'hybrid', source: true, gives: true, url },
      join: { type: 'join', version: PROTOCOL_VERSION, role: 'source', mode: 'hybrid', stream, key, url, region },
      trackerUrl,
      windowParts: options.windowParts ?? WINDOW_PARTS,
      acceptedMax: NEIGHBOURS_ACCEPTED_MAX,
      numbers,
      prng,
      outputs,
      sign: (bytes) => this.sign(bytes),
      availability: () => this.availability(),
      storedFrom: () => this.storedFrom,
    });
    const nextRef = () => ++this.refs;
    const blockBytes = options.blockBytes ?? BLOCK_BYTES_DEFAULT;
    this.publisher = new Publisher(stream, { root: rootKey, signing: key }, title, blockBytes, outputs, nextRef);
    this.feeds = new InsFeeds(
      options.insServers,
      key,
      options.invitation,
      numbers,
      prng.fork('ins'),
      outputs,
      (feed, ref) => {
        this.insSigns.set(nextRef(), { feed, ref });
        return this.refs;
      },
      {
        take: () => this.member.neighbours.all().some(({ mode }) => mode !== 'ins'),
        givenAtMs: () => this.givenAtMs,
        msFor: (sizeBytes) => this.member.serving.uplink.msFor(sizeBytes),
      },
    );
    const { serving } = this.member;
    serving.freeAtMs = (nowMs) => {
      if (serving.uplink.msFor(this.feeds.owedBytes(nowMs)) < PUTS_FIRST_MS) return nowMs;
      return Math.min(this.feeds.leftAtMs(nowMs) + PUTS_SPARE_MS, this.givenAtMs + PUTS_FIRST_FOR_MS);
    };
  }

  handleInput(input: SourceInput, nowMs: number): void {
    this.take(input, nowMs);
    this.settle(nowMs);
  }

  handleTimeout(nowMs: number): void {
    this.feeds.timeout(nowMs);
    const areLate = this.feeds.lateAtMs() <= nowMs;
    for (const [handle, { byAtMs }] of this.unstored) if (areLate || byAtMs <= nowMs) this.announce(handle, nowMs);
    if (this.member.timeout(nowMs)) this.member.heartbeat(0, 0);
    this.settle(nowMs);
  }

  pollOutput(): SourceOutput | undefined {
    return this.outputs.shift();
  }

  nextDeadline(): number | undefined {
    if (!this.running) return undefined;
    let next = earlier(this.member.nextDeadline(), this.feeds.nextDeadline());
    // Puts are made in order: the first one waits the shortest.
    for (const { byAtMs } of this.unstored.values()) {
      next = earlier(next, Math.min(byAtMs, this.feeds.lateAtMs()));
      break;
    }
    return next;
  }

  stats(): SourceStats {
    return {
      part: this.member.catalogue.newest,
      neighbours: this.member.neighbours.size,
      givenBytes: this.member.serving.givenBytes,
      putBytes: this.putBytes,
      insUp: this.feeds.upCount,
    };
  }

  private availability() {
    return this.member.catalogue.availability(this.publisher.description?.tracks.map((track) => track.id) ?? []);
  }

  /** The oldest part that the INS servers hold until the next range token; undefined before the first. */
  private get storedFrom(): number | undefined {
    const { firstStored } = this;
    const partMs = this.publisher.description?.partTargetMs;
    if (firstStored === undefined || partMs === undefined) return undefined;
    const ttlSeconds = this.room.leastSeconds;
    const seconds = Math.max(ttlSeconds - RUNS_OUT_SECONDS, Math.min(ttlSeconds, COVERED_SECONDS_MIN));
    return Math.max(firstStored, this.member.catalogue.newest - Math.floor((seconds * 1_000) / partMs));
  }

  private take(input: SourceInput, nowMs: number): void {
    switch (input.kind) {
      case 'start':
        this.running = true;
        this.member.tracker.start(nowMs);
        this.feeds.start(nowMs);
        return;
      case 'stop':
        this.stop(nowMs);
        return;
      case 'tracks':
        this.room.describe(input.tracks);
        this.tellOfRoom();
        this.publisher.describe(input.tracks, input.partTargetMs, input.segmentTargetMs, nowMs);
        return;
      case 'part':
        this.publisher.renew(nowMs);
        this.publisher.part(input.part);
        return;
      case 'cut':
        this.publisher.cut(input.ref, input.blocks);
        return;
      case 'signed':
        this.signed(input.ref, input.signature, input.digest, nowMs);
        return;
      case 'stream-state':
        this.streamState(input.state, input.why);
        return;
      case 'link-opened':
        if (!this.member.tracker.owns(input.link)) this.feeds.link(input.link, { kind: 'opened' }, nowMs);
        return;
      case 'link-accepted':
        this.member.neighbours.opened(input.link, false, nowMs);
        return;
      case 'link-closed':
        this.closed(input.link, input.code, input.why, nowMs);
        return;
      case 'violation':
        if (this.feeds.link(input.link, { kind: 'violation', why: input.why }, nowMs)) return;
        this.outputs.push({ kind: 'close', link: input.link, code: CLOSE.violation, why: input.why });
        return;
      case 'tracker-message':
        if (this.member.tracker.owns(input.link)) this.trackerMessage(input.message, nowMs);
        return;
      case 'ins-message':
        this.feeds.link(input.link, { kind: 'message', message: input.message }, nowMs);
        return;
      case 'ins-block':
        this.feeds.link(input.link, { kind: 'block', header: input.header, body: input.body }, nowMs);
        return;
      case 'peer-message':
        this.peerMessage(input.link, input.message, nowMs);
        return;
      case 'peer-block':
        // A source takes no blocks.
        return;
      case 'sent':
        this.givenAtMs = nowMs;
        this.member.serving.sent(input.link, input.bytes, nowMs);
        return;
      default:
        unreachable(input);
    }
  }

  private tellOfRoom(): void {
    for (const text of this.room.notices()) this.outputs.push({ kind: 'event', event: { kind: 'notice', text } });
  }

  private settle(nowMs: number): void {
    for (let event = this.feeds.events.shift(); event !== undefined; event = this.feeds.events.shift()) {
      switch (event.kind) {
        case 'up':
          this.member.tokens.addServer(event.server, event.url, event.clockOffsetMs, nowMs);
          this.outputs.push({ kind: 'event', event: { kind: 'ins-up', url: event.url } });
          break;
        case 'lost':
          if (event.server !== undefined) this.member.tokens.removeServer(event.server, nowMs);
          // One that comes back may have forgotten all.
          if (this.feeds.upCount === 0) {
            this.firstStored = undefined;
            // Nobody is going to say that these are stored; neighbours can have them from us.
            for (const handle of this.unstored.keys()) this.announce(handle, nowMs);
          }
          this.outputs.push({ kind: 'event', event: { kind: 'ins-lost', url: event.url, why: event.why } });
          break;
        case 'refused':
          this.outputs.push({
            kind: 'event',
            event: { kind: 'refused', by: event.url, why: event.why },
          });
          break;
        case 'room':
          this.room.accepted(event.url, event.quotaBytes);
          this.tellOfRoom();
          break;
        case 'stored':
          this.announce(event.handle, nowMs);
          break;
        case 'left-out':
          if (this.feeds.upCount === 1) this.firstStored = event.beforePart;
          break;
        default:
          unreachable(event);
      }
    }
    if (!this.running) return;
    this.member.serving.pump(nowMs);
    this.member.renewToken(nowMs);
  }

  private stop(nowMs: number): void {
    this.streamState('ended', 'the broadcast is over');
    this.member.leave('the broadcast is over');
    this.feeds.stop(nowMs);
    this.running = false;
  }

  private streamState(state: StreamState, why: string): void {
    this.state = state;
    this.stateWhy = why;
    if (this.member.tracker.up) this.member.tracker.send({ type: 'stream-state', state, why });
    for (const { link } of this.member.neighbours.all()) {
      this.outputs.push({ kind: 'send-peer', link, message: { type: 'stream-state', state, why } });
    }
  }

  private signed(ref: number, signature: Uint8Array, digest: Uint8Array, nowMs: number): void {
    const token = this.member.signed(ref, signature, nowMs);
    if (token !== undefined) {
      if (token !== null) this.tokenMade(token, nowMs);
      return;
    }
    const sign = this.insSigns.get(ref);
    if (sign !== undefined) {
      this.insSigns.delete(ref);
      this.feeds.signed(sign.feed, sign.ref, signature, nowMs);
      return;
    }
    const made = this.publisher.signed(ref, signature, digest);
    if (made === undefined) return;
    if ('record' in made) {
      this.store(made, nowMs);
      return;
    }
    this.sealedDescription = made.sealed;
    this.outputs.push({ kind: 'description', description: made.description });
    this.publish();
    for (const { link } of this.member.neighbours.all()) this.sendDescription(link);
  }

  private tokenMade(token: Uint8Array, nowMs: number): void {
    this.feeds.announceToken(token, nowMs);
    // Viewers come at any moment: the tracker has it before the next heartbeat.
    this.member.heartbeat(0, 0);
  }

  private publish(): void {
    if (!this.member.tracker.up || this.sealedDescription === undefined) return;
    const { insServers, hlsUrl } = this.options;
    this.member.tracker.send({ type: 'publish', description: this.sealedDescription, insServers, hlsUrl });
  }

  /** Put first, acknowledged next, announced last: nobody hears of a block that cannot be had. */
  private store(published: Published, nowMs: number): void {
    const { record, sealed, bodies } = published;
    const handle = ++this.puts;
    this.unstored.set(handle, { published, byAtMs: nowMs + STORED_WITHIN_MS });
    if (this.feeds.upCount === 0) {
      this.announce(handle, nowMs);
      return;
    }
    const { track, part, independent: start } = record;
    if (this.firstStored === undefined) {
      this.firstStored = part;
      // The token that was made before there was anything says nothing of how far back that reaches.
      this.member.tokens.renew(nowMs);
    }
    const items = record.blocks.map(({ name, sizeBytes }, index) => {
      const companion = index === 0 ? sealed : new Uint8Array(0);
      return { track, part, index, start, name, sizeBytes, companion };
    });
    this.putBytes += bodies.reduce((sum, body) => sum + body.byteLength, 0) * this.feeds.upCount;
    const keepSeconds = (url: string) => this.room.keepSeconds(url);
    this.feeds.put(handle, this.options.stream, keepSeconds, items, [...bodies], nowMs);
    // Those whose servers have gone without a word wait for no other word of theirs.
    if (this.feeds.lateAtMs() <= nowMs) this.announce(handle, nowMs);
  }

  private announce(handle: number, nowMs: number): void {
    const unstored = this.unstored.get(handle);
    if (unstored === undefined) return;
    this.unstored.delete(handle);
    const { record, sealed, bodies } = unstored.published;
    const entry = this.member.catalogue.addRecord(record, sealed);
    if (entry === undefined) return;
    for (const [index, body] of bodies.entries()) this.member.catalogue.addBlock(entry, index, body);
    this.outputs.push({ kind: 'part', record, bodies });
    this.member.pushing.recorded(entry);
    for (const index of bodies.keys()) this.member.pushing.block(entry, index, record.part, nowMs);
    this.member.announcer.add(record.track, record.part, nowMs);
    if (this.member.tracker.up) this.member.tracker.send({ type: 'records', records: [sealed] });
  }

  private closed(link: LinkId, code: number, why: string, nowMs: number): void {
    if (this.member.tracker.owns(link)) {
      const wasUp = this.member.tracker.up;
      this.member.tracker.closed(nowMs);
      if (wasUp) this.outputs.push({ kind: 'event', event: { kind: 'tracker-lost', why } });
      return;
    }
    if (this.feeds.link(link, { kind: 'closed', code, why }, nowMs)) return;
    this.member.closed(link, nowMs);
  }

  private trackerMessage(message: FromTracker, nowMs: number): void {
    switch (message.type) {
      case 'welcome':
        this.member.welcomed(message);
        return;
      case 'joined':
        this.member.joined(message, nowMs);
        this.publish();
        this.member.tracker.send({ type: 'stream-state', state: this.state, why: this.stateWhy });
        this.resendRecords();
        this.member.heartbeat(0, 0);
        this.outputs.push({ kind: 'event', event: { kind: 'tracker-up', neighbours: message.neighbours.length } });
        return;
      case 'refused':
        this.outputs.push({
          kind: 'event',
          event: { kind: 'refused', by: 'tracker', why: message.text || REASONS[message.reason].text },
        });
        return;
      default:
        // A source introduces itself to nobody: viewers dial it.
        return;
    }
  }

  /** A tracker that was away, or is new, learns where viewers can start. */
  private resendRecords(): void {
    const records = this.member.catalogue.recordsSince(Math.max(0, this.member.catalogue.newestIndependent)).slice(-64);
    if (records.length > 0) this.member.tracker.send({ type: 'records', records });
  }

  private peerMessage(link: LinkId, message: PeerMessage, nowMs: number): void {
    if (message.type === 'hello') {
      const neighbour = this.member.greet(link, message);
      if (neighbour !== undefined) this.sendDescription(link);
      return;
    }
    const neighbour = this.member.neighbours.get(link);
    // Of descriptions, records and states the source is the origin: the rest is no news to it.
    if (neighbour !== undefined) this.member.peerMessage(neighbour, message, nowMs);
  }

  private sendDescription(link: LinkId): void {
    if (this.sealedDescription === undefined) return;
    this.outputs.push({
      kind: 'send-peer',
      link,
      message: { type: 'description', description: this.sealedDescription },
    });
  }

  private sign(bytes: Uint8Array): number {
    const ref = ++this.refs;
    this.outputs.push({ kind: 'sign', ref, with: 'signing', bytes });
    return ref;
  }
}
