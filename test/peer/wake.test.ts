import { describe, expect, it } from 'vitest';
import { Wake } from '../../peer/browser/wake.ts';

/** Looks every half second; `wallMs` and `pageMs` may be moved apart. */
function looks(wake: Wake, from: { pageMs: number; wallMs: number }, times: number, heard: boolean, expects = true) {
  const told: string[] = [];
  for (let i = 0; i < times; i++) {
    from.pageMs += 500;
    from.wallMs += 500;
    if (heard) wake.heard(from.pageMs);
    const why = wake.look({ ...from, expects });
    if (why !== undefined) told.push(why);
  }
  return told;
}

describe('a page that wakes', () => {
  it('dials anew after sleep, whether its clock stood or went on', () => {
    const wake = new Wake();
    const clocks = { pageMs: 0, wallMs: 1_000_000 };
    expect(looks(wake, clocks, 10, true)).toEqual([]);
    clocks.wallMs += 60_000;
    expect(looks(wake, clocks, 10, true)).toEqual(['this machine slept']);
    clocks.wallMs += 60_000;
    clocks.pageMs += 60_000;
    expect(looks(wake, clocks, 10, true)).toEqual(['this machine slept']);
  });

  it('dials anew when nothing comes though it should, more and more rarely until something does', () => {
    const wake = new Wake();
    const clocks = { pageMs: 0, wallMs: 0 };
    looks(wake, clocks, 4, true);
    expect(looks(wake, clocks, 60, false).length).toBe(3);
    looks(wake, clocks, 1, true);
    expect(looks(wake, clocks, 6, false).length).toBe(1);
  });

  it('is content with silence where nothing should come, and with timers that come once a second or a minute', () => {
    const wake = new Wake();
    const clocks = { pageMs: 0, wallMs: 0 };
    looks(wake, clocks, 4, true);
    expect(looks(wake, clocks, 60, false, false)).toEqual([]);
    for (let i = 0; i < 5; i++) {
      clocks.pageMs += 4_000;
      clocks.wallMs += 4_000;
      expect(looks(wake, clocks, 1, false)).toEqual([]);
    }
  });
});
