import type { MachineSamples, ProcessSamples, RigSamples } from '../../../report/saturation.ts';
import type { ProcessSample } from '../agent/programs.ts';

/** Ms over which what a process uses can be told. */
const SPAN_MIN_MS = 250;

/** What machines and processes did in each second of a run. Pure: it is told. */
export class Seconds {
  private readonly machines = new Map<string, { readonly cpus: number; readonly busy: number[] }>();
  private readonly processes = new Map<string, Seen>();

  /** @param machines - All that take part, in the order in which they are told of: who speaks first must not decide that. */
  constructor(machines: readonly { readonly name: string; readonly cpus: number }[]) {
    for (const { name, cpus } of machines) this.machines.set(name, { cpus, busy: [] });
  }

  machine(name: string, busy: number): void {
    this.machines.get(name)?.busy.push(busy);
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
