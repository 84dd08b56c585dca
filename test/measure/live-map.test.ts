import { describe, expect, it } from 'vitest';
import { embedded, layoutOf } from '../harness/live/page/map/layout.ts';
import { MadeUpRun, SESSION } from './live-sample.ts';

const { delaysMs } = SESSION.regions;
const SIZES = [
  [900, 480],
  [330, 380],
  [1300, 480],
] as const;

function far(a: { readonly x: number; readonly y: number }, b: { readonly x: number; readonly y: number }): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

describe('the map', () => {
  it('has regions as far from each other as their delays say, where a plane has room for that', () => {
    const line = [
      [1, 10, 30],
      [10, 1, 20],
      [30, 20, 1],
    ];
    const [a, b, c] = embedded(line);
    expect(far(a!, b!)).toBeCloseTo(10, 0);
    expect(far(b!, c!)).toBeCloseTo(20, 0);
    expect(far(a!, c!)).toBeCloseTo(30, 0);
    expect(a!.x).toBeLessThan(c!.x);
    const [east, west, , asia] = embedded(delaysMs);
    expect(far(east!, west!)).toBeLessThan(far(west!, asia!));
  });

  it.each(SIZES)('keeps regions apart and inside, and hosts in their regions, at %i by %i', (width, height) => {
    const { hosts } = new MadeUpRun(300, 'ins');
    const { discs, hosts: places } = layoutOf(hosts, delaysMs, width, height);
    for (const [at, disc] of discs.entries()) {
      expect(disc.x - disc.radius).toBeGreaterThanOrEqual(0);
      expect(disc.x + disc.radius).toBeLessThanOrEqual(width);
      expect(disc.y - disc.radius).toBeGreaterThanOrEqual(0);
      expect(disc.y + disc.radius).toBeLessThanOrEqual(height);
      for (const other of discs.slice(at + 1)) expect(far(disc, other)).toBeGreaterThan(disc.radius + other.radius);
    }
    expect(places.size).toBe(hosts.length);
    for (const { id, region } of hosts)
      expect(far(places.get(id)!, discs[region]!)).toBeLessThan(discs[region]!.radius);
  });

  it('has servers in the middle, and no two hosts in one place', () => {
    const { hosts } = new MadeUpRun(300, 'ins');
    const { discs, hosts: places, spacing } = layoutOf(hosts, delaysMs, 900, 480);
    for (const { id, kind, region } of hosts) {
      if (kind === 'ins') expect(far(places.get(id)!, discs[region]!)).toBeLessThan(spacing * 2);
    }
    const all = [...places.values()];
    const nearest = all.map((one, at) =>
      Math.min(...all.filter((_, other) => other !== at).map((other) => far(one, other))),
    );
    expect(Math.min(...nearest)).toBeGreaterThan(spacing * 0.5);
  });

  it('takes one region, regions without hosts, and regions that are as good as one', () => {
    const { hosts } = new MadeUpRun(8, 'ins');
    const here = hosts.map((host) => ({ ...host, region: 0 }));
    const same = Array.from({ length: 9 }, () => Array<number>(9).fill(5));
    for (const delays of [[[5]], delaysMs, same]) {
      const { discs, hosts: places } = layoutOf(here, delays, 900, 480);
      const all = [...discs, ...places.values()];
      expect(all.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
    }
  });
});
