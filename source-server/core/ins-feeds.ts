import { InsConversation } from '../../ins-client/core/conversation.ts';
import type { InsClientInput, InsClientOutput } from '../../ins-client/core/io.ts';
import { ownerCalls } from '../../ins-client/core/owner-calls.ts';
import { earlier } from '../../machine/deadlines.ts';
import { type Body, type LinkId, Queue, type Sink } from '../../machine/machine.ts';
import type { Prng } from '../../machine/prng.ts';
import type { PutBlock } from '../../protocol/ins-messages.ts';
import type { InsServerEntry } from '../../protocol/swarm-fields.ts';
import type { LinkNumbers } from '../../swarm/io.ts';
import type { SourceOutput } from './io.ts';
import { Promptness } from './promptness.ts';

export type FeedEvent =
  | { readonly kind: 'up'; readonly url: string; readonly server: Uint8Array; readonly clockOffsetMs: number }
  /** The server has so much room for what the source puts. */
  | { readonly kind: 'room'; readonly url: string; readonly quotaBytes: number }
  | { readonly kind: 'lost'; readonly url: string; readonly why: string; readonly server: Uint8Array | undefined }
  | { readonly kind: 'refused'; readonly url: string; readonly why: string }
  /** All blocks of a put are stored there. */
  | { readonly kind: 'stored'; readonly handle: number }
  /** A server that stood still for too long never gets what is older than this part. */
  | { readonly kind: 'left-out'; readonly beforePart: number };

type Put = Extract<InsClientInput, { readonly kind: 'put' }>;

/** Ms of puts that wait for a server that is late; when it goes on after more, it gets what begins with the newest start. */
const HELD_MS = 30_000;

interface Feed {
  readonly url: string;
  readonly conversation: InsConversation;
  link: LinkId | undefined;
  server: Uint8Array | undefined;
  /** Puts of which a block was refused: they end, but nobody may be told that they are there. */
  readonly refused: Set<number>;
  readonly promptness: Promptness;
  /** What waits until the server goes on, oldest first. */
  readonly held: Held[];
}

interface Held {
  readonly put: Put;
  readonly atMs: number;
}

/** Who takes blocks from the source beside INS servers, over the same uplink. */
interface Takers {
  /** There is somebody who may. */
  take(): boolean;
  /** When one has taken a block last. */
  givenAtMs(): number;
  /** Ms that so many bytes take to leave. */
  msFor(sizeBytes: number): number;
}

/** The source's connections to the INS servers it feeds: each put goes to all that are up. */
export class InsFeeds {
  readonly events = new Queue<FeedEvent>();
  private readonly feeds: Feed[];
  private readonly numbers: LinkNumbers;
  private readonly outputs: Sink<SourceOutput>;
  private readonly signRef: (feed: number, ref: number) => number;
  private readonly neighbours: Takers;
  /** When what was put last has left, by what the uplink carries. */
  private leavesAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    servers: readonly InsServerEntry[],
    key: Uint8Array,
    invitation: Uint8Array | undefined,
    numbers: LinkNumbers,
    prng: Prng,
    outputs: Sink<SourceOutput>,
    signRef: (feed: number, ref: number) => number,
    neighbours: Takers,
  ) {
    this.neighbours = neighbours;
    this.numbers = numbers;
    this.outputs = outputs;
    this.signRef = signRef;
    this.feeds = servers.map(({ url }) => {
      const known = invitation === undefined ? {} : { invitation };
      const conversation = new InsConversation({
        url,
        key,
        application: 'inswarm/live',
        prng: prng.fork(url),
        owner: ownerCalls,
        ...known,
      });
      const nothing = { link: undefined, server: undefined, refused: new Set<number>(), held: [] as Held[] };
      return { url, conversation, ...nothing, promptness: new Promptness() };
    });
  }

  get upCount(): number {
    return this.feeds.reduce((sum, feed) => sum + (feed.server === undefined ? 0 : 1), 0);
  }

  start(nowMs: number): void {
    this.all({ kind: 'start' }, nowMs);
  }

  stop(nowMs: number): void {
    this.all({ kind: 'stop' }, nowMs);
  }

  /** @returns False when the link is not one of ours. */
  link(link: LinkId, input: InsClientInput, nowMs: number): boolean {
    const at = this.feeds.findIndex((feed) => feed.link === link);
    if (at < 0) return false;
    if (input.kind === 'closed') this.feeds[at]!.link = undefined;
    this.input(at, input, nowMs);
    return true;
  }

  owns(link: LinkId): boolean {
    return this.feeds.some((feed) => feed.link === link);
  }

  signed(feed: number, ref: number, signature: Uint8Array, nowMs: number): void {
    this.input(feed, { kind: 'signed', ref, signature }, nowMs);
  }

  /** Puts the blocks of one part of one track on every server that is up, each for as long as it has room for them. */
  put(
    handle: number,
    collection: Uint8Array,
    keepSeconds: (url: string) => number,
    items: PutBlock[],
    bodies: Body[],
    nowMs: number,
  ): void {
    for (const [at, feed] of this.feeds.entries()) {
      if (feed.server === undefined) continue;
      const put: Put = { kind: 'put', handle, collection, ttlSeconds: keepSeconds(feed.url), items, bodies };
      // Where there is nobody else whom the uplink is for, it is not kept free on the first suspicion.
      const { promptness } = feed;
      const holds = this.neighbours.take() ? promptness.isLate(nowMs) : promptness.hasStopped(nowMs);
      if (holds) this.hold(feed, put, nowMs);
      else this.send(at, feed, put, nowMs);
    }
  }

  /** When the promptest server that is up counts as late; infinity while it owes nothing, or there is none. */
  lateAtMs(): number {
    let atMs = Number.NEGATIVE_INFINITY;
    for (const { server, promptness } of this.feeds) {
      if (server !== undefined) atMs = Math.max(atMs, promptness.lateAtMs());
    }
    return atMs === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : atMs;
  }

  /** Bytes that are on their way to servers that take them. */
  owedBytes(nowMs: number): number {
    const owed = this.feeds.map(({ server, promptness }) => (server === undefined ? 0 : promptness.owedBytes(nowMs)));
    return owed.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** When what is on its way has left us, by what the uplink carries: their word for it may be a long round trip later. */
  leftAtMs(nowMs: number): number {
    return Math.min(this.leavesAtMs, nowMs + this.neighbours.msFor(this.owedBytes(nowMs)));
  }

  announceToken(token: Uint8Array, nowMs: number): void {
    this.all({ kind: 'range-token', token }, nowMs);
  }

  nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const { conversation } of this.feeds) next = earlier(next, conversation.nextDeadline());
    return next;
  }

  timeout(nowMs: number): void {
    for (const [at, { conversation }] of this.feeds.entries()) {
      conversation.handleTimeout(nowMs);
      this.drain(at, nowMs);
    }
  }

  /** @param urgentBytes - What of it goes before what neighbours ask for. */
  private send(at: number, feed: Feed, put: Put, nowMs: number, urgentBytes = bytesOf(put)): void {
    this.leavesAtMs = Math.max(this.leftAtMs(nowMs), nowMs) + this.neighbours.msFor(urgentBytes);
    feed.promptness.put(put.handle, urgentBytes, nowMs);
    this.input(at, put, nowMs);
  }

  private hold({ held }: Feed, put: Put, nowMs: number): void {
    held.push({ put, atMs: nowMs });
    const [{ atMs }] = held as [Held];
    if (nowMs - atMs <= HELD_MS) return;
    const start = held.findLastIndex((one) => one.put.items[0]?.start === true);
    if (start <= 0) return;
    held.splice(0, start);
    this.events.push({ kind: 'left-out', beforePart: held[0]!.put.items[0]!.part });
  }

  /**
   * It goes on. Who has nobody else waits for all that it lacks, in order. Where neighbours have taken blocks from us meanwhile, what is
   * new goes first, and what they have comes when there is nothing else to put, the newest first.
   */
  private sendHeld(at: number, feed: Feed, nowMs: number): void {
    const { held, promptness } = feed;
    if (held.length === 0) return;
    if (this.neighbours.givenAtMs() < held[0]!.atMs) {
      for (const one of held.splice(0)) this.send(at, feed, shortened(one, nowMs), nowMs);
    } else if (promptness.owesNothing) this.send(at, feed, shortened(held.pop()!, nowMs), nowMs, 0);
  }

  private all(input: InsClientInput, nowMs: number): void {
    for (const at of this.feeds.keys()) this.input(at, input, nowMs);
  }

  private input(at: number, input: InsClientInput, nowMs: number): void {
    this.feeds[at]?.conversation.handleInput(input, nowMs);
    this.drain(at, nowMs);
  }

  private drain(at: number, nowMs: number): void {
    const feed = this.feeds[at]!;
    for (let output = feed.conversation.pollOutput(); output !== undefined; output = feed.conversation.pollOutput()) {
      this.handle(at, feed, output, nowMs);
    }
  }

  private handle(at: number, feed: Feed, output: InsClientOutput, nowMs: number): void {
    const { url } = feed;
    switch (output.kind) {
      case 'dial':
        feed.link = this.numbers.next();
        this.outputs.push({ kind: 'dial', link: feed.link, to: 'ins', url });
        return;
      case 'send':
        if (feed.link !== undefined) this.outputs.push({ kind: 'send-ins', link: feed.link, message: output.message });
        return;
      case 'send-block':
        if (feed.link !== undefined) this.outputs.push({ ...output, kind: 'send-ins-block', link: feed.link });
        return;
      case 'close':
        if (feed.link !== undefined) this.outputs.push({ ...output, link: feed.link });
        return;
      case 'sign':
        this.outputs.push({ kind: 'sign', ref: this.signRef(at, output.ref), with: 'signing', bytes: output.bytes });
        return;
      case 'ready':
        feed.server = output.server;
        this.events.push({ kind: 'up', url, server: output.server, clockOffsetMs: output.clockOffsetMs });
        this.sendHeld(at, feed, nowMs);
        return;
      case 'accepted':
        this.events.push({ kind: 'room', url, quotaBytes: output.quotaBytes });
        return;
      case 'stored':
        feed.promptness.heard(output.handle, false, nowMs);
        this.sendHeld(at, feed, nowMs);
        return;
      case 'done':
        feed.promptness.heard(output.handle, true, nowMs);
        if (!feed.refused.delete(output.handle)) this.events.push({ kind: 'stored', handle: output.handle });
        this.sendHeld(at, feed, nowMs);
        return;
      case 'refused':
        if (output.item !== null) feed.refused.add(output.handle);
        this.events.push({ kind: 'refused', url, why: output.reason });
        // A refusal is an answer, too: of one block, or of all of a put, which then is not owed any more.
        feed.promptness.heard(output.handle, output.item === null, nowMs);
        this.sendHeld(at, feed, nowMs);
        return;
      case 'lost':
        this.events.push({ kind: 'lost', url, why: output.why, server: feed.server });
        feed.server = undefined;
        feed.promptness.forget();
        feed.held.length = 0;
        return;
      default:
        // A source asks for nothing: what is left answers no call of its.
        return;
    }
  }
}

/** It runs out as if it had been put in time: what is kept for longer is room that what is new lacks. */
function shortened({ put, atMs }: Held, nowMs: number): Put {
  return { ...put, ttlSeconds: Math.max(1, put.ttlSeconds - Math.floor((nowMs - atMs) / 1_000)) };
}

function bytesOf({ items }: Put): number {
  return items.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
