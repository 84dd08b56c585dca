import { comparison, figure } from '../../report.ts';
import { followMessage } from '../asking.ts';
import type { LoadCalls } from '../load/child.ts';
import { Owner } from '../owner.ts';
import { BenchProcess, sleep, stopAll } from '../process.ts';
import type { Context, Scenario } from '../scenario.ts';
import type { InsCalls } from '../servers/ins.ts';
import type { WsCalls } from '../servers/ws.ts';

const TARGET_KIB = 16;

export const memory: Scenario = {
  name: 'memory',
  about: 'resident memory per idle connection',
  async run(context) {
    const flags = ['--expose-gc'];
    const ins = new BenchProcess<InsCalls>('servers/ins', { flags });
    const ws = new BenchProcess<WsCalls>('servers/ws', { flags });
    const load = new BenchProcess<LoadCalls>('load/child');
    const place = await ins.call('start', '127.0.0.1');
    const wsPlace = await ws.call('start');
    const owner = new Owner(place);
    await owner.ready;
    const token = owner.token();
    const follow = [followMessage(owner.collection, 0)];
    const idle = (kind: 'ins' | 'ws', says: Uint8Array[]) => async (count: number) => {
      const where = kind === 'ins' ? place : wsPlace;
      await load.call('viewers', { group: 'all', where, count, token: kind === 'ins' ? token : null, kind, says });
    };
    const raw = await perConnection(context, ws, load, idle('ws', []));
    const connected = await perConnection(context, ins, load, idle('ins', []));
    const following = await perConnection(context, ins, load, idle('ins', follow));
    const target = { atMost: TARGET_KIB };
    context.result(figure('memory, idle connection', [connected], 'KiB', target, `raw ws: ${raw.toFixed(1)} KiB`));
    context.result(figure('memory, idle connection that follows', [following], 'KiB', target));
    context.result(comparison('memory, idle connection, ws', [connected], 'KiB', 'ws', [raw]));
    await owner.close();
    await stopAll();
  },
};

/** KiB that each connection adds, warm: what the first two thousand make the engine take is there for all. */
async function perConnection(
  { quick }: Context,
  server: BenchProcess<{ readonly memory: () => number }>,
  load: BenchProcess<LoadCalls>,
  open: (count: number) => Promise<void>,
): Promise<number> {
  await open(2_000);
  await sleep(300);
  const before = await server.call('memory');
  const count = quick ? 1_000 : 4_000;
  await open(count);
  await sleep(300);
  const after = await server.call('memory');
  await load.call('close', 'all');
  await sleep(500);
  return (after - before) / 1024 / count;
}
