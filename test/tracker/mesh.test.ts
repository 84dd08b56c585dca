import { describe, expect, test } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import { Crowd, linked, meshOf, type Person, span } from './mesh.ts';

/** Uplinks as different as those of households: from half of a stream to eight. */
const uploadBpsOf = (at: number): number => [500_000, 1_000_000, 1_000_000, 2_000_000, 8_000_000][at % 5]!;

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function leaningOf(people: readonly Person[]): number[] {
  return people.filter(({ member }) => member.url !== null).map(({ member }) => member.leaning);
}

/** Those named by chance alone come behind those that are near and those that are able. */
const byChance = ({ named }: Person): Person[] => named.slice(12, 20);

describe('the mesh that comes of whom the tracker names', () => {
  for (const members of [1_000, 10_000]) {
    test(`TR13: ${members} who come within 10 s are one mesh, a few steps wide, with 12 neighbours or more each`, () => {
      const { people } = new Crowd({ members, withinMs: 10_000, uploadBpsOf });
      const { steps, reached } = span(meshOf(people, linked));
      expect(reached).toBe(members);
      expect(steps).toBeLessThanOrEqual(Math.log2(members));
      expect(people.filter(({ links }) => links.size < 12).length).toBeLessThan(members / 100);
      expect(people.every(({ named }, at) => named.length === Math.min(at, 20))).toBe(true);
    });
  }

  test('TR13: those named by chance alone hold the mesh together', () => {
    const { people } = new Crowd({ members: 2_000, withinMs: 10_000, uploadBpsOf });
    // The first few were named everybody who was there.
    const { steps, reached } = span(meshOf(people.slice(20), byChance));
    expect(reached).toBeGreaterThanOrEqual(1_975);
    expect(steps).toBeLessThanOrEqual(11);
  });

  test('TR13: the first to come are not leaned on more than the last ones can be', () => {
    const { people } = new Crowd({ members: 2_000, withinMs: 10_000, uploadBpsOf });
    const leaning = leaningOf(people);
    expect(Math.max(...leaning)).toBeLessThanOrEqual(32);
    expect(mean(leaning.slice(0, 50))).toBeLessThan(1.7 * mean(leaning));
  });

  test('TR13: most lean on those who carry most, as long as they have connections left, and few on the weak', () => {
    const { people } = new Crowd({ members: 2_000, withinMs: 60_000, uploadBpsOf });
    const of = (bps: number): number => mean(leaningOf(people.filter(({ uploadBps }) => uploadBps === bps)));
    expect(of(500_000)).toBeLessThan(0.75 * of(1_000_000));
    expect(of(1_000_000)).toBeLessThan(0.9 * of(2_000_000));
    expect(of(2_000_000)).toBeLessThan(of(8_000_000));
    expect(of(500_000)).toBeLessThan(0.55 * of(8_000_000));
  });

  test('TR13: with four browsers for each who can be dialled, all find some, and nobody is swamped', () => {
    const crowd = new Crowd({ members: 3_000, withinMs: 10_000, uploadBpsOf, browsers: 0.8 });
    const given = leaningOf(crowd.people);
    expect(mean(given)).toBeLessThan(26);
    expect(Math.max(...given.slice(50))).toBeLessThanOrEqual(40);
    crowd.askAgain();
    const { steps, reached } = span(meshOf(crowd.people, linked));
    expect([reached, steps <= 11]).toEqual([3_000, true]);
    expect(crowd.people.every(({ links }) => links.size >= 1)).toBe(true);
    expect(crowd.people.filter(({ links }) => links.size < 4).length).toBeLessThan(150);
  });

  test('TR13: the mesh stays whole while a third goes and others come, again and again', () => {
    const crowd = new Crowd({ members: 1_000, withinMs: 10_000, uploadBpsOf });
    for (let round = 0; round < 5; round++) {
      crowd.churn(0.3);
      const { steps, reached } = span(meshOf(crowd.people, linked));
      expect([reached, steps <= 10]).toEqual([1_000, true]);
    }
    expect(crowd.people.every(({ links }) => links.size >= 4)).toBe(true);
    expect(Math.max(...leaningOf(crowd.people))).toBeLessThanOrEqual(32);
  });

  test('TR13: whoever takes blocks of neighbours finds as many among INS members, who take the others last', () => {
    const modeOf = (at: number): 'ins' | 'native' | 'hybrid' =>
      at % 8 === 0 ? 'native' : at % 8 === 1 ? 'hybrid' : 'ins';
    const { people } = new Crowd({ members: 1_600, withinMs: 10_000, modeOf });
    const takers = people.filter(({ member }) => member.mode === 'native').slice(12);
    expect(takers.every(({ links }) => links.size >= 12)).toBe(true);
    expect(takers.every(({ links }) => [...links].every(({ member }) => member.mode !== 'ins'))).toBe(true);
    const insOnHybrid = people
      .filter(({ member }) => member.mode === 'ins')
      .slice(200)
      .flatMap(({ named }) => named.filter(({ member }) => member.mode === 'hybrid'));
    expect(insOnHybrid).toEqual([]);
    expect(
      span(
        meshOf(
          people.filter(({ member }) => member.mode !== 'ins'),
          linked,
        ),
      ).reached,
    ).toBe(400);
  });

  test('TR13: naming neighbours costs the same in a swarm of five hundred and of five thousand', () => {
    const looks = [500, 5_000].map((members) => {
      const { swarm, people } = new Crowd({ members, withinMs: 10_000 });
      let seen = 0;
      const known = people.at(-1)!.member.known;
      const has = known.has.bind(known);
      known.has = (key) => {
        seen++;
        return has(key);
      };
      swarm.introduce(people.at(-1)!.member, 16, new Prng(1), 20_000);
      return seen;
    });
    expect(looks[1]).toBeLessThan(1.5 * looks[0]!);
    expect(looks[1]).toBeLessThan(400);
  });
});
