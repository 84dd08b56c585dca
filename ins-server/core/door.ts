import type { LinkId, Sink } from '../../machine/machine.ts';
import { TokenBucket } from '../../machine/rates.ts';
import { type FromInsClient, helloSigned, SERVER_APPLICATION } from '../../protocol/ins-messages.ts';
import { BLOCK_BYTES_MAX, PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { CLOSE, REASONS } from '../../protocol/reasons.ts';
import { bytesKey } from '../../protocol/text.ts';
import type { Checks } from './checks.ts';
import type { InsServerInput, InsServerOptions, InsServerOutput } from './io.ts';
import {
  HELD_BYTES_MAX,
  HELD_INPUTS_MAX,
  HELLO_MS,
  SERVER_CONNECTIONS_MAX,
  SERVER_VERIFY_BURST,
  SERVER_VERIFY_PER_SECOND,
  STALL_MS,
} from './limits.ts';
import { type Account, Link } from './links.ts';
import type { Replies } from './replies.ts';
import type { Storage } from './storage.ts';

type FromLink = Extract<InsServerInput, { readonly kind: 'message' | 'block' }>;
type Hello = Extract<FromInsClient, { readonly type: 'hello' }>;

export interface DoorOptions {
  readonly server: InsServerOptions;
  readonly outputs: Sink<InsServerOutput>;
  readonly checks: Checks;
  readonly storage: Storage;
  readonly replies: Replies;
  /** What a client that has proved its key sends. */
  readonly take: (link: Link, account: Account, input: FromLink, nowMs: number) => void;
  /** A link is gone: what ran on it ends. */
  readonly gone: (link: Link, nowMs: number) => void;
}

/** Who is connected: links, the keys they have proved, and the accounts of those. */
export class Door {
  readonly links = new Map<LinkId, Link>();
  readonly accounts = new Map<string, Account>();
  private stopped = false;
  private readonly options: DoorOptions;

  constructor(options: DoorOptions) {
    this.options = options;
  }

  open(id: LinkId, nonce: Uint8Array, nowMs: number): void {
    const link = new Link(id, nonce, nowMs);
    this.links.set(id, link);
    this.options.replies.send(link, {
      type: 'welcome',
      version: PROTOCOL_VERSION,
      server: this.options.server.key,
      nonce,
      clockMs: Math.floor(nowMs),
      blockBytesMax: BLOCK_BYTES_MAX,
    });
    if (this.stopped) this.close(link, CLOSE.goingAway, REASONS.DRAINING.text, nowMs);
  }

  /** Lets somebody in who asks one thing and is known by no key. */
  admitGuest(link: Link, nowMs: number): void {
    this.links.set(link.id, link);
    if (this.stopped) this.close(link, CLOSE.goingAway, REASONS.DRAINING.text, nowMs);
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
    const links = link.account?.links;
    if (links?.includes(link)) links.splice(links.indexOf(link), 1);
    link.held.length = 0;
    this.options.gone(link, nowMs);
  }

  stop(nowMs: number): void {
    this.stopped = true;
    for (const link of [...this.links.values()]) {
      this.options.replies.send(link, { type: 'notice', kind: 'draining', otherServer: null });
      this.close(link, CLOSE.goingAway, REASONS.DRAINING.text, nowMs);
    }
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

  /** Forgets accounts without connections and blocks. */
  tidy(): void {
    this.options.storage.tidy((key) => (this.accounts.get(key)?.links.length ?? 0) > 0);
    for (const [key, { links, locker }] of this.accounts) {
      if (links.length === 0 && locker.folders.size === 0) this.accounts.delete(key);
    }
  }

  private take(link: Link, input: FromLink, nowMs: number): void {
    if (input.kind === 'message' && input.message.type === 'hello') this.hello(link, input.message, nowMs);
    else if (link.account !== undefined) this.options.take(link, link.account, input, nowMs);
    else this.turnAway(link.id, CLOSE.unauthenticated, REASONS.UNAUTHENTICATED.text, nowMs);
  }

  private hello(link: Link, { version, key, application, signature }: Hello, nowMs: number): void {
    if (version !== PROTOCOL_VERSION || link.account !== undefined) {
      const why = link.account === undefined ? REASONS.VERSION.text : 'a second hello';
      this.turnAway(link.id, CLOSE.violation, why, nowMs);
      return;
    }
    link.checking++;
    const { server, checks } = this.options;
    checks.verify(key, helloSigned(link.nonce, server.key, key), signature, (ok, atMs) => {
      if (link.closed) return;
      if (ok) this.admit(link, key, application, atMs);
      else this.turnAway(link.id, CLOSE.unauthenticated, 'the hello is not signed by its key', atMs);
      this.release(link, atMs);
    });
  }

  private admit(link: Link, keyBytes: Uint8Array, application: string, nowMs: number): void {
    const { server, storage, replies } = this.options;
    const { accountsMax, connectionsPerAccount, quotaBytes } = server.limits;
    const key = bytesKey(keyBytes);
    let account = this.accounts.get(key);
    if (account === undefined) {
      if (this.accounts.size >= accountsMax) {
        this.turnAway(link.id, CLOSE.tryLater, 'too many accounts', nowMs);
        return;
      }
      account = { keyBytes, key, application, locker: storage.locker(key), links: [] };
      this.accounts.set(key, account);
    }
    account.application = application;
    link.account = account;
    if (application === SERVER_APPLICATION) {
      link.server = true;
      link.verifications = new TokenBucket(SERVER_VERIFY_PER_SECOND, SERVER_VERIFY_BURST);
    }
    account.links.push(link);
    while (account.links.length > (link.server ? SERVER_CONNECTIONS_MAX : connectionsPerAccount)) {
      const oldest = account.links[0]!;
      replies.send(oldest, { type: 'notice', kind: 'replaced', otherServer: null });
      this.close(oldest, CLOSE.replaced, REASONS.REPLACED.text, nowMs);
    }
    replies.send(link, { type: 'accepted', quotaBytes });
  }

  private close(link: Link, code: number, why: string, nowMs: number): void {
    this.forget(link, nowMs);
    this.options.outputs.push({ kind: 'close', link: link.id, code, why });
  }
}
