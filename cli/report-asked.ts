import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { REPORT_CHARS_MAX, readReport } from '../report/read.ts';
import type { Report } from '../report/report.ts';
import { Problem } from './problem.ts';

/** A report of a command line, and the path it was read from. */
export interface ReportAsked {
  readonly path: string;
  readonly report: Report;
}

/**
 * Reads a report that a command line names.
 *
 * @param asked - The path of a `report.json`, or of the folder that it is in.
 * @throws Problem with a line for each field that is wrong.
 */
export function reportAsked(asked: string): ReportAsked {
  const path = isFolder(asked) ? join(asked, 'report.json') : asked;
  const read = readReport(textOf(path));
  if (read.ok) return { path, report: read.report };
  throw new Problem(
    `${path}: ${read.problem}`,
    2,
    read.faults.map((fault) => `${path}: ${fault}`),
  );
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function textOf(path: string): string {
  try {
    // Before it is in memory. A report is ASCII but for names.
    if (statSync(path).size > REPORT_CHARS_MAX) throw new Problem(`${path}: it is too large for a report`, 2);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Problem) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const what =
      code === 'ENOENT'
        ? 'there is no such file; inswarm measure writes report.json into its --out folder'
        : `the file cannot be read (${code})`;
    throw new Problem(`${path}: ${what}`, 2);
  }
}
