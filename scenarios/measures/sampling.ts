import type { PerSecond } from '../../report/report.ts';

/** A viewer at one moment. */
export interface Sample {
  readonly state: 'waiting' | 'playing' | 'stalled';
  readonly bufferMs: number;
  /** By the world's clock. */
  readonly latencyMs: number | null;
  readonly bytesFrom: { readonly ins: number; readonly peers: number; readonly source: number };
  /** Media bytes that were handed on; what came twice is not in them. */
  readonly usefulBytes: number;
  /** It has not left. */
  readonly here: boolean;
}

/** Latencies beyond this count as this long. */
const LATENCY_MS_MAX = 120_000;

/** Looks at all viewers once a second: what plots show over time, and what only shows while it lasts. */
export class Sampling {
  readonly perSecond = {
    viewers: [] as number[],
    waitingShare: [] as number[],
    frozenShare: [] as number[],
    bufferMs: [] as (number | null)[],
    latencyP50Ms: [] as (number | null)[],
    latencyP95Ms: [] as (number | null)[],
    downloadBps: { ins: [] as number[], peers: [] as number[], source: [] as number[] },
  } satisfies Omit<PerSecond, 'freezes'>;
  /** Useful bytes of all viewers at the end of each second. */
  readonly usefulBytesAt: number[] = [];
  /** Viewers and seconds of play by latency: one counter for each ms. */
  readonly latencies = new Uint32Array(LATENCY_MS_MAX + 1);
  /** By stay, in the order of their coming: live latencies added up over the seconds of play, and how many seconds these are. */
  private readonly latencySumsMs: number[] = [];
  private readonly playedSeconds: number[] = [];
  /** Where all bytes came from, up to the last second. */
  private from = { ins: 0, peers: 0, source: 0 };

  /** Once a second, at its end: all who are or were there, in the order of their coming. */
  sample(all: readonly Sample[]): void {
    const { perSecond } = this;
    const [buffersMs, latenciesMs]: [number[], number[]] = [[], []];
    const from = { ins: 0, peers: 0, source: 0 };
    let [viewers, waiting, stalled, usefulBytes] = [0, 0, 0, 0];
    for (const [at, { state, bufferMs, bytesFrom, here, ...viewer }] of all.entries()) {
      usefulBytes += viewer.usefulBytes;
      from.ins += bytesFrom.ins;
      from.peers += bytesFrom.peers;
      from.source += bytesFrom.source;
      if (!here) continue;
      viewers++;
      if (state === 'waiting') waiting++;
      else if (state === 'stalled') stalled++;
      else {
        buffersMs.push(bufferMs);
        const latencyMs = Math.max(0, viewer.latencyMs ?? 0);
        latenciesMs.push(latencyMs);
        this.latencySumsMs[at] = (this.latencySumsMs[at] ?? 0) + latencyMs;
        this.playedSeconds[at] = (this.playedSeconds[at] ?? 0) + 1;
        this.latencies[Math.min(LATENCY_MS_MAX, Math.round(latencyMs))]!++;
      }
    }
    perSecond.viewers.push(viewers);
    perSecond.waitingShare.push(viewers === 0 ? 0 : waiting / viewers);
    perSecond.frozenShare.push(viewers === waiting ? 0 : stalled / (viewers - waiting));
    perSecond.bufferMs.push(middle(buffersMs, 0.5));
    perSecond.latencyP50Ms.push(middle(latenciesMs, 0.5));
    perSecond.latencyP95Ms.push(middle(latenciesMs, 0.95));
    for (const origin of ['ins', 'peers', 'source'] as const)
      perSecond.downloadBps[origin].push((from[origin] - this.from[origin]) * 8);
    this.from = from;
    this.usefulBytesAt.push(usefulBytes);
  }

  /** The mean live latency of a stay over the seconds that it played; null where it played in none. */
  meanLatencyMs(stay: number): number | null {
    const seconds = this.playedSeconds[stay] ?? 0;
    return seconds === 0 ? null : this.latencySumsMs[stay]! / seconds;
  }

  /** The latency that a share (0 … 1) of all watched seconds do not exceed. */
  latencyMs(share: number): number | null {
    let total = 0;
    for (const count of this.latencies) total += count;
    let left = share * total;
    for (const [ms, count] of this.latencies.entries()) {
      left -= count;
      if (count > 0 && left <= 0) return ms;
    }
    return null;
  }
}

function middle(values: number[], share: number): number | null {
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? null;
}
