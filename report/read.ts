import { type ColumnReport, REPORT_SCHEMA, type Report } from './report.ts';
import { REPORT_SHAPE } from './report-shape.ts';
import { Faults } from './shape.ts';

/** A report of a thousand runs of ten columns has a tenth of that. */
export const REPORT_CHARS_MAX = 64_000_000;

/** So many faults are told. */
const FAULTS_MAX = 10;

export type ReportRead =
  | { readonly ok: true; readonly report: Report }
  /** What is wrong and what to do, and a line for each field that is wrong. */
  | { readonly ok: false; readonly problem: string; readonly faults: readonly string[] };

/**
 * Reads a report out of a file, whoever wrote it: all that is in {@link Report} is there, of its type and within bounds, or what is wrong is said
 * by its path. What is not known is left as it is.
 */
export function readReport(text: string): ReportRead {
  if (text.length > REPORT_CHARS_MAX) return refused('it is too large for a report');
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return refused('this is not JSON; the file that is meant is the report.json that inswarm measure writes');
  }
  const problem = versionProblem(value);
  if (problem !== undefined) return refused(problem);
  const faults = new Faults(FAULTS_MAX);
  REPORT_SHAPE.check(value, '', faults);
  if (faults.texts.length > 0) return refused('this is no whole report; docs/report.md says what it has', faults.texts);
  return { ok: true, report: withRigs(value as Report) };
}

function refused(problem: string, faults: readonly string[] = []): ReportRead {
  return { ok: false, problem, faults };
}

function versionProblem(value: unknown): string | undefined {
  const schema = typeof value === 'object' && value !== null ? (value as { schema?: unknown }).schema : undefined;
  if (schema === REPORT_SCHEMA) return undefined;
  if (typeof schema !== 'string' || !/^inswarm-report-\d{1,9}$/.test(schema))
    return `this is no report: it does not say "schema": "${REPORT_SCHEMA}"; the file that is meant is the report.json that inswarm measure writes`;
  const [newer, own] = [schema, REPORT_SCHEMA].map((name) => Number(name.split('-').at(-1)));
  const advice = newer! > own! ? 'update inswarm' : 'measure again, or read it with the inswarm that wrote it';
  return `it is of version ${schema}, and this inswarm reads ${REPORT_SCHEMA} alone: ${advice}`;
}

/** Runs that were written before they told of their rigs have none. */
function withRigs(report: Report): Report {
  const columns = Object.entries(report.modes).map(([key, column]): [string, ColumnReport] => {
    const runs = column.runs.map((run) => ({ ...run, rig: run.rig ?? null }));
    return [key, { ...column, runs }];
  });
  return { ...report, modes: Object.fromEntries(columns) };
}
