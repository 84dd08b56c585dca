import type { LinkId, Sink } from '../machine/machine.ts';
import { PROTOCOL_VERSION } from '../protocol/limits.ts';
import type { PeerMessage } from '../protocol/peer-messages.ts';
import { CLOSE } from '../protocol/reasons.ts';
import type { Mode } from '../protocol/swarm-fields.ts';
import { bytesKey, sameBytes } from '../protocol/text.ts';
import { Availability, NewestPart } from './availability.ts';
import type { SwarmOutput } from './io.ts';

/** How we introduce ourselves to neighbours. */
export interface Self {
  readonly stream: Uint8Array;
  readonly key: Uint8Array;
  readonly mode: Mode;
  readonly source: boolean;
  readonly gives: boolean;
  /** Where we can be dialled; null for browsers. */
  readonly url: string | null;
}

/** A neighbour that has said hello. */
export interface Neighbour {
  readonly link: LinkId;
  readonly key: Uint8Array;
  readonly id: string;
  readonly mode: Mode;
  readonly source: boolean;
  /** It gives blocks to neighbours, and we may ask it for some. */
  readonly gives: boolean;
  readonly url: string | null;
  readonly availability: Availability;
}

export type Hello = Extract<PeerMessage, { type: 'hello' }>;

/** Ms a link may stay open without a hello. */
const HELLO_WITHIN_MS = 5_000;

interface Stranger {
  readonly dialled: boolean;
  readonly helloByMs: number;
}

/**
 * The links to neighbours: who they are and what they have. Each side's first message is `hello`; two links between the
 * same two peers are made one (the one dialled by the smaller key stays, so that both sides agree).
 */
export class Neighbours {
  private readonly strangers = new Map<LinkId, Stranger>();
  private readonly byLink = new Map<LinkId, Neighbour>();
  /** The same as a list, made anew when one comes or goes: it is walked through all the time. */
  private list: readonly Neighbour[] = [];
  private readonly newest = new NewestPart();
  private readonly byId = new Map<string, Neighbour>();
  private readonly dialled = new Set<LinkId>();
  private readonly self: Self;
  private readonly acceptedMax: number;
  private readonly outputs: Sink<SwarmOutput>;

  /** @param acceptedMax - Links that strangers may open to us; beyond it they are told to try elsewhere. */
  constructor(self: Self, acceptedMax: number, outputs: Sink<SwarmOutput>) {
    this.self = self;
    this.acceptedMax = acceptedMax;
    this.outputs = outputs;
  }

  get size(): number {
    return this.byLink.size;
  }

  all(): readonly Neighbour[] {
    return this.list;
  }

  /** The newest part of which any of them has at least a block; -1 when none. */
  get newestPart(): number {
    return this.newest.get(this.list);
  }

  get(link: LinkId): Neighbour | undefined {
    return this.byLink.get(link);
  }

  knows(id: string): boolean {
    return this.byId.has(id);
  }

  opened(link: LinkId, dialled: boolean, nowMs: number): void {
    if (!dialled && this.byLink.size + this.strangers.size - this.dialled.size >= this.acceptedMax) {
      this.outputs.push({ kind: 'close', link, code: CLOSE.tryLater, why: 'enough neighbours' });
      return;
    }
    if (dialled) this.dialled.add(link);
    this.strangers.set(link, { dialled, helloByMs: nowMs + HELLO_WITHIN_MS });
    const { stream, key, mode, source, gives, url } = this.self;
    const message = { type: 'hello', version: PROTOCOL_VERSION, stream, key, mode, source, gives, url } as const;
    this.outputs.push({ kind: 'send-peer', link, message });
  }

  /** @returns The neighbour that is gone, if the link had come so far. */
  closed(link: LinkId): Neighbour | undefined {
    this.strangers.delete(link);
    this.dialled.delete(link);
    const neighbour = this.byLink.get(link);
    this.byLink.delete(link);
    this.relist();
    if (neighbour !== undefined && this.byId.get(neighbour.id) === neighbour) this.byId.delete(neighbour.id);
    return neighbour;
  }

  /** @returns The new neighbour, or `undefined` when the hello is refused and the link closed. */
  hello(link: LinkId, hello: Hello): Neighbour | undefined {
    const stranger = this.strangers.get(link);
    if (stranger === undefined) return this.refuse(link, CLOSE.violation, 'a second hello');
    if (hello.version !== PROTOCOL_VERSION) return this.refuse(link, CLOSE.policy, 'no common protocol version');
    if (!sameBytes(hello.stream, this.self.stream)) return this.refuse(link, CLOSE.policy, 'another stream');
    if (sameBytes(hello.key, this.self.key)) return this.refuse(link, CLOSE.policy, 'this is yourself');
    const id = bytesKey(hello.key);
    const twin = this.byId.get(id);
    if (twin !== undefined) {
      const oursStays = bytesKey(this.self.key) < id;
      if (stranger.dialled !== oursStays) return this.refuse(link, CLOSE.normal, 'connected already');
      this.refuse(twin.link, CLOSE.normal, 'connected already');
      this.byLink.delete(twin.link);
    }
    this.strangers.delete(link);
    const { key, mode, source, url } = hello;
    const gives = hello.gives && mode !== 'ins' && this.self.mode !== 'ins';
    const neighbour = { link, key, id, mode, source, gives, url, availability: new Availability(this.newest) };
    this.byLink.set(link, neighbour);
    this.relist();
    this.byId.set(id, neighbour);
    return neighbour;
  }

  /** Closes links whose hello is late. */
  expire(nowMs: number): void {
    for (const [link, { helloByMs }] of this.strangers) {
      if (helloByMs <= nowMs) this.refuse(link, CLOSE.unauthenticated, 'no hello');
    }
  }

  nextDeadline(): number | undefined {
    // Insertion order is time order: every stranger has the same time to say hello.
    for (const { helloByMs } of this.strangers.values()) return helloByMs;
    return undefined;
  }

  private relist(): void {
    this.list = [...this.byLink.values()];
    this.newest.stale = true;
  }

  private refuse(link: LinkId, code: number, why: string): undefined {
    this.strangers.delete(link);
    this.outputs.push({ kind: 'close', link, code, why });
    return undefined;
  }
}
