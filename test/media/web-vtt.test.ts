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

  it('keeps what a cue says behind a blank line, which ends no cue of ffmpeg’s', () => {
    const text = `${HEAD}00:01.000 --> 00:02.000\nOne\n\nTwo\n\n00:02.000 --> 00:03.000\n\nLow\n`;
    expect(new VttReader().push(text)).toEqual([
      { fromMs: 1_000, toMs: 2_000, lines: ['One', 'Two'] },
      { fromMs: 2_000, toMs: 3_000, lines: ['Low'] },
    ]);
  });

  it('reads the same words whatever pieces they come in, with any ends of lines', () => {
    const text = `${HEAD}00:01.000 --> 00:02.000\nOne\n\nTwo\n\n00:02.000 --> 00:03.000\nThree\n`.replaceAll(
      '\n',
      '\r\n',
    );
    for (let at = 0; at <= text.length; at++) {
      const reader = new VttReader();
      const cues = [...reader.push(text.slice(0, at)), ...reader.push(text.slice(at))];
      expect(cues.flatMap(({ fromMs, lines }) => lines.map((line) => `${fromMs} ${line}`))).toEqual([
        '1000 One',
        '1000 Two',
        '2000 Three',
      ]);
    }
  });

  it('takes no more lines of a cue that comes in pieces', () => {
    const reader = new VttReader();
    reader.push(`${HEAD}00:01.000 --> 00:02.000\n`);
    const pieces = Array.from({ length: 20 }, () => reader.push('a line\n'));
    expect(pieces.flat().flatMap(({ lines }) => lines)).toHaveLength(8);
  });

  it('knows no other entities than those of WebVTT, whatever objects have', () => {
    expect(linesOf('&constructor; &toString; &lt;&#39;&gt;')).toEqual(['&constructor; &toString; <&#39;>']);
    expect(linesOf('&rlm;שלום&lrm; a&nbsp;b')).toEqual(['\u200fשלום\u200e a\u00a0b']);
  });

  it('shows nothing of what ASS draws, and its hard spaces as spaces', () => {
    expect(linesOf('m 0 0 l 100 0 100 -100.5 0 100\nm 12 to 14\nhard\\hspace')).toEqual([
      'm 12 to 14',
      'hard\u00a0space',
    ]);
  });

  it('goes through a line of any length once', () => {
    // A search for tags that begins anew at each sign takes a number of steps by the square of the length.
    const long = '<'.repeat(1 << 18);
    const before = performance.now();
    expect(linesOf(`${long}\n${long}`)).toHaveLength(2);
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});

function linesOf(words: string): readonly string[] {
  return new VttReader().push(`${HEAD}00:01.000 --> 00:02.000\n${words}\n`).flatMap(({ lines }) => lines);
}
