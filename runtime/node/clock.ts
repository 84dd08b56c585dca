import type { DriveClock } from '../drive.ts';

/** Whole Unix ms that never go back: the wall clock once, at the start of the process, and counted on from there. */
export function nowMs(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}

/**
 * The clock of all machines in this process. What is wanted at once comes after one round of the event loop, in which sockets
 * are read and written; a timer of the platform would wait a millisecond.
 */
export const nodeClock: DriveClock = {
  nowMs,
  setTimer(fire, delayMs) {
    if (delayMs > 0) {
      const timer = setTimeout(fire, delayMs);
      return () => clearTimeout(timer);
    }
    const turn = setImmediate(fire);
    return () => clearImmediate(turn);
  },
  clearTimer: (cancel) => (cancel as () => void)(),
};
