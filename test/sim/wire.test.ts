import { describe, expect, it } from 'vitest';
import { SCENARIO_DEFAULTS } from '../../scenarios/plan/scenario.ts';
import { Simulation } from '../../sim/simulation.ts';

const SCENARIO = { ...SCENARIO_DEFAULTS, name: 'test', summary: '', insServers: 2 };

describe('messages as objects', () => {
  it('a whole run goes the same way when every message travels as bytes: what is encoded and decoded is what was sent', () => {
    for (const mode of ['mixed', 'hybrid'] as const) {
      const [objects, bytes] = [false, true].map((checksWire) => {
        const sim = new Simulation({
          scenario: SCENARIO,
          seed: `wire ${mode}`,
          peers: 16,
          seconds: 14,
          mode,
          checksWire,
        });
        const { traceHash, events } = sim.run();
        return {
          traceHash,
          events,
          violations: sim.peers.reduce((sum, peer) => sum + peer.core.stats(sim.nowMs).bad, 0),
        };
      });
      expect(bytes).toEqual(objects);
      expect(bytes!.violations).toBe(0);
    }
  });
});
