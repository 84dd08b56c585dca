import { describe, expect, it } from 'vitest';
import { PLAYER_SHAPE } from '../../scenarios/measures/bounds.ts';
import { measuresOf } from '../../scenarios/measures/figures.ts';
import { Sampling } from '../../scenarios/measures/sampling.ts';
import { planRun } from '../../scenarios/plan/plan.ts';
import { SCENARIOS } from '../../scenarios/plan/scenarios.ts';
import type { FreezeEvent, ViewerFigures } from '../harness/agent/programs.ts';
import { Record } from '../harness/controller/record.ts';

const START_MS = 1_700_000_000_000;
const scenario = SCENARIOS.find(({ name }) => name === 'flash-crowd')!;
const plan = planRun({ scenario, seed: 1, peers: 4, mode: 'ins', seconds: 10 });
const RIGHT = { clockMs: 0 };

function begin(): Record {
  const record = new Record(plan, new Set([2]));
  record.startMs = START_MS;
  return record;
}

function come(record: Record, viewer: number, again = 0, leaveAtMs = Number.POSITIVE_INFINITY): string {
  const id = `viewer ${viewer}.${again}`;
  record.coming(id, { viewer, again, joinAtMs: 1_000 * viewer, leaveAtMs, crashes: false });
  return id;
}

function said(of: Partial<ViewerFigures> = {}): ViewerFigures {
  return {
    kind: 'viewer',
    state: 'playing',
    part: 7,
    bufferMs: 900,
    latencyMs: 1_200,
    startupDelayMs: 400,
    dueBlocks: 20,
    missedBlocks: 1,
    bytesFrom: { ins: 5_000, peers: 300, source: 20 },
    usefulBytes: 5_000,
    bad: 0,
    sent: { data: 70, control: 600 },
    received: { data: 5_400, control: 800 },
    neighbours: 3,
    events: [],
    ...of,
  };
}

describe('the record of a run', () => {
  it('has stays in the order in which they began, each with its times after the run’s start', () => {
    const record = begin();
    const [a, b] = [come(record, 0), come(record, 1)];
    expect(record.stays).toEqual([]);
    record.joined(b, START_MS + 1_500);
    record.joined(a, START_MS + 1_700);
    // Told twice, or of nobody whom it knows, it stays as it is.
    record.joined(a, START_MS + 9_000);
    record.joined('INS server 0', START_MS);
    record.left(b, START_MS + 4_000, said(), RIGHT);
    expect(record.stays.map(({ id, joinedAtMs, leftAtMs }) => [id, joinedAtMs, leftAtMs])).toEqual([
      [b, 1_500, 4_000],
      [a, 1_700, null],
    ]);
  });

  it('takes who comes back as another stay of the same viewer', () => {
    const record = begin();
    const first = come(record, 3);
    record.joined(first, START_MS + 1_000);
    record.left(first, START_MS + 3_000, said({ dueBlocks: 10, missedBlocks: 0 }), RIGHT);
    const second = come(record, 3, 1);
    record.joined(second, START_MS + 5_000);
    record.heard(second, said({ startupDelayMs: 900, dueBlocks: 30, missedBlocks: 0 }), RIGHT);
    record.second();
    const { viewers, measured } = record.measured(10_000);
    expect(viewers.map(({ viewer, stay, joinedAtMs, leftAtMs }) => [viewer, stay, joinedAtMs, leftAtMs])).toEqual([
      [3, 0, 1_000, 3_000],
      [3, 1, 5_000, null],
    ]);
    expect(measured.figures.viewers).toEqual({ joined: 2, started: 2 });
    expect(measured.series.perSecond.viewers).toEqual([1]);
  });

  it('hears nothing of whoever has left', () => {
    const record = begin();
    const id = come(record, 0);
    record.joined(id, START_MS);
    record.left(id, START_MS + 2_000, said({ part: 8 }), RIGHT);
    record.heard(id, said({ part: 99 }), RIGHT);
    record.left(id, START_MS + 5_000, said({ part: 100 }), RIGHT);
    expect(record.stays[0]).toMatchObject({ leftAtMs: 2_000, figures: { part: 8 } });
  });

  it('does not count whoever was stopped before it dialled', () => {
    const record = begin();
    const id = come(record, 0);
    record.left(id, START_MS + 2_000, null, RIGHT);
    record.second();
    const { measured, viewers } = record.measured(5_000);
    expect([measured.figures.viewers.joined, viewers]).toEqual([0, []]);
  });

  it('counts who came and never saw anything as one who waits', () => {
    const record = begin();
    const id = come(record, 0);
    record.joined(id, START_MS + 1_000);
    record.second();
    const { measured, viewers } = record.measured(4_000);
    expect(measured.figures.viewers).toEqual({ joined: 1, started: 0 });
    expect(measured.series.perSecond).toMatchObject({ viewers: [1], waitingShare: [1], frozenShare: [0] });
    expect(viewers[0]).toMatchObject({ startupDelayMs: null, freezes: 0, dueBlocks: 0, liveLatencyMs: null });
  });

  it('puts freezes and latencies right where the clock of a machine is wrong', () => {
    const events: FreezeEvent[] = [
      { kind: 'freeze', atMs: START_MS + 5_000 + 3_000 },
      { kind: 'resumed', atMs: START_MS + 5_000 + 3_700, frozenMs: 700 },
      { kind: 'freeze', atMs: START_MS + 5_000 + 8_000 },
    ];
    const record = begin();
    const id = come(record, 1);
    record.joined(id, START_MS + 1_000);
    record.heard(id, said({ events: events.slice(0, 1), latencyMs: 6_200 }), { clockMs: 5_000 });
    record.heard(id, said({ events: events.slice(1), latencyMs: null }), { clockMs: 5_000 });
    expect(record.stays[0]!.figures!.latencyMs).toBeNull();
    record.heard(id, said({ latencyMs: 6_300 }), { clockMs: 5_000 });
    expect(record.stays[0]!.figures!.latencyMs).toBe(1_300);
    const { measured } = record.measured(10_000);
    // The second has not ended: it lasts to the end.
    expect(measured.figures.freezes).toMatchObject({ total: 2, frozenMs: 700 + 2_000 });
    expect(measured.series.perSecond.freezes).toEqual([]);
  });

  it('says who is there at a time, as the simulator has it: by the plan, in the order of their coming', () => {
    const record = begin();
    for (const viewer of [2, 0, 3, 1]) come(record, viewer, 0, viewer === 1 ? 2_500 : undefined);
    // That one of them has not yet said that it dialled is nothing that the plan hangs on.
    record.joined('viewer 2.0', START_MS + 2_010);
    expect(record.there(2_200)).toEqual([0, 1, 2]);
    record.left('viewer 0.0', START_MS + 2_300, null, RIGHT);
    expect(record.there(3_000)).toEqual([2, 3]);
  });

  it('comes to the figures that the measures make of the same accounts', () => {
    const record = begin();
    const sampling = new Sampling();
    const sample = (of: ViewerFigures, here = true) => ({ ...of, here });
    const ids = [0, 2].map((viewer) => come(record, viewer));
    record.joined(ids[0]!, START_MS + 500);
    record.heard(ids[0]!, said(), RIGHT);
    record.second();
    sampling.sample([sample(said())]);
    record.joined(ids[1]!, START_MS + 1_500);
    const other = said({ startupDelayMs: 650, usefulBytes: 9_000, bytesFrom: { ins: 9_000, peers: 0, source: 0 } });
    record.heard(ids[1]!, other, RIGHT);
    record.left(ids[0]!, START_MS + 1_900, said({ usefulBytes: 7_000 }), RIGHT);
    record.second();
    sampling.sample([sample(said({ usefulBytes: 7_000 }), false), sample(other)]);
    record.source = { kind: 'source', part: 9, mediaBytes: 40_000, dataSentBytes: 50_000 };

    const account = (viewer: number, joinedAtMs: number, endMs: number, of: ViewerFigures, stays: boolean) => ({
      ...{ viewer, again: 0, region: scenario.regions.names[plan.regions[viewer]!]!, mode: 'ins' as const },
      ...{ isBrowser: viewer === 2, stays, startupDelayMs: of.startupDelayMs, hereMs: endMs - joinedAtMs },
      ...{ watchedMs: endMs - joinedAtMs - of.startupDelayMs!, joinedAtMs, endMs, freezes: [] },
      ...{ dueBlocks: of.dueBlocks, missedBlocks: of.missedBlocks, dataSentBytes: of.sent.data },
      ...{ controlSentBytes: of.sent.control, controlReceivedBytes: of.received.control },
      ...{ receivedBytes: of.received.data + of.received.control, usefulBytes: of.usefulBytes, from: of.bytesFrom },
      bad: 0,
    });
    const stays = [account(0, 500, 1_900, said({ usefulBytes: 7_000 }), false), account(2, 1_500, 2_000, other, true)];
    const source = { dataSentBytes: 50_000, mediaBytes: 40_000 };
    const wanted = measuresOf({ plan, player: PLAYER_SHAPE, elapsedMs: 2_000, stays, sampling, source });
    const { measured, viewers } = record.measured(2_000);
    expect(measured).toEqual(wanted);
    expect(measured.figures.sourceCopies).toBe(1.25);
    expect(viewers.map(({ viewer, isBrowser }) => [viewer, isBrowser])).toEqual([
      [0, false],
      [2, true],
    ]);
  });
});
