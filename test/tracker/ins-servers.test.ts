import { describe, expect, test } from 'vitest';
import { nearness } from '../../tracker/core/ins-choice.ts';
import { parsePrefix, parseRegions } from '../../tracker/core/regions.ts';
import { streamKeys, World } from './world.ts';

const stream = streamKeys('one');
const at = (name: string, region = ''): { readonly url: string; readonly region: string } => ({
  url: `ws://${name}:1`,
  region,
});

function first(world: World, name: string, region: string | null = null, address?: string): string | undefined {
  return world.viewer(stream, name, { region }, address).joined.insServers[0]?.url;
}

describe('which INS server', () => {
  test('TR20: with two servers, of which the source feeds one, half of the members are given the other first', () => {
    const world = new World({ insServers: [at('a'), at('b')] });
    world.source(stream, { insServers: [at('a')] });
    const firsts = Array.from({ length: 6 }, (_, peer) => first(world, `peer ${peer}`));
    expect(firsts.filter((url) => url === 'ws://a:1')).toHaveLength(3);
    expect(firsts.filter((url) => url === 'ws://b:1')).toHaveLength(3);
  });

  test('TR20: at most three are given, and all take their turn', () => {
    const world = new World({ insServers: ['a', 'b', 'c', 'd', 'e'].map((name) => at(name)) });
    const answers = Array.from({ length: 5 }, (_, peer) => world.viewer(stream, `peer ${peer}`).joined.insServers);
    expect(answers.map((servers) => servers.length)).toEqual([3, 3, 3, 3, 3]);
    expect(new Set(answers.map(([server]) => server?.url)).size).toBe(5);
  });

  test('TR20: one that the source feeds is always among them: without it the others have nothing to give', () => {
    const world = new World({ insServers: ['a', 'b', 'c', 'd', 'e'].map((name) => at(name)) });
    world.source(stream, { insServers: [at('e')] });
    for (let peer = 0; peer < 10; peer++) {
      const urls = world.viewer(stream, `peer ${peer}`).joined.insServers.map(({ url }) => url);
      expect(urls).toContain('ws://e:1');
      expect(new Set(urls).size).toBe(3);
    }
  });

  test('TR20: who leaves makes room', () => {
    const world = new World({ insServers: [at('a'), at('b')] });
    const gone = world.viewer(stream, 'gone');
    expect(gone.joined.insServers[0]?.url).toBe('ws://a:1');
    gone.close();
    expect(first(world, 'next')).toBe('ws://a:1');
  });

  test('TR20: the nearest region goes before load', () => {
    const world = new World({ insServers: [at('us', 'us-east'), at('de', 'eu-de'), at('fr', 'eu-fr')] });
    expect(first(world, 'a', 'eu-fr')).toBe('ws://fr:1');
    expect(first(world, 'b', 'eu-fr')).toBe('ws://fr:1');
    expect(first(world, 'c', 'eu-nl')).toBe('ws://de:1');
    expect(first(world, 'd', 'us-west')).toBe('ws://us:1');
    expect(first(world, 'e')).toBe('ws://us:1');
  });

  test('TR20: the table of prefixes goes before what a member says', () => {
    const read = parseRegions('192.0.2.0/24 eu\n');
    if (!read.ok) throw new Error(read.errors.join());
    const world = new World({ insServers: [at('us', 'us'), at('eu', 'eu')], regionOf: (a) => read.table.regionOf(a) });
    expect(first(world, 'a', 'us', '192.0.2.77')).toBe('ws://eu:1');
    expect(first(world, 'b', 'us', '198.51.100.1')).toBe('ws://us:1');
  });

  test('TR20: when the source announces other servers, everybody keeps its first one where it can', () => {
    const world = new World();
    const source = world.source(stream, { insServers: [at('a'), at('b')] });
    const [one, two] = [world.viewer(stream, 'one'), world.viewer(stream, 'two')];
    expect([one.joined.insServers[0]?.url, two.joined.insServers[0]?.url]).toEqual(['ws://a:1', 'ws://b:1']);
    source.publish(stream, { insServers: [at('c'), at('b')] });
    expect(one.all('ins-servers')[0]?.insServers.map(({ url }) => url)).toEqual(['ws://c:1', 'ws://b:1']);
    expect(two.all('ins-servers')[0]?.insServers.map(({ url }) => url)).toEqual(['ws://b:1', 'ws://c:1']);
  });

  test('TR20: a server that somebody was moved away from is free again', () => {
    const world = new World();
    const source = world.source(stream, { insServers: [at('a')] });
    world.viewer(stream, 'one');
    world.viewer(stream, 'two');
    source.publish(stream, { insServers: [at('b')] });
    source.publish(stream, { insServers: [at('b'), at('a')] });
    expect(first(world, 'three')).toBe('ws://a:1');
    expect(first(world, 'four')).toBe('ws://a:1');
    expect(first(world, 'five')).toBe('ws://b:1');
  });

  test('the region that the tracker was told of a server completes what the source did not say', () => {
    const world = new World({ insServers: [at('a', 'eu')] });
    world.source(stream, { insServers: [at('a')] });
    expect(world.viewer(stream, 'x').joined.insServers).toEqual([at('a', 'eu')]);
  });

  test('regions are near by the words they share', () => {
    expect(nearness('eu-west', 'eu-west')).toBeGreaterThan(nearness('eu-west', 'eu-west-2'));
    expect(nearness('eu-west-1', 'eu-west-2')).toBe(2);
    expect(nearness('eu-west', 'us-west')).toBe(0);
    expect(nearness('', '')).toBe(0);
    expect(nearness('eu', undefined)).toBe(0);
  });
});

describe('the table of regions', () => {
  const table = parseRegions(`
# where our viewers are
10.0.0.0/8       eu
10.1.0.0/16      eu-west   # longer goes first
10.1.2.3         office
0.0.0.0/0        elsewhere
2001:db8::/32    v6
2001:db8:1::/48  v6-west
::ffff:198.51.100.0/120 mapped
`);

  test.each([
    ['10.2.3.4', 'eu'],
    ['10.1.9.9', 'eu-west'],
    ['10.1.2.3', 'office'],
    ['::ffff:10.1.2.3', 'office'],
    ['203.0.113.1', 'elsewhere'],
    ['198.51.100.7', 'mapped'],
    ['2001:db8::1', 'v6'],
    ['2001:DB8:1:ffff::1', 'v6-west'],
    ['2001:db9::1', undefined],
    ['nonsense', undefined],
  ])('%s is in %s: the longest prefix says', (address, region) => {
    if (!table.ok) throw new Error(table.errors.join());
    expect(table.table.regionOf(address)).toBe(region);
  });

  test('every bad line is named, with its number and what to do', () => {
    const bad = parseRegions(
      '10.0.0.0/8 eu\n10.0.0.1/8 x\n300.0.0.1 x\n10.0.0.0/33 x\n10.0.0.0/8 us\n1.2.3.4\n::/0 a b\n',
    );
    expect(bad).toEqual({
      ok: false,
      errors: [
        'line 2: 10.0.0.1/8 has address bits beyond its prefix length',
        'line 3: 300.0.0.1 is not an IPv4 or IPv6 address block',
        'line 4: 10.0.0.0/33: the prefix length is a number from 0 to 32',
        'line 5: 10.0.0.0/8 has another region on an earlier line',
        'line 6: expected an address block and a region: 203.0.113.0/24 eu-west',
        'line 7: expected an address block and a region: 203.0.113.0/24 eu-west',
      ],
    });
  });

  test.each(['::', '1::', '::1', '1:2:3:4:5:6:7:8', '1::8', '::1.2.3.4', '1:2:3:4:5:6:1.2.3.4'])(
    '%s is an address',
    (text) => {
      expect(typeof parsePrefix(text)).toBe('object');
    },
  );

  test.each([
    '',
    ':',
    ':::',
    '1:2:3',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7::8:9',
    '1.2.3.4::',
    '1.2.3',
    'g::',
  ])('"%s" is no address', (text) => {
    expect(typeof parsePrefix(text)).toBe('string');
  });
});
