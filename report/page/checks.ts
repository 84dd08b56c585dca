import { mainKeys } from '../ideas.ts';
import type { Report } from '../report.ts';
import { type Check, differenceShare } from '../rig.ts';
import { type Child, el, type Markup } from '../svg/element.ts';
import { capital, countText, figureText } from '../text.ts';

/** What one check came to in one column: in the run in which it differed most. */
interface Shown {
  readonly label: string;
  readonly check: Check;
  readonly runs: number;
  readonly wrong: number;
}

/** Figures that were counted in two ways, beside each other; nothing of a simulated run. */
export function countedTwice(report: Report): Child {
  const all = mainKeys(report).flatMap((key) => shownOf(report, key));
  if (all.length === 0) return [];
  const names = [...new Set(all.map(({ check }) => check.name))];
  const rows = names.flatMap((name) => rowsOf(all.filter(({ check }) => check.name === name)));
  const head = ['In', 'By its own count', 'From outside', 'Difference', 'Tolerated'].map((text) =>
    el('th', { scope: 'col' }, text),
  );
  const table = el('table', { class: 'checks' }, el('thead', {}, el('tr', {}, head)), el('tbody', {}, rows));
  return [
    el('h2', {}, 'What was counted twice'),
    el(
      'p',
      { class: 'about' },
      'What programs say of themselves, beside what was counted without them. Of several runs, the one that differs most.',
    ),
    el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'What was counted twice' }, table),
  ];
}

function shownOf(report: Report, key: string): Shown[] {
  const { label, runs } = report.modes[key]!;
  const checks = runs.flatMap(({ rig }) => rig?.checks ?? []);
  return [...new Set(checks.map(({ name }) => name))].map((name) => {
    const those = checks.filter((check) => check.name === name);
    const worst = those.reduce((most, one) => (weight(one) > weight(most) ? one : most));
    return { label, check: worst, runs: those.length, wrong: those.filter(({ ok }) => !ok).length };
  });
}

/** What is wrong before what is right, then by the difference. */
function weight(check: Check): number {
  return (check.ok ? 0 : 1) + differenceShare(check) / 2;
}

/** What is compared, across the table, and under it a row for each column. */
function rowsOf(shown: readonly Shown[]): Markup[] {
  const { name, what, unit } = shown[0]!.check;
  const title = `${capital(name)}${unit === 'count' || name.includes(unit) ? '' : `, in ${unit}`}`;
  const head = el('th', { scope: 'rowgroup', colspan: 5 }, title, el('small', {}, what));
  return [el('tr', {}, head), ...shown.map(rowOf)];
}

function rowOf({ label, check, runs, wrong }: Shown): Markup {
  const { own, outside, ok, toleratedShare } = check;
  const isJudged = toleratedShare !== null;
  const mark = isJudged ? (ok ? '✓ ' : '✗ ') : '';
  const many = wrong === 0 || runs === 1 ? [] : el('small', {}, `in ${wrong} of ${runs} runs`);
  const tolerated = !isJudged ? 'not judged' : toleratedShare === 0 ? 'none' : figureText(toleratedShare, 'share');
  return el(
    'tr',
    {},
    el('td', {}, label),
    el('td', {}, countText(own)),
    el('td', {}, countText(outside)),
    el(
      'td',
      isJudged ? { class: ok ? 'yes' : 'no' } : {},
      `${mark}${figureText(differenceShare(check), 'share')}`,
      many,
    ),
    el('td', {}, tolerated),
  );
}
