import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ASKED_CHARACTERS_MAX, HOST_ID_MAX, HOSTS_ASKED_MAX, readAsked, THROTTLE_MIN } from '../harness/live/model.ts';
import { FLOWS_MAX, packFlows, packLasting, packMoving, unpackFlows, unpackViewer } from '../harness/live/told.ts';
import { History, POINTS_MAX, totalsOf } from '../harness/live/totals.ts';
import { MadeUpRun } from './live-sample.ts';

const ask = (wish: unknown, number: unknown = 7) => readAsked(JSON.stringify({ number, wish }));

describe('what a page asks for', () => {
  it('is read, hosts once each', () => {
    expect(ask({ do: 'stop', hosts: [3, 1, 3] })).toEqual({ number: 7, wish: { do: 'stop', hosts: [3, 1] } });
    expect(ask({ do: 'start', hosts: 'all' })).toEqual({ number: 7, wish: { do: 'start', hosts: 'all' } });
    expect(ask({ do: 'throttle', hosts: [0], to: 0.25 })?.wish).toEqual({ do: 'throttle', hosts: [0], to: 0.25 });
    expect(ask({ do: 'end', hosts: 'more' })?.wish).toEqual({ do: 'end' });
  });

  it.each([
    ['an unknown thing', { do: 'format', hosts: 'all' }],
    ['no hosts', { do: 'kill', hosts: [] }],
    ['hosts that are none', { do: 'kill', hosts: ['1'] }],
    ['parts of a host', { do: 'kill', hosts: [1.5] }],
    ['a host beyond all', { do: 'kill', hosts: [HOST_ID_MAX + 1] }],
    ['a host below all', { do: 'kill', hosts: [-1] }],
    ['too many hosts', { do: 'kill', hosts: Array(HOSTS_ASKED_MAX + 1).fill(1) }],
    ['another word for all', { do: 'kill', hosts: 'everyone' }],
    ['throttling to nothing', { do: 'throttle', hosts: 'all', to: THROTTLE_MIN / 2 }],
    ['throttling to more than there was', { do: 'throttle', hosts: 'all', to: 1.01 }],
    ['throttling to no number', { do: 'throttle', hosts: 'all', to: '1' }],
    ['a list', ['kill', [1]]],
    ['nothing', null],
  ])('is refused: %s', (_, wish) => {
    expect(ask(wish)).toBeNull();
  });

  it('is refused without a number to answer to, and beyond its length', () => {
    expect(ask({ do: 'end' }, -1)).toBeNull();
    expect(ask({ do: 'end' }, null)).toBeNull();
    const long = JSON.stringify({ number: 1, wish: { do: 'end' }, more: 'x'.repeat(ASKED_CHARACTERS_MAX) });
    expect(readAsked(long)).toBeNull();
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((wish) => `{"number":1,"wish":${wish}}`),
        ),
        (text) => {
          const asked = readAsked(text);
          if (asked === null || asked.wish.do === 'end') return;
          const { hosts } = asked.wish;
          expect(hosts === 'all' || hosts.length <= HOSTS_ASKED_MAX).toBe(true);
        },
      ),
    );
    expect(readAsked('['.repeat(ASKED_CHARACTERS_MAX))).toBeNull();
  });

  it('has room for a wish for as many hosts as there may be', () => {
    const hosts = Array.from({ length: HOSTS_ASKED_MAX }, (_, at) => HOST_ID_MAX - at);
    expect(ask({ do: 'throttle', hosts, to: 0.123_456_789 })?.wish).toMatchObject({ hosts });
  });
});

describe('what a page is told', () => {
  it('has viewers whole, rounded to what a page shows', () => {
    const viewers = new MadeUpRun(50, 'native').second(9).viewers;
    for (const viewer of viewers) {
      const back = unpackViewer(packMoving(viewer), packLasting(viewer));
      expect(back).toMatchObject({ id: viewer.id, state: viewer.state, startupMs: viewer.startupMs });
      expect(back.freezes).toBe(viewer.freezes);
      expect(Math.abs(back.bufferMs - viewer.bufferMs)).toBeLessThanOrEqual(5);
      expect(Math.abs(back.downBps.peers - viewer.downBps.peers)).toBeLessThanOrEqual(500);
      expect(back.latencyMs === null).toBe(viewer.latencyMs === null);
    }
  });

  it('has flows by their senders, two digits each, and the largest where there are too many', () => {
    const flows = [
      { from: 0, to: 5, bps: 1_234_000 },
      { from: 7, to: 0, bps: 56_000 },
      { from: 0, to: 6, bps: 999 },
      { from: 7, to: 1, bps: 20 },
    ];
    const back = unpackFlows(packFlows(flows));
    expect(back).toHaveLength(3);
    expect(back).toEqual(
      expect.arrayContaining([
        { from: 0, to: 5, bps: 1_200_000 },
        { from: 0, to: 6, bps: 1_000 },
        { from: 7, to: 0, bps: 56_000 },
      ]),
    );
    const many = Array.from({ length: FLOWS_MAX + 500 }, (_, at) => ({
      from: at % 50,
      to: at,
      bps: (at + 1) * 10_000,
    }));
    const kept = unpackFlows(packFlows(many));
    expect(kept).toHaveLength(FLOWS_MAX);
    expect(kept.some(({ to }) => to < 500)).toBe(false);
  });

  it('has totals of those who are there', () => {
    const [one, two, three] = new MadeUpRun(3, 'ins').second(50).viewers;
    const totals = totalsOf(
      50_000,
      [
        { ...one!, state: 'playing', latencyMs: 1_000, downBps: { ins: 8_000, peers: 0, source: 0 } },
        { ...two!, state: 'waiting', latencyMs: null, downBps: { ins: 2_000, peers: 0, source: 0 } },
        { ...three!, state: 'left', latencyMs: 90_000, downBps: { ins: 99_000, peers: 0, source: 0 } },
      ],
      0.5,
    );
    expect(totals).toMatchObject({ here: 2, playing: 1, waiting: 1, stalled: 0, latencyP50Ms: 1_000, insBps: 5_000 });
    expect(totalsOf(0, [], 0)).toMatchObject({ here: 0, bufferMs: null, latencyP50Ms: null, insBps: null });
  });

  it('keeps a long run whole, with ever fewer points', () => {
    const history = new History();
    const seconds = POINTS_MAX * 20;
    for (let second = 0; second < seconds; second++) history.push(totalsOf(second * 1000, [], 0));
    expect(history.points.length).toBeLessThanOrEqual(POINTS_MAX);
    expect(history.points.length).toBeGreaterThanOrEqual(POINTS_MAX / 2);
    const steps = new Set(history.points.slice(1).map(({ atMs }, at) => atMs - history.points[at]!.atMs));
    expect([...steps]).toEqual([history.every * 1000]);
    expect(history.points.at(-1)!.atMs).toBeGreaterThan((seconds - 1 - history.every) * 1000 - 1);
  });
});
