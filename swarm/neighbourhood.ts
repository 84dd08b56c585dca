import { earlier } from '../machine/deadlines.ts';
import type { LinkId, Sink } from '../machine/machine.ts';
import type { Bitmap } from '../protocol/bitmap.ts';
import type { PeerMessage } from '../protocol/peer-messages.ts';
import { CLOSE } from '../protocol/reasons.ts';
import { Announcer } from './announcer.ts';
import type { Catalogue } from './catalogue.ts';
import type { SwarmOutput } from './io.ts';
import { type Neighbour, Neighbours, type Self } from './neighbours.ts';
import { Pushing } from './pushing.ts';
import { Serving } from './serve.ts';

export interface NeighbourhoodOptions {
  readonly self: Self;
  /** What is given. */
  readonly catalogue: Catalogue;
  /** Links that neighbours may open to us. */
  readonly acceptedMax: number;
  /** Bits per second given to neighbours at most; as much as the uplink carries by default. */
  readonly uploadBpsMax?: number | undefined;
  readonly outputs: Sink<SwarmOutput>;
  /** What we can give, as bitmaps. */
  readonly availability: () => Bitmap[];
  /** Our newest range token; null before the first. */
  readonly token: () => Uint8Array | null;
}

/** Bytes that have to have been given before the uplink counts as measured: the first ones go into empty sockets. */
const MEASURED_BYTES = 262_144;
const UPLOAD_BPS_MAX = 0xffff_ffff;

/** A member among its neighbours, source or viewer: whom it is linked to, what it tells them, what it gives them. Never speaks to the tracker. */
export class Neighbourhood {
  readonly neighbours: Neighbours;
  readonly announcer: Announcer;
  readonly serving: Serving;
  readonly pushing: Pushing;
  private readonly options: NeighbourhoodOptions;
  /** Blocks are given to neighbours: never where neighbours were told otherwise. */
  private giving: boolean;

  constructor(options: NeighbourhoodOptions) {
    this.options = options;
    const { self, catalogue, acceptedMax, uploadBpsMax, outputs } = options;
    this.giving = self.gives;
    this.neighbours = new Neighbours(self, acceptedMax, outputs);
    this.announcer = new Announcer(self.mode, this.neighbours, outputs);
    this.serving = new Serving(catalogue, this.neighbours, outputs, uploadBpsMax);
    this.pushing = new Pushing(self.source, this.neighbours, this.serving, outputs);
  }

  /** Bits per second that the uplink carries. What nobody has measured yet is 0: the tracker takes us for average then. */
  get uploadBps(): number {
    const { givenBytes, uplink } = this.serving;
    return givenBytes < MEASURED_BYTES ? 0 : Math.min(UPLOAD_BPS_MAX, Math.round(uplink.bps));
  }

  nextDeadline(): number | undefined {
    const next = earlier(this.neighbours.nextDeadline(), this.announcer.nextDeadline());
    return earlier(earlier(next, this.serving.nextDeadline()), this.pushing.nextDeadline());
  }

  timeout(nowMs: number): void {
    this.neighbours.expire(nowMs);
    this.announcer.timeout(nowMs, this.options.availability);
    this.serving.timeout(nowMs);
    this.pushing.timeout(nowMs);
  }

  /** Takes in what every member understands of a neighbour. @returns False when the message is for the role. */
  peerMessage(neighbour: Neighbour, message: PeerMessage, nowMs: number): boolean {
    const { link } = neighbour;
    switch (message.type) {
      case 'bitmap':
        neighbour.availability.replace(message.availability);
        // The token on it is for the role.
        return false;
      case 'have':
        for (const { track, part } of message.parts) neighbour.availability.add(track, part);
        return true;
      case 'have-blocks':
        for (const { track, part, index } of message.blocks) neighbour.availability.addBlock(track, part, index);
        return true;
      case 'request':
        // In INS mode no block byte goes from peer to peer, whichever of the two is in it.
        if (this.giving && this.options.self.mode !== 'ins' && neighbour.mode !== 'ins')
          this.serving.request(link, message, nowMs);
        else this.notAllowed(link, message.request);
        return true;
      case 'subscribe':
        if (neighbour.mode === 'ins' || !this.giving) return true;
        // What it has not heard of when it hears that it is granted, is pushed to it.
        this.announcer.tell(neighbour);
        this.pushing.subscribe(link, message.lanes, message.tracks, nowMs);
        return true;
      case 'cancel':
        this.serving.cancel(link, message.request);
        return true;
      case 'want': {
        const token = this.options.token();
        if (token !== null) this.options.outputs.push({ kind: 'send-peer', link, message: { type: 'token', token } });
        return true;
      }
      default:
        return false;
    }
  }

  /** Gives blocks to neighbours or, from now on, none: those under way to sockets alone still go. */
  give(gives: boolean, nowMs: number): void {
    this.giving = gives && this.options.self.gives;
    if (this.giving) return;
    for (const { link } of this.neighbours.all()) {
      if (this.pushing.lanes > 0) this.pushing.subscribe(link, 0, null, nowMs);
      this.serving.closed(link);
    }
  }

  /** Says hello back, or not. @returns The new neighbour. */
  greet(link: LinkId, hello: Extract<PeerMessage, { type: 'hello' }>): Neighbour | undefined {
    const neighbour = this.neighbours.hello(link, hello);
    if (neighbour === undefined) return undefined;
    this.announcer.greet(neighbour, this.options.availability());
    if (neighbour.mode !== 'ins' && !neighbour.source) this.pushing.greet(link);
    return neighbour;
  }

  /** The link to a neighbour, or to somebody who had not said hello, is gone. @returns The neighbour that was. */
  closed(link: LinkId, nowMs: number): Neighbour | undefined {
    this.serving.closed(link);
    this.pushing.closed(link);
    const neighbour = this.neighbours.closed(link);
    // What its socket held takes no more of the uplink: nobody else may say that there is room.
    this.serving.pump(nowMs);
    return neighbour;
  }

  /** Parts from all of them. */
  leave(why: string): void {
    for (const { link } of this.neighbours.all()) {
      this.options.outputs.push({ kind: 'close', link, code: CLOSE.goingAway, why });
    }
  }

  private notAllowed(link: LinkId, request: number): void {
    const refused = { request, item: null, reason: 'NOT_ALLOWED', retryAfterMs: 0 } as const;
    this.options.outputs.push({ kind: 'send-peer', link, message: { type: 'refused', ...refused } });
  }
}
