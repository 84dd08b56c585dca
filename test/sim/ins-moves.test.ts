import { describe, expect, it } from 'vitest';
import type { Happening } from '../../scenarios/plan/scenario.ts';
import { SCENARIO_DEFAULTS } from '../../scenarios/plan/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';

/** 24 viewers who are all in when something happens to the server that is second in the list. */
function run(happenings: readonly Happening[], seconds = 24) {
  const scenario = {
    ...SCENARIO_DEFAULTS,
    name: 'moves',
    summary: 'a server fails',
    arrivals: { kind: 'crowd', fromMs: 3_000, withinMs: 4_000, shape: 'even' },
    supply: { kind: 'links', sourceBps: 20_000_000, insBps: 60_000_000, peerBps: 4_000_000 },
    happenings,
  } as const;
  const simulation = new Simulation({ scenario, seed: 'moves', peers: 24, mode: 'ins', seconds });
  simulation.run();
  return simulation;
}

const LOST = 'ws://ins-1:1';

describe('an INS server that is lost under its viewers', () => {
  it('costs no freeze when its connections break: what is in hand lasts until another one sends', () => {
    const simulation = run([{ atMs: 15_000, what: 'ins-dies', server: 1 }]);
    for (const [at, peer] of simulation.peers.entries()) {
      const { freezes, missedBlocks, ins } = peer.core.stats(simulation.nowMs);
      expect([at, freezes, missedBlocks, ins !== null && ins !== LOST]).toEqual([at, 0, 0, true]);
    }
  });

  it('is left when it falls silent without a word, once and by all, and nothing is missed', () => {
    const simulation = run([{ atMs: 15_000, what: 'ins-stalls', server: 1, forMs: 60_000 }]);
    let moved = 0;
    for (const [at, peer] of simulation.peers.entries()) {
      const { freezes, missedBlocks, ins, state } = peer.core.stats(simulation.nowMs);
      const ups = peer.events.filter(({ kind }) => kind === 'ins-up').length;
      moved += ups - 1;
      expect([at, freezes <= ups - 1, missedBlocks, ins === LOST, state]).toEqual([at, true, 0, false, 'playing']);
      expect(ups).toBeLessThanOrEqual(2);
    }
    expect(moved).toBeGreaterThanOrEqual(6);
  });
});
