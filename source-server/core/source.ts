import { earlier } from '../../machine/deadlines.ts';
import { type LinkId, type Machine, Queue, unreachable } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import { BLOCK_BYTES_DEFAULT, BLOCK_TTL_SECONDS_DEFAULT, PROTOCOL_VERSION } from '../../protocol/limits.ts';
import type { PeerMessage } from '../../protocol/peer-messages.ts';
import { CLOSE, REASONS } from '../../protocol/reasons.ts';
import type { InsServerEntry, StreamState } from '../../protocol/swarm-fields.ts';
import type { FromTracker } from '../../protocol/tracker-messages.ts';
import { Announcer } from '../../swarm/announcer.ts';
import { Catalogue } from '../../swarm/catalogue.ts';
import { LinkNumbers } from '../../swarm/io.ts';
import { type Neighbour, Neighbours } from '../../swarm/neighbours.ts';
import { RangeTokens } from '../../swarm/range-tokens.ts';
import { Serving } from '../../swarm/serve.ts';
import { TrackerSession } from '../../swarm/tracker-session.ts';
import { InsFeeds } from './ins-feeds.ts';
import type { SourceInput, SourceOutput } from './io.ts';
import { type Published, Publisher } from './publisher.ts';

export interface SourceOptions {
  readonly stream: Uint8Array;
  readonly rootKey: Uint8Array;
  /** Signs records and range tokens; the source's name in the swarm and its account at the INS servers. */
  readonly signingKey: Uint8Array;
  readonly title: string;
  readonly trackerUrl: string;
  /** The servers to feed, first choice first. */
  readonly insServers: readonly InsServerEntry[];
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

/** Ms after which a part is announced although no INS server has acknowledged it: neighbours can have it from us. */
const STORED_WITHIN_MS = 1_000;
const NEIGHBOURS_ACCEPTED_MAX = 32;
const WINDOW_PARTS = 240;

/** The source: names, signs and stores every part, and announces it once it can be had. */
export class SourceCore implements Machine<SourceInput, SourceOutput> {
  private readonly options: SourceOptions;
  private readonly outputs = new Queue<SourceOutput>();
  private readonly numbers = new LinkNumbers();
  private readonly catalogue: Catalogue;
  private readonly neighbours: Neighbours;
  private readonly announcer: Announcer;
  private readonly serving: Serving;
  private readonly tokens: RangeTokens;
  private readonly tracker: TrackerSession;
  private readonly publisher: Publisher;
  private readonly feeds: InsFeeds;
  private readonly signs = new Map<number, 'token' | 'join' | { readonly feed: number; readonly ref: number }>();
  /** Parts that wait for an INS server's word, by put handle. */
  private readonly unstored = new Map<number, { readonly published: Published; readonly byAtMs: number }>();
  private sealedDescription: Uint8Array | undefined;
  private state: StreamState = 'live';
  private stateWhy = '';
  private tokenSent: Uint8Array | null = null;
  private refs = 0;
  private puts = 0;
  private putBytes = 0;
  private running = false;

  constructor(options: SourceOptions) {
    this.options = options;
    const { stream, signingKey: key, rootKey, prng, url, trackerUrl, title } = options;
    const { outputs, numbers } = this;
    const self = { stream, key, mode: 'hybrid', source: true, gives: true, url } as const;
    this.catalogue = new Catalogue(options.windowParts ?? WINDOW_PARTS);
    this.neighbours = new Neighbours(self, NEIGHBOURS_ACCEPTED_MAX, outputs);
    this.announcer = new Announcer('hybrid', this.neighbours, outputs);
    this.serving = new Serving(this.catalogue, outputs);
    this.tokens = new RangeTokens(key, stream);
    const nextRef = () => ++this.refs;
    const blockBytes = options.blockBytes ?? BLOCK_BYTES_DEFAULT;
    this.publisher = new Publisher(stream, { root: rootKey, signing: key }, title, blockBytes, outputs, nextRef);
    this.feeds = new InsFeeds(options.insServers, key, numbers, prng.fork('ins'), outputs, (feed, ref) => {
      this.signs.set(nextRef(), { feed, ref });
      return this.refs;
    });
    const region = options.region ?? null;
    const role = { type: 'join', version: PROTOCOL_VERSION, role: 'source', mode: 'hybrid' } as const;
    this.tracker = new TrackerSession(
      trackerUrl,
      { ...role, stream, key, url, region },
      numbers,
      prng.fork('tracker'),
      outputs,
    );
  }

  handleInput(input: SourceInput, nowMs: number): void {
    this.take(input, nowMs);
    this.settle(nowMs);
  }

  handleTimeout(nowMs: number): void {
    this.neighbours.expire(nowMs);
    this.feeds.timeout(nowMs);
    this.announcer.timeout(nowMs, () => this.availability());
    for (const [handle, { byAtMs }] of this.unstored) if (byAtMs <= nowMs) this.announce(handle, nowMs);
    if (this.tracker.timeout(nowMs)) this.heartbeat();
    this.settle(nowMs);
  }

  pollOutput(): SourceOutput | undefined {
    return this.outputs.shift();
  }

  nextDeadline(): number | undefined {
    if (!this.running) return undefined;
    let next = earlier(this.neighbours.nextDeadline(), this.feeds.nextDeadline());
    next = earlier(next, this.announcer.nextDeadline());
    next = earlier(next, this.tokens.nextDeadline());
    // Puts are made in order: the first one waits the shortest.
    for (const { byAtMs } of this.unstored.values()) {
      next = earlier(next, byAtMs);
      break;
    }
    return earlier(next, this.tracker.nextDeadline());
  }

  stats(): SourceStats {
    return {
      part: this.catalogue.newest,
      neighbours: this.neighbours.size,
      givenBytes: this.serving.givenBytes,
      putBytes: this.putBytes,
      insUp: this.feeds.upCount,
    };
  }

  private availability() {
    return this.catalogue.availability(this.publisher.description?.tracks.map((track) => track.id) ?? []);
  }

  private take(input: SourceInput, nowMs: number): void {
    switch (input.kind) {
      case 'start':
        this.running = true;
        this.tracker.start(nowMs);
        this.feeds.start(nowMs);
        return;
      case 'stop':
        this.stop(nowMs);
        return;
      case 'tracks':
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
        if (!this.tracker.owns(input.link)) this.feeds.link(input.link, { kind: 'opened' }, nowMs);
        return;
      case 'link-accepted':
        this.neighbours.opened(input.link, false, nowMs);
        return;
      case 'link-closed':
        this.closed(input.link, input.code, input.why, nowMs);
        return;
      case 'violation':
        if (this.feeds.link(input.link, { kind: 'violation', why: input.why }, nowMs)) return;
        this.outputs.push({ kind: 'close', link: input.link, code: CLOSE.violation, why: input.why });
        return;
      case 'tracker-message':
        if (this.tracker.owns(input.link)) this.trackerMessage(input.message, nowMs);
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
        this.serving.sent(input.link, input.bytes, nowMs);
        return;
      default:
        unreachable(input);
    }
  }

  private settle(nowMs: number): void {
    for (let event = this.feeds.events.shift(); event !== undefined; event = this.feeds.events.shift()) {
      switch (event.kind) {
        case 'up':
          this.tokens.addServer(event.server, event.url, event.clockOffsetMs, nowMs);
          this.outputs.push({ kind: 'event', event: { kind: 'ins-up', url: event.url } });
          break;
        case 'lost':
          if (event.server !== undefined) this.tokens.removeServer(event.server, nowMs);
          this.outputs.push({ kind: 'event', event: { kind: 'ins-lost', url: event.url, why: event.why } });
          break;
        case 'refused':
          this.outputs.push({
            kind: 'event',
            event: { kind: 'refused', by: event.url, why: event.why },
          });
          break;
        case 'stored':
          this.announce(event.handle, nowMs);
          break;
        default:
          unreachable(event);
      }
    }
    if (!this.running) return;
    const bytes = this.tokens.make(() => this.options.prng.bytes(16), this.catalogue.oldestPart, nowMs);
    if (bytes !== undefined) this.sign(bytes, 'token');
  }

  private stop(nowMs: number): void {
    this.streamState('ended', 'the broadcast is over');
    this.tracker.leave();
    this.feeds.stop(nowMs);
    for (const { link } of this.neighbours.all()) {
      this.outputs.push({ kind: 'close', link, code: CLOSE.goingAway, why: 'the broadcast is over' });
    }
    this.running = false;
  }

  private streamState(state: StreamState, why: string): void {
    this.state = state;
    this.stateWhy = why;
    if (this.tracker.up) this.tracker.send({ type: 'stream-state', state, why });
    for (const { link } of this.neighbours.all()) {
      this.outputs.push({ kind: 'send-peer', link, message: { type: 'stream-state', state, why } });
    }
  }

  private signed(ref: number, signature: Uint8Array, digest: Uint8Array, nowMs: number): void {
    const purpose = this.signs.get(ref);
    if (purpose !== undefined) {
      this.signs.delete(ref);
      if (purpose === 'join') this.tracker.signed(signature);
      else if (purpose === 'token') this.tokenSigned(signature, nowMs);
      else this.feeds.signed(purpose.feed, purpose.ref, signature, nowMs);
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
    for (const { link } of this.neighbours.all()) this.sendDescription(link);
  }

  private tokenSigned(signature: Uint8Array, nowMs: number): void {
    const token = this.tokens.signed(signature);
    if (token === undefined) return;
    this.announcer.setToken(token, nowMs);
    this.feeds.announceToken(token, nowMs);
    // Viewers come at any moment: the tracker has it before the next heartbeat.
    this.heartbeat();
  }

  private publish(): void {
    if (!this.tracker.up || this.sealedDescription === undefined) return;
    const { insServers, hlsUrl } = this.options;
    this.tracker.send({ type: 'publish', description: this.sealedDescription, insServers, hlsUrl });
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
    const items = record.blocks.map(({ name, sizeBytes }, index) => {
      const companion = index === 0 ? sealed : new Uint8Array(0);
      return { track, part, index, start, name, sizeBytes, companion };
    });
    this.putBytes += bodies.reduce((sum, body) => sum + body.byteLength, 0) * this.feeds.upCount;
    const ttlSeconds = this.options.ttlSeconds ?? BLOCK_TTL_SECONDS_DEFAULT;
    this.feeds.put(handle, this.options.stream, ttlSeconds, items, [...bodies], nowMs);
  }

  private announce(handle: number, nowMs: number): void {
    const unstored = this.unstored.get(handle);
    if (unstored === undefined) return;
    this.unstored.delete(handle);
    const { record, sealed, bodies } = unstored.published;
    const entry = this.catalogue.addRecord(record, sealed);
    if (entry === undefined) return;
    for (const [index, body] of bodies.entries()) this.catalogue.addBlock(entry, index, body);
    this.outputs.push({ kind: 'part', record, bodies });
    this.announcer.add(record.track, record.part, nowMs);
    if (this.tracker.up) this.tracker.send({ type: 'records', records: [sealed] });
  }

  private closed(link: LinkId, code: number, why: string, nowMs: number): void {
    if (this.tracker.owns(link)) {
      const wasUp = this.tracker.up;
      this.tracker.closed(nowMs);
      if (wasUp) this.outputs.push({ kind: 'event', event: { kind: 'tracker-lost', why } });
      return;
    }
    if (this.feeds.link(link, { kind: 'closed', code, why }, nowMs)) return;
    this.neighbours.closed(link);
    this.serving.closed(link);
  }

  private trackerMessage(message: FromTracker, nowMs: number): void {
    switch (message.type) {
      case 'welcome':
        this.sign(this.tracker.welcome(message), 'join');
        return;
      case 'joined':
        this.tracker.answered(message, nowMs);
        this.tokenSent = null;
        this.publish();
        this.tracker.send({ type: 'stream-state', state: this.state, why: this.stateWhy });
        this.resendRecords();
        this.heartbeat();
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
    const records = this.catalogue.recordsSince(Math.max(0, this.catalogue.newestIndependent)).slice(-64);
    if (records.length > 0) this.tracker.send({ type: 'records', records });
  }

  private peerMessage(link: LinkId, message: PeerMessage, nowMs: number): void {
    if (message.type === 'hello') {
      const neighbour = this.neighbours.hello(link, message);
      if (neighbour !== undefined) this.greet(neighbour);
      return;
    }
    const neighbour = this.neighbours.get(link);
    if (neighbour === undefined) return;
    switch (message.type) {
      case 'bitmap':
        neighbour.availability.replace(message.availability);
        return;
      case 'have':
        for (const { track, part } of message.parts) neighbour.availability.add(track, part);
        return;
      case 'request':
        if (neighbour.mode !== 'ins') this.serving.request(link, message, nowMs);
        else {
          const refused = { request: message.request, item: null, reason: 'NOT_ALLOWED', retryAfterMs: 0 } as const;
          this.outputs.push({ kind: 'send-peer', link, message: { type: 'refused', ...refused } });
        }
        return;
      case 'cancel':
        this.serving.cancel(link, message.request);
        return;
      case 'want':
        if (this.tokens.current === null) return;
        this.outputs.push({ kind: 'send-peer', link, message: { type: 'token', token: this.tokens.current } });
        return;
      default:
        // Of descriptions, records and states the source is the origin.
        return;
    }
  }

  private greet(neighbour: Neighbour): void {
    this.sendDescription(neighbour.link);
    this.announcer.greet(neighbour, this.availability());
  }

  private sendDescription(link: LinkId): void {
    if (this.sealedDescription === undefined) return;
    this.outputs.push({
      kind: 'send-peer',
      link,
      message: { type: 'description', description: this.sealedDescription },
    });
  }

  private heartbeat(): void {
    if (!this.tracker.up) return;
    const { current } = this.tokens;
    const token = current === this.tokenSent ? null : current;
    this.tokenSent = current;
    const availability = this.availability();
    this.tracker.send({ type: 'state', availability, token, bufferMs: 0, latencyMs: 0, uploadBps: 0 });
  }

  private sign(bytes: Uint8Array, purpose: 'token' | 'join'): void {
    const ref = ++this.refs;
    this.signs.set(ref, purpose);
    this.outputs.push({ kind: 'sign', ref, with: 'signing', bytes });
  }
}
