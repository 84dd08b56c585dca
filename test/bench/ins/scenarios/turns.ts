import type { LoadCalls } from '../load/child.ts';
import { type BenchProcess, cpuSeconds, sleep } from '../process.ts';
import type { Context } from '../scenario.ts';

/** What one side took for what it sent. */
export interface Cost {
  readonly cpuPerGb: number;
  readonly bytesPerSecond: number;
  /** Share of the time in which the load generator had work to do. */
  readonly loadBusy: number;
}

/** Measures the sides one after the other, round after round. */
export async function takeTurns(
  { rounds, measureMs, say }: Context,
  load: BenchProcess<LoadCalls>,
  sides: ReadonlyMap<string, number>,
): Promise<Map<string, Cost[]>> {
  const costs = new Map<string, Cost[]>([...sides.keys()].map((side) => [side, []]));
  // The round before the first is for nothing: it warms up all sides.
  for (let round = -1; round < rounds; round++) {
    for (const [side, pid] of sides) {
      await load.call('start', side);
      await sleep(150);
      await load.call('measure', side);
      const before = cpuSeconds(pid);
      await sleep(round < 0 ? measureMs / 2 : measureMs);
      const cpuTaken = cpuSeconds(pid) - before;
      const { bytes, seconds, busy } = await load.call('measure', side);
      await load.call('stop', side);
      await sleep(50);
      if (bytes === 0) throw new Error(`nothing came from ${side}`);
      if (round < 0) continue;
      costs.get(side)!.push({ cpuPerGb: cpuTaken / (bytes / 1e9), bytesPerSecond: bytes / seconds, loadBusy: busy });
      say(
        `${side}: ${(bytes / seconds / 1e9).toFixed(2)} GB/s, server ${(cpuTaken / seconds).toFixed(2)} CPU, ` +
          `load ${(busy * 100).toFixed(0)} % busy`,
      );
    }
  }
  return costs;
}
