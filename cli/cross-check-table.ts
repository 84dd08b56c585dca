import { type CrossCheck, differenceInText, type Finding } from '../report/cross-check.ts';
import { figureText, percentText } from '../report/text.ts';
import type { Paint } from './colour.ts';
import { aligned } from './columns-of-text.ts';

/** What both engines say of one crowd, for a terminal: a table for each column, and what differs in sentences. */
export function crossCheckTable({ problems, findings, noResults, ok }: CrossCheck, red: Paint): string {
  const labels = [...new Set(findings.map(({ label }) => label))];
  const wrong = findings.filter((finding) => !finding.ok);
  return [
    ...problems.map(red),
    ...labels.flatMap((label) => [
      ...tableOf(
        label,
        findings.filter((finding) => finding.label === label),
        red,
      ),
      '',
    ]),
    ...noResults.map(red),
    ...wrong.map(({ sentence }) => red(sentence)),
    ...(ok ? ['Simulator and real processes say the same.'] : []),
  ]
    .join('\n')
    .replaceAll('\u00a0', ' ');
}

function tableOf(label: string, findings: readonly Finding[], red: Paint): string[] {
  const rows = [[label, 'simulator', 'real', 'difference', 'tolerated', ''], ...findings.map(rowOf)];
  return aligned(rows).map((line, at) => (findings[at - 1]?.ok === false ? red(line) : line));
}

function rowOf({ name, unit, sim, real, difference, differenceIn, tolerated, ok }: Finding): string[] {
  const shown = difference === null ? '–' : difference === 0 ? '0' : differenceInText(difference, differenceIn);
  const limit = tolerated === null ? 'not judged' : tolerated === 0 ? 'none' : percentText(tolerated);
  const verdict = tolerated === null ? '' : ok ? 'ok' : 'DIFFERS';
  return [name, figureText(sim, unit), figureText(real, unit), shown, limit, verdict];
}
