import type { DriveClock } from '../drive.ts';

/** Whole Unix ms that never go back: the wall clock once, at the start of the process, and counted on from there. */
export function nowMs(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}

/** The clock of all machines in this process. */
export const nodeClock: DriveClock = {
  nowMs,
  setTimer: (fire, delayMs) => setTimeout(fire, delayMs),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
