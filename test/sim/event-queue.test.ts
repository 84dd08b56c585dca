import { describe, expect, it } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import { Alarm, EventQueue } from '../../sim/event-queue.ts';

describe('the event queue', () => {
  it('runs thousands in order of time, and at the same time in the order in which they were planned', () => {
    const prng = new Prng(1);
    const events = new EventQueue(0);
    const planned = Array.from({ length: 5_000 }, (_, order) => ({ atMs: prng.int(0, 500), order }));
    const ran: typeof planned = [];
    for (const one of planned) events.at(one.atMs, () => void ran.push(one));
    expect(events.runUntil(249)).toBe(planned.filter(({ atMs }) => atMs <= 249).length);
    expect(events.nowMs).toBe(249);
    events.runUntil(500);
    expect(ran).toEqual(planned.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order));
  });

  it('what is planned for the past happens now, after what was planned for now', () => {
    const events = new EventQueue(100);
    const ran: string[] = [];
    events.at(150, () => {
      events.at(20, () => ran.push(`late at ${events.nowMs}`));
    });
    events.at(150, () => ran.push('now'));
    events.runUntil(200);
    expect(ran).toEqual(['now', 'late at 150']);
  });
});

describe('an alarm', () => {
  function alarm() {
    const events = new EventQueue(0);
    const rang: number[] = [];
    return { events, rang, alarm: new Alarm(events, { happen: () => void rang.push(events.nowMs) }) };
  }

  it('rings once, at the time that was set last', () => {
    const { events, rang, alarm: one } = alarm();
    for (const atMs of [50, 80, 20, 60]) one.set(atMs);
    events.runUntil(1_000);
    expect(rang).toEqual([60]);
  });

  it('rings anew each time it is set, and not when it was cleared', () => {
    const { events, rang, alarm: one } = alarm();
    one.set(10);
    events.runUntil(15);
    one.set(5);
    events.runUntil(30);
    one.set(40);
    one.clear();
    events.runUntil(50);
    expect(rang).toEqual([10, 15]);
  });
});
