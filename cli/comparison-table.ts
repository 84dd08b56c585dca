import type { ColumnComparison, Comparison } from '../report/compare.ts';
import { cellsOf, noiseText, reportText, summaryOf } from '../report/comparison-text.ts';
import type { Paint } from './colour.ts';
import { aligned } from './columns-of-text.ts';
import type { ReportAsked } from './report-asked.ts';

/** What changed between two reports, for a terminal: what makes them hard to compare first, then a table for each column, and what it comes to. */
export function comparisonTable(a: ReportAsked, b: ReportAsked, comparison: Comparison, red: Paint): string {
  const { warnings, columns } = comparison;
  return [
    `A  ${a.path}: ${reportText(a.report)}`,
    `B  ${b.path}: ${reportText(b.report)}`,
    ...warnings.map((warning) => red(`warning: ${warning}`)),
    ...columns.flatMap((column) => ['', ...columnLines(column, red)]),
    '',
    ...summaryOf(comparison),
  ]
    .join('\n')
    .replaceAll('\u00a0', ' ');
}

function columnLines(column: ColumnComparison, red: Paint): string[] {
  const rows = [['', 'A', 'B', 'difference', '', ''], ...column.changes.map((change) => cellsOf(change))];
  const lines = aligned(rows);
  const painted = lines.map((line, at) => (column.changes[at - 1]?.verdict === 'worse' ? red(line) : line));
  return [`${column.label}, ${noiseText(column)}`, ...painted];
}
