import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Prng } from '../../machine/prng.ts';
import { planRun, type RunPlan } from '../../scenarios/plan/plan.ts';
import type { Happening } from '../../scenarios/plan/scenario.ts';
import { SCENARIOS } from '../../scenarios/plan/scenarios.ts';
import { happen, type Stage } from '../../sim/happenings.ts';
import { Awaited } from '../harness/controller/awaited.ts';
import { deedsOf, happeningText } from '../harness/controller/happen.ts';
import { makeKeysFolder } from '../harness/controller/keys-folder.ts';
import { layoutOf } from '../harness/controller/layout.ts';
import { Seconds } from '../harness/controller/seconds.ts';

const SCENARIO = SCENARIOS.find(({ name }) => name === 'flash-crowd')!;

function planFor(peers: number, mode: 'ins' | 'native' = 'ins'): RunPlan {
  return planRun({ scenario: SCENARIO, seed: 'checks', peers, mode });
}

describe('where everything of a run is', () => {
  const plan = planFor(620);
  const layout = layoutOf(plan, '198.18', 30);
  const { tracker, source, ins, viewers, rehearsers, workers } = layout;

  it('gives each host an address of its own, in the half that was asked for', () => {
    const addresses = [tracker, source, ...ins, ...viewers].map(({ address }) => address);
    expect(new Set(addresses).size).toBe(2 + SCENARIO.insServers + 620);
    for (const address of addresses) {
      expect(address).toMatch(/^198\.18\.\d{1,3}\.\d{1,3}$/);
      const [third, last] = address.split('.').slice(2).map(Number);
      // 255 and 0 at the end are networks, and the third 255 is for those who make the links.
      expect([third! <= 254, last! >= 1 && last! <= 254]).toEqual([true, true]);
    }
  });

  it('has each host in one process, servers in one each, and viewers dealt out evenly', () => {
    const hosts = workers.flatMap((worker) => worker.hosts);
    expect(new Set(hosts).size).toBe(hosts.length);
    expect(new Set(hosts)).toEqual(new Set([tracker, source, ...ins, ...viewers, ...rehearsers]));
    const crowds = workers.filter(({ name }) => name.startsWith('viewers'));
    expect(crowds).toHaveLength(Math.ceil(620 / 30));
    const counted = new Set(viewers);
    const sizes = crowds.map((worker) => worker.hosts.filter((host) => counted.has(host)).length);
    // As many in each process rehearse.
    expect(new Set(crowds.map((worker, at) => worker.hosts.length - sizes[at]!))).toEqual(new Set([8]));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(30);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    expect(new Set(workers.map(({ name }) => name)).size).toBe(workers.length);
  });

  it('has nobody rehearse before a small crowd', () => {
    expect(layoutOf(planFor(24), '198.18', 12).rehearsers).toEqual([]);
  });

  it('gives links what the plan shares out', () => {
    const sum = (hosts: readonly { upBps: number }[]) => hosts.reduce((total, { upBps }) => total + upBps, 0);
    expect(source.upBps).toBe(plan.sharedOut.sourceBps);
    expect(sum(ins)).toBeCloseTo(plan.sharedOut.insBps, 3);
    const native = planFor(40, 'native');
    expect(sum(layoutOf(native, '127.18', 5).viewers)).toBeCloseTo(native.sharedOut.peersBps, 3);
    expect(viewers.map(({ region }) => region)).toEqual(plan.regions);
  });
});

describe('what happens', () => {
  const layout = layoutOf(planFor(40), '198.18', 10);
  /** Those who came, not in the order of their numbers. */
  const there = new Prng('there').sample([...Array(40).keys()], 31);
  const share = 0.44;

  /** Whom the simulator takes. */
  function drawn(happening: Happening): number[] {
    const met: number[] = [];
    const stays = there.map((viewer) => {
      const note = () => met.push(viewer);
      const host = { options: { upBps: 1, downBps: 1 }, setRates: note };
      const peer = {
        dropLinks: note,
        host,
        set lies(_: boolean) {
          note();
        },
      };
      return { visit: { viewer }, peer, leftAtMs: Number.POSITIVE_INFINITY };
    });
    const gone = { visit: { viewer: 39 }, peer: undefined, leftAtMs: 10 };
    const stage = {
      nowMs: 20,
      stays: [gone, ...stays],
      network: { stop: (host: unknown) => met.push(stays.find(({ peer }) => peer.host === host)!.visit.viewer) },
      leave: (stay: { visit: { viewer: number } }) => met.push(stay.visit.viewer),
    };
    happen(happening, stage as unknown as Stage, new Prng('its own'));
    return met;
  }

  const those = [
    { what: 'viewers-crash', share },
    { what: 'viewers-drop-links', share },
    { what: 'viewers-stall', share, forMs: 500 },
    { what: 'viewers-throttled', share, to: 0.5 },
    { what: 'viewers-lie', share },
  ] as const;
  for (const one of those) {
    it(`${one.what}: it meets those whom the simulator draws, in the same order`, () => {
      const happening: Happening = { atMs: 0, ...one };
      const deeds = deedsOf(happening, layout, there, new Prng('its own'));
      const met = deeds.map((deed) => {
        if (deed.do === 'crash') return deed.viewer;
        if (deed.do !== 'link' || deed.order.do === 'part') throw new Error(`${deed.do} is not for viewers`);
        const { host } = deed.order;
        return layout.viewers.findIndex(({ address }) => address === host);
      });
      expect(met).toHaveLength(Math.round(share * there.length));
      expect(met).toEqual(drawn(happening));
    });
  }

  it('throttles to a share of what links had at first', () => {
    const [deed] = deedsOf({ atMs: 0, what: 'ins-throttled', server: 1, to: 0.25 }, layout, [], new Prng(1));
    const { address, upBps, downBps } = layout.ins[1]!;
    const order = { do: 'rates', host: address, upBps: Math.round(upBps / 4), downBps: Math.round(downBps / 4) };
    expect(deed).toEqual({ do: 'link', order });
  });

  it('does nothing to servers that there are not', () => {
    for (const what of ['ins-dies', 'ins-back', 'ins-drops-links'] as const)
      expect(deedsOf({ atMs: 0, what, server: 99 }, layout, there, new Prng(1))).toEqual([]);
  });

  it('is told in a sentence', () => {
    const regions = ['home', 'asia'];
    expect(happeningText({ atMs: 0, what: 'viewers-throttled', share: 0.3, to: 0.25 }, regions)).toBe(
      '30 % of the viewers have 25 % of their rate',
    );
    expect(happeningText({ atMs: 0, what: 'partition', regions: [0, 1], forMs: 8_000 }, regions)).toBe(
      'nothing gets through between home and asia for 8 s',
    );
  });
});

describe('what is waited for', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('comes by its name, to all who wait for it', async () => {
    const awaited = new Awaited();
    const [a, b, other] = [
      awaited.until('a', 'it', 1_000),
      awaited.until('a', 'it', 1_000),
      awaited.until('b', 'the other', 1_000),
    ];
    awaited.came('a');
    await Promise.all([a, b]);
    awaited.failed('b', new Error('it broke'));
    await expect(other).rejects.toThrow('it broke');
  });

  it('that one who waits gives up in time harms no other', async () => {
    vi.useFakeTimers();
    const awaited = new Awaited();
    const early = awaited.until('a', 'the process', 1_000);
    const late = awaited.until('a', 'the process', 5_000);
    const refused = expect(early).rejects.toThrow('the process did not come within 1 s');
    await vi.advanceTimersByTimeAsync(1_000);
    await refused;
    awaited.came('a');
    await late;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('fails for the first reason once all is given up, also what is asked for later', async () => {
    vi.useFakeTimers();
    const awaited = new Awaited();
    const one = awaited.until('a', 'it', 1_000);
    awaited.giveUp(new Error('the agent has gone'));
    awaited.giveUp(new Error('something else'));
    await expect(one).rejects.toThrow('the agent has gone');
    await expect(awaited.until('b', 'it', 60_000)).rejects.toThrow('the agent has gone');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('what processes take', () => {
  const sample = (atMs: number, cpuMs: number, loopDelayMs = 1) => ({ atMs, cpuMs, rssBytes: cpuMs, loopDelayMs });
  const two = [
    { name: 'a', cpus: 2 },
    { name: 'b', cpus: 8 },
  ];

  it('is reckoned by the clock of the process, however late its samples come', () => {
    const seconds = new Seconds([]);
    for (const [atMs, cpuMs] of [
      [1_000, 100],
      [2_400, 800],
      [3_000, 1_100],
    ] as const)
      seconds.process('relay', 'this machine', sample(atMs, cpuMs));
    const [relay] = seconds.samples().processes;
    expect(relay).toMatchObject({ name: 'relay', cpu: [0.5, 0.5], rssBytes: [100, 800, 1_100] });
  });

  it('is not reckoned over answers that came at once after a process was busy', () => {
    const seconds = new Seconds([]);
    for (const [atMs, cpuMs] of [
      [1_000, 100],
      [5_000, 2_100],
      [5_001, 2_101],
      [5_002, 2_102],
      [6_000, 2_200],
    ] as const)
      seconds.process('tracker', 'this machine', sample(atMs, cpuMs));
    expect(seconds.samples().processes[0]).toMatchObject({ cpu: [0.5, 0.1] });
  });

  it('begins from nothing where a process was started again', () => {
    const seconds = new Seconds([]);
    for (const one of [sample(1_000, 900), sample(2_000, 50, 70), sample(3_000, 250, 2)])
      seconds.process('INS server 0', 'this machine', one);
    expect(seconds.samples().processes[0]).toMatchObject({ cpu: [0.2], loopDelayP99Ms: [2] });
  });

  it('is kept apart by machines, of which the busiest now counts', () => {
    const seconds = new Seconds(two);
    seconds.machine('a', 0.9);
    seconds.machine('a', 0.3);
    seconds.machine('b', 0.5);
    seconds.process('agent', 'a', sample(0, 0));
    seconds.process('agent', 'b', sample(0, 0));
    expect(seconds.busyNow).toBe(0.5);
    expect(seconds.samples().machines).toEqual([
      { name: 'a', cpus: 2, busy: [0.9, 0.3] },
      { name: 'b', cpus: 8, busy: [0.5] },
    ]);
    expect(seconds.samples().processes.map(({ machine }) => machine)).toEqual(['a', 'b']);
  });

  it('has the controller’s machine first, whichever speaks first', () => {
    const seconds = new Seconds(two);
    seconds.machine('b', 0.5);
    seconds.machine('a', 0.9);
    expect(seconds.samples().machines.map(({ name }) => name)).toEqual(['a', 'b']);
  });
});

describe('keys of a run', () => {
  it('are in a folder with its controller’s number, and those of controllers that are gone are taken away', () => {
    // Nobody has so high a number.
    const dead = `${tmpdir()}/inswarm-measure-999999999-abc`;
    mkdirSync(dead, { recursive: true });
    writeFileSync(`${dead}/source.key`, 'secret');
    const [mine, second] = [makeKeysFolder(), makeKeysFolder()];
    try {
      expect(mine).toContain(`inswarm-measure-${process.pid}-`);
      const left = readdirSync(tmpdir());
      expect(left).not.toContain('inswarm-measure-999999999-abc');
      expect(left).toEqual(expect.arrayContaining([mine, second].map((folder) => folder.split('/').at(-1))));
    } finally {
      for (const folder of [mine, second]) rmSync(folder, { recursive: true });
    }
  });
});
