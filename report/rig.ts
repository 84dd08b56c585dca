/** What a run of real processes ran on and how sure its figures are; the simulator has none. Shares are from 0 to 1. */
export interface Rig {
  readonly links: LinksKind;
  /** One sentence for people: how rates and delays were made. */
  readonly linksAre: string;
  /** That took part, the controller's first. */
  readonly machines: readonly MachineFigures[];
  readonly processes: readonly ProcessFigures[];
  /** Sentences: why a machine itself may have been the bottleneck; a run for which there is such a reason is no result. See `saturation.ts`. */
  readonly saturatedBy: readonly string[];
  /** Figures that peers say of themselves, beside what was counted from outside. */
  readonly checks: readonly Check[];
}

/**
 * `namespaces`: the kernel's own rates on links between network namespaces, delays by a process in the middle; `buckets`: token buckets and delays in
 * each program's own send path; `as-they-are`: nobody shaped them, as between machines.
 */
export type LinksKind = 'namespaces' | 'buckets' | 'as-they-are';

export interface MachineFigures {
  /** Such as `this machine`, or the name an agent gave. */
  readonly name: string;
  /** Processors. */
  readonly cpus: number;
  /** How busy all its processors together were, over the seconds of the run, whoever used them. */
  readonly cpuBusy: { readonly mean: number; readonly p95: number; readonly max: number };
}

/** One process over the seconds of a run. */
export interface ProcessFigures {
  /** Its kind, and a number where there are several: `viewers 3`, `INS server 0`, `relay`. */
  readonly name: string;
  /** The name of its machine. */
  readonly machine: string;
  /** Of one processor. */
  readonly cpu: { readonly mean: number; readonly p95: number; readonly max: number };
  /** How late its event loop came to what was due, in ms: each second's 99th percentile, of these the median, the 95th percentile and the largest. Null: it has none, or nobody looked. */
  readonly loopDelayMs: { readonly p50: number; readonly p95: number; readonly max: number } | null;
  /** The most memory it had in any second; null where nobody looked. */
  readonly rssBytes: number | null;
}

/** One thing that was counted in two ways. */
export interface Check {
  readonly name: string;
  /** One sentence for people: what is compared, and what explains a difference. */
  readonly what: string;
  readonly own: number;
  readonly outside: number;
  readonly unit: 'bytes' | 'count' | 'ms';
  /** The difference over the larger of the two that is still right; 0 demands equality. Null: the two are told side by side, and not judged. */
  readonly toleratedShare: number | null;
  readonly ok: boolean;
}

/** Judges what was counted twice. */
export function checked(what: Omit<Check, 'ok'>): Check {
  return { ...what, ok: what.toleratedShare === null || differenceShare(what) <= what.toleratedShare };
}

/** How far the two are apart, over the larger; 0 where both are 0. */
export function differenceShare({ own, outside }: Pick<Check, 'own' | 'outside'>): number {
  const larger = Math.max(Math.abs(own), Math.abs(outside));
  return larger === 0 ? 0 : Math.abs(own - outside) / larger;
}
