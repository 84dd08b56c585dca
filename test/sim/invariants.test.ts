import { describe, expect, it } from 'vitest';
import type { InsServerInput, InsServerOutput } from '../../ins-server/core/io.ts';
import type { Machine } from '../../machine/machine.ts';
import { EMPTY_BATCH, EMPTY_PUT } from '../../protocol/ins-messages.ts';
import { nameOfHash } from '../../protocol/names.ts';
import { MBPS, SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import { scenarioNamed } from '../../scenarios/plan/scenarios.ts';
import { type FedRun, fedTwice, type Rule } from '../../sim/invariants.ts';
import { PutLedger } from '../../sim/put-ledger.ts';
import { type SimOptions, Simulation } from '../../sim/simulation.ts';

const SCENARIO: Scenario = {
  ...SCENARIO_DEFAULTS,
  name: 'test',
  summary: '',
  arrivals: { kind: 'crowd', fromMs: 1_000, withinMs: 500, shape: 'even' },
  supply: { kind: 'links', sourceBps: 20 * MBPS, insBps: 40 * MBPS, peerBps: 2 * MBPS },
  insServers: 1,
};

/** Three viewers; at 4 s something is done that must not be. */
function rulesBrokenBy(tamper: (sim: Simulation) => void, options: Partial<SimOptions> = {}): Rule[] {
  const events = [{ atMs: 4_500, run: tamper }];
  const sim = new Simulation({ scenario: SCENARIO, seed: 'rules', peers: 3, seconds: 6, events, ...options });
  return [...new Set(sim.run().violations.map(({ rule }) => rule))];
}

describe('the rules that every run is checked for', () => {
  it('hold in all modes when nothing is tampered with', () => {
    for (const mode of ['ins', 'native', 'hybrid', 'mixed'] as const)
      expect(rulesBrokenBy(() => {}, { mode })).toEqual([]);
  });

  it('nobody sends above its link', () => {
    const bytes = (2 * MBPS) / 8 + 100_000;
    expect(
      rulesBrokenBy((sim) => {
        sim.peers[1]!.host.up.sentBytes += bytes;
      }),
    ).toEqual(['link-rate']);
  });

  it('nobody receives above its link', () => {
    const bytes = (20 * MBPS) / 8 + 100_000;
    expect(
      rulesBrokenBy((sim) => {
        sim.peers[1]!.controlReceivedBytes += bytes;
      }),
    ).toEqual(['link-rate']);
    expect(
      rulesBrokenBy((sim) => {
        sim.insServers[0]!.dataReceivedBytes += 3 * bytes;
      }),
    ).toEqual(['link-rate']);
  });

  it('what is played is what the source made', () => {
    const forget = (sim: Simulation) => {
      // The source is said to have made something else from here on.
      sim.source.parts.set = function (place: string) {
        return Map.prototype.set.call(this, place, 'something else') as Map<string, string>;
      };
    };
    expect(rulesBrokenBy(forget)).toEqual(['content']);
  });

  it('the play-head never goes back', () => {
    const rewind = (sim: Simulation) => {
      const { core } = sim.peers[0]!;
      const own = core.stats.bind(core);
      core.stats = (nowMs) => ({ ...own(nowMs), part: sim.elapsedMs > 4_600 ? 1 : own(nowMs).part });
    };
    expect(rulesBrokenBy(rewind)).toEqual(['forward']);
  });

  it('what a peer keeps has bounds', () => {
    const grow = (sim: Simulation) => {
      const { core } = sim.peers[0]!;
      const own = core.sizes.bind(core);
      core.sizes = () => ({ ...own(), bounded: { neighbours: { size: 99, max: 36 } } });
    };
    expect(rulesBrokenBy(grow)).toEqual(['memory']);
  });

  it('in INS mode no block byte goes from peer to peer', () => {
    expect(
      rulesBrokenBy((sim) => {
        sim.peers[0]!.dataSentBytes += 1;
      }),
    ).toEqual(['ins-only']);
    expect(
      rulesBrokenBy(
        (sim) => {
          sim.peers[0]!.dataSentBytes += 1;
        },
        { mode: 'hybrid' },
      ),
    ).toEqual([]);
  });

  it('in INS mode the source sends each byte to the servers it feeds and twice besides at most', () => {
    expect(
      rulesBrokenBy((sim) => {
        sim.source.dataSentBytes += 6_000_000;
      }),
    ).toEqual(['source-copies']);
    expect(
      rulesBrokenBy(
        (sim) => {
          sim.source.dataSentBytes += 6_000_000;
        },
        { mode: 'native' },
      ),
    ).toEqual([]);
  });
});

describe('what comes twice', () => {
  const crowd = {
    elapsedMs: 60_000,
    stays: Array(200).fill(0),
    plan: { mode: 'ins', scenario: scenarioNamed('flash-crowd')! },
  } as const;
  const rules = (run: FedRun, share: number) => fedTwice(run, share).map(({ rule }) => rule);

  it('is little in a crowd that lacks nothing', () => {
    expect(rules(crowd, 0.09)).toEqual([]);
    expect(rules(crowd, 0.11)).toEqual(['fed-twice']);
    expect(rules({ ...crowd, plan: { ...crowd.plan, mode: 'hybrid' } }, 0.39)).toEqual([]);
    expect(rules({ ...crowd, plan: { ...crowd.plan, mode: 'hybrid' } }, 0.41)).toEqual(['fed-twice']);
  });

  it('may be more where supply is short, something breaks, or the start is all there is', () => {
    for (const name of ['shortage', 'ins-lost', 'faults'])
      expect(rules({ ...crowd, plan: { ...crowd.plan, scenario: scenarioNamed(name)! } }, 0.5)).toEqual([]);
    expect(rules({ ...crowd, elapsedMs: 10_000 }, 0.5)).toEqual([]);
    expect(rules({ ...crowd, stays: [] }, 0.5)).toEqual([]);
  });
});

const NAME = nameOfHash(new Uint8Array(32).fill(7));
const BLOCK = { key: 'k', name: NAME, sizeBytes: 5 };

/** A core that acknowledges a put as soon as it is asked for one, and drops the block when the link closes. */
function forgetfulCore(): Machine<InsServerInput, InsServerOutput> {
  const outputs: InsServerOutput[] = [];
  return {
    handleInput(input) {
      if (input.kind === 'message')
        outputs.push({ kind: 'send', link: input.link, message: { type: 'stored', request: 1, items: [0] } });
      if (input.kind === 'link-closed') outputs.push({ kind: 'drop', block: BLOCK });
    },
    handleTimeout() {},
    pollOutput: () => outputs.shift(),
    nextDeadline: () => undefined,
  };
}

describe('acknowledged puts', () => {
  const put = {
    ...EMPTY_PUT,
    track: 0,
    part: 1,
    index: 0,
    start: true,
    name: NAME,
    sizeBytes: 5,
    companion: new Uint8Array(0),
  };
  const batch = { ...EMPTY_BATCH, request: 1, ttlSeconds: 10, puts: [put] } as const;

  function brokenWhenDroppedAt(atMs: number): string[] {
    const ledger = new PutLedger(forgetfulCore());
    ledger.handleInput({ kind: 'message', link: 1, message: batch }, 1_000);
    while (ledger.pollOutput() !== undefined) {}
    ledger.handleInput({ kind: 'link-closed', link: 1 }, atMs);
    while (ledger.pollOutput() !== undefined) {}
    return ledger.broken;
  }

  it('may be dropped when they have expired, and not before', () => {
    expect(brokenWhenDroppedAt(11_000)).toEqual([]);
    expect(brokenWhenDroppedAt(10_000)).toEqual(['an acknowledged put was dropped 1000 ms before it expires']);
  });

  it('are there when they are to be sent', () => {
    const ledger = new PutLedger(forgetfulCore());
    const header = { request: 1, item: 0, kept: false, labelled: null };
    ledger.handleInput({ kind: 'load-failed', link: 1, header, block: BLOCK }, 0);
    expect(ledger.broken).toHaveLength(1);
  });
});
