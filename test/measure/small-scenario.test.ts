import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ColumnReport, Report } from '../../report/report.ts';
import { ensureBuilt } from '../cli/program.ts';
import { Place, rowsOf } from './measured.ts';

const PEERS = 12;
const SECONDS = 14;
/** Below about 60 viewers the fair rule leaves INS servers barely enough, so there is plenty. */
const SMALL = `version: 1
name: small
summary: a few viewers, and more than they need
duration: ${SECONDS} s
stream: {rate: 400 kbit/s}
arrivals: {kind: crowd, from: 2 s, within: 3 s}
supply: {kind: fair, times: 6}
`;

/** All numbers of a report, by their paths. */
function numbersOf(value: unknown, path = ''): [string, number][] {
  if (typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => numbersOf(inner, `${path}.${key}`));
}

describe('a small scenario by real processes', () => {
  const place = new Place();
  let report: Report;
  const column = (mode: 'ins' | 'native'): ColumnReport => report.modes[mode]!;
  const saturated = (mode: 'ins' | 'native') => column(mode).runs[0]!.rig!.saturatedBy.length > 0;

  beforeAll(async () => {
    ensureBuilt();
    place.write('small.yaml', SMALL);
    const args = ['--scenario', 'small.yaml', '--peers', String(PEERS), '--out', 'out'];
    const run = place.start('measure', ...args);
    expect(await run.ended, run.text).toBe(0);
    report = place.report('out/report.json');
  }, 240_000);
  afterAll(() => place.remove());

  it('has a report that is whole, of both modes, and says what it ran on', () => {
    expect(report).toMatchObject({ scenario: 'small', engine: 'processes', peers: PEERS, seconds: SECONDS });
    expect(Object.keys(report.modes)).toEqual(['ins', 'native']);
    for (const { runs } of Object.values(report.modes)) {
      expect(runs).toHaveLength(1);
      expect(runs[0]!.rig!.machines.map(({ name }) => name)).toEqual(['this machine']);
      const names = runs[0]!.rig!.processes.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['tracker', 'source', 'INS server 0', 'viewers 1']));
    }
    // JSON knows no NaN: what cannot be said is null, and what is counted is not below nothing.
    const odd = numbersOf(report.modes).filter(([, value]) => !(value >= 0));
    expect(odd.filter(([path]) => !/offload|confidence/.test(path))).toEqual([]);
  });

  it('has all viewers come, and nearly all see something', () => {
    for (const mode of ['ins', 'native'] as const) {
      const { viewers, startupDelayMs } = column(mode);
      expect(viewers.joined).toBe(PEERS);
      expect(viewers.started).toBeGreaterThanOrEqual(PEERS - 2);
      const { p50, p95, max } = startupDelayMs;
      for (const delayMs of [p50, p95, max]) {
        expect(delayMs).toBeGreaterThan(0);
        expect(delayMs).toBeLessThan(SECONDS * 1000);
      }
    }
  });

  it('has the same supply in both modes, to the byte', () => {
    const sums = [column('ins'), column('native')].map(
      ({ supply: { sourceBps, insBps, peersBps } }) => sourceBps + insBps + peersBps,
    );
    expect(sums).toEqual([report.supplyBps, report.supplyBps]);
    expect(report.supplyBps).toBe(6 * PEERS * 400_000);
  });

  it('has everything from INS servers in INS mode, and nothing from them in native mode', () => {
    const ins = column('ins');
    expect(ins.bytesFrom).toMatchObject({ peers: 0, source: 0 });
    expect(ins.bytesFrom.ins).toBeGreaterThan(PEERS * 100_000);
    expect(ins.uploadBps.data).toBe(0);
    const native = column('native');
    expect(native.bytesFrom.ins).toBe(0);
    expect(native.bytesFrom.peers).toBeGreaterThan(0);
    expect(native.bytesFrom.source).toBeGreaterThan(0);
    expect(native.uploadBps.data).toBeGreaterThan(0);
  });

  it('was counted in two ways: no viewer sends a block in INS mode, and blocks received are the same', () => {
    const checks = (mode: 'ins' | 'native') => new Map(column(mode).runs[0]!.rig!.checks.map((one) => [one.name, one]));
    expect(checks('ins').get('Blocks sent in INS mode')).toMatchObject({ own: 0, outside: 0, ok: true });
    for (const mode of ['ins', 'native'] as const) {
      const received = checks(mode).get('Blocks received')!;
      const { bytesFrom } = column(mode);
      expect(received.own).toBeGreaterThanOrEqual(bytesFrom.ins + bytesFrom.peers + bytesFrom.source);
      if (!saturated(mode)) expect(received.ok, JSON.stringify(received)).toBe(true);
    }
  });

  it('has a line for each stay, whose figures make those of the report', () => {
    const rows = rowsOf(place.read('out/peers.csv'));
    for (const mode of ['ins', 'native'] as const) {
      const own = rows.filter((row) => row.column === mode);
      expect(new Set(own.map((row) => row.viewer)).size).toBe(PEERS);
      expect(own).toHaveLength(PEERS);
      expect(own.filter((row) => row.startup_ms !== '')).toHaveLength(column(mode).viewers.started);
      const sum = (name: string) => own.reduce((total, row) => total + Number(row[name]), 0);
      expect(sum('freezes')).toBe(column(mode).freezes.total);
      expect([sum('ins_bytes'), sum('peers_bytes')]).toEqual([
        column(mode).bytesFrom.ins,
        column(mode).bytesFrom.peers,
      ]);
    }
  });

  it('has a page that needs nobody else', () => {
    const page = place.read('out/report.html');
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page.trimEnd()).toMatch(/<\/html>$/);
    expect(page).toContain('small');
    expect(page).not.toMatch(/<script|src="http|href="http[^"]*\.css/);
  });

  it('leaves no process and no key', () => {
    expect(place.processes()).toEqual([]);
  });
});
