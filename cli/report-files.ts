import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pageOf } from '../report/page/page.ts';
import type { Report } from '../report/report.ts';
import { Problem } from './problem.ts';

/** What was written: the paths, and the report as it stands in its file. */
export interface WrittenReport {
  readonly paths: readonly [page: string, json: string];
  readonly report: Record<string, unknown>;
}

/** Writes `report.html` and `report.json` into a folder that is there. */
export function writeReport(folder: string, report: Report): WrittenReport {
  const text = JSON.stringify(report, rounded);
  const paths = [join(folder, 'report.html'), join(folder, 'report.json')] as const;
  writeFileSync(paths[0], pageOf(report));
  writeFileSync(paths[1], `${text}\n`);
  return { paths, report: JSON.parse(text) };
}

/** Nine digits of a fraction are more than any figure is good for, and half of the file. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(9)) : value;
}

/** @throws Problem that names the option. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new Problem(`--out ${path}: the folder cannot be made (${(error as NodeJS.ErrnoException).code})`, 2);
  }
}
