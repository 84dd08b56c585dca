import { distributionOf, quantileOf } from './distribution.ts';
import type { MachineFigures, ProcessFigures, Rig } from './rig.ts';
import { meanOf } from './statistics.ts';
import { capital } from './text.ts';

/** What was seen of machines and processes, once a second from the source's start to the end of the run: a value a second, starting up and cleaning up apart. */
export interface RigSamples {
  readonly machines: readonly MachineSamples[];
  readonly processes: readonly ProcessSamples[];
}

export interface MachineSamples {
  readonly name: string;
  readonly cpus: number;
  /** The share of all its processors' time that was not idle; time that a hypervisor took away counts as busy. */
  readonly busy: readonly number[];
}

export interface ProcessSamples {
  /** Its kind, and a number where there are several: `viewers 3`, `relay`. */
  readonly name: string;
  readonly machine: string;
  /** Of one processor. */
  readonly cpu: readonly number[];
  /** It uses several processors at a time, as a browser does: how busy it is says nothing beyond how busy its machine is. */
  readonly isParallel: boolean;
  /** 99th percentile of how late the event loop was; empty where it has none. */
  readonly loopDelayP99Ms: readonly number[];
  readonly rssBytes: readonly number[];
}

/** With a twentieth of its time left, a machine queues whatever comes in bursts. */
export const BUSY_MAX = 0.9;
/** A program with one thread, which all of ours are but for a few helpers of Node's, can use no more than one processor. */
const CPU_MAX = 0.95;
/** What comes so late is no longer small beside the delays of the links, which are 5 to 150 ms. */
const LOOP_DELAY_MAX_MS = 50;
/** So much of a run may be like that: a crowd's first moment, a collection of garbage. */
const SECONDS_SHARE_MAX = 0.05;
/** One second alone is no state, however short the run. */
const SECONDS_MIN = 2;
/** So many processes of one kind are named one by one; of more it is said how many they are. */
const NAMED_MAX = 3;

/**
 * Figures of a rig, and the judgement whether it was the bottleneck: a machine more than 90 % busy, a process with 95 % or more of a processor, or an
 * event loop more than 50 ms late, each in more than a twentieth of the seconds and in two at least.
 */
export function rigFigures({ machines, processes }: RigSamples): Pick<Rig, 'machines' | 'processes' | 'saturatedBy'> {
  return {
    machines: machines.map(machineFigures),
    processes: processes.map(processFigures),
    saturatedBy: [...machines.flatMap(saturatedMachine), ...saturatedProcesses(processes)],
  };
}

function machineFigures({ name, cpus, busy }: MachineSamples): MachineFigures {
  return { name, cpus, cpuBusy: { mean: meanOf(busy) ?? 0, ...top(busy) } };
}

function processFigures({ name, machine, cpu, loopDelayP99Ms, rssBytes }: ProcessSamples): ProcessFigures {
  const { sorted } = distributionOf(loopDelayP99Ms);
  return {
    name,
    machine,
    cpu: { mean: meanOf(cpu) ?? 0, ...top(cpu) },
    loopDelayMs: sorted.length === 0 ? null : { p50: quantileOf(sorted, 0.5)!, ...top(sorted) },
    // Nothing lives in no memory: nobody looked.
    rssBytes: Math.max(0, ...rssBytes) || null,
  };
}

function top(values: readonly number[]): { readonly p95: number; readonly max: number } {
  const { sorted } = distributionOf(values);
  return { p95: quantileOf(sorted, 0.95) ?? 0, max: sorted.at(-1) ?? 0 };
}

function saturatedMachine({ name, cpus, busy }: MachineSamples): string[] {
  const seconds = secondsThat(busy, (share) => share > BUSY_MAX);
  if (seconds === 0) return [];
  const processors = cpus === 1 ? 'its processor was' : `its ${cpus} processors were`;
  return [`${capital(name)}: ${processors} more than 90 % busy in ${ofSeconds(seconds, busy)}.`];
}

function saturatedProcesses(processes: readonly ProcessSamples[]): string[] {
  const full = told(
    processes
      .filter(({ isParallel }) => !isParallel)
      .map((one) => ({ ...one, seconds: secondsThat(one.cpu, (share) => share >= CPU_MAX), of: one.cpu })),
    'used all of one processor, the most that one thread can use,',
  );
  const late = told(
    processes.map((one) => ({
      ...one,
      seconds: secondsThat(one.loopDelayP99Ms, (ms) => ms > LOOP_DELAY_MAX_MS),
      of: one.loopDelayP99Ms,
    })),
    'did what was due more than 50 ms late',
  );
  return [...full, ...late];
}

interface Judged {
  readonly name: string;
  /** In which it was like that; 0 where they are too few to count. */
  readonly seconds: number;
  readonly of: readonly number[];
}

/** A sentence for each process, or for all of one kind where they are many. */
function told(judged: readonly Judged[], what: string): string[] {
  return [...byKind(judged)].flatMap(([kind, all]) => {
    const those = all.filter(({ seconds }) => seconds > 0);
    if (those.length <= NAMED_MAX)
      return those.map(({ name, seconds, of }) => `${capital(name)} ${what} in ${ofSeconds(seconds, of)}.`);
    const share = ({ seconds, of }: Judged) => seconds / of.length;
    const worst = those.reduce((most, one) => (share(one) > share(most) ? one : most));
    return [
      `${those.length} of ${all.length} processes (${kind}) ${what} in too many seconds; the worst, ${worst.name}, in ${ofSeconds(worst.seconds, worst.of)}.`,
    ];
  });
}

/** In the order in which kinds first come. */
export function byKind<T extends { readonly name: string }>(
  processes: readonly T[],
): ReadonlyMap<string, readonly T[]> {
  const kinds = new Map<string, T[]>();
  for (const one of processes) {
    const kind = kindOf(one.name);
    kinds.set(kind, [...(kinds.get(kind) ?? []), one]);
  }
  return kinds;
}

/** `viewers 3` is one of the `viewers`. */
function kindOf(name: string): string {
  return name.replace(/ \d+$/, '');
}

/** How many values are so, where they are enough to say something; else 0. */
function secondsThat(values: readonly number[], is: (value: number) => boolean): number {
  const count = values.filter(is).length;
  return count >= SECONDS_MIN && count > values.length * SECONDS_SHARE_MAX ? count : 0;
}

function ofSeconds(seconds: number, of: readonly number[]): string {
  return `${seconds} of ${of.length} seconds`;
}
