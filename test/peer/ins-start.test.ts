import { describe, expect, it } from 'vitest';
import { Queue } from '../../machine/machine.ts';
import { Player } from '../../machine/player.ts';
import { Evaluation } from '../../peer/core/evaluate.ts';
import type { InsFeed } from '../../peer/core/ins-feed.ts';
import type { InsFollow } from '../../peer/core/ins-follow.ts';
import { insStart } from '../../peer/core/ins-start.ts';
import type { Intake } from '../../peer/core/intake.ts';
import { Lockers } from '../../peer/core/lockers.ts';
import { Playhead } from '../../peer/core/playhead.ts';
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

  it('may be one of which there is no news yet, where all that are known are a segment apart', () => {
    const odd = { track: 0, part: 14, independent: true, blocks: [] } as unknown as IndexRecord;
    const late = known(7);
    expect(insStart(late, 750, 250, 4, 3)).toBe(8);
    expect(insStart(known(7), 750, 250, 4, 2)).toBe(4);
    for (let part = 8; part <= 9; part++) late.addRecord({ ...odd, part, independent: false }, new Uint8Array(1));
    expect(insStart(late, 750, 250, 4, 6)).toBe(4);
    // Not before that has been seen of a whole segment, nor where it was not so.
    expect(insStart(known(3), 500, 250, 4, 4)).toBe(0);
    const catalogue = known(15);
    catalogue.addRecord({ ...odd, track: 1 }, new Uint8Array(1));
    expect(insStart(catalogue, 750, 250, 4, 4)).toBe(14);
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

it('who presses play a while after the last news begins where those begin who hear all, no longer after it than news may take', () => {
  const from = (newest: number, sinceMs: number, beginWithMs?: number): number => {
    const follow: Partial<InsFollow> = {};
    const ins = { follow, follows: true } as unknown as InsFeed;
    const playhead = new Playhead(new Player());
    const evaluation = new Evaluation(
      'ins',
      known(newest),
      {} as Intake,
      ins,
      new Lockers(),
      playhead,
      new Queue(),
      beginWithMs,
    );
    evaluation.recorded(5_000);
    return follow.from!(5_000 + sinceMs);
  };
  expect([from(8, 0), from(8, 499), from(8, 500)]).toEqual([4, 4, 8]);
  expect([from(8, 1_000, 1_250), from(8, 60_000, 1_250), from(8, 60_000, 1_500)]).toEqual([8, 8, 4]);
});
