import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { sampleProcessReport } from '../report/rig.ts';
import { sampleReport } from '../report/sample.ts';

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
afterEach(() => vi.restoreAllMocks());

/** What is printed, and the problem that it ends with. */
async function crossCheck(...args: string[]): Promise<{ out: string; problem: string }> {
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  const paths = args.map((arg) => arg.replace(/^@/, `${folder}/`));
  const problem = await runCommandLine(COMMANDS, ['measure', 'cross-check', ...paths], {
    env: {},
    version: '1',
    write: () => undefined,
  }).then(
    () => '',
    (error: Error) => error.message,
  );
  vi.restoreAllMocks();
  return { out, problem };
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
    const { out, problem } = await crossCheck('--sim', '@sim', '--real', '@frozen');
    expect(problem).toBe('1 figure differs by more than is tolerated');
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
    expect(other.problem).toMatch(/is of flash-crowd with 200 viewers, and not of flash-crowd with 8: say the same/);
    expect(readdirSync(folder)).not.toContain('out');
  });
});
