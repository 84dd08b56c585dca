import type { Prng } from '../../machine/prng.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import { Burdens } from './burdens.ts';
import { FEEDERS_GIVEN_MIN, LEANING_MEAN } from './limits.ts';
import type { Member } from './member.ts';
import { draw, Pool } from './pool.ts';

/** Parts by which a peer may be behind the newest one and still be well ahead of a newcomer. */
const ABLE_BEHIND_PARTS = 16;
/** Of so many times as many drawn, the ablest are taken. */
const ABLE_OF = 6;
/** Of so many times as many drawn, those are taken on whom the least leans. */
const LIGHT_OF = 2;

type Accept = (member: Member) => boolean;
type Kinds = (asker: Mode) => readonly string[];

/**
 * The members of a swarm, sorted so that neighbours can be drawn without looking at all of them. A native member can use
 * what others keep in memory, an INS member what others keep in lockers, a hybrid one both; nobody is given somebody who
 * has nothing of use for it.
 */
export class Candidates {
  private readonly pools = new Map<string, Pool<Member>>();
  /** Of those that give blocks, and of INS members, of whom only news is taken. */
  private readonly burdens = { blocks: new Burdens(), ins: new Burdens() };

  add(member: Member): void {
    for (const name of namesOf(member)) {
      const pool = this.pools.get(name) ?? new Pool();
      this.pools.set(name, pool);
      pool.add(member);
    }
    if (member.url !== null) this.burdensOf(member).add(member);
  }

  delete(member: Member): void {
    for (const name of namesOf(member)) {
      const pool = this.pools.get(name);
      pool?.delete(member);
      if (pool?.size === 0) this.pools.delete(name);
    }
    if (member.url !== null) this.burdensOf(member).delete(member);
  }

  /** One member more, or one less (−1), leans on this one. */
  lean(member: Member, by: 1 | -1): void {
    this.burdensOf(member).lean(by);
  }

  /** Takes in what a member carries now. */
  measure(member: Member, uploadBps: number): void {
    if (member.url !== null) this.burdensOf(member).measure(member.uploadBps, uploadBps);
    member.uploadBps = uploadBps;
  }

  /** Bits per second that others can be given by a member: none by one that nobody can dial. */
  capacityBps(member: Member): number {
    return member.url === null ? 0 : this.burdensOf(member).capacityBps(member);
  }

  /**
   * Chooses neighbours for a member: three quarters that can feed it over a connection (of these a third from its region, a
   * third that is well ahead, the rest by chance), one quarter whose lockers alone are of use to it. In each group those come
   * first on whom little leans for what they can carry, and those on whom much leans are spared. Where there are too few of
   * one kind, there are more of the other. Looks at a number of members that depends on `count` alone.
   * @param accept - False for whom it knows already.
   */
  choose(asker: Member, count: number, prng: Prng, accept: Accept): Member[] {
    const chosen = new Set<Member>();
    const free: Accept = (member) => member !== asker && !chosen.has(member) && accept(member);
    const spared: Accept = (member) => free(member) && !this.burdensOf(member).isHeavy(member);
    const add = (members: readonly Member[]): void => {
      for (const member of members) if (chosen.size < count) chosen.add(member);
    };
    const lightest = (pools: readonly Pool<Member>[], wanted: number, which: Accept): void => {
      if (wanted > 0) add(this.lightest(draw(pools, wanted * LIGHT_OF, prng, which)).slice(0, wanted));
    };
    const feeders = this.find(asker, feedersOf);
    const lockers = this.find(asker, lockersOf);
    const feedersMax = Math.min(count, this.feedersMax(asker));
    const feedersCount = Math.min(feedersMax, count - Math.min(Math.floor(count / 4), sizeOf(lockers)));
    const third = Math.floor(feedersCount / 3);
    if (asker.region !== undefined) lightest(this.find(asker, feedersOf, asker.region), third, spared);
    add(ablest(this.lightest(draw(feeders, third * ABLE_OF, prng, spared))).slice(0, third));
    add(draw(feeders, feedersCount - chosen.size, prng, spared));
    lightest(feeders, feedersCount - chosen.size, free);
    lightest(this.find(asker, othersOf), feedersCount - chosen.size, free);
    add(draw(lockers, count - chosen.size, prng, free));
    const more = feedersMax - feedersCount;
    lightest([...feeders, ...this.find(asker, othersOf)], Math.min(more, count - chosen.size), free);
    return [...chosen];
  }

  /** A few of those that give blocks and can be dialled. */
  givers(count: number, prng: Prng, accept: Accept): Member[] {
    return draw(this.poolsOf(['native/dialled', 'hybrid/dialled']), count, prng, accept);
  }

  /** How many a member may lean on, so that all who are there find room with those who can be dialled. */
  private feedersMax({ mode }: Member): number {
    if (mode === 'ins') return Number.POSITIVE_INFINITY;
    const dialled = sizeOf(this.poolsOf(['native/dialled', 'hybrid/dialled']));
    const hidden = sizeOf(this.poolsOf(['native/hidden', 'hybrid/hidden']));
    return Math.max(FEEDERS_GIVEN_MIN, Math.floor((LEANING_MEAN * dialled) / Math.max(1, dialled + hidden)));
  }

  /** Those first on whom the least leans. */
  private lightest(members: readonly Member[]): Member[] {
    return members
      .map((member) => ({ member, burden: this.burdensOf(member).of(member) }))
      .sort((a, b) => a.burden - b.burden)
      .map(({ member }) => member);
  }

  private burdensOf({ mode }: Member): Burdens {
    return mode === 'ins' ? this.burdens.ins : this.burdens.blocks;
  }

  private find(asker: Member, kinds: Kinds, region = ''): Pool<Member>[] {
    return this.poolsOf(kinds(asker.mode), region);
  }

  private poolsOf(kinds: readonly string[], region = ''): Pool<Member>[] {
    return kinds.map((kind) => this.pools.get(`${kind}/${region}`)).filter((pool) => pool !== undefined);
  }
}

/** Kinds of members that give an asker over a connection what it needs: blocks, or in INS mode news of their lockers. */
function feedersOf(asker: Mode): readonly string[] {
  return asker === 'ins' ? ['ins/dialled'] : ['hybrid/dialled', 'native/dialled'];
}

/** Kinds whose lockers are of use, and nothing else. */
function lockersOf(asker: Mode): readonly string[] {
  if (asker === 'native') return [];
  return asker === 'ins' ? ['hybrid/hidden', 'ins/hidden'] : ['ins/dialled', 'hybrid/hidden', 'ins/hidden'];
}

/** Kinds that are of use too, and are left to those who need them more as long as there are others. */
function othersOf(asker: Mode): readonly string[] {
  return asker === 'ins' ? ['hybrid/dialled'] : [];
}

function sizeOf(pools: readonly Pool<Member>[]): number {
  return pools.reduce((sum, pool) => sum + pool.size, 0);
}

/** Those first that are well ahead, else in the same order. */
function ablest(members: readonly Member[]): Member[] {
  const newest = members.reduce((part, member) => Math.max(part, member.newestPart), -1);
  const behind = (member: Member): number => (member.newestPart >= newest - ABLE_BEHIND_PARTS ? 0 : 1);
  return [...members].sort((a, b) => behind(a) - behind(b));
}

function namesOf({ mode, url, region }: Member): string[] {
  const kind = `${mode}/${url === null ? 'hidden' : 'dialled'}`;
  return region === undefined ? [`${kind}/`] : [`${kind}/`, `${kind}/${region}`];
}
