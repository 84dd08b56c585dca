import type { Change, ColumnComparison, Comparison } from '../compare.ts';
import { cellsOf, noiseText, reportText, summaryOf } from '../comparison-text.ts';
import type { ColumnReport, Report } from '../report.ts';
import { type Child, el, type Markup } from '../svg/element.ts';
import { documentOf } from './document.ts';
import { plots } from './plots.ts';

/** Two reports and what changed, as one page: a table for each column, and the plots of both in one. */
export function comparisonPageOf(a: Report, b: Report, comparison: Comparison): string {
  const title = a.scenario === b.scenario ? `What changed in ${a.scenario}` : `${a.scenario} and ${b.scenario}`;
  const { warnings, columns } = comparison;
  const body = el(
    'main',
    {},
    el('p', { class: 'eyebrow' }, 'inswarm · two reports'),
    el('h1', {}, title),
    warnings.map((warning) => el('p', { class: 'warning' }, warning)),
    summaryOf(comparison).map((sentence) => el('p', { class: 'lede' }, sentence)),
    el('dl', {}, side('A', a), side('B', b)),
    columns.map(columnSection),
    columns.length === 0 ? [] : [el('h2', {}, 'How it went'), plots(joined(a, b, columns))],
  );
  return documentOf(title, body);
}

function side(name: string, report: Report): Child {
  return [el('dt', {}, name), el('dd', {}, reportText(report), el('div', {}, el('code', {}, report.made.command)))];
}

function columnSection(column: ColumnComparison): Child {
  const names = ['', 'A', 'B', 'Difference'].map((name) => el('th', { scope: 'col' }, name));
  const table = el('table', {}, el('thead', {}, el('tr', {}, names)), el('tbody', {}, column.changes.map(row)));
  return [
    el('h2', {}, column.label),
    el('p', { class: 'about' }, `${noiseText(column)}. ± is half the width of the 95\u00a0% confidence interval.`),
    el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': column.label }, table),
  ];
}

function row(change: Change): Markup {
  const [name = '', a = '', b = '', absolute = '', relative = '', verdict = ''] = cellsOf(change);
  const style = change.verdict === 'better' ? { class: 'yes' } : change.verdict === 'worse' ? { class: 'no' } : {};
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, name),
    el('td', {}, a),
    el('td', {}, b),
    el('td', style, absolute, el('small', {}, `${relative} ${verdict}`.trim())),
  );
}

/** The columns that both have, side by side, as columns of one report. */
function joined(a: Report, b: Report, columns: readonly ColumnComparison[]): Report {
  const named = (column: ColumnReport, name: string) => ({ ...column, base: null, label: `${column.label}, ${name}` });
  const modes = columns.flatMap(({ key }) => [
    [`${key} A`, named(a.modes[key]!, 'A')] as const,
    [`${key} B`, named(b.modes[key]!, 'B')] as const,
  ]);
  return { ...a, modes: Object.fromEntries(modes) };
}
