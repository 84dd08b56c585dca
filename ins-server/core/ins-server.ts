import { earlier } from '../../machine/deadlines.ts';
import { type Machine, Queue, unreachable } from '../../machine/machine.ts';
import { Prng } from '../../machine/prng.ts';
import { type BatchMessage, type FromInsClient, PRIORITIES } from '../../protocol/ins-messages.ts';
import { BATCH_ITEMS_MAX } from '../../protocol/limits.ts';
import { CLOSE, REASONS, type Reason } from '../../protocol/reasons.ts';
import { bytesKey } from '../../protocol/text.ts';
import { OPERATION } from '../../protocol/token.ts';
import { Door } from './admission/door.ts';
import { Overload } from './admission/overload.ts';
import { Registration } from './admission/registration.ts';
import { mayBeRefused, Room } from './admission/room.ts';
import { Checks } from './checks.ts';
import type { Filed, InsServerInput, InsServerOptions, InsServerOutput, InsServerStats } from './io.ts';
import { BUSY_RETRY_MS, DRAIN_LOOK_MS, DRAINING_RETRY_MS, RETRY_MS, SWEEP_MS, SWEEPS_PER_TIDY } from './limits.ts';
import type { Account, Follow, Link } from './links.ts';
import { Remotes } from './remotes/remotes.ts';
import { Replies } from './replies.ts';
import { Batches, sizeOf } from './requests/batches.ts';
import { Follows } from './requests/follows.ts';
import { Gets } from './requests/gets.ts';
import { Guests } from './requests/guests.ts';
import { Management } from './requests/management.ts';
import { Puts } from './requests/puts.ts';
import { Scheduler } from './sending/scheduler.ts';
import { Sender } from './sending/sender.ts';
import { Filing } from './storage/filing.ts';
import { Intake } from './storage/intake.ts';
import { Storage } from './storage/storage.ts';
import { Meters } from './tokens/meters.ts';
import { Revocations } from './tokens/revocations.ts';
import { TokenPolicy } from './tokens/token-policy.ts';
import { type Target, Wallet } from './tokens/wallet.ts';

type Message<Type extends FromInsClient['type']> = Extract<FromInsClient, { readonly type: Type }>;

/**
 * The INS server's decisions: accounts and lockers, tokens, what is sent to whom next, and what is fetched from other servers.
 * It compares labels and names and never looks into blocks or what comes with them.
 */
export class InsServer implements Machine<InsServerInput, InsServerOutput> {
  private readonly outputs = new Queue<InsServerOutput>();
  private readonly checks = new Checks(this.outputs);
  private readonly replies = new Replies(this.outputs);
  private readonly policy: TokenPolicy;
  private readonly storage: Storage;
  private readonly scheduler: Scheduler;
  private readonly overload: Overload;
  private readonly room: Room;
  private readonly sender: Sender;
  private readonly puts: Puts;
  private readonly filing: Filing;
  private readonly remotes: Remotes;
  private readonly follows: Follows;
  private readonly door: Door;
  private readonly guests: Guests;
  private readonly wallet: Wallet;
  private readonly gets: Gets;
  private readonly batches: Batches;
  private sweepAtMs: number | undefined;
  private drainAtMs: number | undefined;
  private sweeps = 0;

  constructor(options: InsServerOptions) {
    const { key, limits, mayDial, seed } = options;
    const { outputs, checks, replies } = this;
    const registration = new Registration(options);
    const storage = new Storage(limits, outputs, registration.uninvited);
    const policy = new TokenPolicy(key, options.startedAtMs, new Revocations(), new Meters());
    const scheduler = new Scheduler((account) => this.door.accounts.get(account));
    const overload = new Overload(limits.closesWhenOverloaded ? limits.bandwidthBps : Number.POSITIVE_INFINITY);
    const room = new Room(limits.bandwidthBps);
    const endFollow = (follow: Follow, reason: Reason, nowMs: number): void =>
      this.follows.end(follow, reason, 0, nowMs);
    const sender = new Sender(outputs, replies, storage, limits, scheduler, policy, overload, room, endFollow);
    const intake = new Intake(storage, checks);
    const remotes = new Remotes({
      key,
      prng: new Prng(seed),
      mayDial,
      upstreamsMax: limits.upstreamsMax,
      outputs,
      storage,
      sender,
      intake,
      endFollow: (follow, reason, retryMs, nowMs) => this.follows.end(follow, reason, retryMs, nowMs),
      tokenCame: (remote, sealed, forged, nowMs) => this.wallet.came(remote, sealed, forged, nowMs),
      tokenRevoked: (known, nowMs) => this.wallet.revokedElsewhere(known, nowMs),
    });
    const follows = new Follows(replies, sender, remotes, policy, room);
    const door = new Door({
      server: options,
      outputs,
      checks,
      storage,
      registration,
      replies,
      overload,
      take: (link, account, input, nowMs) => {
        if (input.kind === 'block') this.puts.block(link, input.header, input.body, nowMs);
        else this.message(link, account, input.message, nowMs);
      },
      gone: (link, nowMs) => this.gone(link, nowMs),
    });
    const wallet = new Wallet({ key, policy, checks, storage, replies, door, follows, waits: sender.waits, remotes });
    this.policy = policy;
    this.storage = storage;
    this.scheduler = scheduler;
    this.overload = overload;
    this.room = room;
    this.sender = sender;
    this.filing = new Filing(checks, options.durable === true);
    this.puts = new Puts({
      storage,
      sender,
      intake,
      wallet,
      filing: this.filing,
      checks,
      policy,
      remotes: remotes.puts,
    });
    this.remotes = remotes;
    this.follows = follows;
    this.door = door;
    this.guests = new Guests(door, replies, outputs, storage, wallet);
    this.wallet = wallet;
    this.gets = new Gets(storage, sender, remotes, wallet, sender.waits);
    const management = new Management({ replies, storage, sender, wallet, filing: this.filing, policy });
    this.batches = new Batches(sender, this.gets, this.puts, management);
  }

  handleInput(input: InsServerInput, nowMs: number): void {
    switch (input.kind) {
      case 'link-opened':
        this.door.open(input.link, input.nonce, input.origin, nowMs);
        break;
      case 'asked':
        this.guests.ask(input, nowMs);
        break;
      case 'link-closed': {
        const link = this.door.links.get(input.link);
        if (link !== undefined) this.door.forget(link, nowMs);
        break;
      }
      case 'message':
      case 'block': {
        const link = this.door.links.get(input.link);
        if (link !== undefined) this.door.input(link, input, nowMs);
        break;
      }
      case 'violation':
        this.door.turnAway(input.link, CLOSE.violation, input.why, nowMs);
        break;
      case 'drained': {
        const link = this.door.links.get(input.link);
        if (link !== undefined) this.sender.drained(link, input.leftBytes, nowMs);
        break;
      }
      case 'loading': {
        const link = this.door.links.get(input.link);
        if (link !== undefined) link.progressAtMs = nowMs;
        break;
      }
      case 'verified':
      case 'named':
      case 'proved':
        this.checks.answer(input.ref, input.ok, nowMs);
        break;
      case 'stored':
      case 'filed':
      case 'unfiled':
        this.checks.answer(input.ref, input.ok, nowMs, input.full);
        break;
      case 'restored':
        this.restore(input.entries, nowMs);
        break;
      case 'load-failed':
        // Who waits for it learns that it is not there when its batch is done.
        this.filing.unfile(this.storage.lost(input.block.key));
        break;
      case 'upstream':
        this.remotes.input(input.upstream, input.input, nowMs);
        break;
      case 'stop':
        this.door.stop(nowMs);
        this.sender.waits.stop(() => this.door.otherServer());
        this.drain(nowMs);
        break;
      default:
        unreachable(input);
    }
    this.settle(nowMs);
  }

  handleTimeout(nowMs: number): void {
    this.sender.waits.timeout(nowMs);
    this.remotes.timeout(nowMs);
    this.sender.timeout(nowMs);
    if (this.drainAtMs !== undefined && nowMs >= this.drainAtMs) this.drain(nowMs);
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
    const sending = earlier(this.sender.nextDeadline(), this.sender.waits.nextDeadline());
    return earlier(earlier(earlier(this.sweepAtMs, this.drainAtMs), sending), this.remotes.nextDeadline());
  }

  stats(): InsServerStats {
    const { storage, sender, puts, remotes, door } = this;
    return {
      draining: door.draining,
      overloaded: this.overload.active,
      links: door.links.size - this.guests.count,
      guests: this.guests.count,
      accounts: door.accounts.size,
      lockers: storage.lockers.size,
      blocks: storage.blockCount,
      memoryBytes: storage.memoryBytes,
      diskBytes: storage.diskBytes,
      follows: this.follows.count,
      waits: sender.waits.count,
      upstreams: remotes.count,
      sentBlocks: sender.sentBlocks,
      sentBytes: sender.sentBytes,
      putBlocks: puts.putBlocks,
      keptBlocks: sender.keptBlocks,
      remoteBlocks: remotes.remoteBlocks,
      remoteBytes: remotes.remoteBytes,
      remoteHits: this.gets.remoteHits,
      refused: this.replies.refused,
      sentAway: door.sentAway,
      refusedFor: this.replies.refusedFor,
      tokensVerified: this.wallet.verified,
    };
  }

  /** After every input: what has gathered goes out. */
  private settle(nowMs: number): void {
    this.remotes.flush(nowMs);
    this.sender.pump(nowMs);
    const { links, accounts } = this.door;
    const busy =
      links.size > 0 || !this.guests.empty || accounts.size > 0 || this.remotes.count > 0 || !this.storage.empty;
    if (busy) this.sweepAtMs ??= nowMs + SWEEP_MS;
    else this.sweepAtMs = undefined;
  }

  /** Closes links that have what was on its way; the rest a little later. */
  private drain(nowMs: number): void {
    this.door.drain(nowMs);
    this.drainAtMs = this.door.links.size > 0 ? nowMs + DRAIN_LOOK_MS : undefined;
    if (this.drainAtMs === undefined) this.remotes.stop(nowMs);
  }

  private sweep(nowMs: number): void {
    this.storage.expire(nowMs);
    this.puts.sweep(nowMs);
    this.remotes.sweep(nowMs);
    this.overload.sweep();
    this.makeRoom(nowMs);
    this.door.sweep(nowMs);
    this.guests.sweep(nowMs);
    for (const link of this.door.links.values()) this.follows.sweep(link, nowMs);
    if (++this.sweeps % SWEEPS_PER_TIDY > 0) return;
    this.door.tidy(nowMs);
    this.scheduler.tidy();
    this.policy.meters.tidy(nowMs);
    this.policy.revocations.tidy(nowMs, (issuer) => this.door.accounts.has(issuer));
  }

  private message(link: Link, account: Account, message: FromInsClient, nowMs: number): void {
    switch (message.type) {
      case 'hello':
        return;
      case 'token':
        this.wallet.token(link, account, message, nowMs);
        return;
      case 'forget-token':
        link.aliases.delete(message.alias);
        return;
      case 'cancel':
        this.cancel(link, message.request, nowMs);
        return;
      case 'range-token':
        this.wallet.rangeToken(link, account, message.token, nowMs);
        return;
      case 'revoke':
        this.answer(link, message.request, this.wallet.revoke(account, message, nowMs));
        return;
      case 'access':
        this.answer(link, message.request, this.wallet.setAccess(account, message, nowMs));
        return;
      case 'open':
        this.wallet.open(link, account, message, nowMs);
        return;
      default:
        this.request(link, account, message, nowMs);
    }
  }

  private answer(link: Link, request: number, reason: Reason | undefined): void {
    if (reason === undefined) this.replies.send(link, { type: 'done', request });
    else this.replies.refuse(link, request, null, reason, REASONS[reason].retry ? RETRY_MS : 0);
  }

  private request(link: Link, account: Account, message: BatchMessage | Message<'follow'>, nowMs: number): void {
    const { request } = message;
    if (link.requests.has(request)) {
      this.door.turnAway(link.id, CLOSE.violation, 'a request number that is in use', nowMs);
      return;
    }
    if (message.type === 'batch' && sizeOf(message) > BATCH_ITEMS_MAX) {
      this.door.turnAway(link.id, CLOSE.violation, `a batch of more than ${BATCH_ITEMS_MAX} items`, nowMs);
      return;
    }
    if (this.door.draining) {
      this.replies.refuse(link, request, null, 'DRAINING', DRAINING_RETRY_MS, this.door.otherServer());
      return;
    }
    if (link.requests.size >= link.budget.requests) {
      this.replies.refuse(link, request, null, 'OVERLOAD', RETRY_MS);
      return;
    }
    if (message.type === 'batch') this.batches.begin(link, account, message, nowMs);
    else this.follow(link, account, message, nowMs);
  }

  private follow(link: Link, account: Account, message: Message<'follow'>, nowMs: number): void {
    if (this.overload.active && !this.follows.isReplacement(account)) {
      this.replies.refuse(link, message.request, null, 'OVERLOAD', BUSY_RETRY_MS, this.door.otherServer());
      return;
    }
    if (!link.followStarts.take(1, nowMs)) {
      this.replies.refuse(link, message.request, null, 'OVERLOAD', RETRY_MS);
      return;
    }
    const target = this.wallet.target(link, account, message.token, OPERATION.get, nowMs);
    if (typeof target !== 'string' && !this.hasRoom(account, message, target)) {
      this.replies.refuse(link, message.request, null, 'OVERLOAD', BUSY_RETRY_MS);
      return;
    }
    const reason = typeof target === 'string' ? target : this.follows.begin(link, message, target, nowMs);
    if (reason === undefined) return;
    this.replies.refuse(link, message.request, null, reason, REASONS[reason].retry ? RETRY_MS : 0);
  }

  /** Who says that it can do without, by a low priority, is let in only where it takes nothing from others. */
  private hasRoom({ key }: Account, { priority, collection, tracks }: Message<'follow'>, { known }: Target): boolean {
    const owner = known?.ownerKey ?? key;
    return !mayBeRefused(PRIORITIES.indexOf(priority)) || this.room.admits(owner, bytesKey(collection), tracks);
  }

  /** Those that can do without end where more is wanted live than can be sent. */
  private makeRoom(nowMs: number): void {
    const running: Follow[] = [];
    for (const { follows } of this.door.links.values()) running.push(...follows);
    for (const follow of this.room.sweep(running, nowMs)) this.follows.end(follow, 'OVERLOAD', BUSY_RETRY_MS, nowMs);
  }

  private restore(entries: readonly Filed[], nowMs: number): void {
    const dropped = entries.filter((entry) => entry.expiresAtMs <= nowMs || !this.storage.restore(entry));
    this.filing.unfile(dropped);
    for (const { block } of dropped) {
      if (this.storage.block(block.key) === undefined) this.outputs.push({ kind: 'drop', block });
    }
  }

  private cancel(link: Link, number: number, nowMs: number): void {
    const request = link.requests.get(number);
    if (request === undefined) return;
    link.requests.delete(number);
    if (request.kind === 'follow') this.follows.drop(request, nowMs);
    else {
      this.puts.forget(request);
      this.sender.waits.forget(link, request);
    }
    this.sender.forget(request);
  }

  /** A link is gone: what ran on it ends. */
  private gone(link: Link, nowMs: number): void {
    for (const request of [...link.requests.values()]) {
      if (request.kind === 'follow') this.follows.drop(request, nowMs);
      else this.puts.forget(request);
      request.ended = true;
    }
    link.requests.clear();
    this.guests.gone(link, nowMs);
    this.sender.gone(link);
    this.sender.waits.forget(link);
  }
}
