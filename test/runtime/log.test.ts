import { describe, expect, it } from 'vitest';
import { createLog } from '../../runtime/log.ts';

describe('a log', () => {
  const lines: string[] = [];
  const make = (more: { json?: boolean; level?: 'warn' } = {}): ReturnType<typeof createLog> => {
    lines.length = 0;
    return createLog({ write: (line) => lines.push(line), nowMs: () => 1_800_000_043_007, ...more });
  };

  it('writes time, level, part, words and fields', () => {
    make().child('ins', { link: 4 }).warn('slow reader', { bytes: 10, why: 'took nothing', none: undefined });
    expect(lines).toEqual(['08:00:43.007 warn  ins: slow reader  link=4  bytes=10  why="took nothing"']);
  });

  it('writes what strangers sent so that it can forge no line', () => {
    make().info('refused', { why: 'a\nb\u001b[2J' });
    expect(lines[0]).not.toContain('\n');
    expect(lines[0]).not.toContain('\u001b');
  });

  it('writes objects for machines, and nothing below its level', () => {
    const log = make({ json: true, level: 'warn' });
    log.info('quiet');
    log.child('a').child('b').error('loud', { n: 1 });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { atMs: 1_800_000_043_007, level: 'error', part: 'a.b', text: 'loud', n: 1 },
    ]);
  });
});
