import type { Sink } from '../../../machine/machine.ts';
import { TokenBucket } from '../../../machine/rates.ts';
import { EMPTY_BATCH, EMPTY_GET, EMPTY_PUT, type FromInsClient } from '../../../protocol/ins-messages.ts';
import { BLOCK_BYTES_MAX } from '../../../protocol/limits.ts';
import { CLOSE } from '../../../protocol/reasons.ts';
import type { Door } from '../admission/door.ts';
import type { Grant } from '../admission/registration.ts';
import type { GuestCall, InsServerInput, InsServerOutput } from '../io.ts';
import {
  FAILURES_MAX,
  GUEST_BYTES_MAX,
  GUEST_GET_MS,
  GUEST_MS,
  GUEST_PAUSE_MS,
  GUESTS_MAX,
  GUESTS_PER_ADDRESS_MAX,
  RETRY_MS,
  VERIFY_PER_SECOND,
  VISITORS_MAX,
} from '../limits.ts';
import { type Account, type Guest, Link } from '../links.ts';
import type { Replies } from '../replies.ts';
import { Locker } from '../storage/locker.ts';
import type { Storage } from '../storage/storage.ts';
import type { Wallet } from '../tokens/wallet.ts';
import { type GuestPlace, GuestPlaces } from './guest-places.ts';

type Asked = Extract<InsServerInput, { readonly kind: 'asked' }>;

/** Where guests come from: what they may cause together. */
interface Visitor {
  readonly account: Account;
  readonly verifications: TokenBucket;
  open: number;
  failures: number;
  failedAtMs: number;
  leftAtMs: number;
}

/** The number of the one token and of the one request of a guest. */
const ALIAS = 1;
const REQUEST = 1;
const NO_BYTES = new Uint8Array(0);
const NOTHING: Grant = { quotaBytes: 0, quotaObjects: 0, rateBps: null, stranger: false };

/**
 * Those who ask one thing over plain HTTP and prove no key. Each request is a link of its own with one token and one message
 * on it, so that all else is as for clients; what one address may cause is counted over all of its requests.
 */
export class Guests {
  private readonly links = new Set<Link>();
  private readonly visitors = new Map<string, Visitor>();
  private reservedBytes = 0;
  private readonly door: Door;
  private readonly replies: Replies;
  private readonly outputs: Sink<InsServerOutput>;
  private readonly places: GuestPlaces;
  private readonly wallet: Wallet;

  constructor(door: Door, replies: Replies, outputs: Sink<InsServerOutput>, storage: Storage, wallet: Wallet) {
    this.wallet = wallet;
    this.door = door;
    this.replies = replies;
    this.outputs = outputs;
    this.places = new GuestPlaces(storage);
  }

  /** Requests that are being answered. */
  get count(): number {
    return this.links.size;
  }

  /** Nobody is here, and nobody is remembered. */
  get empty(): boolean {
    return this.visitors.size === 0;
  }

  ask({ link: id, address, token, call }: Asked, nowMs: number): void {
    const link = new Link(id, NO_BYTES, nowMs);
    const visitor = this.visitor(address, nowMs);
    const needsBytes = call.kind === 'put' ? call.sizeBytes : call.kind === 'get' ? BLOCK_BYTES_MAX : 0;
    const isFull = this.links.size >= GUESTS_MAX || this.reservedBytes + needsBytes > GUEST_BYTES_MAX;
    // This machine's own address may be that of a proxy for many.
    if (visitor === undefined || isFull || (address !== '' && visitor.open >= GUESTS_PER_ADDRESS_MAX)) {
      this.replies.refuse(link, REQUEST, null, 'OVERLOAD', RETRY_MS);
      return;
    }
    visitor.open++;
    this.reservedBytes += needsBytes;
    const place = call.kind === 'put' ? this.places.find(call, token) : undefined;
    link.guest = this.guest(address, call, needsBytes, place);
    link.account = visitor.account;
    if (visitor.failures < FAILURES_MAX) link.verifications = visitor.verifications;
    else link.verifications = new TokenBucket(0, 0);
    this.links.add(link);
    this.door.admitGuest(link, nowMs);
    if (token !== null) this.say(link, { type: 'token', alias: ALIAS, token }, nowMs);
    else if (call.kind === 'get') this.wallet.openToAll(link, ALIAS, call.name);
    if (place !== undefined) {
      const { collection, label, known } = place;
      this.outputs.push({ kind: 'placed', link: id, collection, label, known });
    }
    this.say(link, messageOf(call, place), nowMs);
  }

  /** A link is gone; if it was a guest's, what it took is given back. */
  gone(link: Link, nowMs: number): void {
    const { guest } = link;
    if (guest === undefined || !this.links.delete(link)) return;
    guest.leave();
    const visitor = this.visitors.get(guest.address)!;
    visitor.open--;
    visitor.leftAtMs = nowMs;
    if (link.failures === 0) return;
    visitor.failures += link.failures;
    visitor.failedAtMs = nowMs;
  }

  /** Ends what takes too long, and forgets who has not come for a while. */
  sweep(nowMs: number): void {
    for (const link of [...this.links]) {
      if (nowMs - link.openedAtMs >= GUEST_MS) this.door.turnAway(link.id, CLOSE.slow, 'it takes too long', nowMs);
    }
    for (const [address, visitor] of this.visitors) {
      if (visitor.open === 0 && nowMs - visitor.leftAtMs >= GUEST_PAUSE_MS) this.visitors.delete(address);
    }
  }

  /** `undefined` when there are too many to tell apart. */
  private visitor(address: string, nowMs: number): Visitor | undefined {
    let visitor = this.visitors.get(address);
    if (visitor === undefined) {
      if (this.visitors.size >= VISITORS_MAX) return undefined;
      visitor = {
        // Nobody's: no key, and a locker that takes nothing.
        account: {
          keyBytes: NO_BYTES,
          key: `http ${address}`,
          application: 'http',
          provider: null,
          weight: 1,
          invitedUntilMs: Number.POSITIVE_INFINITY,
          locker: new Locker('', NOTHING),
          links: [],
          followsMost: 0,
          errands: 0,
          putBytes: 0,
        },
        verifications: new TokenBucket(VERIFY_PER_SECOND, VERIFY_PER_SECOND),
        open: 0,
        failures: 0,
        failedAtMs: 0,
        leftAtMs: nowMs,
      };
      this.visitors.set(address, visitor);
    }
    if (nowMs - visitor.failedAtMs >= GUEST_PAUSE_MS) visitor.failures = 0;
    return visitor;
  }

  private guest(address: string, call: GuestCall, reserved: number, place: GuestPlace | undefined): Guest {
    let bytes = reserved;
    const needs = (left: number): void => {
      this.reservedBytes += left - bytes;
      bytes = left;
    };
    const leave = (): void => {
      needs(0);
      place?.free();
    };
    return { address, bodyless: call.kind === 'get' && call.bodyless, needs, leave };
  }

  private say(link: Link, message: FromInsClient, nowMs: number): void {
    if (!link.closed) this.door.input(link, { kind: 'message', link: link.id, message }, nowMs);
  }
}

/** What a client would say to have the same done. */
function messageOf(call: GuestCall, place: GuestPlace | undefined): FromInsClient {
  const batch = { ...EMPTY_BATCH, request: REQUEST };
  switch (call.kind) {
    case 'get':
      return { ...batch, gets: [{ ...EMPTY_GET, token: ALIAS, deadlineMs: GUEST_GET_MS, name: call.name }] };
    case 'put': {
      const { collection, label, start } = place!;
      const { name, sizeBytes, ttlSeconds, mediaType } = call;
      const put = { ...EMPTY_PUT, token: ALIAS, ...label, start, name, sizeBytes, mediaType, companion: NO_BYTES };
      return { ...batch, collection, ttlSeconds, puts: [put] };
    }
    case 'delete':
      return { ...batch, deletes: [{ token: ALIAS, name: call.name }] };
    case 'status':
      return { ...batch, statuses: [{ token: ALIAS }] };
  }
}
