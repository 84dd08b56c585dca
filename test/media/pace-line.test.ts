import { describe, expect, it } from 'vitest';
import { PaceLine } from '../../source-server/core/media/pace-line.ts';
import { Targets } from '../../source-server/core/media/targets.ts';

function laid(live: boolean): PaceLine {
  const line = new PaceLine(live);
  line.lay(5_000_000, 100_000);
  return line;
}

describe("the line between the stream's time and the clock", () => {
  it('goes through its first moment and back again', () => {
    const line = laid(true);
    expect(line.wallMsAt(6_500_000)).toBe(101_500);
    expect(line.timeUsAt(101_500)).toBe(6_500_000);
  });

  it('does not move for a hiccup', () => {
    const line = laid(true);
    for (let ms = 0; ms < 30_000; ms += 100)
      line.note(5_000_000 + ms * 1000, 100_000 + ms + (ms % 3000 === 0 ? 900 : 0));
    expect(line.wallMsAt(5_000_000)).toBe(100_000);
  });

  it('moves by what all of ten seconds were late', () => {
    const line = laid(true);
    let movedMs = 0;
    for (let ms = 0; ms < 12_000; ms += 100)
      movedMs += line.note(5_000_000 + ms * 1000, 100_000 + ms + 700 + (ms % 7) * 10);
    expect(movedMs).toBe(700);
    expect(line.wallMsAt(5_000_000)).toBe(100_700);
  });

  it('goes back, a second at a time, when a live input has made up for what held it up', () => {
    const line = laid(true);
    const play = (fromMs: number, toMs: number, lateMs: number): void => {
      for (let ms = fromMs; ms < toMs; ms += 100) line.note(5_000_000 + ms * 1000, 100_000 + ms + lateMs);
    };
    play(0, 12_000, 2_500);
    expect(line.wallMsAt(5_000_000)).toBe(102_500);
    const places = [24_000, 35_000, 46_000, 90_000].map((ms, at, all) => {
      play(at === 0 ? 12_000 : all[at - 1]!, ms, 0);
      return line.wallMsAt(5_000_000);
    });
    expect(places).toEqual([102_500, 101_500, 100_500, 100_000]);
  });

  it('lets a far clock that runs a little fast gain, but not a file that is read ahead', () => {
    for (const [live, movesMs] of [
      [true, -2],
      [false, 0],
    ] as const) {
      const line = laid(live);
      let movedMs = 0;
      for (let ms = 0; ms <= 10_000; ms += 100) movedMs += line.note(5_000_000 + ms * 1000, 100_000 + ms - 500);
      expect(movedMs + 0).toBe(movedMs === 0 ? 0 : movesMs);
      for (let ms = 10_100; ms <= 11_000; ms += 100) movedMs += line.note(5_000_000 + ms * 1000, 100_000 + ms - 500);
      expect(movedMs).toBe(movesMs);
    }
  });
});

describe('targets', () => {
  const part = (segment: number, timeUs: number, durationUs: number) => ({
    ...{ part: 0, segment, indexInSegment: 0, independent: true, discontinuity: false, capturedAtMs: 0 },
    tracks: [{ track: 0, timeUs, durationUs, bytes: new Uint8Array(1) }],
  });

  it('stay as promised while parts keep to them', () => {
    const targets = new Targets(266.667, 1000.0001);
    expect(targets).toMatchObject({ partMs: 267, segmentMs: 1000 });
    for (let i = 0; i < 8; i++) expect(targets.note(part(Math.floor(i / 4), i * 250_000, 250_000))).toBe(false);
  });

  it('are raised in steps when a part or a segment is longer, once for each step', () => {
    const targets = new Targets(250, 1000);
    const raised = Array.from({ length: 12 }, (_, i) => targets.note(part(0, i * 250_000, 250_000)));
    expect(raised.flatMap((up, i) => (up ? [i] : []))).toEqual([4, 8]);
    expect(targets.segmentMs).toBe(3000);
    expect(targets.note(part(1, 3_000_000, 310_000))).toBe(true);
    expect(targets.partMs).toBe(400);
  });
});
