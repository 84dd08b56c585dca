import type { PerSecond } from '../report/report.ts';
import type { Run } from './run.ts';

/** Latencies beyond this count as this long. */
const LATENCY_MS_MAX = 120_000;

/**
 * Looks at all viewers once a second of virtual time: what plots show over time, and what only shows while it lasts. Looking changes
 * nothing in the run.
 */
export class Measuring {
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
  private readonly run: Run;

  constructor(run: Run) {
    this.run = run;
  }

  /** Once a second, at its end. */
  sample(): void {
    const { run, perSecond } = this;
    const { nowMs } = run;
    const [buffersMs, latenciesMs]: [number[], number[]] = [[], []];
    const from = { ins: 0, peers: 0, source: 0 };
    let [viewers, waiting, stalled, usefulBytes] = [0, 0, 0, 0];
    for (const [at, { peer, leftAtMs }] of run.stays.entries()) {
      const stats = peer.core.stats(nowMs + peer.skewMs);
      usefulBytes += peer.usefulBytes;
      from.ins += stats.bytesFrom.ins;
      from.peers += stats.bytesFrom.peers;
      from.source += stats.bytesFrom.source;
      if (leftAtMs <= nowMs) continue;
      viewers++;
      if (stats.state === 'waiting') waiting++;
      else if (stats.state === 'stalled') stalled++;
      else {
        buffersMs.push(stats.bufferMs);
        const latencyMs = Math.max(0, (stats.latencyMs ?? 0) - peer.skewMs);
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
