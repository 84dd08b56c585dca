import { quantileOf } from '../../../report/distribution.ts';
import { meanOf } from '../../../report/statistics.ts';
import type { LiveViewer } from './model.ts';

/** What the running plots show of a second; null where nobody is there of whom it could be said. */
export interface Totals {
  readonly atMs: number;
  /** Viewers who are there, and of these those who wait for their first frame, play, and stand still. */
  readonly here: number;
  readonly waiting: number;
  readonly playing: number;
  readonly stalled: number;
  readonly bufferMs: number | null;
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  /** Means of the viewers who are there, in bits per second. */
  readonly insBps: number | null;
  readonly peersBps: number | null;
  readonly sourceBps: number | null;
  readonly dataUpBps: number | null;
  readonly controlUpBps: number | null;
  /** How busy the machine's processors are, 0 … 1. */
  readonly busy: number;
}

export function totalsOf(atMs: number, viewers: Iterable<LiveViewer>, busy: number): Totals {
  const here = [...viewers].filter(isHere);
  const inState = (state: LiveViewer['state']): number => here.filter((viewer) => viewer.state === state).length;
  const started = here.filter(({ state }) => state !== 'waiting');
  const buffers = ascending(started.map(({ bufferMs }) => bufferMs));
  const latencies = ascending(here.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs])));
  const mean = (pick: (viewer: LiveViewer) => number): number | null => rounded(meanOf(here.map(pick)));
  return {
    atMs,
    here: here.length,
    waiting: inState('waiting'),
    playing: inState('playing'),
    stalled: inState('stalled'),
    bufferMs: rounded(quantileOf(buffers, 0.5)),
    latencyP50Ms: rounded(quantileOf(latencies, 0.5)),
    latencyP95Ms: rounded(quantileOf(latencies, 0.95)),
    insBps: mean(({ downBps }) => downBps.ins),
    peersBps: mean(({ downBps }) => downBps.peers),
    sourceBps: mean(({ downBps }) => downBps.source),
    dataUpBps: mean(({ upBps }) => upBps.data),
    controlUpBps: mean(({ upBps }) => upBps.control),
    busy,
  };
}

export function isHere({ state }: LiveViewer): boolean {
  return state === 'waiting' || state === 'playing' || state === 'stalled';
}

function ascending(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}

/** More points than these no plot shows. */
export const POINTS_MAX = 1_200;

/** The seconds of a run, however long it is: when there are too many, every other one is let go, and from then on every other one is kept. */
export class History {
  readonly points: Totals[];
  /** Of so many seconds one is kept. */
  every: number;
  /** So many are let go before the next one is kept. */
  skips: number;

  constructor(points: readonly Totals[] = [], every = 1, skips = 0) {
    this.points = [...points];
    this.every = every;
    this.skips = skips;
  }

  push(totals: Totals): void {
    if (this.skips > 0) {
      this.skips--;
      return;
    }
    this.points.push(totals);
    if (this.points.length >= POINTS_MAX) {
      const kept = this.points.filter((_, at) => at % 2 === 1);
      this.points.splice(0, this.points.length, ...kept);
      this.every *= 2;
    }
    this.skips = this.every - 1;
  }
}
