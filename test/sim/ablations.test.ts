import { afterEach, describe, expect, it, vi } from 'vitest';
import type { PeerOutput } from '../../peer/core/io.ts';
import type { FromInsClient } from '../../protocol/ins-messages.ts';
import { MBPS, SCENARIO_DEFAULTS, type Scenario } from '../../scenarios/plan/scenario.ts';
import { SimPeer } from '../../sim/sim-peer.ts';
import { type SimOptions, Simulation } from '../../sim/simulation.ts';

const SCENARIO: Scenario = {
  ...SCENARIO_DEFAULTS,
  name: 'ablations',
  summary: '',
  arrivals: { kind: 'crowd', fromMs: 3_000, withinMs: 2_000, shape: 'even' },
  supply: { kind: 'links', sourceBps: 20 * MBPS, insBps: 100 * MBPS, peerBps: MBPS },
  insServers: 1,
};

/** Viewers of the drafts' way with something changed, and what they said to others. */
function run(changes: Partial<SimOptions>) {
  const said: PeerOutput[] = [];
  /** By viewer: the connections over which it asked for blocks. */
  const askedOver = new Map<unknown, Set<number>>();
  const shell = SimPeer.prototype as unknown as { perform(output: PeerOutput): void };
  const perform = shell.perform;
  vi.spyOn(shell, 'perform').mockImplementation(function (this: unknown, output: PeerOutput) {
    said.push(output);
    if (output.kind === 'send-ins' && output.message.type === 'batch') {
      askedOver.set(this, (askedOver.get(this) ?? new Set()).add(output.link));
    }
    perform.call(this, output);
  });
  const base = { scenario: SCENARIO, seed: 'ablations', peers: 6, seconds: 14, mode: 'ins', follow: false } as const;
  const simulation = new Simulation({ ...base, ...changes });
  const { figures } = simulation.run();
  expect(figures.viewers.started).toBe(6);
  const batches = said.flatMap((output) =>
    output.kind === 'send-ins' && output.message.type === 'batch' ? [output.message] : [],
  );
  const connections = [...askedOver.values()].map((links) => links.size);
  return { said, connections, gets: batches.map(itemsOf).filter((count) => count > 0) };
}

function itemsOf({ gets }: Extract<FromInsClient, { type: 'batch' }>): number {
  return gets.length;
}

function wants(said: readonly PeerOutput[]): number {
  return said.filter((output) => output.kind === 'send-peer' && output.message.type === 'want').length;
}

describe('what the ideas of the drafts are measured against', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('nothing changed: many blocks are asked for at once, and no token is asked of anybody', () => {
    const { said, gets } = run({});
    expect(Math.max(...gets)).toBeGreaterThan(3);
    expect(wants(said)).toBe(0);
  });

  it('without batches no request is for more than one block', () => {
    const { gets } = run({ batches: false });
    expect(gets.length).toBeGreaterThan(100);
    expect(new Set(gets)).toEqual(new Set([1]));
  });

  it('without range tokens neighbours are asked for a token for every block', () => {
    const { said, gets } = run({ rangeTokens: false });
    const blocks = gets.reduce((sum, count) => sum + count, 0);
    expect(blocks).toBeGreaterThan(100);
    expect(wants(said)).toBeGreaterThanOrEqual(blocks * 0.9);
  });

  it('with three connections a viewer asks its server over all of them, else over one', () => {
    expect(run({ insConnections: 3 }).connections).toEqual(Array(6).fill(3));
    vi.restoreAllMocks();
    expect(run({}).connections).toEqual(Array(6).fill(1));
  });
});
