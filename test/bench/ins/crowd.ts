import { followMessage, joinMessage } from './asking.ts';
import type { LoadCalls } from './load/child.ts';
import { LATENCY_STEP_MS, LATENCY_STEPS } from './load/viewer.ts';
import { type InsPlace, Owner } from './owner.ts';
import { BenchProcess, cpuSeconds, sleep, waitSeconds } from './process.ts';
import { atPace, insSource, type Source, wsSource } from './source.ts';

/** Many viewers of streams of 1 Mbit/s: their connections, their sources, and how late blocks come. */

/** A part of 250 ms. */
export const PART_BYTES = 31_250;
export const PART_MS = 250;
/** Viewers in one generator process: half of the files it may open, and a third of what it was seen to take. */
const VIEWERS_PER_PROCESS = 6_000;

export interface Side {
  readonly kind: 'ins' | 'ws';
  readonly server: BenchProcess<{ readonly busy: () => number }>;
  readonly place: { readonly host: string; readonly port: number; readonly key?: Uint8Array };
}

/** One window of a crowd. */
export interface Window {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the blocks that were put for viewers, those that came. */
  readonly delivered: number;
  readonly serverCpu: number;
  /** Shares of the time in which server and busiest generator had work to do. */
  readonly serverBusy: number;
  readonly loadBusy: number;
  /** Share of the time in which server or a generator waited for a processor that others had. */
  readonly waited: number;
}

export class Crowd {
  viewers = 0;
  private readonly side: Side;
  private readonly loads: BenchProcess<LoadCalls>[] = [];
  private readonly owners: Owner[] = [];
  private readonly sources: Source[] = [];
  private readonly streams: number;

  constructor(side: Side, streams: number) {
    this.side = side;
    this.streams = streams;
  }

  async open(): Promise<void> {
    const { kind, place } = this.side;
    for (let stream = 0; stream < this.streams; stream++) {
      if (kind === 'ins') {
        const owner = new Owner(place as InsPlace);
        await owner.ready;
        this.owners.push(owner);
        this.sources.push(insSource(owner, PART_BYTES));
      } else this.sources.push(await wsSource(`ws://${place.host}:${place.port}`, stream, PART_BYTES));
    }
  }

  /** Adds viewers, the streams taking turns. */
  async grow(to: number): Promise<void> {
    const { kind, place } = this.side;
    while (this.viewers < to) {
      const at = Math.floor(this.viewers / VIEWERS_PER_PROCESS);
      this.loads[at] ??= new BenchProcess<LoadCalls>('load/child');
      const load = this.loads[at];
      const room = (at + 1) * VIEWERS_PER_PROCESS - this.viewers;
      const adding = Math.min(room, to - this.viewers);
      // Each process dials from an address of its own, which has its own ports.
      const where = { ...place, from: `127.0.0.${2 + at}` };
      for (let stream = 0; stream < this.streams; stream++) {
        const count = Math.floor(adding / this.streams) + (stream < adding % this.streams ? 1 : 0);
        if (count === 0) continue;
        const owner = this.owners[stream];
        const says = [owner === undefined ? joinMessage(stream) : followMessage(owner.collection, 0)];
        await load.call('viewers', { group: 'all', where, count, token: owner?.token() ?? null, kind, says });
      }
      this.viewers += adding;
    }
  }

  /**
   * Plays for a while and looks how late blocks come.
   *
   * @param staggered - Streams put one after the other within a part's time, else all at once.
   */
  async play(ms: number, staggered: boolean): Promise<Window> {
    const { sources, loads, streams } = this;
    let puts = 0;
    const put = (stream: number): void => {
      sources[stream]!.put();
      puts++;
    };
    const stop = staggered
      ? atPace(PART_MS / streams, (number) => put(number % streams))
      : atPace(PART_MS, () => {
          for (let stream = 0; stream < streams; stream++) put(stream);
        });
    await sleep(1_000);
    const pids = [this.side.server.pid, ...loads.map(({ pid }) => pid)];
    await Promise.all(loads.map((load) => load.call('measure', 'all')));
    await this.side.server.call('busy');
    const cpuBefore = cpuSeconds(pids[0]!);
    const waitBefore = pids.map(waitSeconds);
    const putsBefore = puts;
    const startMs = performance.now();
    await sleep(ms);
    const seconds = (performance.now() - startMs) / 1000;
    const serverCpu = (cpuSeconds(pids[0]!) - cpuBefore) / seconds;
    const waited = Math.max(...pids.map((pid, at) => (waitSeconds(pid) - waitBefore[at]!) / seconds));
    const putsMeant = puts - putsBefore;
    const serverBusy = await this.side.server.call('busy');
    const measured = await Promise.all(loads.map((load) => load.call('measure', 'all')));
    stop();
    await sleep(300);
    const latencies = new Uint32Array(LATENCY_STEPS);
    for (const one of measured) for (const [step, count] of one.latencies.entries()) latencies[step]! += count;
    const blocks = measured.reduce((sum, one) => sum + one.blocks, 0);
    return {
      p50Ms: quantileMs(latencies, 0.5),
      p99Ms: quantileMs(latencies, 0.99),
      delivered: blocks / ((putsMeant * this.viewers) / streams),
      serverCpu,
      serverBusy,
      loadBusy: Math.max(...measured.map(({ busy }) => busy)),
      waited,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.sources.map((source) => source.close()));
    await Promise.all(this.loads.map((load) => load.stop()));
    await this.side.server.stop();
  }
}

/** Who could do no more. */
export function saturated({ serverBusy, loadBusy, waited }: Window): string {
  if (waited > 0.2) return `the machine was short of processors (a process waited ${percent(waited)} of the time)`;
  if (loadBusy > 0.9 && loadBusy >= serverBusy) return `the load generator was the limit (${percent(loadBusy)} busy)`;
  if (serverBusy > 0.9) return `the server was the limit (${percent(serverBusy)} busy)`;
  return `nobody was (server ${percent(serverBusy)} busy, load ${percent(loadBusy)})`;
}

export function describe(window: Window): string {
  const { p50Ms, p99Ms, delivered, serverCpu } = window;
  const times = `p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms`;
  return `${times}, ${percent(delivered)} delivered, server ${serverCpu.toFixed(2)} CPU; at the limit ${saturated(window)}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Upper edge of the step in which the quantile lies; NaN when nothing came. */
function quantileMs(latencies: Uint32Array, share: number): number {
  const total = latencies.reduce((sum, count) => sum + count, 0);
  if (total === 0) return Number.NaN;
  let seen = 0;
  for (const [step, count] of latencies.entries()) {
    seen += count;
    if (seen >= total * share) return (step + 1) * LATENCY_STEP_MS;
  }
  return LATENCY_STEPS * LATENCY_STEP_MS;
}
