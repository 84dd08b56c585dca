import { describe, expect, it } from 'vitest';
import { pastFeed } from '../../peer/core/past-feed.ts';
import { SCENARIO_DEFAULTS } from '../../scenarios/plan/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';

/** Viewers who come late, and want what was there before they came. */
function run(seconds: number): Simulation {
  const scenario = {
    ...SCENARIO_DEFAULTS,
    name: 'late',
    summary: 'late comers',
    arrivals: { kind: 'crowd', fromMs: 40_000, withinMs: 500, shape: 'even' },
    supply: { kind: 'links', sourceBps: 20_000_000, insBps: 60_000_000, peerBps: 4_000_000 },
  } as const;
  const simulation = new Simulation({ scenario, seed: 'past', peers: 4, mode: 'ins', seconds, keepsParts: true });
  simulation.runUntil(44_000);
  return simulation;
}

describe('what was before a viewer came', () => {
  it('is had from the INS servers when it is asked for, as the source made it, and costs what is live nothing', () => {
    const simulation = run(60);
    for (const [at, peer] of simulation.peers.entries()) {
      // The source has put all since the first part, and says so in its token.
      expect([at, peer.core.reachFrom]).toEqual([at, 0]);
      expect(peer.handed.every((output) => output.kind !== 'part' || output.record.part > 100)).toBe(true);
    }
    const sought = Array.from({ length: 40 }, (_, at) => ({ track: at % 2, part: 8 + (at >> 1) }));
    for (const peer of simulation.peers) peer.input({ kind: 'past', make: pastFeed, parts: sought });
    simulation.runUntil(50_000);
    for (const [at, peer] of simulation.peers.entries()) {
      const came = peer.past.map(({ record }) => `${record.track}:${record.part}`).toSorted();
      expect([at, came]).toEqual([at, sought.map(({ track, part }) => `${track}:${part}`).toSorted()]);
      const { freezes, missedBlocks, bad } = peer.core.stats(simulation.nowMs);
      expect([at, peer.wrongParts, freezes, missedBlocks, bad]).toEqual([at, [], 0, 0, 0]);
    }
  });

  it('that nobody has is said to be gone, and bounded in number', () => {
    const simulation = run(70);
    const [peer] = simulation.peers;
    // Of a track that there is not.
    peer!.input({ kind: 'past', make: pastFeed, parts: [{ track: 9, part: 20 }] });
    peer!.input({
      kind: 'past',
      make: pastFeed,
      parts: Array.from({ length: 300 }, (_, part) => ({ track: 8, part })),
    });
    expect(peer!.core.sizes().bounded['parts of the past that are wanted']!.size).toBeLessThanOrEqual(128);
    simulation.runUntil(69_000);
    expect(peer!.core.sizes().bounded['parts of the past that are wanted']!.size).toBe(0);
    expect(peer!.pastGone).toBe(301);
    expect(peer!.past).toEqual([]);
  });
});
