import { describe, expect, it } from 'vitest';
import { DelayLine, type Parcel } from '../harness/links/relay/delay-line.ts';
import { REACH_MS, type Sleeper, Wheel } from '../harness/links/relay/wheel.ts';
import { resentAfterMs } from '../harness/links/relay/wire.ts';

interface Letter extends Parcel {
  readonly text: string;
}

function letter(text: string, sentMs: number): Letter {
  return { text, sentMs, sizeBytes: text.length };
}

/** All that is there by now. */
function take(line: DelayLine<Letter>, nowMs: number): string {
  let text = '';
  for (let next = line.take(nowMs); next !== undefined; next = line.take(nowMs)) text += next.text;
  return text;
}

describe('a delay line', () => {
  it('gives each thing the delay after it was sent, in the order in which it was sent', () => {
    const line = new DelayLine<Letter>(40);
    line.openMs = 0;
    line.push(letter('a', 100));
    line.push(letter('b', 100.5));
    line.push(letter('c', 130));
    expect(line.nextMs).toBe(140);
    expect(take(line, 139.9)).toBe('');
    expect(take(line, 140.5)).toBe('ab');
    expect(take(line, 169)).toBe('');
    expect(take(line, 170)).toBe('c');
    expect(line.nextMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('lets what was sent before the connection was open leave when it is', () => {
    const line = new DelayLine<Letter>(40);
    line.push(letter('early', 100));
    expect(take(line, 10_000)).toBe('');
    line.openMs = 180;
    line.push(letter('late', 190));
    expect(take(line, 219)).toBe('');
    expect(take(line, 220)).toBe('early');
    expect(take(line, 230)).toBe('late');
  });

  it('knows the bytes that wait, and forgets them when it is cleared', () => {
    const line = new DelayLine<Letter>(1);
    line.openMs = 0;
    line.push(letter('abc', 0));
    line.push(letter('de', 0));
    expect(line.bytes).toBe(5);
    line.take(1);
    expect(line.bytes).toBe(2);
    line.clear();
    expect([line.bytes, line.isEmpty, line.nextMs]).toEqual([0, true, Number.POSITIVE_INFINITY]);
  });
});

describe('the wheel', () => {
  class Note implements Sleeper {
    readonly wokenMs: number[] = [];
    wake(nowMs: number): void {
      this.wokenMs.push(nowMs);
    }
  }

  it('wakes everybody once, at the first turn at their time or later, and never before', () => {
    const wheel = new Wheel(1_000.4);
    const notes = [1_001, 1_005.2, 1_005.3, 1_060, 1_000.4 + REACH_MS - 2].map((atMs) => ({ atMs, note: new Note() }));
    for (const { atMs, note } of notes) wheel.plan(note, atMs, 1_000.4);
    for (let turns = 0; wheel.nextMs < Number.POSITIVE_INFINITY && turns < 10; turns++) wheel.turn(wheel.nextMs);
    for (const { atMs, note } of notes) {
      expect(note.wokenMs).toHaveLength(1);
      expect(note.wokenMs[0]! - atMs).toBeGreaterThanOrEqual(0);
      expect(note.wokenMs[0]! - atMs).toBeLessThanOrEqual(0.25);
    }
  });

  it('wakes whoever is late with the others, in the order of their times', () => {
    const wheel = new Wheel(0);
    const order: number[] = [];
    for (const atMs of [30, 10, 20]) wheel.plan({ wake: () => order.push(atMs) }, atMs, 0);
    wheel.turn(500);
    expect(order).toEqual([10, 20, 30]);
  });

  it('lets whoever is woken sleep again, and goes on after a long rest', () => {
    const wheel = new Wheel(0);
    const wokenMs: number[] = [];
    const sleeper: Sleeper = {
      wake(nowMs) {
        wokenMs.push(nowMs);
        if (wokenMs.length < 3) wheel.plan(this, nowMs, nowMs);
      },
    };
    wheel.plan(sleeper, 5, 0);
    for (let turns = 0; turns < 3; turns++) wheel.turn(wheel.nextMs);
    expect(wokenMs).toEqual([5, 5.25, 5.5]);
    const muchLaterMs = 10 * REACH_MS;
    wheel.plan(sleeper, muchLaterMs + 7, muchLaterMs);
    expect(wheel.nextMs).toBe(muchLaterMs + 7);
  });

  it('refuses what is beyond its reach, rather than wake it too early', () => {
    expect(() => new Wheel(0).plan(new Note(), REACH_MS + 1, 0)).toThrow(RangeError);
  });
});

describe('after a partition', () => {
  it('what was lost comes when TCP tries again: after 0.2 s, 0.6 s, 1.4 s and so on', () => {
    expect([0, 200, 201, 600, 1_000, 1_400, 20_000].map(resentAfterMs)).toEqual([
      200, 200, 600, 600, 1_400, 1_400, 25_400,
    ]);
  });
});
