import type { DriveClock } from '../drive.ts';

/** Whole Unix ms that never go back: the wall clock once, when the page was opened, and counted on from there. */
export function nowMs(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}

/** The clock of all machines in this page. In a hidden page timers come late, by a second and more. */
export const browserClock: DriveClock = {
  nowMs,
  setTimer: (fire, delayMs) => window.setTimeout(fire, delayMs),
  clearTimer: (timer) => window.clearTimeout(timer as number),
};
