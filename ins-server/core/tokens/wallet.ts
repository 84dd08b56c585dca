import { type FromInsClient, OWN_LOCKER } from '../../../protocol/ins-messages.ts';
import { TOKEN_ALIASES_MAX } from '../../../protocol/limits.ts';
import type { Reason } from '../../../protocol/reasons.ts';
import { bytesKey } from '../../../protocol/text.ts';
import { decodeToken } from '../../../protocol/token.ts';
import type { Door } from '../admission/door.ts';
import type { Checks } from '../checks.ts';
import type { Account, Link } from '../links.ts';
import type { RemoteFollow } from '../remotes/follows.ts';
import type { Remotes } from '../remotes/remotes.ts';
import type { Replies } from '../replies.ts';
import type { Follows } from '../requests/follows.ts';
import type { Waits } from '../requests/waits.ts';
import type { Locker } from '../storage/locker.ts';
import type { Storage } from '../storage/storage.ts';
import { openLocker } from './open-lockers.ts';
import { type TokenPolicy, untimelinessOf } from './token-policy.ts';
import { allows, type KnownToken, TokenBook, type UnverifiedToken } from './tokens.ts';

type Message<Type extends FromInsClient['type']> = Extract<FromInsClient, { readonly type: Type }>;
type TokenMessage = Message<'token'>;
type OpenMessage = Message<'open'>;
type RevokeMessage = Message<'revoke'>;
type AccessMessage = Message<'access'>;

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
  readonly policy: TokenPolicy;
  readonly checks: Checks;
  readonly storage: Storage;
  readonly replies: Replies;
  readonly door: Door;
  readonly follows: Follows;
  readonly waits: Waits;
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
    if (!this.hasRoom(link, alias)) return;
    const found = this.book.find(sealed);
    if (found !== undefined) {
      this.bind(link, alias, found, account, nowMs);
      return;
    }
    const decoded = decodeToken(sealed);
    const untimely = decoded === undefined ? undefined : untimelinessOf(decoded.token, nowMs);
    if (untimely !== undefined) {
      this.refuse(link, alias, untimely);
      return;
    }
    const opened = decoded === undefined ? undefined : this.book.open(sealed, decoded);
    if (opened === undefined) {
      this.forged(link, alias, nowMs);
      return;
    }
    // What the claims alone refuse needs no signature.
    const reason =
      this.options.policy.refusal(opened.known, account.key, nowMs) ??
      (this.mayVerify(link, opened, nowMs) ? undefined : 'OVERLOAD');
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

  /** A locker that needs no token, as far as it is open to the account, takes an alias as a token does. */
  open(link: Link, account: Account, { alias, owner }: OpenMessage, nowMs: number): void {
    if (!this.hasRoom(link, alias)) return;
    this.bind(link, alias, this.openTo(bytesKey(owner), account.application), account, nowMs);
  }

  /** Lets somebody unknown, who has no token, have a block by its name where it is open to everybody. */
  openToAll(link: Link, alias: number, name: Uint8Array): void {
    const locker = this.options.storage.publicLockerOf(bytesKey(name));
    if (locker !== undefined)
      link.aliases.set(alias, { known: this.openTo(locker.key, null), reason: 'TOKEN_REQUIRED' });
  }

  /** @param application - That of an account that has proved its key; null for somebody unknown. */
  private openTo(owner: string, application: string | null): KnownToken {
    const { lockers } = this.options.storage;
    return openLocker(owner, (collection) => lockers.get(owner)?.open.permits(collection, application) === true);
  }

  /** Tokens of the account's making are void from now on. @returns Why not, if so. */
  revoke(account: Account, { ids, epoch }: RevokeMessage, nowMs: number): Reason | undefined {
    const { policy, storage, follows } = this.options;
    const reason = policy.revocations.revoke(account.key, ids, epoch, storage.isStranger(account.key, nowMs), nowMs);
    // Those of other lockers, under tokens made from others' tokens, end with the next sweep.
    const locker = storage.lockers.get(account.key);
    if (reason === undefined && locker !== undefined) follows.review(locker, nowMs);
    return reason;
  }

  /** The server of a token says that it is void: what is held here of its locker is not given for it either. */
  revokedElsewhere(known: KnownToken, nowMs: number): void {
    const { policy, storage, follows } = this.options;
    const stranger = storage.isStranger(known.madeBy, nowMs);
    policy.revocations.revoke(known.madeBy, [known.token.id], null, stranger, nowMs);
    const mirror = storage.mirrors.get(known.ownerKey);
    if (mirror !== undefined) follows.review(mirror, nowMs);
  }

  /** Opens a collection of the account's to others, or closes it. @returns Why not, if so. */
  setAccess(account: Account, { collection, access }: AccessMessage, nowMs: number): Reason | undefined {
    const { storage, follows, waits } = this.options;
    const { locker, application } = account;
    if (!storage.open(locker, bytesKey(collection), access, application, nowMs)) return 'QUOTA_STORAGE';
    follows.review(locker, nowMs);
    waits.review(locker);
    return undefined;
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
    else if (opened === undefined) this.options.door.failed(link, nowMs);
    else if (this.mayVerify(link, opened, nowMs)) {
      link.checking++;
      this.verify(opened, (genuine, atMs) => {
        if (genuine) publish(opened.known, atMs);
        else this.options.door.failed(link, atMs);
        this.options.door.release(link, atMs);
      });
    }
  }

  /** Another server has told of an owner's new token. @param forged - It has made it up, or passed on what it did not check. */
  came(remote: RemoteFollow, sealed: Uint8Array, forged: (nowMs: number) => void, nowMs: number): void {
    const { follows, remotes } = this.options;
    const accept = (known: KnownToken, atMs: number): void =>
      follows.passOn(remotes.follows.renewed(remote, known), known, atMs);
    const found = this.book.find(sealed);
    const opened = found === undefined ? this.book.open(sealed) : undefined;
    if (found !== undefined) accept(found, nowMs);
    else if (opened === undefined) forged(nowMs);
    // Of what is of no use, nobody needs to know whether it is genuine.
    else if (remotes.follows.isRenewal(remote, opened.known)) {
      this.verify(opened, (genuine, atMs) => {
        if (genuine) accept(opened.known, atMs);
        else forged(atMs);
      });
    }
  }

  /** The locker that a token's number opens for an operation, or why it does not. */
  target(link: Link, account: Account, number: number, operation: number, nowMs: number): Target | Reason {
    if (number === OWN_LOCKER) return { known: undefined, locker: account.locker };
    const alias = link.aliases.get(number);
    if (alias?.known === undefined) return alias?.reason ?? 'TOKEN_REQUIRED';
    const { known } = alias;
    const reason = this.options.policy.refusal(known, account.key, nowMs);
    if (reason !== undefined) return reason;
    if (!allows(known, operation)) return 'TOKEN_SCOPE';
    if (known.here) return { known, locker: this.options.storage.locker(known.ownerKey) };
    // One hop: a server does not fetch for a server that fetches for another. And uses are counted where the locker is.
    return link.server || known.limited ? 'POLICY_DENIED' : { known, locker: undefined };
  }

  /** Requests that name the alias run under this token from now on, those that run already too. */
  private bind(link: Link, alias: number, known: KnownToken, account: Account, nowMs: number): void {
    const reason = this.options.policy.refusal(known, account.key, nowMs);
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
    this.options.door.failed(link, nowMs);
  }

  private hasRoom(link: Link, alias: number): boolean {
    const room = link.aliases.has(alias) || link.aliases.size < TOKEN_ALIASES_MAX;
    if (!room) this.options.replies.send(link, { type: 'token-refused', alias, reason: 'OVERLOAD' });
    return room;
  }

  private mayVerify(link: Link, { parent }: UnverifiedToken, nowMs: number): boolean {
    const signatures = parent === undefined ? 1 : 2;
    return link.verifications.take(signatures, nowMs) && (link.origin?.mayVerify(signatures, nowMs) ?? true);
  }

  /** A token that was made from another is good if both are. */
  private verify(opened: UnverifiedToken, then: (genuine: boolean, nowMs: number) => void): void {
    const { known, decoded, parent } = opened;
    if (parent !== undefined) {
      this.verify(parent, (genuine, nowMs) => {
        if (genuine) this.verify({ ...opened, parent: undefined }, then);
        else then(false, nowMs);
      });
      return;
    }
    this.verified++;
    this.options.checks.verify(known.token.issuer, decoded.signed, decoded.signature, (genuine, nowMs) => {
      if (genuine) this.book.add(known);
      then(genuine, nowMs);
    });
  }
}
