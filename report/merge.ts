import type { Mode } from '../protocol/swarm-fields.ts';
import { pooled } from './distribution.ts';
import { MEASURES } from './measures.ts';
import type { ColumnReport, Figures, PerSecond, Run, Series, Supply } from './report.ts';
import { estimateOf, meanOf } from './statistics.ts';

/** What a column is, whatever came of it. */
export interface Column {
  readonly label: string;
  readonly mode: Mode | 'mixed';
  readonly what: string;
  readonly base: string | null;
}

/** One run with what is drawn of it. */
export interface RunWithSeries extends Run {
  readonly supply: Supply;
  readonly series: Series;
}

/**
 * Makes one column of its runs: means of figures, confidence, series over all viewers.
 *
 * @param runs - At least one, in the order of their seeds.
 */
export function mergeRuns(column: Column, runs: readonly RunWithSeries[]): ColumnReport {
  const figures = runs.map((run) => run.figures);
  return {
    ...meanFigures(figures),
    ...column,
    supply: runs[0]!.supply,
    confidence: confidenceOf(figures),
    series: mergeSeries(runs.map((run) => run.series)),
    runs: runs.map(({ seed, traceHash, command, figures, rig }) => ({ seed, traceHash, command, figures, rig })),
  };
}

/** Figure by figure; what is null in all is null. */
export function meanFigures(figures: readonly Figures[]): Figures {
  return meanTree(figures) as Figures;
}

function meanTree(trees: readonly unknown[]): unknown {
  const there = trees.filter((tree) => tree !== null && tree !== undefined);
  const first = there[0];
  if (first === undefined) return null;
  if (typeof first === 'number') return meanOf(there as number[]);
  const keys = Object.keys(first as object);
  return Object.fromEntries(keys.map((key) => [key, meanTree(there.map((tree) => (tree as Branch)[key]))]));
}

type Branch = Readonly<Record<string, unknown>>;

function confidenceOf(figures: readonly Figures[]): Record<string, number | null> {
  return Object.fromEntries(
    MEASURES.map(({ key, pick }) => {
      const values = figures.map(pick).filter((value) => value !== null);
      return [key, estimateOf(values)?.half ?? null];
    }),
  );
}

function mergeSeries(series: readonly Series[]): Series {
  const bounds = series.flatMap(({ startupBoundMs }) => (startupBoundMs === null ? [] : [startupBoundMs]));
  return {
    startupDelayMs: pooled(series.map((one) => one.startupDelayMs)),
    startupBoundMs: bounds.length === 0 ? null : pooled(bounds),
    uploadBps: pooled(series.map((one) => one.uploadBps)),
    perSecond: mergeSeconds(series.map((one) => one.perSecond)),
  };
}

function mergeSeconds(runs: readonly PerSecond[]): PerSecond {
  const numbers = (pick: (run: PerSecond) => readonly number[]) =>
    meanSeconds(runs.map(pick)).map((value) => value ?? 0);
  const values = (pick: (run: PerSecond) => readonly (number | null)[]) => meanSeconds(runs.map(pick));
  return {
    viewers: numbers((run) => run.viewers),
    waitingShare: numbers((run) => run.waitingShare),
    frozenShare: numbers((run) => run.frozenShare),
    bufferMs: values((run) => run.bufferMs),
    latencyP50Ms: values((run) => run.latencyP50Ms),
    latencyP95Ms: values((run) => run.latencyP95Ms),
    downloadBps: {
      ins: numbers((run) => run.downloadBps.ins),
      peers: numbers((run) => run.downloadBps.peers),
      source: numbers((run) => run.downloadBps.source),
    },
    freezes: numbers((run) => run.freezes),
  };
}

/** Second by second over the runs that lasted so long. */
function meanSeconds(lists: readonly (readonly (number | null)[])[]): (number | null)[] {
  const length = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length }, (_, at) =>
    meanOf(lists.flatMap((list) => (typeof list[at] === 'number' ? [list[at]] : []))),
  );
}
