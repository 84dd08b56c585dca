import { describe, expect, it } from 'vitest';
import { Alarm } from '../harness/links/buckets/clock.ts';
import { processClock } from '../harness/links/buckets/process-clock.ts';
import { HandClock } from './hand-clock.ts';

describe('an alarm', () => {
  it('rings once at the earliest of its times, and not for those that came before it', () => {
    const clock = new HandClock();
    const startMs = clock.nowMs();
    const rung: number[] = [];
    const alarm = new Alarm(clock, (nowMs) => rung.push(nowMs - startMs));
    for (const inMs of [500, 200, 300, Number.POSITIVE_INFINITY]) alarm.set(startMs + inMs);
    clock.pass(1_000);
    expect(rung).toEqual([200]);
    alarm.set(startMs + 1_500);
    clock.pass(1_000);
    expect(rung).toEqual([200, 1_500]);
  });

  it('reaches farther than clocks do for who sets it again', () => {
    const clock = new HandClock();
    const dueMs = clock.nowMs() + 200_000;
    let rungAtMs: number | undefined;
    const alarm: Alarm = new Alarm(clock, (nowMs) => {
      if (nowMs < dueMs) alarm.set(dueMs);
      else rungAtMs = nowMs;
    });
    alarm.set(dueMs);
    clock.pass(300_000);
    expect(rungAtMs).toBe(dueMs);
  });

  it('rings by the timer of the process, in order, also for what is set while it rings', async () => {
    const startMs = processClock.nowMs();
    const rung: [string, number][] = [];
    await new Promise<void>((resolve) => {
      const last = new Alarm(processClock, (nowMs) => {
        rung.push(['last', nowMs]);
        resolve();
      });
      const first = new Alarm(processClock, (nowMs) => {
        rung.push(['first', nowMs]);
        last.set(startMs + 30);
      });
      new Alarm(processClock, (nowMs) => rung.push(['second', nowMs])).set(startMs + 20);
      first.set(startMs + 10);
    });
    expect(rung.map(([name]) => name)).toEqual(['first', 'second', 'last']);
    // Never early.
    for (const [at, [, nowMs]] of rung.entries()) expect(nowMs - startMs).toBeGreaterThanOrEqual(10 * (at + 1));
  });
});
