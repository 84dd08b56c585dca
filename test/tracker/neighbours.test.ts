import { describe, expect, test } from 'vitest';
import type { Mode, NeighbourEntry } from '../../protocol/swarm-fields.ts';
import { type Guest, key, streamKeys, World } from './world.ts';

const stream = streamKeys('one');

/** Members of one kind that have joined, named `kind 0`, `kind 1` …; they stay for as long as no time passes. */
function crowd(world: World, kind: string, count: number, mode: Mode, dialled: boolean, region?: string): Guest[] {
  return Array.from({ length: count }, (_, at) =>
    world.viewer(stream, `${kind} ${at}`, { mode, url: dialled ? ':1' : null, region: region ?? null }),
  );
}

function others(guest: Guest): NeighbourEntry[] {
  return guest.joined.neighbours.filter(({ source }) => !source);
}

function count(entries: readonly NeighbourEntry[], kind: string): number {
  const keys = new Set(Array.from({ length: 400 }, (_, at) => key(`${kind} ${at}`).join()));
  return entries.filter(({ peer }) => keys.has(peer.join())).length;
}

/** Who has the source's URL by what it was told last. */
function placed(guests: readonly Guest[]): number[] {
  return guests.flatMap((guest, at) => {
    const told = [...guest.all('joined'), ...guest.all('neighbours')].flatMap(({ neighbours }) => neighbours);
    const url = told.findLast(({ source }) => source)?.url ?? null;
    return url === null ? [] : [at];
  });
}

describe('choosing neighbours', () => {
  test('TR13: a native or hybrid member gets mostly peers that can feed it over a connection', () => {
    for (const mode of ['native', 'hybrid'] as const) {
      const world = new World();
      crowd(world, 'ins', 60, 'ins', true);
      crowd(world, 'browser', 6, 'hybrid', false);
      crowd(world, 'native', 6, 'native', true);
      crowd(world, 'hybrid', 6, 'hybrid', true);
      const entries = others(world.viewer(stream, 'asker', { mode, url: ':9' }));
      expect(count(entries, 'native') + count(entries, 'hybrid')).toBe(12);
      expect(entries).toHaveLength(mode === 'native' ? 12 : 16);
    }
  });

  test('TR13: where there are many browsers for each that they can dial, everybody is given fewer', () => {
    const world = new World();
    crowd(world, 'native', 30, 'native', true);
    crowd(world, 'browser', 60, 'native', false);
    expect(others(world.viewer(stream, 'asker', { mode: 'native' }))).toHaveLength(7);
    crowd(world, 'late', 300, 'native', false);
    expect(others(world.viewer(stream, 'last', { mode: 'native', url: ':9' }))).toHaveLength(4);
  });

  test('TR13: nobody is given somebody who has nothing for it', () => {
    const world = new World();
    crowd(world, 'ins', 10, 'ins', true);
    crowd(world, 'native', 10, 'native', true);
    const native = others(world.viewer(stream, 'n', { mode: 'native', url: ':9' }));
    expect([count(native, 'native'), native.length]).toEqual([10, 10]);
    const ins = others(world.viewer(stream, 'i', { mode: 'ins', url: ':9' }));
    expect([count(ins, 'ins'), ins.length]).toEqual([10, 10]);
    expect(others(world.viewer(stream, 'h', { mode: 'hybrid', url: ':9' }))).toHaveLength(16);
  });

  test('TR13: nobody is told of itself, or of anybody twice, and a tracker with the same seed answers the same', () => {
    const answers = [1, 2].map(() => {
      const world = new World({ seed: 'same' });
      world.source(stream);
      crowd(world, 'native', 200, 'native', true);
      const asker = world.viewer(stream, 'asker', { mode: 'native', url: ':9' });
      for (let asked = 0; asked < 4; asked++) asker.send({ type: 'more', count: 8, known: [] });
      const told = [asker.joined, ...asker.all('neighbours')].flatMap(({ neighbours }) => neighbours);
      return told.map(({ peer }) => peer.join());
    });
    expect(answers[0]).toHaveLength(1 + 20 + 4 * 8);
    expect(new Set(answers[0]).size).toBe(answers[0]!.length);
    expect(answers[0]).not.toContain(key('asker').join());
    expect(answers[0]).toEqual(answers[1]);
  });

  test('TR13: a third comes from the same region, the rest from anywhere', () => {
    const world = new World();
    crowd(world, 'near', 20, 'hybrid', true, 'eu');
    crowd(world, 'far', 300, 'hybrid', true, 'us');
    let near = 0;
    for (let asker = 0; asker < 10; asker++) {
      const entries = others(world.viewer(stream, `asker ${asker}`, { url: ':9', region: 'eu' }));
      // Those who asked before are from there, too.
      near += count(entries, 'near') + count(entries, 'asker');
      expect(count(entries, 'far')).toBeGreaterThan(4);
    }
    expect(near).toBeGreaterThanOrEqual(40);
  });

  test('TR13: a third are peers that are well ahead', () => {
    const world = new World();
    crowd(world, 'empty', 24, 'native', true);
    const able = crowd(world, 'able', 6, 'native', true);
    for (const guest of able) guest.state({ parts: [100, 101] });
    const entries = others(world.viewer(stream, 'asker', { mode: 'native', url: ':9' }));
    expect(count(entries, 'able')).toBe(6);
  });

  test('TR14: more neighbours are others than those known, and asking all the time is in vain', () => {
    const world = new World();
    crowd(world, 'native', 40, 'native', true);
    const asker = world.viewer(stream, 'asker', { mode: 'native', url: ':9' });
    const elsewhere = Array.from({ length: 40 }, (_, at) => key(`native ${at}`)).filter(
      (peer) => !others(asker).some((entry) => entry.peer.join() === peer.join()),
    );
    const left = elsewhere.slice(0, 4).map((peer) => peer.join());
    asker.send({ type: 'more', count: 32, known: elsewhere.slice(4) });
    const more = asker.all('neighbours')[0]!.neighbours.map(({ peer }) => peer.join());
    expect(more.sort()).toEqual(left.sort());
    for (let asked = 0; asked < 10; asked++) asker.send({ type: 'more', count: 1, known: [] });
    expect(asker.all('neighbours')).toHaveLength(4);
    expect(asker.closed).toBeUndefined();
  });

  test('TR15: the source is told to everybody, and its url to the first twenty', () => {
    const world = new World();
    world.source(stream);
    const members = crowd(world, 'native', 30, 'native', true);
    const urls = members.map((member) => member.joined.neighbours[0]);
    expect(urls.every((entry) => entry?.source)).toBe(true);
    expect(urls.filter((entry) => entry?.url !== null)).toHaveLength(20);
    expect(world.viewer(stream, 'another', { mode: 'native', url: ':9' }).joined.neighbours[0]?.url).toBeNull();
  });

  test('TR15: a place at the source that becomes free goes to one who has none', () => {
    const world = new World();
    world.source(stream);
    const members = crowd(world, 'native', 24, 'native', true);
    members[23]!.state({ uploadBps: 9_000_000 });
    members[3]!.close();
    expect(placed(members).filter((at) => at !== 3)).toEqual([...Array(20).keys(), 23].filter((at) => at !== 3));
    for (const gone of [20, 21, 22, 23]) members[gone]!.close();
    members[0]!.close();
    expect(world.viewer(stream, 'next', { mode: 'native', url: ':9' }).joined.neighbours[0]?.url).not.toBeNull();
  });

  test('TR15: a place at the source goes from one who carries little to one who carries far more, not at once, and stays', () => {
    const world = new World();
    world.source(stream);
    const members = crowd(world, 'native', 30, 'native', true);
    for (const [at, member] of members.entries()) member.state({ uploadBps: at < 20 ? 1_000_000 + at : 1_900_000 });
    world.run(3_000);
    for (const member of members) member.state({ uploadBps: 1_800_000 });
    members[0]!.state({ uploadBps: 500_000 });
    members[25]!.state({ uploadBps: 4_000_000 });
    expect(placed(members)).toEqual([...Array(19).keys()].map((at) => at + 1).concat(25));
    const told = members[0]!.all('neighbours').at(-1)!.neighbours;
    expect(told.map(({ source, url }) => [source, url])).toEqual([[true, null]]);
    // The next one has to wait a moment, and nobody has his place for less than two seconds.
    members[26]!.state({ uploadBps: 8_000_000 });
    expect(placed(members)).not.toContain(26);
    world.run(500);
    members[26]!.state({ uploadBps: 8_100_000 });
    expect(placed(members)).toContain(26);
    members[25]!.state({ uploadBps: 100_000 });
    world.run(500);
    members[27]!.state({ uploadBps: 3_000_000 });
    expect(placed(members)).toContain(25);
    expect(placed(members)).toHaveLength(20);
  });

  test('TR15: browsers have places at the source for as long as nobody comes who can be dialled, and others feed them', () => {
    const world = new World();
    world.source(stream);
    const first = crowd(world, 'native', 4, 'native', true);
    const browsers = crowd(world, 'browser', 30, 'native', false);
    expect(placed(browsers)).toHaveLength(16);
    for (let second = 0; second < 3; second++) {
      for (const guest of [...first, ...browsers]) guest.state();
      world.run(1_000);
    }
    const late = world.viewer(stream, 'late', { mode: 'native', url: ':9' });
    expect(placed([late])).toEqual([0]);
    expect(placed(browsers)).toHaveLength(15);
  });

  test('TR15: hybrid members of whom nobody knows who feeds them leave half of the places, which those get who need them', () => {
    const world = new World();
    world.source(stream);
    const members = crowd(world, 'hybrid', 30, 'hybrid', true);
    expect(placed(members)).toEqual([...Array(10).keys()]);
    for (const [at, member] of members.entries()) member.state({ insFed: at < 15, uploadBps: 1_000_000 });
    expect(placed(members)).toHaveLength(20);
    expect(placed(members)).toEqual(
      [...Array(10).keys(), ...Array(10).keys()].map((at, to) => (to < 10 ? at : at + 15)),
    );
    // Then, one by one, the places of those whom INS servers feed.
    for (let second = 0; second < 4; second++) {
      world.run(1_000);
      for (const [at, member] of members.entries())
        member.state({ insFed: at < 15, uploadBps: 1_000_000 + second + 1 });
    }
    const needy = placed(members).filter((at) => at >= 15);
    expect(needy.length).toBeGreaterThan(10);
    expect(placed(members)).toHaveLength(20);
  });

  test('TR15: INS members leave the places at the source to those who take blocks of it', () => {
    const world = new World();
    world.source(stream);
    expect(placed(crowd(world, 'ins', 30, 'ins', true))).toHaveLength(20);
    expect(placed(crowd(world, 'native', 30, 'native', true))).toHaveLength(20);
  });

  test('TR15: who has hardly anybody else is given the url of the source, within a bound', () => {
    const world = new World();
    world.source(stream);
    const members = crowd(world, 'browser', 100, 'native', false);
    const dialled = members.filter((member) => member.joined.neighbours[0]?.url !== null);
    expect(dialled).toHaveLength(64);
  });

  test('TR16: a browser in INS mode is told no address of anybody', () => {
    const world = new World();
    world.source(stream);
    crowd(world, 'hybrid', 20, 'hybrid', true);
    const { neighbours } = world.viewer(stream, 'browser', { mode: 'ins' }).joined;
    expect(neighbours).toHaveLength(17);
    expect(neighbours.every(({ url }) => url === null)).toBe(true);
  });

  test('TR15: a source that can be dialled is given nobody to dial, one that cannot is', () => {
    const world = new World();
    crowd(world, 'hybrid', 5, 'hybrid', true);
    expect(world.source(stream).joined.neighbours).toEqual([]);
    expect(world.source(streamKeys('one'), {}, { url: null }).joined.neighbours).toHaveLength(5);
  });
});
