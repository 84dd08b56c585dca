import { type Machine, Queue } from '../machine/machine.ts';

/** What {@link drive} needs of the world: the time, and one timer. */
export interface DriveClock {
  /** Unix ms, never going back. */
  nowMs(): number;
  setTimer(fire: () => void, delayMs: number): unknown;
  clearTimer(timer: unknown): void;
}

/** A machine bound to the world. */
export interface Driven<Input> {
  /** Feeds the machine. Inputs given while outputs are being performed wait their turn. */
  input(input: Input): void;
  /** Ends it: the timer is cleared, later inputs are ignored. */
  stop(): void;
}

/** The longest delay that timers of the platform take. */
const DELAY_MS_MAX = 0x7fff_ffff;

/**
 * Binds a machine to the world, in a fixed order: what waits as input, then one output, again until there is neither, then the timer.
 * So what is answered at once, as a check of a hash is, has gone in before the machine decides what to do next.
 *
 * @param perform - Carries out one output. May call `input` of what this returns (it is queued, never re-entered).
 *   What it throws is not caught here.
 */
export function drive<Input, Output>(
  machine: Machine<Input, Output>,
  perform: (output: Output) => void,
  clock: DriveClock,
): Driven<Input> {
  const waiting = new Queue<Input>();
  let busy = false;
  let stopped = false;
  let timer: unknown;
  let timerAtMs = Number.POSITIVE_INFINITY;

  const run = (timeout: boolean): void => {
    busy = true;
    try {
      if (timeout) machine.handleTimeout(clock.nowMs());
      for (;;) {
        const input = stopped ? undefined : waiting.shift();
        if (input !== undefined) {
          machine.handleInput(input, clock.nowMs());
          continue;
        }
        const output = machine.pollOutput();
        if (output === undefined) break;
        perform(output);
      }
    } finally {
      busy = false;
    }
    arm();
  };

  const forgetTimer = (): void => {
    if (timer !== undefined) clock.clearTimer(timer);
    timer = undefined;
    timerAtMs = Number.POSITIVE_INFINITY;
  };

  const fire = (): void => {
    forgetTimer();
    if (!stopped) run(true);
  };

  // A timer that is set too early stays: firing once in vain is cheaper than setting it anew with each input.
  const arm = (): void => {
    const deadlineMs = machine.nextDeadline();
    if (stopped || deadlineMs === undefined || timerAtMs <= deadlineMs) return;
    if (timer !== undefined) clock.clearTimer(timer);
    timerAtMs = deadlineMs;
    timer = clock.setTimer(fire, Math.min(Math.max(Math.ceil(deadlineMs - clock.nowMs()), 0), DELAY_MS_MAX));
  };

  return {
    input(input) {
      if (stopped) return;
      waiting.push(input);
      if (busy) return;
      // Timers come late in a hidden page, by seconds: what comes in wakes the machine, too.
      const isDue = timerAtMs <= clock.nowMs();
      if (isDue) forgetTimer();
      run(isDue);
    },
    stop() {
      stopped = true;
      forgetTimer();
    },
  };
}
