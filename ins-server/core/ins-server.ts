import { earlier } from '../../machine/deadlines.ts';
import { type LinkId, type Machine, Queue, unreachable } from '../../machine/machine.ts';
import { Prng } from '../../machine/prng.ts';
import { TokenBucket } from '../../machine/rates.ts';
import {
  FROM_NEWEST_START,
  type FromInsClient,
  type FromInsServer,
  type GetItem,
  helloSigned,
  OWN_LOCKER,
  SERVER_APPLICATION,
} from '../../protocol/ins-messages.ts';
import {
  BATCH_ITEMS_MAX,
  BLOCK_BYTES_MAX,
  PROTOCOL_VERSION,
  REQUESTS_OPEN_MAX,
  SERVER_REQUESTS_OPEN_MAX,
  TOKEN_ALIASES_MAX,
} from '../../protocol/limits.ts';
import { CLOSE, REASONS, type Reason } from '../../protocol/reasons.ts';
import { bytesKey } from '../../protocol/text.ts';
import { OPERATION } from '../../protocol/token.ts';
import { Checks } from './checks.ts';
import { Intake } from './intake.ts';
import type { InsServerInput, InsServerOptions, InsServerOutput, InsServerStats } from './io.ts';
import {
  FAILURES_MAX,
  HELD_BYTES_MAX,
  HELD_INPUTS_MAX,
  HELLO_MS,
  RETRY_MS,
  SERVER_VERIFY_BURST,
  SERVER_VERIFY_PER_SECOND,
  STALL_MS,
  SWEEP_MS,
  SWEEPS_PER_TIDY,
} from './limits.ts';
import { type Account, type Follow, type GetRequest, Link } from './links.ts';
import type { Folder, Locker } from './locker.ts';
import { Puts } from './puts.ts';
import { type RemoteFollow, Remotes } from './remotes.ts';
import { Sender } from './sender.ts';
import type { Entry } from './shelf.ts';
import { Storage } from './storage.ts';
import {
  allows,
  coversEntry,
  coversLabel,
  expired,
  type KnownToken,
  refusalOf,
  TokenBook,
  type UnverifiedToken,
} from './tokens.ts';

type Message<Type extends FromInsClient['type']> = Extract<FromInsClient, { readonly type: Type }>;
type FromLink = Extract<InsServerInput, { readonly kind: 'message' | 'block' }>;

/** The locker that a request is about: one on this server, or one that only its token tells of. */
interface Target {
  readonly known: KnownToken | undefined;
  /** Undefined when it is on another server. */
  readonly locker: Locker | undefined;
}

/**
 * The INS server's decisions: accounts and lockers, tokens, what is sent to whom next, and what is fetched from other servers.
 * It compares labels and names and never looks into blocks or what comes with them.
 */
export class InsServer implements Machine<InsServerInput, InsServerOutput> {
  private readonly outputs = new Queue<InsServerOutput>();
  private readonly links = new Map<LinkId, Link>();
  private readonly accounts = new Map<string, Account>();
  private readonly checks = new Checks(this.outputs);
  private readonly tokens: TokenBook;
  private readonly storage: Storage;
  private readonly sender: Sender;
  private readonly puts: Puts;
  private readonly remotes: Remotes;
  private readonly options: InsServerOptions;
  private sweepAtMs: number | undefined;
  private sweeps = 0;
  private stopped = false;
  private follows = 0;
  private refusals = 0;
  private verifications = 0;
  private remoteHits = 0;

  constructor(options: InsServerOptions) {
    this.options = options;
    const { key, limits, mayDial, seed } = options;
    const { outputs } = this;
    const refuse = this.refuse.bind(this);
    this.tokens = new TokenBook(key);
    const storage = new Storage(limits, outputs);
    const sender = new Sender(outputs, storage, limits, refuse);
    const intake = new Intake(storage, this.checks);
    this.storage = storage;
    this.sender = sender;
    this.puts = new Puts(outputs, storage, sender, intake, refuse);
    this.remotes = new Remotes({
      key,
      prng: new Prng(seed),
      mayDial,
      upstreamsMax: limits.upstreamsMax,
      outputs,
      storage,
      sender,
      intake,
      endFollow: (follow, reason, retryMs, nowMs) => this.endFollow(follow, reason, retryMs, nowMs),
      tokenCame: (remote, sealed, nowMs) => this.tokenCame(remote, sealed, nowMs),
    });
  }

  handleInput(input: InsServerInput, nowMs: number): void {
    switch (input.kind) {
      case 'link-opened':
        this.open(input.link, input.nonce, nowMs);
        break;
      case 'link-closed': {
        const link = this.links.get(input.link);
        if (link !== undefined) this.forget(link, nowMs);
        break;
      }
      case 'message':
      case 'block': {
        const link = this.links.get(input.link);
        if (link !== undefined) this.fromLink(link, input, nowMs);
        break;
      }
      case 'violation':
        this.turnAway(input.link, CLOSE.violation, input.why, nowMs);
        break;
      case 'drained': {
        const link = this.links.get(input.link);
        if (link !== undefined) this.sender.drained(link, input.leftBytes, nowMs);
        break;
      }
      case 'verified':
      case 'named':
      case 'stored':
        this.checks.answer(input.ref, input.ok, nowMs);
        break;
      case 'load-failed':
        // Who waits for it learns that it is not there when its batch is done.
        this.storage.lost(input.block.key);
        break;
      case 'upstream':
        this.remotes.input(input.upstream, input.input, nowMs);
        break;
      case 'stop':
        this.stop(nowMs);
        break;
      default:
        unreachable(input);
    }
    this.settle(nowMs);
  }

  handleTimeout(nowMs: number): void {
    this.remotes.timeout(nowMs);
    if (this.sweepAtMs !== undefined && nowMs >= this.sweepAtMs) {
      this.sweepAtMs = undefined;
      this.sweep(nowMs);
    }
    this.settle(nowMs);
  }

  pollOutput(): InsServerOutput | undefined {
    return this.outputs.shift();
  }

  nextDeadline(): number | undefined {
    return earlier(this.sweepAtMs, this.remotes.nextDeadline());
  }

  stats(): InsServerStats {
    const { storage, sender, puts, remotes } = this;
    return {
      links: this.links.size,
      accounts: this.accounts.size,
      blocks: storage.blockCount,
      memoryBytes: storage.memoryBytes,
      follows: this.follows,
      upstreams: remotes.count,
      sentBlocks: sender.sentBlocks,
      sentBytes: sender.sentBytes,
      putBlocks: puts.putBlocks,
      keptBlocks: sender.keptBlocks,
      remoteBlocks: remotes.remoteBlocks,
      remoteBytes: remotes.remoteBytes,
      remoteHits: this.remoteHits,
      refused: this.refusals,
      tokensVerified: this.verifications,
    };
  }

  /** After every input: what has gathered goes out. */
  private settle(nowMs: number): void {
    this.remotes.flush(nowMs);
    this.sender.pump(nowMs);
    const busy = this.links.size > 0 || this.accounts.size > 0 || this.remotes.count > 0 || !this.storage.empty;
    if (busy) this.sweepAtMs ??= nowMs + SWEEP_MS;
    else this.sweepAtMs = undefined;
  }

  private send(link: Link, message: FromInsServer): void {
    if (!link.closed) this.outputs.push({ kind: 'send', link: link.id, message });
  }

  private refuse(link: Link, request: number, item: number | null, reason: Reason, retryAfterMs = 0): void {
    this.refusals++;
    this.send(link, { type: 'refused', request, item, reason, retryAfterMs, otherServer: null });
  }

  // Links and accounts

  private open(id: LinkId, nonce: Uint8Array, nowMs: number): void {
    const link = new Link(id, nonce, nowMs);
    this.links.set(id, link);
    this.send(link, {
      type: 'welcome',
      version: PROTOCOL_VERSION,
      server: this.options.key,
      nonce,
      clockMs: Math.floor(nowMs),
      blockBytesMax: BLOCK_BYTES_MAX,
    });
    if (this.stopped) this.close(link, CLOSE.goingAway, REASONS.DRAINING.text, nowMs);
  }

  /** What a client sends. While a signature of its is checked, all that comes behind waits. */
  private fromLink(link: Link, input: FromLink, nowMs: number): void {
    if (link.checking === 0) {
      this.take(link, input, nowMs);
      return;
    }
    link.held.push(input);
    if (input.kind === 'block') link.heldBytes += input.body.byteLength;
    if (link.held.length <= HELD_INPUTS_MAX && link.heldBytes <= HELD_BYTES_MAX) return;
    this.turnAway(link.id, CLOSE.policy, 'too much was sent before the key was checked', nowMs);
  }

  private release(link: Link, nowMs: number): void {
    link.checking--;
    while (link.checking === 0 && !link.closed && link.held.length > 0) {
      const held = link.held.splice(0);
      link.heldBytes = 0;
      for (const [at, input] of held.entries()) {
        if (link.closed) return;
        this.take(link, input, nowMs);
        if (link.checking === 0) continue;
        for (const later of held.slice(at + 1)) this.fromLink(link, later, nowMs);
        return;
      }
    }
  }

  private take(link: Link, input: FromLink, nowMs: number): void {
    if (input.kind === 'message' && input.message.type === 'hello') this.hello(link, input.message, nowMs);
    else if (link.account === undefined) {
      this.turnAway(link.id, CLOSE.unauthenticated, REASONS.UNAUTHENTICATED.text, nowMs);
    } else if (input.kind === 'block') this.puts.block(link, input.header, input.body, nowMs);
    else this.message(link, link.account, input.message, nowMs);
  }

  private hello(link: Link, { version, key, application, signature }: Message<'hello'>, nowMs: number): void {
    if (version !== PROTOCOL_VERSION || link.account !== undefined) {
      const why = link.account === undefined ? REASONS.VERSION.text : 'a second hello';
      this.turnAway(link.id, CLOSE.violation, why, nowMs);
      return;
    }
    link.checking++;
    this.checks.verify(key, helloSigned(link.nonce, this.options.key, key), signature, (ok, atMs) => {
      if (link.closed) return;
      if (ok) this.admit(link, key, application, atMs);
      else this.turnAway(link.id, CLOSE.unauthenticated, 'the hello is not signed by its key', atMs);
      this.release(link, atMs);
    });
  }

  private admit(link: Link, keyBytes: Uint8Array, application: string, nowMs: number): void {
    const { accountsMax, connectionsPerAccount, quotaBytes } = this.options.limits;
    const key = bytesKey(keyBytes);
    let account = this.accounts.get(key);
    if (account === undefined) {
      if (this.accounts.size >= accountsMax) {
        this.turnAway(link.id, CLOSE.tryLater, 'too many accounts', nowMs);
        return;
      }
      account = { keyBytes, key, application, locker: this.storage.locker(key), links: [] };
      this.accounts.set(key, account);
    }
    account.application = application;
    link.account = account;
    if (application === SERVER_APPLICATION) {
      link.server = true;
      link.verifications = new TokenBucket(SERVER_VERIFY_PER_SECOND, SERVER_VERIFY_BURST);
    }
    account.links.push(link);
    while (account.links.length > connectionsPerAccount) {
      const oldest = account.links[0]!;
      this.send(oldest, { type: 'notice', kind: 'replaced', otherServer: null });
      this.close(oldest, CLOSE.replaced, REASONS.REPLACED.text, nowMs);
    }
    this.send(link, { type: 'accepted', quotaBytes });
  }

  private turnAway(id: LinkId, code: number, why: string, nowMs: number): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    this.outputs.push({ kind: 'turned-away', link: id, why });
    this.close(link, code, why, nowMs);
  }

  private close(link: Link, code: number, why: string, nowMs: number): void {
    this.forget(link, nowMs);
    this.outputs.push({ kind: 'close', link: link.id, code, why });
  }

  private forget(link: Link, nowMs: number): void {
    link.closed = true;
    this.links.delete(link.id);
    const links = link.account?.links;
    if (links?.includes(link)) links.splice(links.indexOf(link), 1);
    for (const request of [...link.requests.values()]) {
      if (request.kind === 'put') this.puts.end(request);
      else if (request.kind === 'follow') this.dropFollow(request, nowMs);
      else request.ended = true;
    }
    link.requests.clear();
    link.held.length = 0;
  }

  private stop(nowMs: number): void {
    this.stopped = true;
    for (const link of [...this.links.values()]) {
      this.send(link, { type: 'notice', kind: 'draining', otherServer: null });
      this.close(link, CLOSE.goingAway, REASONS.DRAINING.text, nowMs);
    }
    this.remotes.stop(nowMs);
  }

  // Messages

  private message(link: Link, account: Account, message: FromInsClient, nowMs: number): void {
    switch (message.type) {
      case 'hello':
        return;
      case 'token':
        this.token(link, account, message, nowMs);
        return;
      case 'forget-token':
        link.aliases.delete(message.alias);
        return;
      case 'cancel':
        this.cancel(link, message.request, nowMs);
        return;
      case 'range-token':
        this.rangeToken(link, account, message.token, nowMs);
        return;
      default:
    }
    if (link.requests.has(message.request)) {
      this.turnAway(link.id, CLOSE.violation, 'a request number that is in use', nowMs);
      return;
    }
    if (link.requests.size >= (link.server ? SERVER_REQUESTS_OPEN_MAX : REQUESTS_OPEN_MAX)) {
      this.refuse(link, message.request, null, 'OVERLOAD', RETRY_MS);
      return;
    }
    switch (message.type) {
      case 'get':
        this.get(link, account, message, nowMs);
        return;
      case 'follow':
        this.follow(link, account, message, nowMs);
        return;
      case 'put':
        this.put(link, account, message, nowMs);
        return;
      case 'delete':
        this.delete(link, account, message, nowMs);
        return;
      case 'status':
        this.status(link, account, message, nowMs);
        return;
      default:
        unreachable(message);
    }
  }

  private cancel(link: Link, number: number, nowMs: number): void {
    const request = link.requests.get(number);
    if (request === undefined) return;
    link.requests.delete(number);
    if (request.kind === 'put') this.puts.end(request);
    else {
      if (request.kind === 'follow') this.dropFollow(request, nowMs);
      this.sender.forget(request);
    }
  }

  // Tokens

  private token(link: Link, account: Account, { alias, token: sealed }: Message<'token'>, nowMs: number): void {
    if (!link.aliases.has(alias) && link.aliases.size >= TOKEN_ALIASES_MAX) {
      this.send(link, { type: 'token-refused', alias, reason: 'OVERLOAD' });
      return;
    }
    const known = this.tokens.find(sealed);
    if (known !== undefined) {
      this.bind(link, alias, known, account, nowMs);
      return;
    }
    const opened = this.tokens.open(sealed);
    if (opened === undefined) {
      this.tokenFailed(link, alias, nowMs);
      return;
    }
    // What the claims alone refuse needs no signature.
    const reason =
      refusalOf(opened.known, account.keyBytes, nowMs) ?? (link.verifications.take(1, nowMs) ? undefined : 'OVERLOAD');
    if (reason !== undefined) {
      this.refuseToken(link, alias, reason);
      return;
    }
    link.checking++;
    this.verify(opened, (genuine, atMs) => {
      if (link.closed) return;
      if (genuine) this.bind(link, alias, opened.known, account, atMs);
      else this.tokenFailed(link, alias, atMs);
      this.release(link, atMs);
    });
  }

  /** Requests that name the alias run under this token from now on, those that run already too. */
  private bind(link: Link, alias: number, known: KnownToken, account: Account, nowMs: number): void {
    const reason = refusalOf(known, account.keyBytes, nowMs);
    if (reason !== undefined) {
      this.refuseToken(link, alias, reason);
      return;
    }
    link.aliases.set(alias, { known, reason: 'TOKEN_REQUIRED' });
    for (const follow of [...link.follows]) {
      if (follow.alias !== alias || follow.known === undefined) continue;
      if (follow.known.issuerKey !== known.issuerKey) {
        this.endFollow(follow, 'TOKEN_SCOPE', 0, nowMs);
        continue;
      }
      follow.known = known;
      this.remotes.refresh(follow, known, nowMs);
    }
  }

  private refuseToken(link: Link, alias: number, reason: Reason): void {
    this.refusals++;
    link.aliases.set(alias, { known: undefined, reason });
    this.send(link, { type: 'token-refused', alias, reason });
  }

  private tokenFailed(link: Link, alias: number, nowMs: number): void {
    this.refuseToken(link, alias, 'TOKEN_INVALID');
    this.failed(link, nowMs);
  }

  private failed(link: Link, nowMs: number): void {
    if (++link.failures >= FAILURES_MAX) this.turnAway(link.id, CLOSE.policy, 'too many invalid tokens', nowMs);
  }

  /** The owner of a locker has a new token for its readers. */
  private rangeToken(link: Link, account: Account, sealed: Uint8Array, nowMs: number): void {
    const publish = (known: KnownToken, atMs: number): void => {
      if (known.issuerKey !== account.key || known.collectionKey === null) return;
      const folder = account.locker.folders.get(known.collectionKey);
      if (folder !== undefined) this.passOn(folder.follows, known, atMs);
    };
    const known = this.tokens.find(sealed);
    const opened = known === undefined ? this.tokens.open(sealed) : undefined;
    if (known !== undefined) publish(known, nowMs);
    else if (opened === undefined) this.failed(link, nowMs);
    else if (link.verifications.take(1, nowMs)) {
      link.checking++;
      this.verify(opened, (genuine, atMs) => {
        if (genuine) publish(opened.known, atMs);
        else this.failed(link, atMs);
        this.release(link, atMs);
      });
    }
  }

  /** Another server has told of an owner's new token. */
  private tokenCame(remote: RemoteFollow, sealed: Uint8Array, nowMs: number): void {
    const accept = (known: KnownToken, atMs: number): void => {
      this.passOn(this.remotes.renewed(remote, known), known, atMs);
    };
    const known = this.tokens.find(sealed);
    const opened = known === undefined ? this.tokens.open(sealed) : undefined;
    if (known !== undefined) accept(known, nowMs);
    else if (opened !== undefined) {
      this.verify(opened, (genuine, atMs) => {
        if (genuine) accept(opened.known, atMs);
      });
    }
  }

  private verify({ known, signed, signature }: UnverifiedToken, then: (genuine: boolean, nowMs: number) => void): void {
    this.verifications++;
    this.checks.verify(known.token.issuer, signed, signature, (genuine, nowMs) => {
      if (genuine) this.tokens.add(known);
      then(genuine, nowMs);
    });
  }

  /** Hands a new token of a locker's owner to those who follow the locker, whose follows go on under it. */
  private passOn(follows: Iterable<Follow>, known: KnownToken, nowMs: number): void {
    for (const follow of follows) {
      const { link, known: old } = follow;
      if (old === undefined || old.issuerKey !== known.issuerKey || old.collectionKey !== known.collectionKey) continue;
      if (known.token.expires <= old.token.expires || !allows(known, OPERATION.get)) continue;
      if (refusalOf(known, link.account!.keyBytes, nowMs) !== undefined) continue;
      const alias = link.aliases.get(follow.alias);
      if (alias?.known === old) alias.known = known;
      follow.known = known;
      this.send(link, { type: 'renewed', request: follow.request, token: known.sealed });
    }
  }

  /** The locker that an alias opens for an operation, or why it does not. */
  private target(link: Link, account: Account, number: number, operation: number, nowMs: number): Target | Reason {
    if (number === OWN_LOCKER) return { known: undefined, locker: account.locker };
    const alias = link.aliases.get(number);
    if (alias?.known === undefined) return alias?.reason ?? 'TOKEN_REQUIRED';
    const { known } = alias;
    const reason = refusalOf(known, account.keyBytes, nowMs);
    if (reason !== undefined) return reason;
    if (!allows(known, operation)) return 'TOKEN_SCOPE';
    if (known.here) return { known, locker: this.storage.locker(known.issuerKey) };
    // One hop: a server does not fetch for a server that fetches for another.
    return link.server ? 'POLICY_DENIED' : { known, locker: undefined };
  }

  // Reading

  private get(link: Link, account: Account, message: Message<'get'>, nowMs: number): void {
    const { request, items, collection } = message;
    const call: GetRequest = {
      kind: 'get',
      link,
      request,
      keep: message.keep && !link.server,
      // One more than there are, until all have been looked at.
      left: items.length + 1,
      ended: false,
    };
    link.requests.set(request, call);
    for (const [at, item] of items.entries()) {
      const reason = this.getItem(link, account, call, at, item, collection, nowMs);
      if (reason !== undefined) this.sender.refuseItem(call, at, reason, REASONS[reason].retry ? RETRY_MS : 0);
    }
    this.sender.answered(call);
  }

  private getItem(
    link: Link,
    account: Account,
    call: GetRequest,
    at: number,
    item: GetItem,
    collection: Uint8Array | null,
    nowMs: number,
  ): Reason | undefined {
    const { name, label, deadlineMs } = item;
    if (name === null && (label === null || collection === null)) return 'MALFORMED';
    const target = this.target(link, account, item.token, OPERATION.get, nowMs);
    if (typeof target === 'string') return target;
    const { known, locker } = target;
    const collectionKey = collection === null ? null : bytesKey(collection);
    if (name === null && known !== undefined && known.nameKeys === null) {
      if (!coversLabel(known, collectionKey!, label!.track, label!.part)) return 'TOKEN_SCOPE';
    }
    const wanted = {
      call,
      item: at,
      labelled: label !== null || link.server,
      deadlineAtMs: deadlineMs === 0 ? null : nowMs + deadlineMs,
    };
    const there = locker ?? this.storage.mirrors.get(known!.issuerKey);
    const found = there === undefined ? 'NO_OBJECT' : find(there, known, item, collectionKey, nowMs);
    if (typeof found !== 'string') {
      if (locker === undefined) this.remoteHits++;
      this.sender.queueItem(wanted, found, nowMs);
      return undefined;
    }
    if (locker !== undefined || found === 'TOKEN_SCOPE') return found;
    this.remotes.fetch(wanted, { name, label: name === null ? label : null, collection }, known!, nowMs);
    return undefined;
  }

  private follow(link: Link, account: Account, message: Message<'follow'>, nowMs: number): void {
    const target = this.target(link, account, message.token, OPERATION.get, nowMs);
    const reason = typeof target === 'string' ? target : this.beginFollow(link, message, target, nowMs);
    if (reason !== undefined) this.refuse(link, message.request, null, reason, REASONS[reason].retry ? RETRY_MS : 0);
  }

  private beginFollow(link: Link, message: Message<'follow'>, target: Target, nowMs: number): Reason | undefined {
    const { collection, tracks, from } = message;
    const { known, locker } = target;
    const key = bytesKey(collection);
    if (known !== undefined && known.collectionKey !== key) return 'TOKEN_SCOPE';
    const allowed = known?.token.tracks ?? null;
    if (allowed !== null && tracks.some((track) => !allowed.includes(track))) return 'TOKEN_SCOPE';
    const make = (folder: Folder, begin: number, catchUp: boolean): Follow =>
      this.addFollow(link, message, known, folder, begin, catchUp, nowMs);
    if (locker === undefined) return this.remotes.follow(known!, collection, tracks, from, nowMs, make);
    const folder = locker.folder(collection, key);
    if (folder === undefined) return 'OVERLOAD';
    const readable = (entry: Entry): boolean =>
      entry.labelled.start &&
      (tracks.length === 0 || tracks.includes(entry.labelled.track)) &&
      (known === undefined || coversEntry(known, entry));
    make(folder, from === FROM_NEWEST_START ? (folder.newestPart(readable) ?? 0) : from, true);
    return undefined;
  }

  private addFollow(
    link: Link,
    { request, keep, token, tracks }: Message<'follow'>,
    known: KnownToken | undefined,
    folder: Folder,
    from: number,
    catchUp: boolean,
    nowMs: number,
  ): Follow {
    const begin = { part: from, place: -1 };
    const follow: Follow = {
      kind: 'follow',
      link,
      request,
      keep: keep && !link.server,
      known,
      alias: token,
      folder,
      tracks: tracks.length === 0 ? null : new Set(tracks),
      from,
      cursor: catchUp ? begin : undefined,
      reached: begin,
      queued: 0,
      item: 0,
      ended: false,
    };
    this.follows++;
    link.requests.set(request, follow);
    link.follows.add(follow);
    folder.follows.add(follow);
    this.sender.startFollow(follow, nowMs);
    return follow;
  }

  /** Ends a follow and tells why. */
  private endFollow(follow: Follow, reason: Reason, retryMs: number, nowMs: number): void {
    if (follow.ended) return;
    const { link, request } = follow;
    link.requests.delete(request);
    this.dropFollow(follow, nowMs);
    this.refuse(link, request, null, reason, retryMs);
  }

  private dropFollow(follow: Follow, nowMs: number): void {
    if (follow.ended) return;
    follow.ended = true;
    this.follows--;
    follow.link.follows.delete(follow);
    follow.folder.follows.delete(follow);
    this.remotes.unfollow(follow, nowMs);
  }

  // Writing

  private put(link: Link, account: Account, message: Message<'put'>, nowMs: number): void {
    const target = this.target(link, account, message.token, OPERATION.put, nowMs);
    if (typeof target === 'string') this.refuse(link, message.request, null, target);
    else if (target.locker === undefined) this.refuse(link, message.request, null, 'POLICY_DENIED');
    else this.puts.begin(link, message, target.locker, target.known, nowMs);
  }

  private delete(link: Link, account: Account, { request, token, names }: Message<'delete'>, nowMs: number): void {
    const target = this.target(link, account, token, OPERATION.delete, nowMs);
    if (typeof target === 'string' || target.locker === undefined) {
      this.refuse(link, request, null, typeof target === 'string' ? target : 'POLICY_DENIED');
      return;
    }
    const { known, locker } = target;
    for (const [item, name] of names.entries()) {
      const key = bytesKey(name);
      let deleted = 0;
      for (const folder of locker.folders.values()) {
        const accepts = (entry: Entry): boolean => known === undefined || coversEntry(known, entry);
        for (let entry = folder.named(key, accepts); entry !== undefined; entry = folder.named(key, accepts)) {
          deleted++;
          // The owner's own goes for everybody; of what was kept of others, only the reference does.
          if (entry.shelf === folder.own) this.storage.remove(entry);
          else folder.unkeep(entry);
        }
      }
      if (deleted === 0) this.refuse(link, request, item, 'NO_OBJECT');
    }
    this.send(link, { type: 'done', request });
  }

  private status(link: Link, account: Account, { request, token }: Message<'status'>, nowMs: number): void {
    const target = this.target(link, account, token, OPERATION.status, nowMs);
    if (typeof target === 'string' || target.locker === undefined) {
      this.refuse(link, request, null, typeof target === 'string' ? target : 'POLICY_DENIED');
      return;
    }
    const { usedBytes, objects } = target.locker.usage(nowMs);
    const names: Uint8Array[] = [];
    for (const folder of target.locker.folders.values()) {
      for (const entry of folder.newestFirst()) {
        if (names.length === BATCH_ITEMS_MAX) break;
        names.push(entry.block.name);
      }
    }
    const { quotaBytes } = this.options.limits;
    this.send(link, { type: 'usage', request, objects, usedBytes, quotaBytes, names });
  }

  // Time

  private sweep(nowMs: number): void {
    this.storage.expire(nowMs);
    this.puts.sweep(nowMs);
    this.remotes.sweep(nowMs);
    for (const link of [...this.links.values()]) {
      if (link.account === undefined && nowMs - link.openedAtMs >= HELLO_MS) {
        this.turnAway(link.id, CLOSE.unauthenticated, 'no hello came', nowMs);
      } else if (link.inFlightBytes > 0 && nowMs - link.progressAtMs >= STALL_MS) {
        this.turnAway(link.id, CLOSE.slow, 'it does not read what is sent', nowMs);
      } else {
        for (const follow of [...link.follows]) {
          if (follow.known !== undefined && expired(follow.known, nowMs))
            this.endFollow(follow, 'TOKEN_EXPIRED', 0, nowMs);
        }
      }
    }
    if (++this.sweeps % SWEEPS_PER_TIDY !== 0) return;
    const used = (key: string): boolean => (this.accounts.get(key)?.links.length ?? 0) > 0;
    this.storage.tidy(used);
    for (const [key, { links, locker }] of this.accounts) {
      if (links.length === 0 && locker.folders.size === 0) this.accounts.delete(key);
    }
  }
}

/** Looks a block up in a locker, as far as a token allows. */
function find(
  locker: Locker,
  known: KnownToken | undefined,
  { name, label }: GetItem,
  collectionKey: string | null,
  nowMs: number,
): Entry | Reason {
  const live = (entry: Entry): boolean => entry.expiresAtMs > nowMs;
  if (name === null) {
    const { track, part, index } = label!;
    const folder = locker.folders.get(collectionKey!);
    const entry = folder?.at(track, part, index);
    if (entry !== undefined && live(entry)) {
      return known === undefined || coversEntry(known, entry) ? entry : 'TOKEN_SCOPE';
    }
    const span = folder?.span();
    if (span === undefined) return 'NO_OBJECT';
    return part < span.oldest ? 'GONE' : part >= span.newest ? 'NOT_YET' : 'NO_OBJECT';
  }
  const key = bytesKey(name);
  let there = false;
  const readable = (entry: Entry): boolean => {
    if (!live(entry)) return false;
    there = true;
    return known === undefined || coversEntry(known, entry);
  };
  // A range token opens one folder; only names and owners look through all of them.
  const only = known === undefined || known.nameKeys !== null ? null : known.collectionKey;
  for (const folder of only === null ? locker.folders.values() : folderOf(locker, only)) {
    const entry = folder.named(key, readable);
    if (entry !== undefined) return entry;
  }
  return there ? 'TOKEN_SCOPE' : 'NO_OBJECT';
}

function folderOf(locker: Locker, key: string): readonly Folder[] {
  const folder = locker.folders.get(key);
  return folder === undefined ? [] : [folder];
}
