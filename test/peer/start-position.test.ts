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

describe('where a viewer begins whom neighbours feed', () => {
  it('takes the newest start from which enough neighbours hold a run', () => {
    const { start } = viewer([span(40, 82), span(40, 78), span(40, 78), span(40, 79), span(40, 78), span(40, 86)]);
    expect(start.choose(0, 4, 0)).toBe(72);
  });

  it('takes what the most hold when nothing is held by enough', () => {
    expect(viewer([span(60, 82), span(40, 50)]).start.choose(0, 4, 0)).toBe(76);
  });

  it('takes nothing from those who give nothing or have nothing', () => {
    expect(viewer([span(40, 90)], false).start.choose(0, 4, 0)).toBe(-1);
    expect(viewer([[], []]).start.choose(0, 4, 0)).toBe(-1);
  });

  it('stays with its choice while somebody holds it, and chooses anew when that leads nowhere', () => {
    const { start, neighbours } = viewer([span(40, 82), span(40, 82)]);
    expect(start.choose(0, 4, 0)).toBe(76);
    for (const { availability } of neighbours.all()) availability.replace([bitmapOf(0, span(60, 96))]);
    expect(start.choose(0, 4, 1_000)).toBe(76);
    expect(start.choose(0, 4, 5_000)).toBe(88);
  });
});
