import { describe, expect, it } from 'vitest';
import { crossCheck, type Finding } from '../../report/cross-check.ts';
import type { ColumnReport, Report } from '../../report/report.ts';
import { sampleProcessReport, sampleRig } from './rig.ts';
import { sampleReport } from './sample.ts';

/** The same crowd in the simulator and by real processes, the same to the last figure. */
function both(): { sim: Report; real: Report } {
  const sim = sampleReport([1]);
  const { ins, native } = sim.modes;
  return { sim: { ...sim, modes: { ins: ins!, native: native! } }, real: sampleProcessReport([1]) };
}

/** What is found where the real INS column is another one. */
function foundWith(
  change: (ins: ColumnReport) => Partial<ColumnReport>,
  ofSim: Partial<ColumnReport> = {},
): readonly Finding[] {
  const { sim, real } = both();
  const ins = real.modes.ins!;
  const changed = { ...real, modes: { ...real.modes, ins: { ...ins, ...change(ins) } } };
  const simChanged = { ...sim, modes: { ...sim.modes, ins: { ...sim.modes.ins!, ...ofSim } } };
  return crossCheck(simChanged, changed).findings;
}

function differing(change: (ins: ColumnReport) => Partial<ColumnReport>, ofSim: Partial<ColumnReport> = {}): string[] {
  return foundWith(change, ofSim)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);
}

const scaled = (times: number) => (ins: ColumnReport) => ({
  bytesFrom: { ins: ins.bytesFrom.ins * times, peers: 0, source: ins.bytesFrom.source * times },
});

describe('simulator and real processes', () => {
  it('that say the same are right, and all that was compared is told', () => {
    const { sim, real } = both();
    const found = crossCheck(sim, real);
    expect(found).toMatchObject({ ok: true, problems: [], noResults: [] });
    expect(new Set(found.findings.map(({ column }) => column))).toEqual(new Set(['ins', 'native']));
    expect(found.findings.filter(({ column }) => column === 'ins').map(({ name }) => name)).toEqual([
      'supply',
      'startup, median',
      'startup, 95 %',
      'viewers who started',
      'freezes',
      'video that a viewer gets',
      'video from INS servers',
      'video from other viewers',
      'video from the source',
      'video that a viewer sends',
      'control that a viewer sends',
      'control that a viewer gets',
      'copies the source sends',
      'pieces missed',
      'live latency, median',
    ]);
  });

  it('may differ by 20 % in the median of startups, of what the simulator says', () => {
    const by = (times: number) => (ins: ColumnReport) => ({
      startupDelayMs: { ...ins.startupDelayMs, p50: ins.startupDelayMs.p50! * times },
    });
    expect(differing(by(1.2))).toEqual([]);
    expect(differing(by(0.8))).toEqual([]);
    expect(differing(by(1.21))).toEqual(['startup, median']);
    expect(differing(by(0.79))).toEqual(['startup, median']);
    const finding = foundWith(by(1.5)).find(({ ok }) => !ok)!;
    expect(finding.difference).toBeCloseTo(0.5);
    expect(finding.sentence).toMatch(
      /^INS, startup, median: 0\.61\u00a0s in the simulator, 0\.9\d\u00a0s by real processes: \+50\u00a0%, where 20\u00a0% is tolerated\.$/,
    );
  });

  it('may differ by 5 % in bytes, and by five points in who sent them', () => {
    expect(differing(scaled(1.049))).toEqual([]);
    expect(differing(scaled(1.06))).toEqual(['video that a viewer gets']);
    const from = (ins: number, source: number) => () => ({
      bytesFrom: { ins: ins * 1e9, peers: 0, source: source * 1e9 },
    });
    expect(differing(from(0.97, 0.04))).toEqual([]);
    expect(differing(from(0.9, 0.11))).toEqual(['video from INS servers', 'video from the source']);
    expect(
      differing((ins) => ({ controlBps: { sent: ins.controlBps.sent * 1.06, received: ins.controlBps.received } })),
    ).toEqual(['control that a viewer sends']);
  });

  it('may not differ where the simulator has nothing: no byte uploaded, no freeze, nobody without a picture', () => {
    expect(differing(({ uploadBps }) => ({ uploadBps: { ...uploadBps, data: 1 } }))).toEqual([
      'video that a viewer sends',
    ]);
    expect(differing(({ freezes }) => ({ freezes: { ...freezes, total: 1 } }))).toEqual(['freezes']);
    const all = { viewers: { joined: 200, started: 200 } };
    expect(differing(() => ({ viewers: { joined: 200, started: 199 } }), all)).toEqual(['viewers who started']);
    expect(foundWith(({ freezes }) => ({ freezes: { ...freezes, total: 1 } })).find(({ ok }) => !ok)!.sentence).toBe(
      'INS, freezes: 0 in the simulator, 1.00 by real processes; they have to be equal.',
    );
  });

  it('are not judged in freezes and starts where the simulator has some, too', () => {
    const { sim, real } = both();
    const native = { ...real.modes.native!, freezes: { ...real.modes.native!.freezes, total: 1 } };
    expect(crossCheck(sim, { ...real, modes: { native } }).ok).toBe(true);
    expect(differing(() => ({ viewers: { joined: 200, started: 150 } }))).toEqual([]);
  });

  it('have the same supply to the bit', () => {
    expect(differing(({ supply }) => ({ supply: { ...supply, insBps: supply.insBps + 1 } }))).toEqual(['supply']);
  });

  it('differ where only one of them has a figure', () => {
    const none = { p50: null, p95: null, max: null, bound: null };
    expect(differing(() => ({ startupDelayMs: none }))).toEqual(['startup, median']);
    expect(differing(() => ({ startupDelayMs: none }), { startupDelayMs: none })).toEqual([]);
  });

  it('are not said to agree where the machine was the bottleneck', () => {
    const { sim } = both();
    const { ok, noResults, findings } = crossCheck(sim, sampleProcessReport([1], { native: sampleRig(1) }));
    expect([ok, findings.every((finding) => finding.ok)]).toEqual([false, true]);
    expect(noResults[0]).toBe('Native is not a result: the machine was the bottleneck.');
  });

  it('are not compared where they had different crowds, or are the wrong way round', () => {
    const { sim, real } = both();
    expect(crossCheck(real, sim)).toMatchObject({
      ok: false,
      findings: [],
      problems: [
        'The report that is to be the simulator’s is of real processes.',
        'The report that is to be of real processes is the simulator’s.',
      ],
    });
    expect(crossCheck(sim, { ...real, peers: 100, scenario: 'churn' }).problems).toEqual([
      'Their scenarios differ: flash-crowd in the simulator, churn real.',
      'Their numbers of viewers differ: 200 in the simulator, 100 real.',
    ]);
    const { ins, native } = sim.modes;
    const apart = crossCheck({ ...sim, modes: { ins: ins! } }, { ...real, modes: { native: native! } });
    expect(apart).toMatchObject({ ok: false, problems: ['They have no column in common.'] });
  });
});
