import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { changesOf, compareReports } from '../../report/compare.ts';
import { comparisonJson } from '../../report/comparison-json.ts';
import { comparisonPageOf } from '../../report/page/comparison-page.ts';
import { redOn } from '../colour.ts';
import { command } from '../command.ts';
import { comparisonTable } from '../comparison-table.ts';
import { optional, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { Problem } from '../problem.ts';
import { readPath, readShare } from '../readers.ts';
import { reportAsked } from '../report-asked.ts';
import { makeFolder } from '../report-files.ts';

export const measureCompare = command({
  name: 'measure compare',
  summary: 'say what changed from one report to another, and what of it is noise',
  description: `Sets two reports side by side, column by column: each figure, the difference, and whether it is beyond the noise of the runs in
each report (runs of the same seeds are compared seed by seed; else by how much runs differ). Of one run nobody knows what is noise: no verdict then,
unless --noise says so.`,
  operands: [
    { name: 'A', help: 'a report.json of inswarm measure, or the folder that it is in: what was' },
    { name: 'B', help: 'the same: what is' },
  ],
  options: {
    noise: optional(
      'SHARE',
      'changes up to this share, such as 5%, count as noise, whatever the runs say; where there is one run only, larger ones do not',
      readShare,
    ),
    out: optional('DIR', 'also write compare.html there, a page with the columns of both', readPath),
    json: toggle('print the comparison as one line of JSON instead of a table'),
    failOnWorse: toggle('end with exit code 1 where a figure got worse beyond noise'),
  },
  examples: [
    ['What a change was worth', 'inswarm measure compare before/report.json after/report.json'],
    ['In CI', 'inswarm measure compare baseline after --noise 5% --fail-on-worse'],
  ],
  async run({ noise, out, json, failOnWorse }, _log, [pathA = '', pathB = '']) {
    const [a, b] = [reportAsked(pathA), reportAsked(pathB)];
    const comparison = compareReports(a.report, b.report, noise ?? null);
    if (json) printJson({ ...comparisonJson(a.path, b.path, comparison) });
    else print(comparisonTable(a, b, comparison, redOn(process.stdout, process.env)));
    if (out !== undefined) {
      makeFolder(out);
      const path = join(out, 'compare.html');
      writeFileSync(path, comparisonPageOf(a.report, b.report, comparison));
      if (!json) print(`\n${path}`);
    }
    const worse = changesOf(comparison, 'worse');
    if (failOnWorse && worse.length > 0)
      throw new Problem(`${worse.length} ${worse.length === 1 ? 'figure' : 'figures'} got worse beyond noise`);
  },
});
