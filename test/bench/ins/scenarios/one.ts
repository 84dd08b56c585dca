import { comparison } from '../../report.ts';
import { insBatches, wsBatches } from '../asking.ts';
import type { LoadCalls } from '../load/child.ts';
import { Owner } from '../owner.ts';
import { BenchProcess, stopAll } from '../process.ts';
import type { Context, Scenario } from '../scenario.ts';
import type { InsCalls } from '../servers/ins.ts';
import type { WsCalls } from '../servers/ws.ts';
import { takeTurns } from './turns.ts';

/** Two batches under way: while one is on its way, the next is being asked for. */
const SLOTS = 2;
const HEADER_BYTES = 8;
const SHAPES = [
  { label: '32 KiB, batches of 8', blockBytes: 32 * 1024, perBatch: 8 },
  { label: '256 KiB, batches of 8', blockBytes: 256 * 1024, perBatch: 8 },
] as const;

export const one: Scenario = {
  name: 'one',
  about: 'throughput over one connection in batches, beside raw ws frames, and beside asking one by one',
  async run(context) {
    for (const shape of SHAPES) await besideWs(context, shape);
    await besideOneByOne(context);
  },
};

async function besideWs(context: Context, { label, blockBytes, perBatch }: (typeof SHAPES)[number]): Promise<void> {
  const blocks = 64;
  const { load, ins, place, owner, names } = await begin(blocks, blockBytes);
  const ws = new BenchProcess<WsCalls>('servers/ws');
  await ws.call('frames', { count: blocks, bytes: blockBytes + HEADER_BYTES });
  const wsPlace = await ws.call('start');
  const batches = insBatches(names, perBatch, SLOTS);
  await load.call('askers', {
    group: 'ins',
    where: place,
    count: 1,
    token: owner.token(),
    asking: { kind: 'ins', batches },
  });
  await load.call('askers', {
    group: 'ws',
    where: wsPlace,
    count: 1,
    token: null,
    asking: { kind: 'ws', batches: wsBatches(blocks, perBatch, SLOTS), blocksPerBatch: perBatch },
  });
  const sides = new Map([['ins', ins.pid]]).set('ws', ws.pid);
  const costs = await takeTurns(context, load, sides);
  const rate = (side: string): number[] => costs.get(side)!.map(({ bytesPerSecond }) => bytesPerSecond / 1e6);
  context.result(
    comparison(`one connection, ${label}`, rate('ins'), 'MB/s', 'ws', rate('ws'), { atLeast: 0.85 }, busiest(costs)),
  );
  await owner.close();
  await stopAll();
}

async function besideOneByOne(context: Context): Promise<void> {
  const { load, ins, place, owner, names } = await begin(256, 16 * 1024);
  for (const [group, perBatch, slots] of [['batches', 64, SLOTS] as const, ['singles', 1, 1] as const]) {
    const asking = { kind: 'ins', batches: insBatches(names, perBatch, slots) } as const;
    await load.call('askers', { group, where: place, count: 1, token: owner.token(), asking });
  }
  const costs = await takeTurns(context, load, new Map([['batches', ins.pid]]).set('singles', ins.pid));
  const rate = (side: string): number[] => costs.get(side)!.map(({ bytesPerSecond }) => bytesPerSecond / 1e6);
  const name = 'one connection, 16 KiB, batches of 64';
  context.result(
    comparison(name, rate('batches'), 'MB/s', 'one by one', rate('singles'), { atLeast: 8 }, busiest(costs)),
  );
  await owner.close();
  await stopAll();
}

async function begin(blocks: number, blockBytes: number) {
  const ins = new BenchProcess<InsCalls>('servers/ins');
  const load = new BenchProcess<LoadCalls>('load/child');
  const place = await ins.call('start', '127.0.0.1');
  const owner = new Owner(place);
  const { names } = await owner.fill(blocks, blockBytes);
  return { ins, load, place, owner, names };
}

/** Says so when the load generator was the limit. */
function busiest(costs: ReadonlyMap<string, readonly { readonly loadBusy: number }[]>): string {
  const limited = [...costs].filter(([, all]) => all.some(({ loadBusy }) => loadBusy > 0.95)).map(([side]) => side);
  return limited.length === 0 ? '' : `the load generator was the limit: ${limited.join(', ')}`;
}
