import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeReport } from '../../cli/report-files.ts';
import { readReport } from '../../report/read.ts';
import type { Report } from '../../report/report.ts';
import { reportJsonSchema } from '../../report/report-shape.ts';
import { VIEWER_COLUMNS } from '../../report/viewers.ts';
import { scenarioNamed } from '../../scenarios/plan/scenarios.ts';
import { reportOfRun } from '../../sim/report-of-run.ts';
import { Simulation } from '../../sim/simulation.ts';
import { isValid, propertyNames, type Schema } from './json-schema.ts';
import { sampleProcessReport } from './rig.ts';

const DOCS = new URL('../../docs/', import.meta.url);
const SCHEMA = JSON.parse(readFileSync(new URL('report.schema.json', DOCS), 'utf8')) as Schema;

function isRead(value: unknown): boolean {
  return readReport(JSON.stringify(value)).ok;
}

/** Every value in a tree, with a way to put another in its place and back. */
function places(tree: unknown): { value: unknown; put: (value: unknown) => void; remove: (() => void) | null }[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const holder = tree as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [
    {
      value: holder[key],
      put: (value: unknown) => {
        holder[key] = value;
      },
      remove: Array.isArray(tree) ? null : () => delete holder[key],
    },
    ...places(holder[key]),
  ]);
}

describe('docs/report.schema.json', () => {
  it('is what reports are read by; npx tsx scripts/make-report-schema.ts writes it', () => {
    expect(SCHEMA).toEqual(JSON.parse(JSON.stringify(reportJsonSchema())));
  });

  it('and the reader take what a simulated run says, as it is in its file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'inswarm-schema-'));
    try {
      const report = simulatedReport();
      const { paths } = writeReport(folder, report);
      const text = readFileSync(paths[1], 'utf8');
      const read = readReport(text);
      expect(read).toEqual({ ok: true, report: JSON.parse(text) });
      expect(isValid(SCHEMA, JSON.parse(text))).toBe(true);
      expect(report.modes.native!.viewers.started).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('and the reader say the same of whatever is wrong, field by field', () => {
    const short = (_key: string, value: unknown) => (Array.isArray(value) ? value.slice(0, 2) : value);
    const copy = JSON.parse(JSON.stringify(sampleProcessReport(), short));
    copy.modes = { ins: copy.modes.ins };
    expect([isRead(copy), isValid(SCHEMA, copy)]).toEqual([true, true]);
    const odd = [null, -1, 2, 1e12, 'x'.repeat(10_001), true, [], {}, new Array(1_002).fill(0)];
    const all = places(copy);
    expect(all.length).toBeGreaterThan(200);
    let refused = 0;
    for (const { value, put, remove } of all) {
      for (const other of odd) {
        put(other);
        const takes = isRead(copy);
        if (!takes) refused++;
        expect([other, takes]).toEqual([other, isValid(SCHEMA, copy)]);
      }
      remove?.();
      expect(isRead(copy)).toBe(isValid(SCHEMA, copy));
      put(value);
    }
    expect(refused).toBeGreaterThan(all.length * 4);
  });
});

/** A run of eight viewers, ten seconds long. */
function simulatedReport(): Report {
  const scenario = scenarioNamed('flash-crowd')!;
  const sim = new Simulation({ scenario, seed: 'schema', peers: 8, seconds: 10, mode: 'native' });
  const result = sim.run();
  const made = { command: 'none', version: '0', machine: 'none', at: '', tookMs: 0 };
  const { sharedOut: supply } = sim.plan;
  const asked = {
    scenario: 'flash-crowd',
    seed: 'schema',
    peers: 8,
    seconds: 10,
    mode: 'native',
    follow: true,
  } as const;
  return reportOfRun({ ...asked, supply, result, made, warnings: [] });
}

describe('docs/report.md', () => {
  const text = readFileSync(new URL('report.md', DOCS), 'utf8');

  it('names every field of the schema and every column of peers.csv', () => {
    const names = [...propertyNames(SCHEMA), ...VIEWER_COLUMNS.map(({ name }) => name)];
    expect(names.length).toBeGreaterThan(80);
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});
