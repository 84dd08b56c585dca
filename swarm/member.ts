import { earlier } from '../machine/deadlines.ts';
import type { LinkId, Sink } from '../machine/machine.ts';
import type { Prng } from '../machine/prng.ts';
import type { Bitmap } from '../protocol/bitmap.ts';
import type { PeerMessage } from '../protocol/peer-messages.ts';
import { CLOSE } from '../protocol/reasons.ts';
import { Announcer } from './announcer.ts';
import { Catalogue } from './catalogue.ts';
import type { LinkNumbers, SwarmOutput } from './io.ts';
import { type Neighbour, Neighbours, type Self } from './neighbours.ts';
import { Pushing } from './pushing.ts';
import { RangeTokens } from './range-tokens.ts';
import { Serving } from './serve.ts';
import { type Join, type Joined, TrackerSession } from './tracker-session.ts';

export interface MemberOptions {
  readonly self: Self;
  readonly join: Join;
  readonly trackerUrl: string;
  /** Parts kept in memory for neighbours. */
  readonly windowParts: number;
  /** Links that neighbours may open to us. */
  readonly acceptedMax: number;
  /** Bits per second given to neighbours at most; as much as the uplink carries by default. */
  readonly uploadBpsMax?: number | undefined;
  readonly numbers: LinkNumbers;
  readonly prng: Prng;
  readonly outputs: Sink<SwarmOutput>;
  /** Has our key sign; answers the reference under which `signed` will bring the signature. */
  readonly sign: (bytes: Uint8Array) => number;
  /** What we can give, as bitmaps. */
  readonly availability: () => Bitmap[];
  /** The oldest part that our lockers still hold, where that is not the oldest in memory. */
  readonly storedFrom?: () => number | undefined;
}

/** Bytes that have to have been given before the uplink counts as measured: the first ones go into empty sockets. */
const MEASURED_BYTES = 262_144;
const UPLOAD_BPS_MAX = 0xffff_ffff;

type Welcome = Parameters<TrackerSession['welcome']>[0];

/** A member of a swarm, source or viewer: what it holds, whom it knows, what it gives, and its session with the tracker. */
export class Member {
  readonly catalogue: Catalogue;
  readonly neighbours: Neighbours;
  readonly announcer: Announcer;
  readonly serving: Serving;
  readonly pushing: Pushing;
  readonly tokens: RangeTokens;
  readonly tracker: TrackerSession;
  private readonly options: MemberOptions;
  private readonly signs = new Map<number, 'token' | 'join'>();
  /** Blocks are given to neighbours: never where neighbours were told otherwise. */
  private giving: boolean;
  private tokenTold: Uint8Array | null = null;

  constructor(options: MemberOptions) {
    this.options = options;
    this.giving = options.self.gives;
    const { self, join, trackerUrl, windowParts, acceptedMax, numbers, prng, outputs } = options;
    this.catalogue = new Catalogue(windowParts);
    this.neighbours = new Neighbours(self, acceptedMax, outputs);
    this.announcer = new Announcer(self.mode, this.neighbours, outputs);
    this.serving = new Serving(this.catalogue, this.neighbours, outputs, options.uploadBpsMax);
    this.pushing = new Pushing(self.source, this.neighbours, this.serving, outputs);
    this.tokens = new RangeTokens(self.key, self.stream);
    this.tracker = new TrackerSession(trackerUrl, join, numbers, prng.fork('tracker'), outputs);
  }

  nextDeadline(): number | undefined {
    let next = earlier(this.neighbours.nextDeadline(), this.announcer.nextDeadline());
    next = earlier(next, this.tokens.nextDeadline());
    next = earlier(next, this.serving.nextDeadline());
    next = earlier(next, this.pushing.nextDeadline());
    return earlier(next, this.tracker.nextDeadline());
  }

  /** @returns True when the tracker wants a heartbeat. */
  timeout(nowMs: number): boolean {
    this.neighbours.expire(nowMs);
    this.announcer.timeout(nowMs, this.options.availability);
    this.serving.timeout(nowMs);
    this.pushing.timeout(nowMs);
    return this.tracker.timeout(nowMs);
  }

  welcomed(message: Welcome): void {
    this.signs.set(this.options.sign(this.tracker.welcome(message)), 'join');
  }

  joined(message: Joined, nowMs: number): void {
    this.tracker.answered(message, nowMs);
    this.tokenTold = null;
  }

  /** Tells the tracker how we are doing; our range token goes along when it is news there. */
  heartbeat(bufferMs: number, latencyMs: number, insFed = false): void {
    if (!this.tracker.up) return;
    const { current } = this.tokens;
    const token = current === this.tokenTold ? null : current;
    this.tokenTold = current;
    const figures = { bufferMs: Math.max(0, Math.round(bufferMs)), latencyMs: Math.max(0, Math.round(latencyMs)) };
    const { givenBytes, uplink } = this.serving;
    // What nobody has measured yet is 0: the tracker takes us for average then.
    const uploadBps = givenBytes < MEASURED_BYTES ? 0 : Math.min(UPLOAD_BPS_MAX, Math.round(uplink.bps));
    const availability = this.options.availability();
    this.tracker.send({ type: 'state', availability, token, ...figures, uploadBps, insFed });
  }

  /** Makes a new range token when one is due. */
  renewToken(nowMs: number): void {
    if (!this.tokens.isDue(nowMs)) return;
    const bytes = this.tokens.make(
      () => this.options.prng.bytes(16),
      this.options.storedFrom?.() ?? this.catalogue.oldestPart,
      nowMs,
    );
    if (bytes !== undefined) this.signs.set(this.options.sign(bytes), 'token');
  }

  /**
   * Answer to `sign`.
   *
   * @returns The new range token, null when the signature was for something else of ours, `undefined` when it was not ours.
   */
  signed(ref: number, signature: Uint8Array, nowMs: number): Uint8Array | null | undefined {
    const purpose = this.signs.get(ref);
    if (purpose === undefined) return undefined;
    this.signs.delete(ref);
    if (purpose === 'join') {
      this.tracker.signed(signature);
      return null;
    }
    const token = this.tokens.signed(signature);
    if (token === undefined) return null;
    this.announcer.setToken(token, nowMs);
    return token;
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
        if (neighbour.mode !== 'ins' && this.giving) this.pushing.subscribe(link, message.lanes, message.tracks, nowMs);
        return true;
      case 'cancel':
        this.serving.cancel(link, message.request);
        return true;
      case 'want': {
        const { current: token } = this.tokens;
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
  closed(link: LinkId): Neighbour | undefined {
    this.serving.closed(link);
    this.pushing.closed(link);
    return this.neighbours.closed(link);
  }

  /** Leaves the swarm. */
  leave(why: string): void {
    this.tracker.leave();
    for (const { link } of this.neighbours.all()) {
      this.options.outputs.push({ kind: 'close', link, code: CLOSE.goingAway, why });
    }
  }

  private notAllowed(link: LinkId, request: number): void {
    const refused = { request, item: null, reason: 'NOT_ALLOWED', retryAfterMs: 0 } as const;
    this.options.outputs.push({ kind: 'send-peer', link, message: { type: 'refused', ...refused } });
  }
}
