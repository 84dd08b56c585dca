import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleProcessReport } from '../report/rig.ts';
import { sampleReport } from '../report/sample.ts';
import { ranHere } from './here.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'inswarm-cross-check-'));
  const real = sampleProcessReport([1]);
  const ins = real.modes.ins!;
  const frozen = { ...ins, freezes: { ...ins.freezes, total: 3 } };
  const reports = { sim: sampleReport([1]), real, frozen: { ...real, modes: { ...real.modes, ins: frozen } } };
  for (const [name, report] of Object.entries(reports)) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'report.json'), JSON.stringify(report));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

function crossCheck(...args: string[]) {
  return ranHere('measure', 'cross-check', ...args.map((arg) => arg.replace(/^@/, `${folder}/`)));
}

describe('inswarm measure cross-check', () => {
  it('of two reports that agree prints every figure of both', async () => {
    const { out, problem } = await crossCheck('--sim', '@sim', '--real', '@real/report.json');
    expect(problem).toBe('');
    expect(out).toMatch(/\nstartup, median +0\.61 s +0\.61 s +0 +20 % +ok\n/);
    expect(out).toMatch(/\nstartup, 95 % +0\.83 s +0\.83 s +0 +not judged\n/);
    expect(out).toContain('Simulator and real processes say the same.\n');
    expect(out).not.toMatch(/\u00a0|NaN|undefined/);
  });

  it('ends with a problem where they differ, and says where', async () => {
    const { out, problem, code } = await crossCheck('--sim', '@sim', '--real', '@frozen');
    expect([code, problem]).toEqual([1, '1 figure differs by more than is tolerated']);
    expect(out).toMatch(/\nfreezes +0 +3\.00 +– +none +DIFFERS\n/);
    expect(out).toContain('INS, freezes: 0 in the simulator, 3.00 by real processes; they have to be equal.\n');
  });

  it('is JSON for scripts', async () => {
    const { out } = await crossCheck('--sim', '@sim', '--real', '@frozen', '--json');
    const { schema, ok, findings } = JSON.parse(out);
    expect([schema, ok]).toEqual(['inswarm-cross-check-1', false]);
    expect(findings.filter((finding: { ok: boolean }) => !finding.ok)).toMatchObject([
      { column: 'ins', name: 'freezes', sim: 0, real: 3, difference: null, tolerated: 0 },
    ]);
  });

  it('says what is wrong with what was asked before anything is run', async () => {
    expect((await crossCheck('--sim', '@real', '--real', '@sim')).problem).toBe('the two reports are not of one crowd');
    expect((await crossCheck('--real', '@none')).problem).toContain('none: there is no such file');
    const out = join(folder, 'out');
    const other = await crossCheck('--sim', '@sim', '--peers', '8', '--out', out);
    expect(other.problem).toMatch(
      /is of flash-crowd with 200 viewers, and not of flash-crowd-small with 8: say the same/,
    );
    expect(readdirSync(folder)).not.toContain('out');
  });
});
