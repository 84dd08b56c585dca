import { describe, expect, test } from 'vitest';
import { type Guest, key, partsOf, sealRecord, streamKeys, World } from './world.ts';

const stream = streamKeys('one');

/** What the digests say, oldest first: of whom, its newest bitmap, its token. */
function told(guest: Guest): [string, number[], number | null][] {
  return guest
    .all('digest')
    .flatMap(({ neighbours }) => neighbours)
    .map(({ peer, availability, token }) => [
      peer.join() === stream.signingKey.join() ? 'source' : 'peer',
      availability.map(({ first }) => first),
      token?.[0] ?? null,
    ]);
}

/** Runs a while with everybody's heartbeat each second. */
function live(world: World, seconds: number, guests: readonly Guest[], each?: (second: number) => void): void {
  for (let second = 0; second < seconds; second++) {
    for (const guest of guests) guest.beat();
    each?.(second);
    world.run(1_000);
  }
}

describe('digests', () => {
  test('TR17: a browser gets one digest a second: the states that changed, the newest of each, and the records', () => {
    const world = new World();
    const source = world.source(stream);
    const browser = world.viewer(stream, 'browser', { mode: 'ins' });
    let part = 0;
    live(world, 3, [browser], () => {
      for (let quarter = 0; quarter < 2; quarter++, part++) {
        source.send({ type: 'records', records: [sealRecord(stream, part)] });
        source.state({ parts: [part], token: Uint8Array.of(1) });
      }
    });
    const digests = browser.all('digest');
    expect(digests).toHaveLength(3);
    expect(digests.map(({ records }) => partsOf(stream.stream, records))).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(told(browser)).toEqual([
      ['source', [1], 1],
      ['source', [3], null],
      ['source', [5], null],
    ]);
  });

  test('TR17: nothing new, no digest', () => {
    const world = new World();
    const source = world.source(stream);
    const browser = world.viewer(stream, 'browser');
    browser.news();
    source.state({ parts: [1] });
    live(world, 1, [browser]);
    expect(browser.all('digest')).toHaveLength(1);
    source.state({ parts: [1] });
    live(world, 2, [browser, source]);
    expect(browser.all('digest')).toHaveLength(1);
  });

  test('TR17: a token goes out when it is new, and once', () => {
    const world = new World();
    const source = world.source(stream);
    const browser = world.viewer(stream, 'browser', { mode: 'ins' });
    const tokens = [1, 1, 2, null, 2];
    live(world, 5, [browser], (second) => {
      const token = tokens[second] ?? null;
      source.state({ parts: [second], token: token === null ? null : Uint8Array.of(token) });
    });
    expect(told(browser).map(([, , token]) => token)).toEqual([1, null, 2, null, null]);
    expect(world.viewer(stream, 'late').joined.neighbours[0]?.token).toEqual(Uint8Array.of(2));
  });

  test('TR18: who can dial its neighbours hears of the source and of those that cannot be dialled, and gets no records', () => {
    const world = new World();
    const source = world.source(stream);
    const dialled = world.viewer(stream, 'dialled', { url: ':1' });
    const browser = world.viewer(stream, 'browser');
    const asker = world.viewer(stream, 'asker', { url: ':2' });
    source.send({ type: 'records', records: [sealRecord(stream, 0)] });
    for (const [at, guest] of [source, dialled, browser].entries()) guest.state({ parts: [at] });
    live(world, 1, [asker, dialled, browser]);
    expect(told(asker).sort()).toEqual([
      ['peer', [2], null],
      ['source', [0], null],
    ]);
    expect(asker.all('digest').flatMap(({ records }) => records)).toEqual([]);
    expect(browser.all('digest').flatMap(({ records }) => records)).toHaveLength(1);
  });

  test('TR18: an INS member without a neighbour to dial gets the records like a browser', () => {
    const world = new World();
    const source = world.source(stream, {}, { url: null });
    const alone = world.viewer(stream, 'alone', { mode: 'ins', url: ':1' });
    const second = world.viewer(stream, 'second', { mode: 'ins', url: ':2' });
    source.send({ type: 'records', records: [sealRecord(stream, 0)] });
    live(world, 1, [alone, second]);
    expect(alone.all('digest').flatMap(({ records }) => records)).toHaveLength(1);
    expect(second.all('digest').flatMap(({ records }) => records)).toEqual([]);
  });

  test('TR19: a digest tells of a dozen at most, the source first; the others come with the next', () => {
    const world = new World();
    const source = world.source(stream);
    const browsers = Array.from({ length: 16 }, (_, at) => world.viewer(stream, `browser ${at}`, { mode: 'ins' }));
    const asker = world.viewer(stream, 'asker', { mode: 'ins' });
    for (const guest of browsers) guest.state({ parts: [1] });
    live(world, 1, [asker, ...browsers]);
    source.state({ parts: [2] });
    live(world, 1, [asker, ...browsers]);
    const [first, second] = asker.all('digest').map(({ neighbours }) => neighbours.map(({ peer }) => peer.join()));
    expect([first?.length, second?.length]).toEqual([12, 5]);
    expect(second?.[0]).toBe(stream.signingKey.join());
    expect(new Set([...first!, ...second!]).size).toBe(17);
  });

  test('TR19: a neighbour that joins anew under its key is introduced anew', () => {
    const world = new World();
    world.viewer(stream, 'mover', { url: ':1' }, '192.0.2.1');
    const asker = world.viewer(stream, 'asker', { url: ':2' });
    world.viewer(stream, 'mover', { url: ':1' }, '198.51.100.1');
    live(world, 1, [asker]);
    expect(asker.all('digest')).toEqual([]);
    expect(asker.all('neighbours')[0]?.neighbours).toMatchObject([{ peer: key('mover'), url: 'ws://198.51.100.1:1' }]);
  });

  test.each([
    [null, 1],
    [':1', 4],
  ])('TR12: of a member with the url %s, %i states a second are heard', (url, perSecond) => {
    const world = new World();
    const fast = world.viewer(stream, 'fast', { url });
    let changes = 0;
    let before = -1;
    for (let eighth = 0; eighth < 80; eighth++) {
      fast.state({ parts: [eighth] });
      const probe = world.viewer(stream, 'probe');
      const newest = probe.joined.neighbours[0]?.availability[0]?.first ?? -1;
      if (newest !== before) changes++;
      before = newest;
      probe.close();
      world.run(125);
    }
    expect(fast.closed).toBeUndefined();
    expect(changes).toBeGreaterThanOrEqual(perSecond * 10);
    expect(changes).toBeLessThanOrEqual(perSecond * 13);
  });

  test('TR17: members that are owed the same get the same object, to be encoded once', () => {
    const world = new World();
    const source = world.source(stream);
    const browsers = Array.from({ length: 40 }, (_, at) => world.viewer(stream, `b ${at}`, { mode: 'native' }));
    source.send({ type: 'records', records: [sealRecord(stream, 0)] });
    source.state({ parts: [0] });
    live(world, 1, browsers);
    const sent = world.said.flatMap((output) =>
      output.kind === 'send' && output.message.type === 'digest' ? [output.message] : [],
    );
    expect(sent).toHaveLength(40);
    expect(new Set(sent).size).toBeLessThanOrEqual(4);
  });
});
