import { type LinkId, type Machine, unreachable } from '../../machine/machine.ts';
import { Prng } from '../../machine/prng.ts';
import { TokenBucket } from '../../machine/rates.ts';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { CLOSE } from '../../protocol/reasons.ts';
import { bytesKey, sameBytes } from '../../protocol/text.ts';
import { joinSigned, type ToTracker } from '../../protocol/tracker-messages.ts';
import { completeUrl } from './addresses.ts';
import { Digests } from './digest.ts';
import { Hub } from './hub.ts';
import { InsChoice } from './ins-choice.ts';
import type { StreamReport, TrackerInput, TrackerOptions, TrackerOutput } from './io.ts';
import {
  JOIN_WITHIN_MS,
  MESSAGES_PER_SECOND,
  MESSAGES_PER_SECOND_SOURCE,
  MESSAGES_WAITING_MAX,
  SPARED_MS,
  TICK_MS,
  TICKS_PER_SECOND,
} from './limits.ts';
import { Member } from './member.ts';
import { Outbox } from './outbox.ts';
import { decidePublish, type ReadPublish, readPublish } from './publishing.ts';
import { closeCode, type Refusal, refusal, retryAfterMs } from './refusal.ts';
import { Swarm } from './swarm.ts';
import { Swarms } from './swarms.ts';

type Join = Extract<ToTracker, { type: 'join' }>;

/** What a link waits for; messages that come meanwhile wait too. */
type Check =
  | { readonly kind: 'proof'; readonly join: Join; readonly url: string | null }
  | { readonly kind: 'root-key'; readonly publish: ReadPublish }
  | { readonly kind: 'description'; readonly publish: ReadPublish };

interface Link {
  readonly id: LinkId;
  readonly address: string;
  readonly nonce: Uint8Array;
  readonly openedAtMs: number;
  /** At which look of a second it is served. */
  readonly phase: number;
  /** Messages that it may send. */
  bucket: TokenBucket;
  /** Set by a join that was accepted. */
  joined: { readonly swarm: Swarm; readonly member: Member } | undefined;
  check: { readonly ref: number; readonly of: Check } | undefined;
  readonly waiting: ToTracker[];
}

/**
 * The tracker: introduces the members of each swarm to each other, and carries for browsers what others tell each other.
 *
 * One connection is one member of one swarm. Each second every member gets at most one digest of what has changed for it;
 * the work is spread over a few looks a second, in the order of arrival.
 */
export class Tracker implements Machine<TrackerInput, TrackerOutput> {
  private readonly options: TrackerOptions;
  private readonly outbox = new Outbox();
  private readonly hub: Hub;
  private readonly swarms: Swarms;
  private readonly links = new Map<LinkId, Link>();
  /** Links that wait for the answer to a check, by its number. */
  private readonly checks = new Map<number, Link>();
  private lastRef = 0;
  private opens = 0;
  private ticks = 0;
  private tickAtMs: number | undefined;
  /** Until then nobody is ended for silence. */
  private spareUntilMs = 0;

  constructor(options: TrackerOptions) {
    this.options = options;
    this.hub = new Hub(this.outbox, new InsChoice(options.insServers), new Prng(options.seed));
    this.swarms = new Swarms(options.limits);
  }

  handleInput(input: TrackerInput, nowMs: number): void {
    if (input.kind === 'link-opened') this.opened(input, nowMs);
    else if (input.kind === 'hashed' || input.kind === 'verified') this.checked(input, nowMs);
    else {
      const link = this.links.get(input.link);
      if (link === undefined) return;
      if (input.kind === 'link-closed') this.forget(link, nowMs);
      else if (input.kind === 'violation') this.refuse(link, refusal('MALFORMED', input.why.slice(0, 200)), nowMs);
      else this.received(link, input.message, nowMs);
    }
    if (!this.idle) this.tickAtMs ??= nowMs + TICK_MS;
  }

  handleTimeout(nowMs: number): void {
    if (this.tickAtMs === undefined || nowMs < this.tickAtMs) return;
    // Heartbeats that came while the process had no processor, or was busy, are still unread: they are no silence.
    if (nowMs - this.tickAtMs >= TICK_MS) this.spareUntilMs = nowMs + SPARED_MS;
    this.tick(nowMs);
    // After a pause of the process the looks go on from now; they do not catch up.
    this.tickAtMs = this.idle ? undefined : Math.max(this.tickAtMs + TICK_MS, nowMs + 1);
  }

  pollOutput(): TrackerOutput | undefined {
    return this.outbox.poll();
  }

  nextDeadline(): number | undefined {
    return this.tickAtMs;
  }

  /** All streams that have members or had some lately. */
  streams(): StreamReport[] {
    return this.swarms.report();
  }

  get linkCount(): number {
    return this.links.size;
  }

  private get idle(): boolean {
    return this.links.size === 0 && this.swarms.size === 0;
  }

  private opened({ link: id, address, nonce }: Extract<TrackerInput, { kind: 'link-opened' }>, nowMs: number): void {
    const bucket = new TokenBucket(MESSAGES_PER_SECOND, MESSAGES_PER_SECOND * 3);
    const phase = this.opens++ % TICKS_PER_SECOND;
    const link: Link = {
      id,
      address,
      nonce,
      openedAtMs: nowMs,
      phase,
      bucket,
      joined: undefined,
      check: undefined,
      waiting: [],
    };
    if (this.links.size >= this.options.limits.linksMax) {
      this.refuse(link, refusal('QUOTA_CONNECTIONS', 'the tracker has as many connections as it takes'), nowMs);
      return;
    }
    this.links.set(id, link);
    this.outbox.send(id, { type: 'welcome', version: PROTOCOL_VERSION, nonce });
  }

  private received(link: Link, message: ToTracker | undefined, nowMs: number): void {
    link.joined?.member.heard(nowMs);
    if (!link.bucket.take(1, nowMs)) this.refuse(link, refusal('OVERLOAD', 'too many messages a second'), nowMs);
    else if (message === undefined) return;
    else if (link.check === undefined) this.dispatch(link, message, nowMs);
    else if (link.waiting.length < MESSAGES_WAITING_MAX) link.waiting.push(message);
    else this.refuse(link, refusal('OVERLOAD', 'too many messages before the first was answered'), nowMs);
  }

  private dispatch(link: Link, message: ToTracker, nowMs: number): void {
    const refused =
      message.type === 'join'
        ? this.join(link, message)
        : link.joined === undefined
          ? refusal('UNAUTHENTICATED', `a ${message.type} message before the join`)
          : this.fromMember(link, link.joined, message, nowMs);
    if (refused !== undefined) this.refuse(link, refused, nowMs);
  }

  private fromMember(
    link: Link,
    { swarm, member }: NonNullable<Link['joined']>,
    message: Exclude<ToTracker, Join>,
    nowMs: number,
  ): Refusal | undefined {
    // What a source says before its description was found good goes unheard: it may wait for its input still.
    switch (message.type) {
      case 'publish': {
        if (member.role !== 'source') return refusal('NOT_ALLOWED', 'only a source publishes');
        const publish = readPublish(message, swarm.id, link.address);
        if ('reason' in publish) return publish;
        const ref = this.await(link, { kind: 'root-key', publish });
        this.outbox.push({ kind: 'hash', ref, bytes: publish.signed.value.rootKey });
        return undefined;
      }
      case 'records':
        if (member.role !== 'source') return refusal('NOT_ALLOWED', 'only a source has records');
        if (swarm.source !== member) return undefined;
        return message.records.every((sealed) => swarm.records.add(sealed, nowMs))
          ? undefined
          : refusal('MALFORMED', 'a record cannot be read');
      case 'stream-state':
        if (member.role !== 'source') return refusal('NOT_ALLOWED', 'only a source says how the stream is');
        if (swarm.source === member) this.hub.setState(swarm, message.state, message.why);
        return undefined;
      case 'state':
        this.hub.state(member, swarm, message, nowMs);
        return undefined;
      case 'more':
        this.hub.more(member, swarm, message, nowMs);
        return undefined;
      case 'leave':
        this.close(link, CLOSE.normal, 'left', nowMs);
        return undefined;
      default:
        return unreachable(message);
    }
  }

  private join(link: Link, join: Join): Refusal | undefined {
    if (link.joined !== undefined) return refusal('MALFORMED', 'a second join on one connection');
    if (join.version !== PROTOCOL_VERSION) {
      return refusal('VERSION', `the tracker speaks version ${PROTOCOL_VERSION}, not ${join.version}`);
    }
    const url = join.url === null ? null : completeUrl(join.url, link.address, 'ws');
    if (url === undefined) return refusal('MALFORMED', 'the url is neither :PORT nor a ws:// or wss:// address');
    const ref = this.await(link, { kind: 'proof', join, url });
    const signed = joinSigned(link.nonce, join.stream, join.key);
    this.outbox.push({ kind: 'verify', ref, key: join.key, signed, signature: join.proof });
    return undefined;
  }

  private admit(link: Link, join: Join, url: string | null, nowMs: number): Refusal | undefined {
    const swarm = this.swarms.enter(join, nowMs);
    if (!(swarm instanceof Swarm)) return swarm;
    const before = swarm.holder(bytesKey(join.key));
    if (before !== undefined) this.replace(before, nowMs);
    // What the member says of its region counts where the table says nothing.
    const region = this.options.regionOf(link.address) ?? join.region ?? '';
    const member = new Member(link.id, join, url, region === '' ? undefined : region, nowMs);
    if (join.role === 'source') {
      link.bucket = new TokenBucket(MESSAGES_PER_SECOND_SOURCE, MESSAGES_PER_SECOND_SOURCE * 2);
    }
    link.joined = { swarm, member };
    swarm.add(member);
    this.hub.welcome(member, swarm, nowMs);
    return undefined;
  }

  private await(link: Link, of: Check): number {
    const ref = ++this.lastRef;
    link.check = { ref, of };
    this.checks.set(ref, link);
    return ref;
  }

  private checked(input: Extract<TrackerInput, { kind: 'hashed' | 'verified' }>, nowMs: number): void {
    const link = this.checks.get(input.ref);
    const check = link?.check?.of;
    if (link === undefined || check === undefined) return;
    this.checks.delete(input.ref);
    link.check = undefined;
    const good =
      input.kind === 'verified' ? input.ok : link.joined !== undefined && sameBytes(input.hash, link.joined.swarm.id);
    const refused = this.decided(link, check, good, nowMs);
    if (refused !== undefined) this.refuse(link, refused, nowMs);
    while (link.check === undefined && this.links.has(link.id)) {
      const message = link.waiting.shift();
      if (message === undefined) return;
      this.dispatch(link, message, nowMs);
    }
  }

  private decided(link: Link, check: Check, good: boolean, nowMs: number): Refusal | undefined {
    switch (check.kind) {
      case 'proof':
        if (!good) return refusal('UNAUTHENTICATED', 'the proof in the join is not a signature by its key');
        return this.admit(link, check.join, check.url, nowMs);
      case 'root-key': {
        if (!good) return refusal('NOT_ALLOWED', "the description's root key is not this stream's");
        const { value, signed, signature } = check.publish.signed;
        const ref = this.await(link, { kind: 'description', publish: check.publish });
        this.outbox.push({ kind: 'verify', ref, key: value.rootKey, signed, signature });
        return undefined;
      }
      case 'description':
        if (!good) return refusal('TOKEN_INVALID', "the description is not signed by the stream's root key");
        return this.publish(link.joined!, check.publish, nowMs);
      default:
        return unreachable(check);
    }
  }

  private publish(
    { swarm, member }: NonNullable<Link['joined']>,
    read: ReadPublish,
    nowMs: number,
  ): Refusal | undefined {
    const published = decidePublish(swarm, member, read, nowMs);
    if ('reason' in published) return published;
    const { source: before, published: old } = swarm;
    swarm.publish(published, member);
    if (before !== undefined && before !== member) this.replace(before, nowMs);
    this.hub.announce(swarm, old, before !== member, nowMs);
    if (before !== member) this.hub.setState(swarm, 'live', '');
    return undefined;
  }

  private tick(nowMs: number): void {
    const phase = this.ticks++ % TICKS_PER_SECOND;
    const digests = new Map<Swarm, Digests>();
    for (const link of this.links.values()) {
      if (link.phase !== phase) continue;
      const patient = nowMs < this.spareUntilMs;
      if (link.joined === undefined) {
        if (nowMs - link.openedAtMs > JOIN_WITHIN_MS && !patient) this.close(link, CLOSE.idle, 'no join came', nowMs);
      } else if (link.joined.member.expired(nowMs) && !patient)
        this.close(link, CLOSE.idle, 'no heartbeat came', nowMs);
      else {
        const { swarm, member } = link.joined;
        const same = digests.get(swarm) ?? new Digests(swarm, nowMs);
        digests.set(swarm, same);
        for (const message of same.messagesFor(member)) this.outbox.send(link.id, message);
      }
    }
    this.swarms.sweep(nowMs);
  }

  private refuse(link: Link, { reason, text }: Refusal, nowMs: number): void {
    this.outbox.send(link.id, { type: 'refused', reason, text, retryAfterMs: retryAfterMs(reason) });
    this.outbox.push({ kind: 'turned-away', link: link.id, why: `${reason}: ${text}` });
    this.close(link, closeCode(reason), text, nowMs);
  }

  /** Closes the connection of a member whose place another one takes. */
  private replace({ link }: Member, nowMs: number): void {
    this.refuse(this.links.get(link)!, refusal('REPLACED', 'a newer connection took over'), nowMs);
  }

  private close(link: Link, code: number, why: string, nowMs: number): void {
    this.outbox.push({ kind: 'close', link: link.id, code, why });
    this.forget(link, nowMs);
  }

  private forget(link: Link, nowMs: number): void {
    this.links.delete(link.id);
    if (link.check !== undefined) this.checks.delete(link.check.ref);
    if (link.joined === undefined) return;
    const { swarm, member } = link.joined;
    swarm.remove(member, nowMs);
    this.hub.left(member, swarm, nowMs);
    if (swarm.source !== member) return;
    swarm.source = undefined;
    if (swarm.state !== 'ended') this.hub.setState(swarm, 'interrupted', 'the source is gone');
  }
}
