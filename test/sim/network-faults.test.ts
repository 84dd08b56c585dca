import { describe, expect, it } from 'vitest';
import { type Happening, MBPS, SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import type { SimPeer } from '../../sim/sim-peer.ts';
import { Simulation } from '../../sim/simulation.ts';

/** Eight viewers, two in each region; the only INS server and the source are in the first. */
const SCENARIO: Scenario = {
  ...SCENARIO_DEFAULTS,
  name: 'test',
  summary: '',
  arrivals: { kind: 'crowd', fromMs: 1_000, withinMs: 500, shape: 'even' },
  supply: { kind: 'links', sourceBps: 20 * MBPS, insBps: 40 * MBPS, peerBps: 4 * MBPS },
  insServers: 1,
};

function simOf(happenings: readonly Happening[], more: Partial<Scenario> = {}): Simulation {
  return new Simulation({ scenario: { ...SCENARIO, happenings, ...more }, seed: 'net', peers: 8, seconds: 60 });
}

/** Bytes of blocks that each viewer has got, by whether it is in a region. */
function gotBytes({ peers }: Simulation, isMeant: (peer: SimPeer) => boolean): number[] {
  return peers.filter(isMeant).map((peer) => peer.dataReceivedBytes);
}

const inAsia = ({ host }: SimPeer) => host.options.region === 3;
const elsewhere = (peer: SimPeer) => !inAsia(peer);
const lost = ({ peers }: Simulation) => peers.map((p) => p.events.filter(({ kind }) => kind === 'ins-lost').length);

describe('a partition', () => {
  it('lets nothing through for as long as it lasts, then all of it, and no connection breaks', () => {
    const sim = simOf([{ atMs: 8_000, what: 'partition', regions: [0, 3], forMs: 4_000 }]);
    // What was under way when it began is still held back.
    sim.runUntil(8_001);
    const [cut, others] = [gotBytes(sim, inAsia), gotBytes(sim, elsewhere)];
    sim.runUntil(11_990);
    expect(gotBytes(sim, inAsia)).toEqual(cut);
    for (const [at, bytes] of gotBytes(sim, elsewhere).entries()) expect(bytes - others[at]!).toBeGreaterThan(300_000);
    sim.runUntil(15_000);
    // TCP has tried again 6.2 s after it began; what was made meanwhile has come.
    for (const [at, bytes] of gotBytes(sim, inAsia).entries()) expect(bytes - cut[at]!).toBeGreaterThan(600_000);
    expect(lost(sim)).toEqual(Array(8).fill(0));
  });

  it('lets nobody connect: a dial ends without an answer', () => {
    const happenings = [
      { atMs: 8_000, what: 'partition', regions: [0, 3], forMs: 15_000 },
      { atMs: 8_001, what: 'viewers-drop-links', share: 1 },
    ] as const;
    const sim = simOf(happenings);
    sim.runUntil(8_500);
    const cut = gotBytes(sim, inAsia);
    sim.runUntil(22_000);
    expect(gotBytes(sim, inAsia)).toEqual(cut);
    sim.runUntil(40_000);
    for (const [at, bytes] of gotBytes(sim, inAsia).entries()) expect(bytes).toBeGreaterThan(cut[at]!);
  });
});

describe('a machine that stands still', () => {
  it('gets nothing and gives nothing until it goes on', () => {
    const sim = simOf([{ atMs: 8_000, what: 'ins-stalls', server: 0, forMs: 3_000 }]);
    sim.runUntil(8_001);
    const before = gotBytes(sim, () => true);
    const stored = sim.insServers[0]!.storedBlocks;
    sim.runUntil(10_990);
    expect(gotBytes(sim, () => true)).toEqual(before);
    expect(sim.insServers[0]!.storedBlocks).toBe(stored);
    sim.runUntil(14_000);
    for (const [at, bytes] of gotBytes(sim, () => true).entries()) expect(bytes).toBeGreaterThan(before[at]!);
  });
});

describe('connections that are half open', () => {
  it('carry nothing, and nobody is told until pings go unanswered', () => {
    const sim = simOf([{ atMs: 8_000, what: 'viewers-lose-links', share: 1 }]);
    sim.runUntil(8_001);
    const before = gotBytes(sim, () => true);
    sim.runUntil(8_900);
    expect(gotBytes(sim, () => true)).toEqual(before);
    expect(lost(sim)).toEqual(Array(8).fill(0));
    sim.runUntil(45_000);
    for (const { core, events } of sim.peers) {
      expect(events.filter(({ kind }) => kind === 'tracker-lost')).toHaveLength(1);
      expect(core.stats(sim.nowMs).state).toBe('playing');
    }
  });
});

describe('viewers who give wrong bytes', () => {
  it('are found out: nobody plays what they gave, and everybody plays', () => {
    const happenings = [{ atMs: 4_000, what: 'viewers-lie', share: 0.25 }] as const;
    // The source feeds three at a time: the others live on what viewers give.
    const supply = { kind: 'links', sourceBps: 3 * MBPS, insBps: MBPS, peerBps: 4 * MBPS } as const;
    const sim = simOf(happenings, { mode: 'native', supply });
    const { violations, bad } = sim.run();
    expect(violations).toEqual([]);
    expect(bad).toBeGreaterThan(0);
    for (const { core } of sim.peers) expect(core.stats(sim.nowMs).part).toBeGreaterThan(100);
  });
});
