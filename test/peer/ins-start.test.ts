import { describe, expect, it } from 'vitest';
import { insStart } from '../../peer/core/ins-start.ts';
import type { IndexRecord } from '../../protocol/media.ts';
import { Catalogue } from '../../swarm/catalogue.ts';

/** A catalogue of parts 0 to `newest`, of which every fourth is a start. */
function known(newest: number): Catalogue {
  const catalogue = new Catalogue(100);
  for (let part = 0; part <= newest; part++) {
    const record = { track: 0, part, independent: part % 4 === 0, blocks: [] } as unknown as IndexRecord;
    catalogue.addRecord(record, new Uint8Array(1));
  }
  return catalogue;
}

describe('where a viewer begins whom an INS server feeds', () => {
  it('is the newest start that has enough behind it, so that the first late part is no freeze', () => {
    expect(insStart(known(8), 750, 250, 4)).toBe(4);
    expect(insStart(known(9), 750, 250, 4)).toBe(4);
    expect(insStart(known(10), 750, 250, 4)).toBe(8);
  });

  it('counts on what has been made since the last news of it', () => {
    expect(insStart(known(8), 750, 250, 4, 1)).toBe(4);
    expect(insStart(known(8), 750, 250, 4, 2)).toBe(8);
  });

  it('is guessed by the length of segments where no record tells of older starts', () => {
    const catalogue = new Catalogue(100);
    for (let part = 20; part <= 25; part++) {
      const record = { track: 0, part, independent: part % 4 === 0, blocks: [] } as unknown as IndexRecord;
      catalogue.addRecord(record, new Uint8Array(1));
    }
    expect(insStart(catalogue, 2_500, 250, 4)).toBe(16);
  });

  it('is the newest start that is known where none has enough behind it, and nowhere when none is known', () => {
    expect(insStart(known(1), 750, 250, 4)).toBe(0);
    expect(insStart(new Catalogue(100), 750, 250, 4)).toBe(-1);
  });
});
