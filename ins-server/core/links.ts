import { Heap } from '../../ins-client/core/heap.ts';
import type { LinkId } from '../../machine/machine.ts';
import { TokenBucket } from '../../machine/rates.ts';
import type { PutItem } from '../../protocol/ins-messages.ts';
import type { Reason } from '../../protocol/reasons.ts';
import type { Origin } from './admission/origins.ts';
import type { InsServerInput } from './io.ts';
import { type Budget, CLIENT_BUDGET, PROOF_BYTES_BURST, PROOF_BYTES_PER_SECOND } from './limits.ts';
import type { Waiter } from './requests/waits.ts';
import type { Flow } from './sending/scheduler.ts';
import type { Folder, Locker } from './storage/locker.ts';
import type { Entry, Place } from './storage/shelf.ts';
import type { KnownToken } from './tokens/tokens.ts';

/** A client's connection and what runs on it. */

/** One key that has proved itself here, and its locker. */
export interface Account {
  readonly keyBytes: Uint8Array;
  readonly key: string;
  application: string;
  /** Who has invited it, as text; null is nobody. */
  provider: string | null;
  /** Its share beside other accounts of its provider. */
  weight: number;
  /** Unix ms until which its invitation is good; infinity without one. */
  invitedUntilMs: number;
  readonly locker: Locker;
  /** Oldest first. */
  readonly links: Link[];
  /** The most follows that it has had at once. */
  followsMost: number;
  /** What other servers are asked for on its behalf: blocks, and bytes that it has put there. */
  errands: number;
  putBytes: number;
}

export interface Alias {
  /** What requests run under; undefined when the token was refused. */
  known: KnownToken | undefined;
  reason: Reason;
}

/** One request of gets, puts, deletes and statuses. */
export interface BatchRequest {
  readonly kind: 'batch';
  readonly link: Link;
  readonly request: number;
  readonly keep: boolean;
  /** What is got is sent, not only kept. */
  readonly deliver: boolean;
  /** Items without an answer. */
  left: number;
  /** What it puts, while blocks of that are to come. */
  puts: PendingPuts | undefined;
  ended: boolean;
}

export interface PendingPuts {
  /** Number of the first of them in the batch. */
  readonly first: number;
  readonly collection: Uint8Array;
  readonly collectionKey: string;
  readonly ttlSeconds: number;
  readonly items: readonly PutItem[];
  /** By item: whose locker it goes to. */
  readonly owners: string[];
  /** By item: the token under which it is put; undefined for the putter's own locker. */
  readonly tokens: (KnownToken | undefined)[];
  /** By item: the limited token under which what it refers to was read. */
  readonly reads: Map<number, KnownToken>;
  /** By item: its bytes are awaited, are being checked and stored, or it has been answered. */
  readonly states: ('awaited' | 'busy' | 'answered')[];
  left: number;
  readonly byAtMs: number;
}

export interface Follow {
  readonly kind: 'follow';
  readonly link: Link;
  readonly request: number;
  readonly keep: boolean;
  /** Undefined for the follower's own locker. */
  known: KnownToken | undefined;
  readonly alias: number;
  readonly folder: Folder;
  readonly tracks: ReadonlySet<number> | null;
  /** Parts before it are not for this follow. */
  readonly from: number;
  /** How urgent, as the index of a priority. */
  readonly rank: number;
  /** Where it is while it catches up; undefined when everything there is has been queued. */
  cursor: Place | undefined;
  /** Unix ms since when it catches up again after it had all there was; undefined when it has that, or never had. */
  behindSinceMs: number | undefined;
  /** The furthest place that was queued. */
  reached: Place;
  queued: number;
  /** Unix ms until which its token's rate lets nothing more go; undefined when it may go on. */
  pausedUntilMs: number | undefined;
  /** What waits for that. */
  readonly paused: Sending[];
  /** Running number of the next block, 16 bits. */
  item: number;
  ended: boolean;
}

export type Request = BatchRequest | Follow;

/** One item of a batch that waits for its block. */
export interface WantedItem {
  readonly call: BatchRequest;
  readonly item: number;
  /** The answer carries label and companion. */
  readonly labelled: boolean;
  /** Unix ms; null for none. */
  readonly deadlineAtMs: number | null;
  /** The token under which it is read; undefined in the asker's own locker. */
  readonly known: KnownToken | undefined;
  readonly rank: number;
}

/** A block in a link's queue. */
export interface Sending {
  readonly call: BatchRequest | Follow;
  /** Of a batch; a follow counts when it sends. */
  readonly item: number;
  readonly labelled: boolean;
  readonly entry: Entry;
  /** Undefined for the asker's own locker; a follow's may be renewed meanwhile. */
  readonly known: KnownToken | undefined;
  readonly rank: number;
  /** Of a follow: Unix ms at which it came; infinity when it was there before the follow had caught up. */
  readonly cameAtMs: number;
  /** After this it is not worth sending. */
  readonly dropAtMs: number;
}

/** Who asks over HTTP: see `guests.ts`. */
export interface Guest {
  readonly address: string;
  /** The block it gets is not sent. */
  readonly bodyless: boolean;
  /** What it takes up is given back. */
  readonly leave: () => void;
  /** Its answer takes so many bytes of memory. */
  readonly needs: (bytes: number) => void;
}

export class Link {
  readonly id: LinkId;
  readonly nonce: Uint8Array;
  readonly openedAtMs: number;
  readonly origin: Origin | undefined;
  account: Account | undefined;
  /** What the client says it is, in its hello. */
  application = '';
  /** It is another INS server, fetching on behalf of its clients. */
  server = false;
  budget: Budget = CLIENT_BUDGET;
  /** It is one HTTP request. */
  guest: Guest | undefined;
  closed = false;
  readonly aliases = new Map<number, Alias>();
  readonly requests = new Map<number, Request>();
  /** Those of the requests. */
  readonly follows = new Set<Follow>();
  /** Gets that wait for what is not there yet. */
  readonly waits = new Set<Waiter>();
  readonly queue = new Heap<Sending>();
  /** What its next block, or else its last one, belongs to. */
  flow: Flow | undefined;
  /** Bytes handed to the send buffer since it was last empty. */
  inFlightBytes = 0;
  /** Unix ms when the reader last took something, or nothing was there for it to take. */
  progressAtMs: number;
  /** Unix ms since when the send buffer has room, or had it last. */
  roomSinceMs: number;
  failures = 0;
  /** Bytes that may be hashed to see whether a client has them. */
  readonly proofs = new TokenBucket(PROOF_BYTES_PER_SECOND, PROOF_BYTES_BURST);
  verifications = new TokenBucket(CLIENT_BUDGET.verifyPerSecond, CLIENT_BUDGET.verifyBurst);
  followStarts = new TokenBucket(CLIENT_BUDGET.followsPerSecond, CLIENT_BUDGET.followBurst);
  /** Signatures being checked; what comes meanwhile is held back, so that nothing overtakes a token. */
  checking = 0;
  readonly held: Extract<InsServerInput, { readonly kind: 'message' | 'block' }>[] = [];
  heldBytes = 0;

  constructor(id: LinkId, nonce: Uint8Array, nowMs: number, origin?: Origin) {
    this.origin = origin;
    this.id = id;
    this.nonce = nonce;
    this.openedAtMs = nowMs;
    this.progressAtMs = nowMs;
    this.roomSinceMs = nowMs;
  }
}
