import { comparison } from '../../report.ts';
import { insBatches } from '../asking.ts';
import { makeShapedLink, type ShapedLink } from '../link.ts';
import type { LoadCalls } from '../load/child.ts';
import { Owner } from '../owner.ts';
import { BenchProcess, sleep, stopAll } from '../process.ts';
import type { Context, Scenario } from '../scenario.ts';
import type { InsCalls } from '../servers/ins.ts';
import type { TcpCalls } from '../servers/tcp.ts';

const MBIT_PER_SECOND = 1_000;
const BLOCK_BYTES = 32 * 1024;
const PER_BATCH = 16;
const BLOCKS = 256;

export const link: Scenario = {
  name: 'link',
  about: 'blocks through a link of 1 Gbit/s (network namespace and tbf, as root), beside a bare TCP stream through it',
  async run(context) {
    let shaped: ShapedLink;
    try {
      shaped = makeShapedLink(MBIT_PER_SECOND);
    } catch (error) {
      context.say('');
      process.stderr.write(`left out: a link cannot be shaped here (${(error as Error).message})\n`);
      return;
    }
    try {
      for (const count of [1, 16]) await through(context, shaped, count);
    } finally {
      await stopAll();
      await shaped.remove();
    }
  },
};

async function through(context: Context, { host, before }: ShapedLink, count: number): Promise<void> {
  const ins = new BenchProcess<InsCalls>('servers/ins');
  const tcp = new BenchProcess<TcpCalls>('servers/tcp');
  const load = new BenchProcess<LoadCalls>('load/child', { before });
  const place = await ins.call('start', host);
  const tcpPlace = await tcp.call('start', host);
  const owner = new Owner(place);
  const { names } = await owner.fill(BLOCKS, BLOCK_BYTES);
  const batches = insBatches(names, PER_BATCH, 2);
  const blocks: number[] = [];
  const bare: number[] = [];
  await load.call('askers', {
    group: 'ins',
    where: place,
    count,
    token: owner.token(),
    asking: { kind: 'ins', batches },
  });
  for (let round = 0; round < context.rounds; round++) {
    await load.call('start', 'ins');
    const frames = await rate(context, load, 'ins');
    await load.call('stop', 'ins');
    // Of a block frame, 8 bytes are not the block's.
    blocks.push(frames * (BLOCK_BYTES / (BLOCK_BYTES + 8)));
    await sleep(200);
    await load.call('drain', { group: 'tcp', where: tcpPlace, count, token: null });
    bare.push(await rate(context, load, 'tcp'));
    await load.call('close', 'tcp');
    await sleep(200);
    context.say(`blocks ${blocks.at(-1)?.toFixed(1)} Mbit/s, bare TCP ${bare.at(-1)?.toFixed(1)} Mbit/s`);
  }
  const name = `link of 1 Gbit/s, ${count} conn.`;
  context.result(comparison(name, blocks, 'Mbit/s', 'bare TCP', bare, { atLeast: 0.99 }));
  await owner.close();
  for (const one of [ins, tcp, load]) await one.stop();
}

/** Mbit/s that come, once the link is full. */
async function rate({ measureMs }: Context, load: BenchProcess<LoadCalls>, group: string): Promise<number> {
  await sleep(300);
  await load.call('measure', group);
  await sleep(measureMs * 2);
  const { bytes, seconds } = await load.call('measure', group);
  return (bytes * 8) / 1e6 / seconds;
}
