import { describe, expect, it } from 'vitest';
import { partBytes } from '../../scenarios/plan/scenario.ts';
import { scenarioNamed } from '../../scenarios/plan/scenarios.ts';
import { columnsOf, furtherOptionsOf, optionsOf, scenarioOf, USUAL_COLUMNS } from '../../sim/columns.ts';
import { Simulation } from '../../sim/simulation.ts';

const SCENARIO = scenarioNamed('flash-crowd')!;
const COLUMNS = columnsOf(SCENARIO);
const RUN = { scenario: SCENARIO, peers: 40, seed: 3, seconds: 10 };

describe('the columns of a comparison', () => {
  it('have the same viewers at the same times in the same places, and the same supply to the byte', () => {
    const seen = COLUMNS.map((column) => {
      const simulation = new Simulation(optionsOf(column, RUN));
      const { sourceBps, insBps, peersBps } = simulation.plan.sharedOut;
      return [column.key, simulation.plan.visits, sourceBps + insBps + peersBps, sourceBps];
    });
    for (const [key, visits, supply, source] of seen) {
      expect([key, visits, supply, source]).toEqual([key, seen[0]![1], seen[0]![2], seen[0]![3]]);
    }
    expect(seen[0]![2]).toBe(1.5 * 40 * SCENARIO.stream.bps);
  });

  it('are native, INS, and INS as the drafts have it where nobody says otherwise', () => {
    expect(USUAL_COLUMNS.map((key) => COLUMNS.find((column) => column.key === key)!.mode)).toEqual([
      'native',
      'ins',
      'ins',
    ]);
    expect(COLUMNS.find(({ key }) => key === 'ins-drafts')!.changes).toEqual({ follow: false });
  });

  it('each have another name, and vary a column that there is', () => {
    expect(new Set(COLUMNS.map(({ key }) => key)).size).toBe(COLUMNS.length);
    for (const { base } of COLUMNS) expect(COLUMNS.some(({ key }) => base === null || key === base)).toBe(true);
  });

  it('are told to the command that replays a run', () => {
    const more = (key: string) => furtherOptionsOf(COLUMNS.find((column) => column.key === key)!);
    expect(more('blocks-256k')).toEqual({ 'no-follow': true, 'block-size': 262_144, part: 2_000 });
    expect(more('no-range-tokens')).toEqual({ 'no-follow': true, 'no-range-tokens': true });
    expect(more('no-batches')).toEqual({ 'no-follow': true, 'no-batches': true });
    expect(more('connections-4')).toEqual({ 'no-follow': true, 'ins-connections': 4 });
    expect(more('cut-through')).toEqual({ 'no-follow': true, 'cut-through': true });
    expect(furtherOptionsOf(COLUMNS[0]!)).toEqual({});
  });
});

describe('large blocks', () => {
  it('come in parts that last as long as the stream takes to fill one', () => {
    const parts = COLUMNS.filter(({ key }) => key.startsWith('blocks-')).map((column) => {
      const { stream } = scenarioOf(column, SCENARIO);
      const { video, audio } = partBytes(stream, 0);
      return [
        column.changes.blockBytes,
        stream.partMs,
        stream.partsPerSegment,
        video + audio > column.changes.blockBytes! * 0.8,
      ];
    });
    expect(parts).toEqual([
      [16_384, 250, 4, true],
      [65_536, 500, 2, true],
      [262_144, 2_000, 1, true],
      [1_048_576, 8_500, 1, true],
    ]);
  });

  it('are cut so: a key frame’s part of 66 kB is five blocks of 16 KiB, and one in a part that fits it', () => {
    const blocksOf = (key: string) => {
      const column = COLUMNS.find((candidate) => candidate.key === key)!;
      const simulation = new Simulation(optionsOf(column, { ...RUN, peers: 1, seconds: 12 }));
      simulation.run();
      return [...simulation.source.parts]
        .filter(([id]) => id.startsWith('0:'))
        .map(([, content]) => content.split(',').length);
    };
    expect(blocksOf('blocks-16k').slice(0, 4)).toEqual([5, 2, 2, 2]);
    expect(new Set(blocksOf('blocks-256k'))).toEqual(new Set([1]));
  });
});
