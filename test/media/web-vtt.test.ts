import { describe, expect, it } from 'vitest';
import { VttReader } from '../../source-server/core/media/web-vtt.ts';

const HEAD = 'WEBVTT\n\n';

describe('WebVTT while it is being written', () => {
  it('tells a cue with the bytes that its words come in, before the next one ends it', () => {
    const reader = new VttReader();
    expect(reader.push(`${HEAD}00:11.000 --> 00:12.500\n`)).toEqual([]);
    expect(reader.push('Hello\nagain\n')).toEqual([{ fromMs: 11_000, toMs: 12_500, lines: ['Hello', 'again'] }]);
    expect(reader.push('\n01:02:13.250 --> 01:02:14.000 line:0\nNext\n\n')).toEqual([
      { fromMs: 3_733_250, toMs: 3_734_000, lines: ['Next'] },
    ]);
  });

  it('tells what comes in two pieces as two cues at the same times', () => {
    const reader = new VttReader();
    expect(reader.push(`${HEAD}00:01.000 --> 00:02.000\nOne\nTw`).map(({ lines }) => lines)).toEqual([['One']]);
    expect(reader.push('o\n')).toEqual([{ fromMs: 1_000, toMs: 2_000, lines: ['Two'] }]);
  });

  it('leaves out markup, notes and cues that end before they begin', () => {
    const reader = new VttReader();
    const text = `${HEAD}NOTE not shown\n\n7\n00:01.000 --> 00:02.000\n<v Ann><b>Fish</b> &amp; chips\n\n00:03.000 --> 00:02.000\nGone\n\n`;
    expect(reader.push(text)).toEqual([{ fromMs: 1_000, toMs: 2_000, lines: ['Fish & chips'] }]);
  });

  it('holds no more of a cue than anybody reads', () => {
    const long = `${'x'.repeat(10_000)}\n`.repeat(100);
    const [cue] = new VttReader().push(`${HEAD}00:01.000 --> 00:02.000\n${long}`);
    expect(cue!.lines).toHaveLength(8);
    expect(cue!.lines.every((line) => line.length === 500)).toBe(true);
  });
});
