import { describe, expect, test } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import { type Fed, Feeding } from '../../peer/core/feeding.ts';

const START_MS = 1_000_000;

/** A viewer that plays and whose INS server brings what it should. */
const WELL: Fed = {
  up: true,
  dialledAtMs: START_MS,
  askedAtMs: START_MS + 100,
  brings: true,
  refused: false,
  behindMs: 0,
  started: true,
  inHandMs: 3_000,
};

function fed(seed: string): Feeding {
  const feeding = new Feeding(new Prng(seed));
  feeding.decide(WELL, START_MS + 200, START_MS);
  return feeding;
}

describe('who feeds a hybrid viewer', () => {
  test('its INS server stays, however little is in hand, as long as nothing comes late', () => {
    const feeding = fed('1');
    for (const inHandMs of [0, 200, 1_000]) {
      expect(feeding.decide({ ...WELL, inHandMs, behindMs: 100 }, START_MS + 5_000, START_MS)).toBeUndefined();
    }
    expect(feeding.from).toBe('ins');
  });

  test('its INS server stays, however late it is, as long as much is in hand', () => {
    const feeding = fed('1');
    expect(feeding.decide({ ...WELL, inHandMs: 4_000, behindMs: 2_000 }, START_MS + 5_000, START_MS)).toBeUndefined();
  });

  test('a crowd leaves a server that falls behind one by one', () => {
    const crowd = Array.from({ length: 60 }, (_, at) => fed(`${at}`));
    const left = (behindMs: number, nowMs: number): number => {
      const state = { ...WELL, inHandMs: 3_000 - behindMs, behindMs };
      for (const each of crowd) if (each.from === 'ins') each.decide(state, nowMs, START_MS);
      return crowd.filter(({ from }) => from === 'native').length;
    };
    expect(left(500, START_MS + 5_000)).toBe(0);
    const some = left(1_500, START_MS + 6_000);
    expect(some).toBeGreaterThan(10);
    expect(some).toBeLessThan(50);
    expect(left(2_500, START_MS + 7_000)).toBe(60);
  });

  test('a server without room is left at once, and asked again at another time by each, later each time', () => {
    const times = Array.from({ length: 20 }, (_, at) => {
      const feeding = new Feeding(new Prng(`${at}`));
      const againAtMs = feeding.refusedAtMs(false, START_MS);
      const refused = { ...WELL, askedAtMs: undefined, brings: false, refused: true, started: false, inHandMs: 0 };
      expect(feeding.decide(refused, START_MS + 1, START_MS)).toBe('the INS server is busy');
      expect(feeding.mayAskAtMs(START_MS + 10)).toBe(againAtMs);
      const then = feeding.refusedAtMs(false, againAtMs) - againAtMs;
      expect(then).toBeGreaterThan(16_000 - 1);
      return againAtMs - START_MS;
    });
    expect(Math.min(...times)).toBeGreaterThanOrEqual(8_000);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(4_000);
  });

  test('it goes back when the server has brought something, not when it is merely there', () => {
    const feeding = fed('1');
    const gone = { ...WELL, up: false, askedAtMs: undefined, brings: false };
    feeding.decide(gone, START_MS + 5_000, START_MS);
    expect(feeding.decide(gone, START_MS + 6_000, START_MS)).toBe('the INS server is gone');
    const there = { ...WELL, askedAtMs: START_MS + 9_000, brings: false };
    expect(feeding.decide(there, START_MS + 9_500, START_MS)).toBeUndefined();
    expect(feeding.isVain(there, 250, START_MS + 9_500)).toBe(false);
    expect(feeding.isVain(there, 250, START_MS + 11_000)).toBe(true);
    expect(feeding.decide({ ...there, brings: true }, START_MS + 9_600, START_MS)).toBe('the INS server is back');
    expect(feeding.from).toBe('ins');
  });

  test('a server that is lost is waited for a moment, less with little in hand: another one may be there', () => {
    const gone = { ...WELL, up: false, askedAtMs: undefined, brings: false };
    const rich = fed('1');
    expect(rich.decide(gone, START_MS + 5_000, START_MS)).toBeUndefined();
    expect(rich.decide(WELL, START_MS + 5_300, START_MS)).toBeUndefined();
    expect(rich.from).toBe('ins');
    expect(fed('2').decide({ ...gone, inHandMs: 300 }, START_MS + 5_000, START_MS)).toBe('the INS server is gone');
  });

  test('who comes back to a server that was gone does not do so with all others at once', () => {
    const times = Array.from({ length: 30 }, (_, at) => {
      const feeding = fed(`${at}`);
      const gone = { ...WELL, up: false, askedAtMs: undefined, brings: false, inHandMs: 300 };
      feeding.decide(gone, START_MS + 5_000, START_MS);
      return feeding.mayAskAtMs(START_MS + 20_000) - START_MS - 20_000;
    });
    expect(Math.min(...times)).toBeGreaterThan(0);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(2_000);
  });

  test('after an outage who is refused by one server asks the next soon, and stays away when none has room', () => {
    const feeding = fed('1');
    const gone = { ...WELL, up: false, askedAtMs: undefined, brings: false };
    expect(feeding.refusedAtMs(true, START_MS + 5_000) - START_MS).toBeGreaterThan(13_000);
    for (let atMs = 20_000; atMs <= 30_000; atMs += 500) feeding.decide(gone, START_MS + atMs, START_MS);
    const backAtMs = START_MS + 31_000;
    expect(feeding.refusedAtMs(true, backAtMs)).toBeLessThanOrEqual(backAtMs + 2_000);
    expect(feeding.refusedAtMs(false, backAtMs)).toBeGreaterThan(backAtMs + 8_000);
    // And long after it as ever.
    expect(feeding.refusedAtMs(true, backAtMs + 20_000)).toBeGreaterThan(backAtMs + 28_000);
  });
});
