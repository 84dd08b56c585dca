/** What real processes ran on and how sure their figures are; the simulator has none. Shares are from 0 to 1. */
export interface Rig {
  readonly links: LinksKind;
  /** One sentence for people: how rates and delays were made. */
  readonly linksAre: string;
  /** Processors of this machine. */
  readonly cpus: number;
  /** How busy all processors together were, over the seconds of the run. */
  readonly cpuBusy: { readonly mean: number; readonly p95: number };
  readonly processes: readonly ProcessFigures[];
  /** Why the machine itself may have been the bottleneck; a run for which there is such a reason is no result. */
  readonly saturatedBy: readonly string[];
  /** Figures that peers say of themselves, beside what was counted from outside. */
  readonly checks: readonly Check[];
}

/**
 * `namespaces`: the kernel's own rates on links between network namespaces, delays by a process in the middle; `buckets`: token buckets and delays in
 * each program's own send path; `as-they-are`: nobody shaped them, as between machines.
 */
export type LinksKind = 'namespaces' | 'buckets' | 'as-they-are';

/** One process over the seconds of a run. */
export interface ProcessFigures {
  /** Such as `viewers 3` or `INS server 0`. */
  readonly name: string;
  /** Of one processor. */
  readonly cpu: { readonly mean: number; readonly p95: number; readonly max: number };
  /** How late its event loop came to what was due, in ms: the largest of all seconds' 99th percentiles, and their median. */
  readonly loopDelayMs: { readonly p50: number; readonly max: number };
  readonly rssBytes: number;
}

/** One thing that was counted in two ways. */
export interface Check {
  readonly name: string;
  /** One sentence for people: what is compared, and what explains a difference. */
  readonly what: string;
  readonly own: number;
  readonly outside: number;
  readonly unit: 'bytes' | 'count' | 'ms';
  /** The difference over the larger of the two that is still right; 0 demands equality. */
  readonly toleratedShare: number;
  readonly ok: boolean;
}
