import type { LinkId, Sink } from '../../../machine/machine.ts';
import { TokenBucket } from '../../../machine/rates.ts';
import { type FromInsClient, helloSigned, SERVER_APPLICATION } from '../../../protocol/ins-messages.ts';
import type { Invitation } from '../../../protocol/invitation.ts';
import { BLOCK_BYTES_MAX, PROTOCOL_VERSION } from '../../../protocol/limits.ts';
import { CLOSE, REASONS } from '../../../protocol/reasons.ts';
import { bytesKey } from '../../../protocol/text.ts';
import type { Checks } from '../checks.ts';
import type { InsServerInput, InsServerOptions, InsServerOutput } from '../io.ts';
import {
  BUSY_RETRY_MS,
  FAILURES_MAX,
  HELD_BYTES_MAX,
  HELD_INPUTS_MAX,
  HELLO_MS,
  KNOWN_SERVER_BUDGET,
  SERVER_CONNECTIONS_MAX,
  STALL_MS,
  UNKNOWN_SERVER_BUDGET,
  UNKNOWN_SERVER_CONNECTIONS_MAX,
} from '../limits.ts';
import { type Account, Link } from '../links.ts';
import type { Replies } from '../replies.ts';
import type { Storage } from '../storage/storage.ts';
import { Origins } from './origins.ts';
import type { Overload } from './overload.ts';
import { grantOf, type Registration } from './registration.ts';

type FromLink = Extract<InsServerInput, { readonly kind: 'message' | 'block' }>;
type Hello = Extract<FromInsClient, { readonly type: 'hello' }>;

export interface DoorOptions {
  readonly server: InsServerOptions;
  readonly outputs: Sink<InsServerOutput>;
  readonly checks: Checks;
  readonly storage: Storage;
  readonly registration: Registration;
  readonly replies: Replies;
  readonly overload: Overload;
  /** What a client that has proved its key sends. */
  readonly take: (link: Link, account: Account, input: FromLink, nowMs: number) => void;
  /** A link is gone: what ran on it ends. */
  readonly gone: (link: Link, nowMs: number) => void;
}

/** Who is connected: links, the keys they have proved, and the accounts of those. */
export class Door {
  readonly links = new Map<LinkId, Link>();
  readonly accounts = new Map<string, Account>();
  /** Connections closed for want of room. */
  sentAway = 0;
  /** Of the links, those of clients and other servers. */
  private clients = 0;
  private readonly origins = new Origins();
  /** Unix ms at which all links are closed, whatever is on its way on them; undefined while the server is not to stop. */
  private stopAtMs: number | undefined;
  private others = 0;
  private readonly options: DoorOptions;

  constructor(options: DoorOptions) {
    this.options = options;
  }

  open(id: LinkId, nonce: Uint8Array, address: string | undefined, nowMs: number): void {
    const origin = address === undefined ? undefined : this.origins.at(address);
    const link = new Link(id, nonce, nowMs, origin);
    if (origin !== undefined) origin.links++;
    this.links.set(id, link);
    this.clients++;
    this.options.replies.send(link, {
      type: 'welcome',
      version: PROTOCOL_VERSION,
      server: this.options.server.key,
      nonce,
      clockMs: Math.floor(nowMs),
      blockBytesMax: BLOCK_BYTES_MAX,
    });
    if (this.draining) {
      this.tellDraining(link);
      this.close(link, CLOSE.goingAway, REASONS.DRAINING.text, nowMs);
    } else if (origin?.isBarred(nowMs) === true)
      this.turnAway(id, CLOSE.tryLater, 'too much from its address was invalid', nowMs);
    else if (this.clients > this.options.server.limits.linksMax) this.sendAway(link, 'too many clients', nowMs);
  }

  /** Lets somebody in who asks one thing and is known by no key. */
  admitGuest(link: Link, nowMs: number): void {
    this.links.set(link.id, link);
    if (this.draining) this.close(link, CLOSE.goingAway, REASONS.DRAINING.text, nowMs);
  }

  /** What a client sends. While a signature of its is checked, all that comes behind waits. */
  input(link: Link, input: FromLink, nowMs: number): void {
    if (link.checking === 0) {
      this.take(link, input, nowMs);
      return;
    }
    link.held.push(input);
    if (input.kind === 'block') link.heldBytes += input.body.byteLength;
    if (link.held.length <= HELD_INPUTS_MAX && link.heldBytes <= HELD_BYTES_MAX) return;
    this.turnAway(link.id, CLOSE.policy, 'too much was sent before the key was checked', nowMs);
  }

  /** A signature for this link has been checked: what was held back goes on. */
  release(link: Link, nowMs: number): void {
    link.checking--;
    const held = link.held.splice(0);
    link.heldBytes = 0;
    // What has to wait for another check is held back again, in its order.
    for (const input of held) if (!link.closed) this.input(link, input, nowMs);
  }

  turnAway(id: LinkId, code: number, why: string, nowMs: number): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    this.options.outputs.push({ kind: 'turned-away', link: id, why });
    this.close(link, code, why, nowMs);
  }

  forget(link: Link, nowMs: number): void {
    link.closed = true;
    this.links.delete(link.id);
    if (link.guest === undefined) this.clients--;
    const links = link.account?.links;
    if (links?.includes(link)) links.splice(links.indexOf(link), 1);
    link.held.length = 0;
    if (link.origin !== undefined) link.origin.links--;
    this.options.gone(link, nowMs);
  }

  get draining(): boolean {
    return this.stopAtMs !== undefined;
  }

  /** Another server to send somebody to: each in its turn, where there are any. */
  otherServer(): string | null {
    const { otherServers = [] } = this.options.server;
    return otherServers[this.others++ % otherServers.length] ?? null;
  }

  /** Lets nobody in any more, tells all who are here, and closes them as soon as what is on its way has arrived. */
  stop(nowMs: number): void {
    if (this.draining) return;
    this.stopAtMs = nowMs + this.options.server.limits.drainMs;
    for (const link of this.links.values()) if (link.guest === undefined) this.tellDraining(link);
  }

  /** Closes who has been sent all that was queued, and whose batches are answered. */
  drain(nowMs: number): void {
    for (const link of [...this.links.values()]) {
      if (isBusy(link) && nowMs < this.stopAtMs!) continue;
      this.close(link, CLOSE.goingAway, REASONS.DRAINING.text, nowMs);
    }
  }

  private tellDraining(link: Link): void {
    this.options.replies.send(link, {
      type: 'notice',
      kind: 'draining',
      otherServer: this.otherServer(),
      retryAfterMs: 0,
    });
  }

  /** There is no room: another server may have some, or this one later. */
  private sendAway(link: Link, why: string, nowMs: number): void {
    this.sentAway++;
    const otherServer = this.otherServer();
    this.options.replies.send(link, { type: 'notice', kind: 'busy', otherServer, retryAfterMs: BUSY_RETRY_MS });
    this.turnAway(link.id, CLOSE.tryLater, why, nowMs);
  }

  /** Turns away who has not said hello in time and who does not read. */
  sweep(nowMs: number): void {
    for (const link of [...this.links.values()]) {
      if (link.account === undefined && nowMs - link.openedAtMs >= HELLO_MS) {
        this.turnAway(link.id, CLOSE.unauthenticated, 'no hello came', nowMs);
      } else if (link.inFlightBytes > 0 && nowMs - link.progressAtMs >= STALL_MS) {
        this.turnAway(link.id, CLOSE.slow, 'it does not read what is sent', nowMs);
      }
    }
  }

  /** Something that a link sent is forged or malformed. */
  failed(link: Link, nowMs: number): void {
    link.origin?.failed(nowMs);
    if (++link.failures < FAILURES_MAX) return;
    this.turnAway(link.id, CLOSE.policy, 'too many invalid tokens', nowMs);
  }

  /** Forgets accounts without connections and blocks, and invitations that have run out. */
  tidy(nowMs: number): void {
    this.origins.tidy(nowMs);
    this.options.storage.tidy((key) => (this.accounts.get(key)?.links.length ?? 0) > 0);
    for (const [key, account] of this.accounts) {
      if (account.links.length === 0 && account.locker.folders.size === 0) this.accounts.delete(key);
      else if (account.invitedUntilMs <= nowMs) this.register(account, undefined);
    }
  }

  private take(link: Link, input: FromLink, nowMs: number): void {
    if (input.kind === 'message' && input.message.type === 'hello') this.hello(link, input.message, nowMs);
    else if (link.account !== undefined) this.options.take(link, link.account, input, nowMs);
    else this.turnAway(link.id, CLOSE.unauthenticated, REASONS.UNAUTHENTICATED.text, nowMs);
  }

  private hello(link: Link, { version, key, application, signature, invitation }: Hello, nowMs: number): void {
    if (version !== PROTOCOL_VERSION || link.account !== undefined) {
      const why = link.account === undefined ? REASONS.VERSION.text : 'a second hello';
      this.turnAway(link.id, CLOSE.violation, why, nowMs);
      return;
    }
    link.checking++;
    const { server, checks } = this.options;
    checks.verify(key, helloSigned(link.nonce, server.key, key), signature, (ok, atMs) => {
      if (link.closed) return;
      if (ok) this.invite(link, key, application, invitation, atMs);
      else {
        link.origin?.failed(atMs);
        this.turnAway(link.id, CLOSE.unauthenticated, 'the hello is not signed by its key', atMs);
      }
      this.release(link, atMs);
    });
  }

  /** Who brings an invitation that is not good is told so: as a stranger it would only wonder. */
  private invite(link: Link, key: Uint8Array, application: string, sealed: Uint8Array | null, nowMs: number): void {
    const { registration, checks } = this.options;
    const read = sealed === null ? undefined : registration.read(sealed, key, application, nowMs);
    if (read === undefined) this.admit(link, key, application, undefined, nowMs);
    else if (typeof read === 'string') this.turnAway(link.id, CLOSE.unauthenticated, read, nowMs);
    else {
      const { invitation, signed, signature } = read;
      link.checking++;
      checks.verify(invitation.provider, signed, signature, (ok, atMs) => {
        if (link.closed) return;
        if (ok) this.admit(link, key, application, invitation, atMs);
        else {
          link.origin?.failed(atMs);
          this.turnAway(link.id, CLOSE.unauthenticated, 'the invitation is not signed by its provider', atMs);
        }
        this.release(link, atMs);
      });
    }
  }

  private admit(
    link: Link,
    keyBytes: Uint8Array,
    application: string,
    invitation: Invitation | undefined,
    nowMs: number,
  ): void {
    const { server, storage, replies, overload } = this.options;
    const { accountsMax, connectionsPerAccount } = server.limits;
    const key = bytesKey(keyBytes);
    let account = this.accounts.get(key);
    if (account === undefined) {
      const isFull = this.accounts.size >= accountsMax;
      if (isFull || overload.active) {
        this.sendAway(link, isFull ? 'too many accounts' : 'more is asked than can be sent', nowMs);
        return;
      }
      const locker = storage.locker(key);
      const uninvited = { provider: null, weight: 1, invitedUntilMs: Number.POSITIVE_INFINITY };
      account = {
        keyBytes,
        key,
        application,
        ...uninvited,
        locker,
        links: [],
        followsMost: 0,
        errands: 0,
        putBytes: 0,
      };
      this.accounts.set(key, account);
    }
    account.application = application;
    if (invitation !== undefined) this.register(account, invitation);
    link.account = account;
    const known = server.isKnownServer?.(keyBytes) ?? false;
    link.application = application;
    if (application === SERVER_APPLICATION) {
      link.server = true;
      link.budget = known ? KNOWN_SERVER_BUDGET : UNKNOWN_SERVER_BUDGET;
      link.verifications = new TokenBucket(link.budget.verifyPerSecond, link.budget.verifyBurst);
      link.followStarts = new TokenBucket(link.budget.followsPerSecond, link.budget.followBurst);
    }
    account.links.push(link);
    const serverConnections = known ? SERVER_CONNECTIONS_MAX : UNKNOWN_SERVER_CONNECTIONS_MAX;
    while (account.links.length > (link.server ? serverConnections : connectionsPerAccount)) {
      const oldest = account.links[0]!;
      replies.send(oldest, { type: 'notice', kind: 'replaced', otherServer: null, retryAfterMs: 0 });
      this.close(oldest, CLOSE.replaced, REASONS.REPLACED.text, nowMs);
    }
    replies.send(link, { type: 'accepted', quotaBytes: account.locker.grant.quotaBytes });
  }

  /** Gives an account what its invitation says, or what those have who were not invited. */
  private register(account: Account, invitation: Invitation | undefined): void {
    const { storage, registration } = this.options;
    account.provider = invitation === undefined ? null : bytesKey(invitation.provider);
    account.weight = invitation?.weight ?? 1;
    account.invitedUntilMs = invitation === undefined ? Number.POSITIVE_INFINITY : invitation.expires * 1000;
    storage.grant(account.locker, invitation === undefined ? registration.uninvited : grantOf(invitation));
  }

  private close(link: Link, code: number, why: string, nowMs: number): void {
    this.forget(link, nowMs);
    this.options.outputs.push({ kind: 'close', link: link.id, code, why });
  }
}

/** Something is on its way to the client, or from it. */
function isBusy(link: Link): boolean {
  // One request over HTTP is asked again more easily than waited for; an answer that has begun is not to be cut.
  if (link.guest !== undefined) return link.inFlightBytes > 0;
  if (link.queue.size > 0 || link.inFlightBytes > 0 || link.checking > 0) return true;
  for (const request of link.requests.values()) {
    if (request.kind === 'batch' && request.left > 0) return true;
  }
  return false;
}
