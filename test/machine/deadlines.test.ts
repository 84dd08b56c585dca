import { describe, expect, test } from 'vitest';
import { Deadlines, earlier } from '../../machine/deadlines.ts';

describe('named deadlines', () => {
  test('the next one is the earliest', () => {
    const deadlines = new Deadlines<'a' | 'b'>();
    expect(deadlines.next()).toBeUndefined();
    deadlines.set('a', 20);
    deadlines.set('b', 10);
    expect(deadlines.next()).toBe(10);
    deadlines.clear('b');
    expect(deadlines.next()).toBe(20);
    expect([deadlines.has('a'), deadlines.has('b')]).toEqual([true, false]);
  });

  test('setting one anew moves it, both ways', () => {
    const deadlines = new Deadlines<'a'>();
    deadlines.set('a', 10);
    deadlines.set('a', 30);
    expect(deadlines.next()).toBe(30);
    deadlines.set('a', 5);
    expect(deadlines.next()).toBe(5);
  });

  test('setEarlier never moves one to later', () => {
    const deadlines = new Deadlines<'a'>();
    deadlines.setEarlier('a', 10);
    deadlines.setEarlier('a', 20);
    expect(deadlines.next()).toBe(10);
    deadlines.setEarlier('a', 5);
    expect(deadlines.next()).toBe(5);
  });

  test('those that have come are taken in the order of their time, each once', () => {
    const deadlines = new Deadlines<'a' | 'b' | 'c'>();
    deadlines.set('c', 31);
    deadlines.set('b', 20);
    deadlines.set('a', 30);
    expect(deadlines.take(19)).toBeUndefined();
    expect(deadlines.take(30)).toBe('b');
    expect(deadlines.take(30)).toBe('a');
    expect(deadlines.take(30)).toBeUndefined();
    expect(deadlines.next()).toBe(31);
  });

  test('the earlier of two, where either may be missing', () => {
    expect([
      earlier(1, 2),
      earlier(2, 1),
      earlier(undefined, 1),
      earlier(1, undefined),
      earlier(undefined, undefined),
    ]).toEqual([1, 1, 1, 1, undefined]);
  });
});
