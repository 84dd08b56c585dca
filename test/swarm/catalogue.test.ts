import { describe, expect, it } from 'vitest';
import { bitmapHas, bitmapParts } from '../../protocol/bitmap.ts';
import { nameOfHash } from '../../protocol/names.ts';
import { Catalogue } from '../../swarm/catalogue.ts';

function record(track: number, part: number, blocks = 1) {
  const entries = Array.from({ length: blocks }, (_, index) => ({
    name: nameOfHash(new Uint8Array(32).fill(index)),
    sizeBytes: 10,
  }));
  const times = { timeUs: part * 250_000, durationUs: 250_000, capturedAtMs: part * 250 };
  const place = { segment: part >> 2, indexInSegment: part & 3, independent: (part & 3) === 0, discontinuity: false };
  return { track, part, revision: 1, ...place, ...times, blocks: entries, previous: new Uint8Array(32) };
}

const SEALED = new Uint8Array(1);
const BODY = { byteLength: 10 };

describe('catalogue', () => {
  it('a part is whole with its last block, and then in the bitmap', () => {
    const catalogue = new Catalogue(16);
    const entry = catalogue.addRecord(record(0, 100, 2), SEALED)!;
    expect(catalogue.addBlock(entry, 1, BODY)).toBe(true);
    expect(catalogue.addBlock(entry, 1, BODY)).toBe(false);
    expect(catalogue.holds(0, 100)).toBe(false);
    expect([...bitmapParts(catalogue.availability([0])[0]!)]).toEqual([]);
    catalogue.addBlock(entry, 0, BODY);
    expect(catalogue.holds(0, 100)).toBe(true);
    expect(bitmapHas(catalogue.availability([0])[0]!, 100)).toBe(true);
  });

  it('holds all tracks only when each is whole', () => {
    const catalogue = new Catalogue(16);
    catalogue.addBlock(catalogue.addRecord(record(0, 100), SEALED)!, 0, BODY);
    catalogue.addRecord(record(1, 100), SEALED);
    expect(catalogue.holdsAll([0], 100)).toBe(true);
    expect(catalogue.holdsAll([0, 1], 100)).toBe(false);
  });

  it('keeps the newest window, wherever in the stream it begins', () => {
    const catalogue = new Catalogue(16);
    const far = 240_000_000;
    for (let part = far; part < far + 40; part++) catalogue.addRecord(record(0, part), SEALED);
    expect(catalogue.get(0, far + 23)).toBeUndefined();
    expect(catalogue.get(0, far + 24)).toBeDefined();
    expect(catalogue.oldestPart).toBe(far + 24);
    expect(catalogue.addRecord(record(0, far + 3), SEALED)).toBeUndefined();
    // After a jump of the numbers, too.
    catalogue.addRecord(record(0, far + 1_000), SEALED);
    expect(catalogue.get(0, far + 39)).toBeUndefined();
    expect(catalogue.newest).toBe(far + 1_000);
  });

  it('the first record for a part of a track stays', () => {
    const catalogue = new Catalogue(16);
    const first = catalogue.addRecord(record(0, 5), SEALED);
    expect(catalogue.addRecord(record(0, 5, 3), SEALED)).toBe(first);
  });

  it('gives the records since a part, oldest first', () => {
    const catalogue = new Catalogue(16);
    for (const part of [4, 6, 5]) catalogue.addRecord(record(0, part), Uint8Array.of(part));
    expect(catalogue.recordsSince(5)).toEqual([Uint8Array.of(5), Uint8Array.of(6)]);
    expect(catalogue.newestIndependent).toBe(4);
  });
});
