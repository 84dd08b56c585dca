import { beforeEach, describe, expect, it } from 'vitest';
import { Deadlines } from '../../machine/deadlines.ts';
import { type Machine, Queue } from '../../machine/machine.ts';
import { type Driven, drive } from '../../runtime/drive.ts';

/** Answers each input with itself, and `later:N` after N ms. */
class Echo implements Machine<string, string> {
  readonly outputs = new Queue<string>();
  readonly timers = new Deadlines<string>();
  inside = false;

  handleInput(input: string, nowMs: number): void {
    if (this.inside) throw new Error('re-entered');
    this.inside = true;
    this.outputs.push(`${input}@${nowMs}`);
    const [word, ms] = input.split(':');
    if (word === 'later') this.timers.set(input, nowMs + Number(ms));
    if (word === 'never') this.timers.clear(`later:${ms}`);
    this.inside = false;
  }
  handleTimeout(nowMs: number): void {
    for (let name = this.timers.take(nowMs); name !== undefined; name = this.timers.take(nowMs)) {
      this.outputs.push(`${name} due@${nowMs}`);
    }
  }
  pollOutput(): string | undefined {
    return this.outputs.shift();
  }
  nextDeadline(): number | undefined {
    return this.timers.next();
  }
}

describe('drive', () => {
  let nowMs: number;
  let timer: { readonly fire: () => void; readonly atMs: number } | undefined;
  let armed: number;
  let performed: string[];
  let driven: Driven<string>;
  let whenPerformed: (output: string) => void;

  beforeEach(() => {
    nowMs = 1_000;
    timer = undefined;
    armed = 0;
    performed = [];
    whenPerformed = () => {};
    driven = drive(
      new Echo(),
      (output: string) => {
        performed.push(output);
        whenPerformed(output);
      },
      {
        nowMs: () => nowMs,
        setTimer(fire, delayMs) {
          if (timer !== undefined) throw new Error('two timers');
          armed++;
          timer = { fire, atMs: nowMs + delayMs };
          return timer;
        },
        clearTimer() {
          timer = undefined;
        },
      },
    );
  });

  const pass = (ms: number): void => {
    const untilMs = nowMs + ms;
    while (timer !== undefined && timer.atMs <= untilMs) {
      nowMs = timer.atMs;
      const { fire } = timer;
      timer = undefined;
      fire();
    }
    nowMs = untilMs;
  };

  it('queues inputs that outputs cause: a machine is never re-entered', () => {
    whenPerformed = (output) => {
      if (output === 'a@1000') {
        driven.input('b');
        driven.input('c');
        performed.push('after a');
      }
    };
    driven.input('a');
    expect(performed).toEqual(['a@1000', 'after a', 'b@1000', 'c@1000']);
  });

  it('fires at the machine’s deadline, one timer at a time', () => {
    driven.input('later:500');
    driven.input('later:200');
    pass(199);
    expect(performed).toHaveLength(2);
    pass(1);
    expect(performed.at(-1)).toBe('later:200 due@1200');
    pass(300);
    expect(performed.at(-1)).toBe('later:500 due@1500');
    expect(timer).toBeUndefined();
  });

  it('lets a timer that is too early fire in vain instead of setting it anew each time', () => {
    driven.input('later:100');
    driven.input('never:100');
    driven.input('later:300');
    expect(armed).toBe(1);
    pass(300);
    expect(performed.filter((output) => output.includes('due'))).toEqual(['later:300 due@1300']);
  });

  it('takes no input and keeps no timer once it is stopped, also from within', () => {
    driven.input('later:100');
    whenPerformed = () => {
      driven.input('lost');
      driven.stop();
    };
    driven.input('last');
    driven.input('too late');
    expect(performed).toEqual(['later:100@1000', 'last@1000']);
    expect(timer).toBeUndefined();
  });

  it('goes on after an output that could not be performed', () => {
    whenPerformed = (output) => {
      if (output.startsWith('bad')) throw new Error('no');
    };
    expect(() => driven.input('bad')).toThrow('no');
    driven.input('good');
    expect(performed).toEqual(['bad@1000', 'good@1000']);
  });
});
