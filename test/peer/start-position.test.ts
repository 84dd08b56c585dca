import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { StartPosition } from '../../peer/core/start-position.ts';
import { bitmapOf } from '../../protocol/bitmap.ts';
import { Catalogue } from '../../swarm/catalogue.ts';
import { Neighbours } from '../../swarm/neighbours.ts';

const STREAM = new Uint8Array(32);
const key = (fill: number) => new Uint8Array(32).fill(fill);
const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** A viewer who knows the record of part 80, where a decoder can begin, and neighbours that hold what is given. */
function viewer(held: readonly (readonly number[])[], gives = true) {
  const neighbours = new Neighbours(
    { stream: STREAM, key: key(99), mode: 'native', source: false, gives: true, url: null },
    24,
    new Queue(),
  );
  for (const [at, parts] of held.entries()) {
    neighbours.opened(at + 1, true, 0);
    const introduction = { version: 1, stream: STREAM, key: key(at), mode: 'native', source: false, gives } as const;
    neighbours.hello(at + 1, { type: 'hello', ...introduction, url: null });
    neighbours.get(at + 1)!.availability.replace([bitmapOf(0, parts)]);
  }
  const catalogue = new Catalogue(240);
  const record = {
    track: 0,
    part: 80,
    revision: 1,
    segment: 20,
    indexInSegment: 0,
    independent: true,
    discontinuity: false,
    timeUs: 0,
    durationUs: 250_000,
    capturedAtMs: 0,
    blocks: [],
    previous: new Uint8Array(32),
  };
  catalogue.addRecord(record, new Uint8Array(1));
  return { start: new StartPosition(catalogue, neighbours), neighbours };
}

/** What is chosen once those few neighbours have been waited for long enough. */
function chosen(held: readonly (readonly number[])[]): number {
  const { start } = viewer(held);
  start.choose(0, 4, 250, 0);
  return start.choose(0, 4, 250, 300);
}

describe('where a viewer begins whom neighbours feed', () => {
  it('takes the newest start from which two neighbours hold each part of a run', () => {
    const { start } = viewer([span(40, 82), span(40, 78), span(40, 78), span(40, 79), span(40, 78), span(40, 86)]);
    expect(start.choose(0, 4, 250, 0)).toBe(72);
    // Not one of them need hold all of it.
    expect(chosen([span(68, 75), span(68, 75), span(76, 79), span(76, 79)])).toBe(72);
  });

  it('takes what the most hold when nothing is held by two', () => {
    expect(chosen([span(60, 82), span(40, 50)])).toBe(72);
  });

  it('takes a start with less behind it while nobody holds two seconds from any', () => {
    expect(chosen([span(78, 83), span(78, 83)])).toBe(80);
  });

  it('takes nothing from those who give nothing or have nothing', () => {
    expect(viewer([span(40, 90)], false).start.choose(0, 4, 250, 0)).toBe(-1);
    expect(chosen([[], []])).toBe(-1);
  });

  it('waits a moment for more than the first few, who may have come just before', () => {
    const { start } = viewer([span(40, 82), span(40, 82)]);
    expect([0, 299, 300].map((atMs) => start.choose(0, 4, 250, atMs))).toEqual([-1, -1, 72]);
    const many = viewer(Array.from({ length: 5 }, () => span(40, 82))).start;
    expect(many.choose(0, 4, 250, 0)).toBe(72);
  });

  it('stays with its choice while somebody holds it, and chooses anew when that leads nowhere', () => {
    const { start, neighbours } = viewer(Array.from({ length: 5 }, () => span(40, 82)));
    expect(start.choose(0, 4, 250, 0)).toBe(72);
    for (const { availability } of neighbours.all()) availability.replace([bitmapOf(0, span(60, 96))]);
    expect(start.choose(0, 4, 250, 1_000)).toBe(72);
    expect(start.choose(0, 4, 250, 5_000)).toBe(88);
  });
});
