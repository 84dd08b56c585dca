import { type Comparison, changesOf, type Noise, type Verdict } from './compare.ts';

/** A comparison for scripts. None of its keys ever gets another meaning; more may come. */
export interface ComparisonJson {
  readonly schema: 'inswarm-comparison-1';
  /** Paths, as they were given. */
  readonly a: string;
  readonly b: string;
  readonly warnings: readonly string[];
  readonly columns: Readonly<Record<string, ColumnJson>>;
  /** Paths of figures that got worse beyond noise, each after its column: `ins startupDelayMs.p95`. */
  readonly worse: readonly string[];
}

export interface ColumnJson {
  readonly label: string;
  readonly runs: readonly [a: number, b: number];
  readonly noise: Noise;
  /** By the path of the figure, in the units of the report. */
  readonly figures: Readonly<Record<string, FigureJson>>;
}

export interface FigureJson {
  readonly a: number | null;
  readonly b: number | null;
  readonly difference: number | null;
  readonly share: number | null;
  readonly half: number | null;
  readonly verdict: Verdict;
}

export function comparisonJson(a: string, b: string, comparison: Comparison): ComparisonJson {
  const columns = comparison.columns.map(({ key, label, runs, noise, changes }) => {
    const figures = changes.map(({ measure, ...figure }) => [measure.key, figure] as const);
    return [key, { label, runs, noise, figures: Object.fromEntries(figures) }] as const;
  });
  const worse = changesOf(comparison, 'worse').map(({ column, change }) => `${column.key} ${change.measure.key}`);
  return {
    schema: 'inswarm-comparison-1',
    a,
    b,
    warnings: comparison.warnings,
    columns: Object.fromEntries(columns),
    worse,
  };
}
