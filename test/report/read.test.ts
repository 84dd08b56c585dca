import { describe, expect, it } from 'vitest';
import { REPORT_CHARS_MAX, readReport } from '../../report/read.ts';
import type { Report } from '../../report/report.ts';
import { sampleProcessReport } from './rig.ts';
import { sampleReport } from './sample.ts';

/** What is said of a report that is not right: what is wrong as a whole, and field by field. */
function said(text: string): string[] {
  const read = readReport(text);
  return read.ok ? ['nothing'] : [read.problem, ...read.faults];
}

/** A report as a file has it, one thing changed in it. */
function changed(change: (report: Record<string, never>) => void): string {
  const copy = JSON.parse(JSON.stringify(sampleProcessReport()));
  change(copy);
  return JSON.stringify(copy);
}

const NOT_WHOLE = 'this is no whole report; docs/report.md says what it has';

describe('a report that is read from a file', () => {
  it('is the report that was written, of either engine', () => {
    for (const report of [sampleReport(), sampleProcessReport()])
      expect(readReport(JSON.stringify(report))).toEqual({ ok: true, report });
  });

  it('may have more than is known, and none of what came later', () => {
    const old = JSON.stringify(sampleReport(), (key, value) => (key === 'rig' ? undefined : value));
    expect(readReport(old)).toEqual({ ok: true, report: sampleReport() });
    const read = readReport(changed((report) => Object.assign(report, { later: { on: 1 } })));
    expect(read).toMatchObject({ ok: true, report: { later: { on: 1 } } });
  });

  it('of another version is refused, with what to do', () => {
    expect(said('{"schema": "inswarm-report-2"}')).toEqual([
      'it is of version inswarm-report-2, and this inswarm reads inswarm-report-1 alone: update inswarm',
    ]);
    expect(said('{"schema": "inswarm-report-0"}')[0]).toContain('or read it with the inswarm that wrote it');
  });

  it('that is none is told so', () => {
    for (const text of ['{}', '[]', 'null', '7', '{"schema": "other"}', '{"schema": 1}'])
      expect(said(text)[0]).toMatch(/^this is no report: it does not say "schema": "inswarm-report-1"/);
    for (const text of ['', '{', 'viewer,stay\n', '\u0000'])
      expect(said(text)[0]).toMatch(/^this is not JSON; .*report\.json/);
    expect(said(' '.repeat(REPORT_CHARS_MAX + 1))).toEqual(['it is too large for a report']);
  });

  it('with a field that is wrong is refused with the path of the field', () => {
    const faults = (change: (report: never) => void) => said(changed(change as never));
    expect(faults((report: { peers: unknown }) => Object.assign(report, { peers: 'many' }))).toEqual([
      NOT_WHOLE,
      'peers: a number of at least 0 is expected, not "many"',
    ]);
    const ins = (report: Report) => report.modes.ins as unknown as Record<string, never>;
    const none = (report: Report) => Object.assign(report, { modes: {} });
    const missing = (report: Report) => Object.assign(ins(report), { startupDelayMs: { p50: null, p95: 1, max: 2 } });
    const long = (report: Report) =>
      Object.assign(report.modes.ins!.series.uploadBps, { sorted: new Array(1002).fill(1) });
    const tolerated = (report: Report) =>
      Object.assign(report.modes.native!.runs[0]!.rig!.checks[1]!, { unit: 'pears' });
    expect(faults(none as never)).toEqual([NOT_WHOLE, 'modes: it is empty']);
    expect(faults(missing as never)).toEqual([NOT_WHOLE, 'modes.ins.startupDelayMs.bound: it is missing']);
    expect(faults(long as never)).toEqual([
      NOT_WHOLE,
      'modes.ins.series.uploadBps.sorted: at most 1001 items are possible, not 1002',
    ]);
    expect(faults(tolerated as never)).toEqual([
      NOT_WHOLE,
      'modes.native.runs[0].rig.checks[1].unit: one of bytes, count, ms is expected, not "pears"',
    ]);
  });

  it('with numbers that are none, or keys that are odd, is refused in a line each', () => {
    const huge = JSON.stringify(sampleReport()).replace('"peers":200', '"peers":1e999');
    expect(said(huge)).toEqual([NOT_WHOLE, 'peers: a number of at least 0 is expected, not Infinity']);
    const odd = changed((report) => Object.assign(report, { modes: { '__proto__\n"x"': 1 } }));
    expect(said(odd)).toEqual([NOT_WHOLE, 'modes."__proto__\\n\\"x\\"": an object is expected, not 1']);
  });

  it('tells ten faults and no more', () => {
    const read = readReport('{"schema": "inswarm-report-1"}');
    expect(read).toMatchObject({ ok: false });
    expect(said('{"schema": "inswarm-report-1"}')).toHaveLength(11);
  });
});
