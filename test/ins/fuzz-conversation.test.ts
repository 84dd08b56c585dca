import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FromInsServer } from '../../protocol/ins-messages.ts';
import { REASONS, type Reason } from '../../protocol/reasons.ts';
import { Bookkeeper, type Step } from './bookkeeper.ts';
import { blockOf } from './helpers.ts';

/** The same inputs in every run: a failure is there to stay until it is mended. */
const fixed = { seed: 20_261 } as const;

describe('a conversation that anything is said to', () => {
  const constant = <T extends string>(value: T): fc.Arbitrary<T> => fc.constant(value);
  const reason = fc.constantFrom(...(Object.keys(REASONS) as Reason[]));
  const wire = fc.integer({ min: 1, max: 4 });
  const item = fc.nat(3);
  const alias = fc.integer({ min: 0, max: 4 });
  const message: fc.Arbitrary<FromInsServer> = fc.oneof(
    fc.record({ type: constant('accepted'), quotaBytes: fc.nat() }),
    fc.record({ type: constant('stored'), request: wire, items: fc.array(item, { minLength: 1 }) }),
    fc.record({
      type: constant('refused'),
      request: wire,
      item: fc.option(item),
      reason,
      retryAfterMs: fc.nat(),
      otherServer: fc.constant(null),
    }),
    fc.record({ type: constant('done'), request: wire }),
    fc.record({ type: constant('token-refused'), alias, reason }),
    fc.record({ type: constant('renewed'), request: wire, token: fc.uint8Array({ minLength: 65, maxLength: 70 }) }),
    fc.record({
      type: constant('notice'),
      kind: fc.constantFrom('draining', 'busy'),
      otherServer: fc.constant(null),
      retryAfterMs: fc.nat(),
    }),
  );
  const header = fc.record({
    request: wire,
    item,
    kept: fc.boolean(),
    labelled: fc.option(fc.constantFrom(blockOf(1).item, blockOf(2, 50, { track: 1 }).item)),
  });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom('connect' as const) },
    { weight: 6, arbitrary: fc.constantFrom('get' as const, 'put' as const, 'follow' as const) },
    { weight: 10, arbitrary: fc.record({ kind: constant('message'), message }) },
    { weight: 10, arbitrary: fc.record({ kind: constant('block'), header, body: fc.constant({ byteLength: 50 }) }) },
    { weight: 1, arbitrary: fc.constantFrom({ kind: 'opened' as const }, { kind: 'stop' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: constant('closed'), code: fc.constantFrom(1006, 4409), why: constant('') }),
    },
    { weight: 1, arbitrary: fc.record({ kind: constant('violation'), why: constant('') }) },
    { weight: 2, arbitrary: fc.record({ kind: constant('pass'), ms: fc.nat(3_000) }) },
    { weight: 1, arbitrary: fc.record({ kind: constant('cancel'), handle: fc.nat(10) }) },
  );
  const token = fc.option(fc.constantFrom(new Uint8Array(70).fill(1), new Uint8Array(70).fill(2)));

  it('answers each item once, and never what nobody asked', () => {
    const reached = { ...new Bookkeeper().reached };
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }),
        fc.tuple(token, token, token),
        (steps, tokens) => {
          const caller = new Bookkeeper();
          for (const each of steps) caller.step(each, tokens);
          for (const key of Object.keys(reached) as (keyof typeof reached)[]) reached[key] += caller.reached[key];
        },
      ),
      { ...fixed, numRuns: 500 },
    );
    expect(Math.min(...Object.values(reached)), JSON.stringify(reached)).toBeGreaterThan(20);
  }, 60_000);
});
