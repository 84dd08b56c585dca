import { type Change, type ColumnComparison, type Comparison, changesOf, type Noise, type Verdict } from './compare.ts';
import type { Report } from './report.ts';
import { runsText } from './runs.ts';
import { countText, differenceText, figureText, listed, signedPercentText } from './text.ts';

/** A comparison in words, for a terminal and for a page. */

/** Which report it is: `flash-crowd, 100 viewers, 5 seeds, real processes, inswarm 0.1.0, 2026-01-31`. */
export function reportText(report: Report): string {
  const { scenario, peers, made, engine } = report;
  const how = engine === 'sim' ? 'simulated' : 'real processes';
  const words = [scenario, `${countText(peers)} viewers`, runsText(report), how, `inswarm ${made.version}`];
  return [...words, ...(made.at === '' ? [] : [made.at.slice(0, 10)])].join(', ');
}

const VERDICTS: Readonly<Record<Verdict, string>> = {
  better: 'better',
  worse: 'WORSE',
  'perhaps-better': 'better?',
  'perhaps-worse': 'worse?',
  same: '=',
  unknown: '',
};

/** The measure, A, B, the difference, the same as a share, the verdict. */
export function cellsOf({ measure, a, b, difference, share, half, verdict }: Change): string[] {
  const { label, unit } = measure;
  const absolute = difference === null ? '–' : difference === 0 ? '0' : differenceText(difference, half, unit);
  const relative = share === null || share === 0 ? '' : signedPercentText(share);
  return [label, figureText(a, unit), figureText(b, unit), absolute, relative, VERDICTS[verdict]];
}

const NOISE: Readonly<Record<Noise, (a: number, b: number) => string>> = {
  seeds: (count) => `${count} runs each, compared seed by seed`,
  runs: (a, b) => `${a} runs and ${b}`,
  unknown: (a, b) => `${a} ${a === 1 ? 'run' : 'runs'} and ${b}: of one run nobody knows what is noise`,
  'no-result': () => 'not a result, so no verdict',
};

export function noiseText({ noise, runs }: ColumnComparison): string {
  return NOISE[noise](...runs);
}

const TITLES = [
  ['Worse', 'worse'],
  ['Better', 'better'],
  ['Perhaps worse', 'perhaps-worse'],
  ['Perhaps better', 'perhaps-better'],
] as const;

/** What it comes to, a sentence each. */
export function summaryOf(comparison: Comparison): string[] {
  const { columns } = comparison;
  if (columns.length === 0) return ['The two have no column in common: nothing was compared.'];
  const named = (verdict: Verdict) =>
    changesOf(comparison, verdict).map(({ column, change }) => `${change.measure.name} (${column.label})`);
  const told = TITLES.map(([title, verdict]) => ({ title, those: named(verdict) })).filter(
    ({ those }) => those.length > 0,
  );
  const lines = told.map(({ title, those }) => `${title}: ${listed(those)}.`);
  const same = named('same').length;
  if (same > 0) lines.push(`Nothing beyond noise: ${same} ${same === 1 ? 'figure' : 'figures'}.`);
  if (told.some(({ title }) => title.startsWith('Perhaps')))
    lines.push('Perhaps: its own interval does not hold 0, but of so many figures some look like that by chance.');
  if (columns.some(({ noise, changes }) => noise === 'unknown' && changes.some(({ verdict }) => verdict === 'unknown')))
    lines.push('No verdict where a report has one run only, unless you say what counts as noise: --noise 5%.');
  return lines;
}
