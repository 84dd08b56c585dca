import { earlier } from '../machine/deadlines.ts';
import type { LinkId } from '../machine/machine.ts';
import type { PeerMessage } from '../protocol/peer-messages.ts';
import type { Announcer } from './announcer.ts';
import type { Catalogue } from './catalogue.ts';
import { Membership, type MembershipOptions } from './membership.ts';
import { Neighbourhood, type NeighbourhoodOptions } from './neighbourhood.ts';
import type { Neighbour, Neighbours } from './neighbours.ts';
import type { Pushing } from './pushing.ts';
import type { RangeTokens } from './range-tokens.ts';
import type { Serving } from './serve.ts';
import type { Joined, TrackerSession } from './tracker-session.ts';

export type MemberOptions = MembershipOptions & Omit<NeighbourhoodOptions, 'catalogue' | 'token'>;

/** A member that always has neighbours, as the source: its membership and its neighbourhood in one. */
export class Member {
  readonly catalogue: Catalogue;
  readonly tokens: RangeTokens;
  readonly tracker: TrackerSession;
  readonly neighbours: Neighbours;
  readonly announcer: Announcer;
  readonly serving: Serving;
  readonly pushing: Pushing;
  private readonly membership: Membership;
  private readonly neighbourhood: Neighbourhood;

  constructor(options: MemberOptions) {
    const membership = new Membership(options);
    const { catalogue, tokens, tracker } = membership;
    const neighbourhood = new Neighbourhood({ ...options, catalogue, token: () => tokens.current });
    this.membership = membership;
    this.neighbourhood = neighbourhood;
    this.catalogue = catalogue;
    this.tokens = tokens;
    this.tracker = tracker;
    this.neighbours = neighbourhood.neighbours;
    this.announcer = neighbourhood.announcer;
    this.serving = neighbourhood.serving;
    this.pushing = neighbourhood.pushing;
  }

  nextDeadline(): number | undefined {
    return earlier(this.neighbourhood.nextDeadline(), this.membership.nextDeadline());
  }

  /** @returns True when the tracker wants a heartbeat. */
  timeout(nowMs: number): boolean {
    this.neighbourhood.timeout(nowMs);
    return this.membership.timeout(nowMs);
  }

  welcomed(message: Parameters<Membership['welcomed']>[0]): void {
    this.membership.welcomed(message);
  }

  joined(message: Joined, nowMs: number): void {
    this.membership.joined(message, nowMs);
  }

  heartbeat(bufferMs: number, latencyMs: number): void {
    this.membership.heartbeat({ bufferMs, latencyMs, uploadBps: this.neighbourhood.uploadBps, insFed: false });
  }

  renewToken(nowMs: number): void {
    this.membership.renewToken(nowMs);
  }

  /** See {@link Membership.signed}; neighbours hear of a new token. */
  signed(ref: number, signature: Uint8Array, nowMs: number): Uint8Array | null | undefined {
    const token = this.membership.signed(ref, signature);
    if (token !== undefined && token !== null) this.announcer.setToken(token, nowMs);
    return token;
  }

  peerMessage(neighbour: Neighbour, message: PeerMessage, nowMs: number): boolean {
    return this.neighbourhood.peerMessage(neighbour, message, nowMs);
  }

  greet(link: LinkId, hello: Extract<PeerMessage, { type: 'hello' }>): Neighbour | undefined {
    return this.neighbourhood.greet(link, hello);
  }

  closed(link: LinkId, nowMs: number): Neighbour | undefined {
    return this.neighbourhood.closed(link, nowMs);
  }

  leave(why: string): void {
    this.tracker.leave();
    this.neighbourhood.leave(why);
  }
}
