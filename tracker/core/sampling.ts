import type { Prng } from '../../machine/prng.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import type { Member } from './member.ts';
import { draw, Pool } from './pool.ts';

/** Parts by which a peer may be behind the newest one and still be well ahead of a newcomer. */
const ABLE_BEHIND_PARTS = 16;

/**
 * The members of a swarm, sorted so that neighbours can be drawn without looking at all of them. A native member can use
 * what others keep in memory, an INS member what others keep in lockers, a hybrid one both; nobody is given somebody who
 * has nothing of use for it.
 */
export class Candidates {
  private readonly pools = new Map<string, Pool<Member>>();

  add(member: Member): void {
    for (const name of namesOf(member)) {
      const pool = this.pools.get(name) ?? new Pool();
      this.pools.set(name, pool);
      pool.add(member);
    }
  }

  delete(member: Member): void {
    for (const name of namesOf(member)) {
      const pool = this.pools.get(name);
      pool?.delete(member);
      if (pool?.size === 0) this.pools.delete(name);
    }
  }

  /**
   * Chooses neighbours for a member: three quarters that can feed it over a connection (of these a third from its region, a
   * third that is well ahead and given to few, the rest by chance), one quarter whose lockers alone are of use to it.
   * Where there are too few of one kind, there are more of the other.
   * @param accept - False for whom it knows already.
   */
  choose(asker: Member, count: number, prng: Prng, accept: (member: Member) => boolean): Member[] {
    const chosen = new Set<Member>();
    const free = (member: Member): boolean => member !== asker && !chosen.has(member) && accept(member);
    const add = (members: readonly Member[]): void => {
      for (const member of members) if (chosen.size < count) chosen.add(member);
    };
    const feeders = this.find(asker, feedersOf);
    const lockers = this.find(asker, lockersOf);
    const feedersCount = count - Math.min(Math.floor(count / 4), sizeOf(lockers));
    const third = Math.ceil(feedersCount / 3);
    if (asker.region !== undefined) add(draw(this.find(asker, feedersOf, asker.region), third, prng, free));
    add(ablest(draw(feeders, third * 8, prng, free), third));
    add(draw(feeders, Math.max(0, feedersCount - chosen.size), prng, free));
    add(draw(lockers, count - chosen.size, prng, free));
    add(draw(feeders, count - chosen.size, prng, free));
    return [...chosen];
  }

  private find(asker: Member, kinds: (asker: Mode) => readonly string[], region = ''): Pool<Member>[] {
    return kinds(asker.mode)
      .map((kind) => this.pools.get(`${kind}/${region}`))
      .filter((pool) => pool !== undefined);
  }
}

/** Kinds of members that give an asker over a connection what it needs: blocks, or in INS mode news of their lockers. */
function feedersOf(asker: Mode): readonly string[] {
  return asker === 'ins' ? ['hybrid/dialled', 'ins/dialled'] : ['hybrid/dialled', 'native/dialled'];
}

/** Kinds whose lockers are of use, and nothing else. */
function lockersOf(asker: Mode): readonly string[] {
  if (asker === 'native') return [];
  return asker === 'ins' ? ['hybrid/hidden', 'ins/hidden'] : ['ins/dialled', 'hybrid/hidden', 'ins/hidden'];
}

function sizeOf(pools: readonly Pool<Member>[]): number {
  return pools.reduce((sum, pool) => sum + pool.size, 0);
}

/** The members that are furthest on, and of those the ones that were given to the fewest. */
function ablest(members: readonly Member[], count: number): Member[] {
  const newest = members.reduce((part, member) => Math.max(part, member.newestPart), -1);
  const behind = (member: Member): number => (member.newestPart >= newest - ABLE_BEHIND_PARTS ? 0 : 1);
  return [...members].sort((a, b) => behind(a) - behind(b) || a.timesGiven - b.timesGiven).slice(0, count);
}

function namesOf({ mode, url, region }: Member): string[] {
  const kind = `${mode}/${url === null ? 'hidden' : 'dialled'}`;
  return region === undefined ? [`${kind}/`] : [`${kind}/`, `${kind}/${region}`];
}
