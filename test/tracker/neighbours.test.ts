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

describe('choosing neighbours', () => {
  test('TR13: a native or hybrid member gets mostly peers that can feed it over a connection', () => {
    for (const mode of ['native', 'hybrid'] as const) {
      const world = new World();
      crowd(world, 'ins', 60, 'ins', true);
      crowd(world, 'browser', 60, 'hybrid', false);
      crowd(world, 'native', 6, 'native', true);
      crowd(world, 'hybrid', 6, 'hybrid', true);
      const entries = others(world.viewer(stream, 'asker', { mode, url: ':9' }));
      expect(count(entries, 'native') + count(entries, 'hybrid')).toBe(12);
      expect(entries).toHaveLength(mode === 'native' ? 12 : 16);
    }
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
    expect(answers[0]).toHaveLength(1 + 16 + 4 * 8);
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
      near += count(entries, 'near');
      expect(count(entries, 'far')).toBeGreaterThan(4);
    }
    expect(near).toBeGreaterThanOrEqual(40);
  });

  test('TR13: a third are peers that are well ahead', () => {
    const world = new World();
    const able = crowd(world, 'able', 6, 'native', true);
    crowd(world, 'empty', 34, 'native', true);
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
    members[3]!.close();
    expect(world.viewer(stream, 'next', { mode: 'native', url: ':9' }).joined.neighbours[0]?.url).not.toBeNull();
    expect(world.viewer(stream, 'another', { mode: 'native', url: ':9' }).joined.neighbours[0]?.url).toBeNull();
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
