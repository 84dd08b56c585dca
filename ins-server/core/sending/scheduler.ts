import { Heap } from '../../../ins-client/core/heap.ts';
import { PRIORITIES } from '../../../protocol/ins-messages.ts';
import { bytesKey } from '../../../protocol/text.ts';
import { KNOWN_SERVER_BUDGET } from '../limits.ts';
import type { Account, Link } from '../links.ts';
import type { KnownToken } from '../tokens/tokens.ts';

/** The share of a link of another server beside those of viewers: what it lacks, many lack behind it. */
const SERVER_WEIGHT = 64;

/** One who takes a share of what its group is given: an account, an application, a token, or a link. */
abstract class Sharer {
  weight: number;
  /** In the group's virtual time: when its next turn begins, and when the one before ended. */
  start = 0;
  finish = 0;
  /** It stands in the group's line. */
  listed = false;
  /** It has been served since the last tidying. */
  used = true;
  /** It was forgotten: another one may have its place by now. */
  dead = false;
  readonly group: Group<Sharer>;

  constructor(group: Group<Sharer>, weight = 1) {
    this.group = group;
    this.weight = weight;
  }

  /** Who is next of those in it. */
  abstract first(): Flow | undefined;
  /** Forgets members that have not been served for long; false when none is left. */
  abstract tidy(): boolean;
}

/** Those who share what the one above is given: start-time fair queueing (Goyal, Vin, Cheng 1996), one level of it. */
class Group<S extends Sharer> {
  /** When the turn began that was given last. */
  virtual = 0;
  readonly members = new Map<unknown, S>();
  /** Those who wait, by the start of their turns; who no longer does is found out when it is its turn. */
  readonly line = new Heap<Sharer>();
  readonly above: Sharer | undefined;

  constructor(above?: Sharer) {
    this.above = above;
  }

  first(): Flow | undefined {
    for (let next = this.line.peek(); next !== undefined; next = this.line.peek()) {
      const flow = next.first();
      if (flow !== undefined) return flow;
      this.line.pop();
      next.listed = false;
    }
    return undefined;
  }

  tidy(): boolean {
    for (const [key, member] of this.members) {
      const alive = member.tidy() || member.listed || member.used;
      member.used = false;
      if (alive) continue;
      member.dead = true;
      this.members.delete(key);
    }
    return this.members.size > 0;
  }
}

/** Those who invited accounts share alike, and so do with them, as one, all accounts that nobody invited: keys cost nothing. */
class ProviderShare extends Sharer {
  readonly accounts = new Group<AccountShare>(this);

  first(): Flow | undefined {
    return this.accounts.first();
  }

  tidy(): boolean {
    return this.accounts.tidy();
  }
}

class AccountShare extends Sharer {
  readonly applications = new Group<ApplicationShare>(this);

  first(): Flow | undefined {
    return this.applications.first();
  }

  tidy(): boolean {
    return this.applications.tidy();
  }
}

class ApplicationShare extends Sharer {
  /** By priority, the most urgent first: as long as one has something, those behind it get nothing. */
  readonly tokens = PRIORITIES.map(() => new Group<TokenShare>(this));

  first(): Flow | undefined {
    for (const group of this.tokens) {
      const flow = group.first();
      if (flow !== undefined) return flow;
    }
    return undefined;
  }

  tidy(): boolean {
    let left = false;
    for (const group of this.tokens) left = group.tidy() || left;
    return left;
  }
}

class TokenShare extends Sharer {
  readonly flows = new Group<Flow>(this);

  first(): Flow | undefined {
    return this.flows.first();
  }

  tidy(): boolean {
    return this.flows.tidy();
  }
}

/** What one link is sent under one token with one priority. */
export class Flow extends Sharer {
  readonly link: Link;
  /** The one that it was looked up by. */
  known: KnownToken | undefined;
  /** Index in {@link PRIORITIES}. */
  readonly rank: number;
  /** Whose it is, as far as is known, and who had invited him when this was made. */
  readonly account: Account | undefined;
  private readonly provider: string | null | undefined;
  /** The link could be sent something at once, and it would be of this flow. */
  ready = false;

  constructor(
    group: Group<Sharer>,
    link: Link,
    account: Account | undefined,
    known: KnownToken | undefined,
    rank: number,
  ) {
    super(group, link.budget === KNOWN_SERVER_BUDGET ? SERVER_WEIGHT : 1);
    this.account = account;
    this.provider = account?.provider;
    this.link = link;
    this.known = known;
    this.rank = rank;
  }

  /** Whether what is sent under this token with this priority belongs here. */
  fits(known: KnownToken | undefined, rank: number): boolean {
    return this.known === known && this.rank === rank && !this.dead && this.provider === this.account?.provider;
  }

  first(): Flow | undefined {
    return this.ready ? this : undefined;
  }

  tidy(): boolean {
    return false;
  }
}

/**
 * Who is sent something next when not all can be: equal shares of providers, weighted ones of their accounts, inside an account
 * equal ones of its applications, there strictly by priority and fairly between tokens, and equal shares of the links under a
 * token (RFC 7069 section 4.5).
 *
 * Hierarchical start-time fair queueing. Who has been idle comes in at the present virtual time: with no credit for the time it
 * took nothing, and behind by one block at most for what it was given last. What is sent while nobody waits is only noted.
 */
export class Scheduler {
  private readonly providers = new Group<ProviderShare>();
  private readonly accountOf: (key: string) => Account | undefined;

  /** @param accountOf - What is known of an account. */
  constructor(accountOf: (key: string) => Account | undefined) {
    this.accountOf = accountOf;
  }

  /** Nobody waits. */
  get empty(): boolean {
    return this.providers.line.size === 0;
  }

  /**
   * The flow of a link's next block. What is read under a token counts to the token's issuer, who lends what is his; what is
   * read in one's own locker to oneself.
   */
  flow(link: Link, known: KnownToken | undefined, rank: number): Flow {
    const { flow } = link;
    if (flow?.fits(known, rank) === true) return flow;
    const key = known?.ownerKey ?? link.account!.key;
    const account = this.accountOf(key);
    const { accounts } = member(this.providers, account?.provider ?? null, (group) => new ProviderShare(group));
    const share = member(accounts, key, (group) => new AccountShare(group));
    share.weight = weightOf(account);
    const application = known === undefined ? link.application : account?.application;
    const { tokens } = member(share.applications, application, (group) => new ApplicationShare(group));
    const weight = known?.token.weight ?? 1;
    const { flows } = member(tokens[rank]!, sharerOf(known), (group) => new TokenShare(group, Math.max(1, weight)));
    const found = member(flows, link, (group) => new Flow(group, link, account, known, rank));
    found.known = known;
    return found;
  }

  /** Has a flow that is ready wait for its turn. */
  list(flow: Flow): void {
    for (let next: Sharer | undefined = flow; next?.listed === false; next = next.group.above) {
      const { group } = next;
      next.listed = true;
      next.start = Math.max(group.virtual, next.finish);
      group.line.push(next.start, next);
    }
  }

  /** Whose turn it is. */
  first(): Flow | undefined {
    return this.providers.first();
  }

  /** Notes what a flow is sent: of the {@link first} one, or of any while nobody waits. */
  charge(flow: Flow, bytes: number): void {
    for (let next: Sharer | undefined = flow; next !== undefined; next = next.group.above) {
      const { group } = next;
      const start = next.listed ? next.start : Math.max(group.virtual, next.finish);
      group.virtual = start;
      next.finish = start + bytes / next.weight;
      next.used = true;
      if (!next.listed) continue;
      group.line.pop();
      next.start = next.finish;
      group.line.push(next.start, next);
    }
  }

  /** Forgets who has not been sent anything since the last time. */
  tidy(): void {
    this.providers.tidy();
    for (const { accounts } of this.providers.members.values()) {
      for (const [key, share] of accounts.members) share.weight = weightOf(this.accountOf(key as string));
    }
  }
}

function weightOf(account: Account | undefined): number {
  return Math.max(1, account?.weight ?? 1);
}

function member<S extends Sharer>(group: Group<S>, key: unknown, make: (group: Group<Sharer>) => S): S {
  let found = group.members.get(key);
  if (found === undefined) {
    found = make(group as unknown as Group<Sharer>);
    group.members.set(key, found);
  }
  return found;
}

/**
 * Who shares under a token: its holder; else, where it has a weight, whoever bears this one; else whoever bears any such token,
 * so that a renewed one is no new share.
 */
function sharerOf(known: KnownToken | undefined): string {
  if (known === undefined) return 'owner';
  const { holder, weight, id } = known.token;
  if (holder !== null) return `holder ${weight} ${bytesKey(holder)}`;
  return weight === null ? 'all' : `token ${bytesKey(id)}`;
}
