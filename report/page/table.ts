import { mainKeys } from '../ideas.ts';
import { MEASURES, type Measure } from '../measures.ts';
import type { ColumnReport, Report } from '../report.ts';
import { type Child, el, type Markup } from '../svg/element.ts';
import { toneOf } from '../svg/tone.ts';
import { isReached, targetOf } from '../targets.ts';
import { figureText, halfText } from '../text.ts';
import { isSaturated } from '../validity.ts';

/** The head table: a row a figure, a column a system; in each cell the figure, its confidence, the bound and the target. */
export function figuresTable(report: Report, keys: readonly string[] = mainKeys(report)): Markup {
  const all = Object.keys(report.modes);
  const head = keys.map((key) => {
    const column = report.modes[key]!;
    const doubt = isSaturated(column) ? el('small', { class: 'no' }, 'not a result') : [];
    return el('th', { scope: 'col', class: toneOf(key, all) }, el('span'), column.label, doubt);
  });
  const rows = MEASURES.map((measure) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, measure.label, el('small', {}, measure.what)),
      keys.map((key) => cell(report, key, measure)),
    ),
  );
  const table = el('table', {}, el('thead', {}, el('tr', {}, el('th', {}), head)), el('tbody', {}, rows));
  return el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Figures' }, table);
}

function cell(report: Report, key: string, measure: Measure): Markup {
  const column = report.modes[key]!;
  const value = measure.pick(column);
  const half = halfText(column.confidence[measure.key], value, measure.unit);
  const notes = [boundNote(column, measure, value), targetNote(report, key, measure, value)];
  return el('td', {}, figureText(value, measure.unit), half === '' ? [] : el('em', {}, half), notes);
}

function boundNote(column: ColumnReport, measure: Measure, value: number | null): Child {
  const bound = measure.bound(column);
  if (bound === null || value === null || measure.key === 'started') return [];
  const near = nearness(value, bound, measure);
  return el('small', {}, `bound ${figureText(bound, measure.unit)}${near === '' ? '' : ` (${near})`}`);
}

/** How near a figure is to the bound: `1.8×`, or `99 % of it` where more is better. */
export function nearness(value: number, bound: number, { better }: Measure): string {
  if (bound <= 0) return value === bound ? 'reached' : '';
  if (better === 'more') return `${((value / bound) * 100).toFixed(1)}\u00a0% of it`;
  return `${(value / bound).toFixed(1)}×`;
}

function targetNote(report: Report, key: string, measure: Measure, value: number | null): Child {
  const target = targetOf(report, key, measure.key);
  if (target === null || isSaturated(report.modes[key]!)) return [];
  const isMet = value !== null && isReached(value, target, measure.better);
  const sign = target === 0 ? '0' : `${measure.better === 'less' ? '≤' : '≥'} ${figureText(target, measure.unit)}`;
  return el('small', { class: isMet ? 'yes' : 'no' }, `${isMet ? '✓' : '✗'} target ${sign}`);
}
