import { BenchProcess, stopAll } from '../../ins/process.ts';
import type { Scenario } from '../../ins/scenario.ts';
import { figure } from '../../report.ts';
import type { CoreCalls } from '../core.ts';
import { BROWSER, type Kind, NATIVE } from '../words.ts';

const SWARMS = 5;

export const memory: Scenario = {
  name: 'memory',
  about:
    'what 100,000 members cost in the core: 5 swarms of 20,000, each told of its neighbours, with bitmaps and tokens',
  async run(context) {
    const count = context.quick ? 20_000 : 100_000;
    for (const kind of [NATIVE, BROWSER]) {
      const core = new BenchProcess<CoreCalls>('../tracker/core', { flags: ['--expose-gc'] });
      const who = nameOf(kind);
      await core.call('reset', SWARMS);
      const before = await core.call('memory');
      const { joinUs, answerBytes } = await core.call('joins', { count, swarms: SWARMS, kind });
      const after = await core.call('memory');
      const perMember = (after.heap - before.heap) / count;
      context.result(figure(`core, ${count} ${who}, resident`, [after.rss / 1e6], 'MB', { atMost: 1_000 }));
      context.result(figure(`core, ${who}, heap of a member`, [perMember / 1_000], 'KB'));
      context.result(
        figure(`core, ${who}, join`, [joinUs], 'µs', {}, 'decoded, chosen, encoded; no signature, no socket'),
      );
      context.result(figure(`core, ${who}, answer`, [answerBytes], 'bytes', { atMost: 16_384 }));
      await stopAll();
    }
  },
};

export const hub: Scenario = {
  name: 'hub',
  about: 'the core with 10,000 browsers, each of which says something new every second',
  async run(context) {
    const core = new BenchProcess<CoreCalls>('../tracker/core');
    const seconds = context.quick ? 3 : 10;
    const shares: number[] = [];
    let digestBytes = 0;
    for (let round = 0; round < context.rounds; round++) {
      const measured = await core.call('hub', { count: 10_000, seconds, kind: BROWSER });
      if (measured.digests !== 10_000) throw new Error(`${measured.digests} digests a second`);
      shares.push(measured.share);
      digestBytes = measured.digestBytes;
    }
    context.result(
      figure(
        'hub, core alone, 10,000 browsers',
        shares,
        'cores',
        { atMost: 1 },
        '10,000 states in, 10,000 digests out',
      ),
    );
    context.result(figure('hub, digest', [digestBytes], 'bytes'));
    await stopAll();
  },
};

export function nameOf(kind: Kind): string {
  return kind.url === null ? 'browsers' : `${kind.mode} peers`;
}
