import { comparison } from '../../report.ts';
import { followMessage, joinMessage } from '../asking.ts';
import type { LoadCalls } from '../load/child.ts';
import { Owner } from '../owner.ts';
import { BenchProcess, cpuSeconds, sleep, stopAll } from '../process.ts';
import type { Context, Scenario } from '../scenario.ts';
import type { InsCalls } from '../servers/ins.ts';
import type { WsCalls } from '../servers/ws.ts';
import { atPace, insSource, type Source, wsSource } from '../source.ts';

const VIEWERS = 400;
/** Blocks a second: half a core's work or less, so that nobody's queue grows. */
const SHAPES = [
  { label: '32 KiB', blockBytes: 32 * 1024, perSecond: 20 },
  { label: '256 KiB', blockBytes: 256 * 1024, perSecond: 4 },
] as const;

export const follow: Scenario = {
  name: 'follow',
  about: 'server CPU per GB of blocks passed on to followers as they are put, beside a raw ws fan-out',
  async run(context) {
    for (const shape of SHAPES) await runShape(context, shape);
  },
};

async function runShape(context: Context, { label, blockBytes, perSecond }: (typeof SHAPES)[number]): Promise<void> {
  const ins = new BenchProcess<InsCalls>('servers/ins');
  const ws = new BenchProcess<WsCalls>('servers/ws');
  const load = new BenchProcess<LoadCalls>('load/child');
  const place = await ins.call('start', '127.0.0.1');
  const wsPlace = await ws.call('start');
  const owner = new Owner(place);
  await owner.ready;
  const viewers = { count: VIEWERS, token: owner.token() };
  const says = [followMessage(owner.collection, 0)];
  await load.call('viewers', { ...viewers, group: 'ins', where: place, kind: 'ins', says });
  await load.call('viewers', { ...viewers, group: 'ws', where: wsPlace, kind: 'ws', says: [joinMessage(0)] });
  const sides: readonly (readonly [string, number, Source])[] = [
    ['ins', ins.pid, insSource(owner, blockBytes)],
    ['ws', ws.pid, await wsSource(`ws://127.0.0.1:${wsPlace.port}`, 0, blockBytes)],
  ];
  const costs = new Map<string, number[]>([...sides].map(([side]) => [side, []]));
  for (let round = -1; round < context.rounds; round++) {
    for (const [side, pid, source] of sides) {
      const stop = atPace(1000 / perSecond, () => source.put());
      // Long at first: a server runs for days, and the engine's work to get warm is done in the first seconds.
      await sleep(round < 0 ? context.measureMs * 3 : 200);
      await load.call('measure', side);
      const before = cpuSeconds(pid);
      await sleep(context.measureMs);
      const taken = cpuSeconds(pid) - before;
      const { bytes, seconds, busy } = await load.call('measure', side);
      stop();
      await sleep(100);
      const wanted = blockBytes * perSecond * VIEWERS * seconds;
      context.say(
        `${side}: ${(bytes / seconds / 1e9).toFixed(2)} GB/s (${((bytes / wanted) * 100).toFixed(0)} % of what was put), ` +
          `server ${(taken / seconds).toFixed(2)} CPU, load ${(busy * 100).toFixed(0)} % busy`,
      );
      if (round >= 0) costs.get(side)!.push(taken / (bytes / 1e9));
    }
  }
  const name = `CPU, ${label}, follow, ${VIEWERS} viewers, ws`;
  context.result(comparison(name, costs.get('ins')!, 's/GB', 'ws', costs.get('ws')!, { atMost: 1.15 }));
  for (const [, , source] of sides) await source.close();
  await stopAll();
}
