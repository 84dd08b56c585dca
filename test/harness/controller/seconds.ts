import type { MachineSamples, ProcessSamples, RigSamples } from '../../../report/saturation.ts';
import type { ProcessSample } from '../agent/programs.ts';

/** Ms over which what a process uses can be told. */
const SPAN_MIN_MS = 250;

/** What machines and processes did in each second of a run. Pure: it is told. */
export class Seconds {
  private readonly machines = new Map<string, { readonly cpus: number; readonly busy: number[] }>();
  private readonly processes = new Map<string, Seen>();

  machine(name: string, cpus: number, busy: number): void {
    const known = this.machines.get(name) ?? { cpus, busy: [] };
    this.machines.set(name, known);
    known.busy.push(busy);
  }

  process(name: string, machine: string, sample: ProcessSample): void {
    const key = `${machine} ${name}`;
    const before = this.processes.get(key);
    const seen = before ?? { name, machine, cpu: [], loop: [], rss: [], last: sample };
    this.processes.set(key, seen);
    // A process that was started again counts from nothing.
    const { atMs, cpuMs } = seen.last;
    const spanMs = sample.atMs - atMs;
    if (before !== undefined && spanMs >= 0 && sample.cpuMs >= cpuMs) {
      // Asked several times while it was busy, a process answers all at once: these answers would measure each other.
      if (spanMs < SPAN_MIN_MS) return;
      seen.cpu.push((sample.cpuMs - cpuMs) / spanMs);
      seen.loop.push(sample.loopDelayMs);
    }
    seen.rss.push(sample.rssBytes);
    seen.last = sample;
  }

  /** How busy the machine was in the last second. */
  get busyNow(): number {
    return Math.max(0, ...[...this.machines.values()].map(({ busy }) => busy.at(-1) ?? 0));
  }

  samples(): RigSamples {
    const machines = [...this.machines].map(([name, { cpus, busy }]): MachineSamples => ({ name, cpus, busy }));
    const processes = [...this.processes.values()].map(({ name, machine, cpu, loop, rss }): ProcessSamples => {
      return { name, machine, cpu, isParallel: name.startsWith('browser'), loopDelayP99Ms: loop, rssBytes: rss };
    });
    return { machines, processes };
  }
}

interface Seen {
  readonly name: string;
  readonly machine: string;
  readonly cpu: number[];
  readonly loop: number[];
  readonly rss: number[];
  last: ProcessSample;
}
