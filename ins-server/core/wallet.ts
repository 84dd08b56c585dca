import { type FromInsClient, OWN_LOCKER } from '../../protocol/ins-messages.ts';
import { TOKEN_ALIASES_MAX } from '../../protocol/limits.ts';
import { CLOSE, type Reason } from '../../protocol/reasons.ts';
import type { Checks } from './checks.ts';
import type { Door } from './door.ts';
import type { Follows } from './follows.ts';
import { FAILURES_MAX } from './limits.ts';
import type { Account, Link } from './links.ts';
import type { Locker } from './locker.ts';
import type { RemoteFollow, Remotes } from './remotes.ts';
import type { Replies } from './replies.ts';
import type { Storage } from './storage.ts';
import { allows, type KnownToken, refusalOf, TokenBook, type UnverifiedToken } from './tokens.ts';

type TokenMessage = Extract<FromInsClient, { readonly type: 'token' }>;

/** The locker that a request is about: one on this server, or one that only its token tells of. */
export interface Target {
  /** Undefined for the asker's own locker. */
  readonly known: KnownToken | undefined;
  /** Undefined when it is on another server. */
  readonly locker: Locker | undefined;
}

export interface WalletOptions {
  /** The server's key. */
  readonly key: Uint8Array;
  readonly checks: Checks;
  readonly storage: Storage;
  readonly replies: Replies;
  readonly door: Door;
  readonly follows: Follows;
  readonly remotes: Remotes;
}

/** Tokens as they come on links: checked once, then known by their number there. */
export class Wallet {
  verified = 0;
  private readonly book: TokenBook;
  private readonly options: WalletOptions;

  constructor(options: WalletOptions) {
    this.options = options;
    this.book = new TokenBook(options.key);
  }

  /** A client registers a token, or puts another in its place. */
  token(link: Link, account: Account, { alias, token: sealed }: TokenMessage, nowMs: number): void {
    if (!link.aliases.has(alias) && link.aliases.size >= TOKEN_ALIASES_MAX) {
      this.options.replies.send(link, { type: 'token-refused', alias, reason: 'OVERLOAD' });
      return;
    }
    const found = this.book.find(sealed);
    if (found !== undefined) {
      this.bind(link, alias, found, account, nowMs);
      return;
    }
    const opened = this.book.open(sealed);
    if (opened === undefined) {
      this.forged(link, alias, nowMs);
      return;
    }
    // What the claims alone refuse needs no signature.
    const reason =
      refusalOf(opened.known, account.keyBytes, nowMs) ?? (link.verifications.take(1, nowMs) ? undefined : 'OVERLOAD');
    if (reason !== undefined) {
      this.refuse(link, alias, reason);
      return;
    }
    link.checking++;
    this.verify(opened, (genuine, atMs) => {
      if (link.closed) return;
      if (genuine) this.bind(link, alias, opened.known, account, atMs);
      else this.forged(link, alias, atMs);
      this.options.door.release(link, atMs);
    });
  }

  /** The owner of a locker has a new token for its readers. */
  rangeToken(link: Link, account: Account, sealed: Uint8Array, nowMs: number): void {
    const publish = (known: KnownToken, atMs: number): void => {
      const folder = known.collectionKey === null ? undefined : account.locker.folders.get(known.collectionKey);
      // A token of another issuer is for none of those who follow this locker.
      if (folder !== undefined) this.options.follows.passOn(folder.follows, known, atMs);
    };
    const found = this.book.find(sealed);
    const opened = found === undefined ? this.book.open(sealed) : undefined;
    if (found !== undefined) publish(found, nowMs);
    else if (opened === undefined) this.failed(link, nowMs);
    else if (link.verifications.take(1, nowMs)) {
      link.checking++;
      this.verify(opened, (genuine, atMs) => {
        if (genuine) publish(opened.known, atMs);
        else this.failed(link, atMs);
        this.options.door.release(link, atMs);
      });
    }
  }

  /** Another server has told of an owner's new token. */
  came(remote: RemoteFollow, sealed: Uint8Array, nowMs: number): void {
    const { follows, remotes } = this.options;
    const accept = (known: KnownToken, atMs: number): void =>
      follows.passOn(remotes.renewed(remote, known), known, atMs);
    const found = this.book.find(sealed);
    const opened = found === undefined ? this.book.open(sealed) : undefined;
    if (found !== undefined) accept(found, nowMs);
    else if (opened !== undefined) {
      this.verify(opened, (genuine, atMs) => {
        if (genuine) accept(opened.known, atMs);
      });
    }
  }

  /** The locker that a token's number opens for an operation, or why it does not. */
  target(link: Link, account: Account, number: number, operation: number, nowMs: number): Target | Reason {
    if (number === OWN_LOCKER) return { known: undefined, locker: account.locker };
    const alias = link.aliases.get(number);
    if (alias?.known === undefined) return alias?.reason ?? 'TOKEN_REQUIRED';
    const { known } = alias;
    const reason = refusalOf(known, account.keyBytes, nowMs);
    if (reason !== undefined) return reason;
    if (!allows(known, operation)) return 'TOKEN_SCOPE';
    if (known.here) return { known, locker: this.options.storage.locker(known.issuerKey) };
    // One hop: a server does not fetch for a server that fetches for another.
    return link.server ? 'POLICY_DENIED' : { known, locker: undefined };
  }

  /** Requests that name the alias run under this token from now on, those that run already too. */
  private bind(link: Link, alias: number, known: KnownToken, account: Account, nowMs: number): void {
    const reason = refusalOf(known, account.keyBytes, nowMs);
    if (reason !== undefined) {
      this.refuse(link, alias, reason);
      return;
    }
    link.aliases.set(alias, { known, reason: 'TOKEN_REQUIRED' });
    this.options.follows.renew(link, alias, known, nowMs);
  }

  private refuse(link: Link, alias: number, reason: Reason): void {
    link.aliases.set(alias, { known: undefined, reason });
    this.options.replies.send(link, { type: 'token-refused', alias, reason });
  }

  private forged(link: Link, alias: number, nowMs: number): void {
    this.refuse(link, alias, 'TOKEN_INVALID');
    this.failed(link, nowMs);
  }

  private failed(link: Link, nowMs: number): void {
    if (++link.failures < FAILURES_MAX) return;
    this.options.door.turnAway(link.id, CLOSE.policy, 'too many invalid tokens', nowMs);
  }

  private verify({ known, signed, signature }: UnverifiedToken, then: (genuine: boolean, nowMs: number) => void): void {
    this.verified++;
    this.options.checks.verify(known.token.issuer, signed, signature, (genuine, nowMs) => {
      if (genuine) this.book.add(known);
      then(genuine, nowMs);
    });
  }
}
