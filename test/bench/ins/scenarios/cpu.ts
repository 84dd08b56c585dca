import { comparison } from '../../report.ts';
import { httpRequests, insBatches, wsBatches } from '../asking.ts';
import type { LoadCalls } from '../load/child.ts';
import { Owner } from '../owner.ts';
import { BenchProcess, sleep, stopAll } from '../process.ts';
import type { Context, Scenario } from '../scenario.ts';
import type { InsCalls } from '../servers/ins.ts';
import { NGINX, startNginx } from '../servers/nginx.ts';
import type { WsCalls } from '../servers/ws.ts';
import { takeTurns } from './turns.ts';

const SHAPES = [
  { label: '32 KiB, batches of 8', blockBytes: 32 * 1024, perBatch: 8, blocks: 256 },
  { label: '256 KiB, batches of 8', blockBytes: 256 * 1024, perBatch: 8, blocks: 64 },
  { label: '256 KiB, one by one', blockBytes: 256 * 1024, perBatch: 1, blocks: 64 },
] as const;

/** Plain frame header of ours: the baseline's frames are as long. */
const HEADER_BYTES = 8;

export const cpu: Scenario = {
  name: 'cpu',
  about: 'server CPU per GB out of memory, asked in batches, beside raw ws and nginx',
  async run(context) {
    for (const shape of SHAPES) await runShape(context, shape);
  },
};

async function runShape(context: Context, shape: (typeof SHAPES)[number]): Promise<void> {
  const { label, blockBytes, perBatch, blocks } = shape;
  const ins = new BenchProcess<InsCalls>('servers/ins');
  const ws = new BenchProcess<WsCalls>('servers/ws');
  const load = new BenchProcess<LoadCalls>('load/child');
  const place = await ins.call('start', '127.0.0.1');
  const owner = new Owner(place);
  const { names, bodies } = await owner.fill(blocks, blockBytes);
  await ws.call('frames', { count: blocks, bytes: blockBytes + HEADER_BYTES });
  const wsPlace = await ws.call('start');
  const nginx =
    NGINX === undefined ? undefined : await startNginx(new Map(bodies.map((body, at) => [String(at), body] as const)));
  if (nginx === undefined) context.say('nginx is not installed here: its rows are left out');

  const token = owner.token();
  for (const count of context.quick ? [1, 16] : [1, 16, 400, 2_000]) {
    const sides = new Map([['ins', ins.pid]]).set('ws', ws.pid);
    const batches = insBatches(names, perBatch);
    await load.call('askers', { group: 'ins', where: place, count, token, asking: { kind: 'ins', batches } });
    const asking = { kind: 'ws', batches: wsBatches(blocks, perBatch), blocksPerBatch: perBatch } as const;
    await load.call('askers', { group: 'ws', where: wsPlace, count, token: null, asking });
    if (nginx !== undefined) {
      sides.set('nginx', nginx.pid);
      const where = { host: '127.0.0.1', port: nginx.port };
      const http = { kind: 'http', requests: httpRequests(blocks), blockBytes } as const;
      await load.call('askers', { group: 'nginx', where, count, token: null, asking: http });
    }
    const costs = await takeTurns(context, load, sides);
    const name = `CPU, ${label}, ${count} conn.`;
    const per = (side: string): number[] => costs.get(side)!.map(({ cpuPerGb }) => cpuPerGb);
    context.result(comparison(`${name}, ws`, per('ins'), 's/GB', 'ws', per('ws'), { atMost: 1.15 }));
    if (nginx !== undefined) {
      const target = { atMost: count >= 2_000 ? 1.2 : 1 };
      context.result(comparison(`${name}, nginx`, per('ins'), 's/GB', 'nginx', per('nginx'), target));
    }
    for (const group of sides.keys()) await load.call('close', group);
    await sleep(200);
  }
  await owner.close();
  await stopAll();
}
