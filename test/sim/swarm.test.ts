import { describe, expect, it } from 'vitest';
import { MBPS, SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import { type SimOptions, Simulation } from '../../sim/simulation.ts';

/** The swarm of the tests: two INS servers of which the source feeds the first, peers in four regions. */
const SWARM: Scenario = {
  ...SCENARIO_DEFAULTS,
  name: 'test',
  summary: '',
  arrivals: { kind: 'crowd', fromMs: 3_000, withinMs: 2_000, shape: 'even' },
  supply: { kind: 'links', sourceBps: 20 * MBPS, insBps: 1000 * MBPS, peerBps: 4 * MBPS },
  insServers: 2,
};

function runOf(options: Partial<SimOptions>, scenario: Partial<Scenario> = {}) {
  const base = { seed: 'swarm-1', peers: 50, seconds: 20, scenario: { ...SWARM, ...scenario } };
  const sim = new Simulation({ ...base, ...options });
  return { sim, report: sim.run() };
}

/** Every part that any peer handed on has the content that the source announced. */
function expectSameParts(sim: Simulation): void {
  let compared = 0;
  for (const peer of sim.peers) {
    expect(peer.wrongParts).toEqual([]);
    compared += peer.partsHandedOn;
  }
  expect(compared).toBeGreaterThan(sim.peers.length * 20);
}

function killInsServers(sim: Simulation): void {
  for (const server of sim.insServers) server.kill();
}

describe('50 peers under virtual time', () => {
  it('runs the same way twice: one seed, one trace', () => {
    const first = runOf({ seconds: 10 }).report;
    const second = runOf({ seconds: 10 }).report;
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.events).toBe(first.events);
    expect(runOf({ seconds: 10, seed: 'swarm-2' }).report.traceHash).not.toBe(first.traceHash);
  });

  it('INS mode: everybody plays without a freeze, and no peer sends a block byte', () => {
    const { sim, report } = runOf({ mode: 'ins' });
    expect(report.figures.viewers.started).toBe(50);
    expect(report.figures.freezes.total).toBe(0);
    expect(report.figures.missedRate).toBe(0);
    expect(report.figures.uploadBps.data).toBe(0);
    expect(report.figures.bytesFrom.peers + report.figures.bytesFrom.source).toBe(0);
    expect(report.bad).toBe(0);
    expectSameParts(sim);
  });

  it('INS mode: the source sends each byte once to the server it feeds, and the other server fetches it once', () => {
    const { sim, report } = runOf({ mode: 'ins' });
    expect(report.figures.sourceCopies).toBeGreaterThan(0.95);
    expect(report.figures.sourceCopies).toBeLessThan(1.05);
    const [fed, other] = sim.insServers;
    expect(other!.dataReceivedBytes).toBeGreaterThan(0);
    expect(other!.dataReceivedBytes).toBeLessThan(fed!.dataReceivedBytes * 1.1);
  });

  it('native mode: everybody plays, fed by the source and by one another', () => {
    const { sim, report } = runOf({ mode: 'native' }, { insServers: 0 });
    expect(report.figures.viewers.started).toBe(50);
    expect(report.figures.bytesFrom.ins).toBe(0);
    expect(report.figures.bytesFrom.peers).toBeGreaterThan(report.figures.bytesFrom.source);
    expect(report.figures.missedRate).toBeLessThan(0.01);
    expect(report.bad).toBe(0);
    expectSameParts(sim);
  });

  it('native mode in a flash crowd: with half as much again as is needed everybody starts soon, and no uplink is exceeded', () => {
    const scenario = { ...SCENARIO_DEFAULTS, name: 'flash-crowd', summary: '' };
    const { sim, report } = runOf({ seed: 1, peers: 60, mode: 'native', seconds: 22 }, scenario);
    expect(report.figures.viewers.started).toBe(60);
    expect(report.figures.startupDelayMs.p95).toBeLessThan(3_000);
    expect(report.figures.missedRate).toBeLessThan(0.01);
    expect(report.figures.controlBps.sent).toBeLessThan(20_000);
    for (const { host } of sim.peers) expect(host.sentBytes * 8).toBeLessThan(host.options.upBps * 19.1);
    expectSameParts(sim);
  });

  it('the way of the drafts, without follow: bitmaps, range tokens and batches are enough', () => {
    const { sim, report } = runOf({ mode: 'ins', follow: false });
    expect(report.figures.viewers.started).toBe(50);
    expect(report.figures.missedRate).toBeLessThan(0.01);
    expect(report.figures.uploadBps.data).toBe(0);
    expectSameParts(sim);
  });

  it('INS and native peers in one swarm both play', () => {
    const { sim, report } = runOf({ mode: (peer) => (peer % 2 === 0 ? 'ins' : 'native') });
    expect(report.figures.viewers.started).toBe(50);
    for (const [at, peer] of sim.peers.entries()) {
      const stats = peer.core.stats(sim.nowMs);
      if (stats.mode === 'ins') expect([at, stats.bytesFrom.peers + stats.bytesFrom.source]).toEqual([at, 0]);
      else expect([at, stats.bytesFrom.ins]).toEqual([at, 0]);
    }
  });

  it('hybrid mode: when every INS server dies the peers feed one another', () => {
    const events = [{ atMs: 10_000, run: killInsServers }];
    const { sim, report } = runOf({ mode: 'hybrid', seconds: 25, events });
    expect(report.figures.viewers.started).toBe(50);
    const newest = Math.max(...sim.peers.map((peer) => peer.core.stats(sim.nowMs).part));
    for (const [at, peer] of sim.peers.entries()) {
      expect(peer.events.some((event) => event.kind === 'switched' && event.to === 'native')).toBe(true);
      // Still at the live edge, 15 s later.
      expect([at, peer.core.stats(sim.nowMs).part > newest - 16]).toEqual([at, true]);
    }
    expect(report.figures.bytesFrom.peers).toBeGreaterThan(0);
    expectSameParts(sim);
  });

  it('a connection that breaks again and again costs no block twice', () => {
    const drop = (atMs: number) => ({ atMs, run: (sim: Simulation) => sim.insServers[0]!.dropLinks() });
    const run = (events: ReturnType<typeof drop>[]) =>
      runOf({ peers: 4, seconds: 40, events }, { insServers: 1 }).report;
    const calm = run([]);
    const shaken = run([15_000, 20_000, 25_000, 30_000].map(drop));
    expect(shaken.figures.viewers.started).toBe(4);
    // What was under way when a connection broke comes again, nothing else does.
    expect(shaken.figures.bytesFrom.ins).toBeLessThan(calm.figures.bytesFrom.ins * 1.15);
  });

  it('viewers with little in hand fetch nothing twice while the follow keeps its pace', () => {
    for (const mode of ['ins', 'hybrid'] as const) {
      const player = { startBufferMs: 250, targetLatencyMs: 600 };
      const { sim, report } = runOf({ peers: 6, mode, seconds: 30, player });
      const { ins, peers, source } = report.figures.bytesFrom;
      const made = sim.source.mediaBytes * 6;
      expect([mode, (ins + peers + source) / made < 1]).toEqual([mode, true]);
      expect([mode, (peers + source) / made < 0.01]).toEqual([mode, true]);
    }
  });

  it('viewers whose clocks are minutes off play, for tokens are judged by the server’s clock', () => {
    for (const peerSkewMs of [-150_000, 150_000]) {
      const { report } = runOf({ peers: 3, seconds: 45, peerSkewMs });
      expect([peerSkewMs, report.figures.viewers.started, report.figures.bytesFrom.ins > 5_000_000]).toEqual([
        peerSkewMs,
        3,
        true,
      ]);
    }
  });

  it('INS servers that turn everybody away are not besieged', () => {
    const refuse = (sim: Simulation) => {
      for (const server of sim.insServers) server.dropLinks();
    };
    const events = Array.from({ length: 200 }, (_, at) => ({ atMs: 10_000 + at * 100, run: refuse }));
    const { sim } = runOf({ peers: 4, mode: 'hybrid', seconds: 30, events });
    for (const peer of sim.peers) {
      const switched = peer.events.filter((event) => event.kind === 'switched').length;
      expect(switched).toBeLessThan(40);
      expect(peer.core.stats(sim.nowMs).bytesFrom.peers + peer.core.stats(sim.nowMs).bytesFrom.source).toBeGreaterThan(
        0,
      );
    }
  });

  it('a peer that joins after minutes starts as the first ones did', () => {
    const late = { atMs: 120_000, run: (sim: Simulation) => void sim.join(1000) };
    const { sim } = runOf({ peers: 5, seconds: 125, events: [late] });
    const startups = sim.peers.map((peer) => peer.core.stats(sim.nowMs).startupDelayMs);
    expect(startups).toHaveLength(6);
    expect(startups.every((startup) => startup !== null && startup < 1_500)).toBe(true);
  });
});
