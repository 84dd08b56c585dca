import { describe, expect, test } from 'vitest';
import { Queue, unreachable } from '../../machine/machine.ts';

describe('the queue', () => {
  test('first in, first out', () => {
    const queue = new Queue<number>();
    expect([queue.length, queue.shift()]).toEqual([0, undefined]);
    queue.push(1);
    queue.push(2);
    expect([queue.length, queue.shift(), queue.length, queue.shift(), queue.length]).toEqual([2, 1, 1, 2, 0]);
    expect(queue.shift()).toBeUndefined();
  });

  test('keeps order and length over many pushes and shifts in any mix', () => {
    const queue = new Queue<number>();
    let pushed = 0;
    let shifted = 0;
    for (let round = 0; round < 400; round++) {
      for (let more = 0; more < (round * 7) % 23; more++) queue.push(pushed++);
      for (let less = 0; less < (round * 5) % 21 && shifted < pushed; less++) expect(queue.shift()).toBe(shifted++);
      expect(queue.length).toBe(pushed - shifted);
    }
    for (; shifted < pushed; shifted++) expect(queue.shift()).toBe(shifted);
    expect(queue.length).toBe(0);
  });

  test('a queue that never runs empty lets go of what was taken', () => {
    const queue = new Queue<number>();
    for (let at = 0; at < 10_000; at++) queue.push(at);
    for (let at = 0; at < 9_000; at++) queue.shift();
    const held = (queue as unknown as { items: unknown[] }).items.length;
    expect(held).toBeLessThan(5_000);
    expect([queue.length, queue.shift()]).toEqual([1_000, 9_000]);
  });

  test('an item may be undefined', () => {
    const queue = new Queue<number | undefined>();
    queue.push(undefined);
    queue.push(7);
    expect([queue.shift(), queue.length, queue.shift()]).toEqual([undefined, 1, 7]);
  });
});

test('what cannot be says what it was', () => {
  expect(() => unreachable({ kind: 'odd' } as never)).toThrow('unexpected {"kind":"odd"}');
});
