import type { Body, LinkId } from '../machine/machine.ts';
import type { BlockHeader } from '../protocol/frames.ts';
import { CLOSE } from '../protocol/reasons.ts';
import type { Happening } from './event-queue.ts';
import type { LinkEnd } from './links.ts';
import type { Network } from './network.ts';
import type { SimNode } from './node.ts';
import type { Pipe, PipeEnds } from './pipe.ts';

/** What shells allow a link, as `runtime/node/ws-link.ts` does. */
export interface LinkLimits {
  /** Bytes in the send buffer at which a reader is too slow to be kept. */
  readonly bufferedBytesMax: number;
  /** Ms without an incoming byte after which the other side counts as gone; it is pinged at less than half of that. */
  readonly idleMs: number;
  /** Ms in which bytes wait and none leaves, after which a reader is too slow to be kept. */
  readonly stallMs: number;
}

export const LINK_LIMITS: LinkLimits = { bufferedBytesMax: 32 * 1024 * 1024, idleMs: 25_000, stallMs: 5_000 };

/** Ms between two looks after a link, and for which one that closes waits for the other side to agree. */
const WATCH_MS = 1_000;
const CLOSE_WITHIN_MS = 1_000;
/** Silence after which the other side is pinged, as a share of what is allowed. */
const PING_SHARE = 0.4;
/** Bytes of a close frame without its reason: header, mask, code. */
const CLOSE_BYTES = 8;
/** TCP sends again after this, then after twice as long, and so on. */
const RETRY_FIRST_MS = 200;

/** The last frame of a side that closes: what was sent before comes before it. */
class Closing {
  readonly code: number;
  readonly why: string;

  constructor(code: number, why: string) {
    this.code = code;
    this.why = why;
  }
}

type AnyNode = SimNode<unknown, unknown>;

/** One side of a link. What arrives on its pipe is for the other side; what has left it is for this one. */
export class Side implements PipeEnds {
  readonly link: Link;
  readonly node: AnyNode;
  readonly id: LinkId;
  readonly end: LinkEnd;
  /** It has dialled: it masks its frames, and sends a block in two. */
  readonly dialled: boolean;
  /** From here to there. */
  readonly out: Pipe;
  other!: Side;
  /** What comes is told, and the program may send. */
  open = true;
  /** Its program has been told that it is over, or is not there to be told. */
  private over = false;
  private seenBytes = 0;
  private goneAtMs = 0;

  constructor(link: Link, node: AnyNode, to: AnyNode, id: LinkId, end: LinkEnd, dialled: boolean) {
    this.link = link;
    this.node = node;
    this.id = id;
    this.end = end;
    this.dialled = dialled;
    this.out = link.network.pipe(node.host, to.host, this);
  }

  message(message: unknown, sizeBytes: number): void {
    const { other } = this;
    if (message instanceof Closing) other.heardClose(message);
    else other.node.heard(other, message, sizeBytes);
  }

  block(header: BlockHeader, body: Body, sizeBytes: number): void {
    this.other.node.heardBlock(this.other, header, body, sizeBytes);
  }

  left(bodyBytes: number, leftBytes: number): void {
    if (this.open) this.end.sent(this.id, bodyBytes, leftBytes);
  }

  filled(): void {
    this.link.watch();
  }

  /** Closes in good order: what was sent before arrives before. This side is told when the other one has agreed, or after a while. */
  close(code: number, why: string): void {
    if (!this.open) return;
    this.open = false;
    this.out.sendMessage(new Closing(code, why), CLOSE_BYTES + why.length);
    const { events } = this.link.network;
    events.at(events.nowMs + CLOSE_WITHIN_MS, () => {
      if (!this.over) this.breakOff(code, why);
    });
  }

  /** Ends at once, without the other side's consent; that one finds its connection broken as soon as the net tells it. */
  breakOff(code: number, why: string): void {
    this.open = false;
    this.out.close();
    this.link.gone(this.other);
    const { events } = this.link.network;
    events.at(events.nowMs, () => this.tell(code, why));
  }

  /** The program is gone, and cannot be told. */
  abandon(): void {
    this.open = false;
    this.out.close();
    this.setOver();
  }

  /** It is over on this side: its program hears why, once. */
  tell(code: number, why: string): void {
    this.open = false;
    this.out.close();
    if (this.over) return;
    this.setOver();
    this.node.linkOver(this, code, why);
  }

  private setOver(): void {
    this.over = true;
    if (this.other.over) this.link.network.links.delete(this.link);
  }

  /** Looks after its way out and what comes in, once a second while something is wrong. */
  check(nowMs: number): void {
    const { node, out, other } = this;
    if (!this.open || node.host.stopped) return;
    const { idleMs, stallMs } = node.limits;
    const inward = other.out;
    const pinged = nowMs - inward.heardAtMs >= idleMs * PING_SHARE;
    if (pinged && !out.isHeld && !inward.isHeld && !other.node.host.stopped) inward.heardAtMs = nowMs;
    // Until the link was looked after, its pings were answered.
    const heardAtMs = Math.max(inward.heardAtMs, this.link.watchedFromMs - idleMs * PING_SHARE);
    if (nowMs - heardAtMs >= idleMs) {
      this.breakOff(CLOSE.idle, `nothing came for ${idleMs / 1000} s`);
      return;
    }
    if (out.waitingBytes === 0 || out.begunBytes !== this.seenBytes) {
      this.seenBytes = out.begunBytes;
      this.goneAtMs = nowMs;
    } else if (nowMs - this.goneAtMs >= stallMs) this.breakOff(CLOSE.slow, `took nothing for ${stallMs / 1000} s`);
  }

  private heardClose({ code, why }: Closing): void {
    const { other } = this;
    this.tell(code, why);
    // Its answer; what else was on its way is not told over there.
    const { network } = this.link;
    const delayMs = network.delayMs(this.node.host, other.node.host);
    network.events.at(network.events.nowMs + delayMs, () => other.tell(code, why));
  }
}

/** A connection between two programs. */
export class Link implements Happening {
  readonly network: Network;
  readonly dialler: Side;
  readonly listener: Side;
  /** Since when somebody looks after it. */
  watchedFromMs = 0;
  private watched = false;
  /** Reasons for which nothing gets through. */
  private cuts = 0;
  private cutAtMs = 0;

  constructor(
    network: Network,
    dialler: { readonly node: AnyNode; readonly id: LinkId; readonly end: LinkEnd },
    listener: { readonly node: AnyNode; readonly id: LinkId; readonly end: LinkEnd },
  ) {
    this.network = network;
    this.dialler = new Side(this, dialler.node, listener.node, dialler.id, dialler.end, true);
    this.listener = new Side(this, listener.node, dialler.node, listener.id, listener.end, false);
    this.dialler.other = this.listener;
    this.listener.other = this.dialler;
    network.links.add(this);
  }

  get isOpen(): boolean {
    return this.dialler.open || this.listener.open;
  }

  /** Nothing gets through any more, either way, and neither side is told: the link is half open, or the net is parted. */
  cut(): void {
    if (this.cuts++ > 0) return;
    this.cutAtMs = this.network.events.nowMs;
    this.settle();
  }

  /** A reason is gone. What was on its way goes on when TCP tries again. */
  restore(): void {
    if (--this.cuts > 0) return;
    const { events } = this.network;
    const sinceMs = events.nowMs - this.cutAtMs;
    let retryMs = RETRY_FIRST_MS;
    while (retryMs < sinceMs) retryMs = retryMs * 2 + RETRY_FIRST_MS;
    const isIdle = this.dialler.out.onWayBytes + this.listener.out.onWayBytes === 0;
    events.at(isIdle ? events.nowMs : this.cutAtMs + retryMs, () => this.settle());
  }

  /** Lets through what may go through. */
  settle(): void {
    for (const side of [this.dialler, this.listener]) {
      if (this.cuts > 0 || side.other.node.host.stopped) side.out.hold();
      else {
        side.out.release();
        // Whoever was left alone meanwhile finds that out now.
        if (side.out.closed && !side.open) this.gone(side.other);
      }
    }
    if (this.isImpaired) this.watch();
  }

  /** One side has ended by itself: the other one finds the connection broken once the net tells it. */
  gone(left: Side): void {
    if (this.cuts > 0 || !left.open) return;
    const { events } = this.network;
    const delayMs = this.network.delayMs(left.other.node.host, left.node.host);
    events.at(events.nowMs + delayMs, () => left.tell(1006, 'the connection broke'));
  }

  /** Has both sides looked after as long as something is wrong. */
  watch(): void {
    if (this.watched) return;
    this.watched = true;
    const { events } = this.network;
    this.watchedFromMs = events.nowMs;
    events.plan(events.nowMs + WATCH_MS, this);
  }

  /** The shells' look, once a second. */
  happen(): void {
    const { events } = this.network;
    for (const side of [this.dialler, this.listener]) side.check(events.nowMs);
    if (this.isOpen && this.isImpaired) events.plan(events.nowMs + WATCH_MS, this);
    else this.watched = false;
  }

  private get isImpaired(): boolean {
    const { dialler, listener } = this;
    return dialler.out.isHeld || listener.out.isHeld || dialler.out.isFull || listener.out.isFull;
  }
}
