import { ideasIn, mainKeys, sentenceOf } from '../report/ideas.ts';
import { MEASURES, type Measure } from '../report/measures.ts';
import type { ColumnReport, Report } from '../report/report.ts';
import { hasIntervals, runsText } from '../report/runs.ts';
import { isReached, targetOf } from '../report/targets.ts';
import { countText, figureText, halfText, rateText } from '../report/text.ts';
import { disagreements, disagreementText, isSaturated, saturatedColumns, saturatedText } from '../report/validity.ts';
import type { Paint } from './colour.ts';
import { aligned } from './columns-of-text.ts';

/**
 * The figures of a comparison for a terminal: means with their confidence, under them the bound, and whether targets are reached. What is no result
 * is said first, and not judged.
 *
 * @param red - How that is made to stand out.
 */
export function compareTable(report: Report, red: Paint = (text) => text): string {
  const { scenario, peers, supplyBps, seconds, modes, warnings } = report;
  const over = `${runsText(report)}${hasIntervals(report) ? ', ± 95 % confidence' : ''}`;
  const keys = Object.keys(modes);
  const bases = [...new Set(keys.flatMap((key) => modes[key]!.base ?? []))];
  // A column that stands alone is seen beside its variations.
  const own = mainKeys(report);
  const main = own.length === 1 && bases.includes(own[0]!) ? [] : own;
  const varied = bases.map((base) => [base, ...keys.filter((key) => modes[key]!.base === base)]);
  return [
    `${scenario}, ${countText(peers)} viewers, ${seconds} s, ${over}`,
    ...doubts(report).map(red),
    ...Object.values(modes).map((column) => supplyLine(column, supplyBps)),
    ...[main, ...varied].filter((some) => some.length > 0).flatMap((some) => ['', ...tableOf(report, some)]),
    ...warnings.map((warning) => `\nwarning: ${warning}`),
    ...sentences(report),
  ]
    .join('\n')
    .replaceAll('\u00a0', ' ');
}

/** A line for what is no result, and one for each reason; and one for what was counted twice and is not the same. */
function doubts(report: Report): string[] {
  const saturated = saturatedColumns(report).flatMap((one) => [
    saturatedText(one),
    ...one.reasons.map((reason) => `  ${reason}`),
  ]);
  return [
    ...saturated,
    ...disagreements(report).map((one) => `counted twice, and not the same: ${disagreementText(one)}`),
  ];
}

function tableOf(report: Report, keys: readonly string[]): string[] {
  const columns = keys.map((key) => report.modes[key]!);
  const rows: (readonly string[])[] = [
    ['', ...columns.map((column) => `${column.label}${isSaturated(column) ? ' (not a result)' : ''}`)],
  ];
  for (const measure of MEASURES) {
    rows.push([measure.label, ...keys.map((key) => figureCell(report, key, measure))]);
    const bounds = columns.map((column) => boundCell(column, measure));
    if (bounds.some((bound) => bound !== '')) rows.push(['  no system can beat', ...bounds]);
  }
  return aligned(rows);
}

function supplyLine({ label, supply: { sourceBps, insBps, peersBps } }: ColumnReport, supplyBps: number): string {
  const total = sourceBps + insBps + peersBps;
  const parts = `source ${rateText(sourceBps)}, INS servers ${rateText(insBps)}, viewers ${rateText(peersBps)}`;
  const whether = Math.abs(total - supplyBps) < 1 ? '' : ', which is not what the others have';
  return `supply, ${label}: ${countText(total)} bit/s (${parts})${whether}`;
}

function figureCell(report: Report, key: string, measure: Measure): string {
  const column = report.modes[key]!;
  const value = measure.pick(column);
  const target = isSaturated(column) ? null : targetOf(report, key, measure.key);
  const isMet = target !== null && value !== null && isReached(value, target, measure.better);
  const mark = target === null ? '' : isMet ? ' ✓' : ' ✗';
  const half = halfText(column.confidence[measure.key], value, measure.unit);
  return `${figureText(value, measure.unit)}${half === '' ? '' : ` ${half}`}${mark}`;
}

function boundCell(column: ColumnReport, measure: Measure): string {
  const bound = measure.bound(column);
  const value = measure.pick(column);
  // That all may start is no bound worth a line.
  if (bound === null || measure.key === 'started') return '';
  const near = value === null || bound <= 0 ? '' : ` (${(value / bound).toFixed(2)}x)`;
  return `${figureText(bound, measure.unit)}${near}`;
}

function sentences(report: Report): string[] {
  const ideas = ideasIn(report);
  return ideas.length === 0 ? [] : ['', ...ideas.map((idea) => `${idea.name}. ${sentenceOf(report, idea)}`)];
}
