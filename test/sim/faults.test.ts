import { execFileSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { InsConversation } from '../../ins-client/core/conversation.ts';
import type { InsClientInput, InsClientOutput } from '../../ins-client/core/io.ts';
import { Prng } from '../../machine/prng.ts';
import { insClientCodec, insServerCodec } from '../../protocol/ins-messages.ts';
import { drawFaults } from '../../scenarios/plan/faults.ts';
import type { Scenario, ScenarioMode } from '../../scenarios/plan/scenario.ts';
import { scenarioNamed } from '../../scenarios/plan/scenarios.ts';
import { simSign } from '../../sim/crypto.ts';
import type { Host } from '../../sim/host.ts';
import { type LinkEnd, linkEnd } from '../../sim/links.ts';
import { SimNode, type World } from '../../sim/node.ts';
import { replayCommand } from '../../sim/replay.ts';
import { sightingsOf } from '../../sim/sightings.ts';
import { type SimOptions, Simulation } from '../../sim/simulation.ts';

/**
 * Whole swarms with faults drawn from a seed: servers that die and come back, connections that break, viewers that crash. While they last no
 * rule of the system is broken; when they are over everybody who is there is back at the live edge.
 */

const PEERS = 16;
const MODES: readonly ScenarioMode[] = ['ins', 'native', 'hybrid', 'mixed'];
/** Seeds that once failed, or show what others do not. */
const SEEDS = ['s0', 's1'];

/** Another seed for each commit: a bug has no place to hide for good. The commit is read where there is a repository. */
function commit(): string {
  try {
    return process.env.INSWARM_TEST_COMMIT ?? execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'no-commit';
  }
}

const FRESH = commit().slice(0, 12);
const FAULTS = scenarioNamed('faults')!;
const seen = new Map<string, number>();

function runOf(scenario: Scenario, mode: ScenarioMode, seed: string, more: Partial<SimOptions> = {}): Simulation {
  const sim = new Simulation({ scenario, mode, seed, peers: PEERS, ...more });
  sim.runUntil(sim.plan.seconds * 1000);
  for (const [what, times] of sightingsOf(sim.stays, sim.ledgers.flat())) seen.set(what, (seen.get(what) ?? 0) + times);
  return sim;
}

function command({ options, plan: { mode, seconds } }: Simulation): string {
  const { scenario, seed, peers } = options;
  return replayCommand({ scenario: scenario.name, mode, peers, seed, seconds });
}

describe.each(MODES)('faults, %s mode', (mode) => {
  it.each([...SEEDS, FRESH])('seed %s: no rule is broken, and all come back to the live edge', (seed) => {
    const sim = runOf(FAULTS, mode, seed);
    const { violations, figures } = sim.result();
    expect(violations, `again: ${command(sim)}`).toEqual([]);
    expect(figures.viewers.started, `again: ${command(sim)}`).toBeGreaterThan(PEERS * 0.8);
  });
});

describe('faults', () => {
  it('are a function of the seed, and are all healed in time', () => {
    const plan = FAULTS.faults!;
    const drawn = drawFaults(plan, { insServers: 3, regions: 4 }, new Prng('a'));
    expect(drawFaults(plan, { insServers: 3, regions: 4 }, new Prng('a'))).toEqual(drawn);
    expect(drawFaults(plan, { insServers: 3, regions: 4 }, new Prng('b'))).not.toEqual(drawn);
    const dead = new Set<string>();
    for (const happening of drawn) {
      expect(happening.atMs).toBeGreaterThanOrEqual(plan.fromMs);
      expect(happening.atMs).toBeLessThanOrEqual(plan.untilMs);
      if (happening.what === 'ins-dies') dead.add(`ins ${happening.server}`);
      if (happening.what === 'ins-back') dead.delete(`ins ${happening.server}`);
      if (happening.what === 'tracker-dies') dead.add('tracker');
      if (happening.what === 'tracker-back') dead.delete('tracker');
    }
    expect([...dead]).toEqual([]);
  });

  it('that nothing heals are noticed: without INS servers nobody in INS mode is at the live edge', () => {
    const kill = (sim: Simulation) => {
      for (const server of sim.insServers) server.kill();
    };
    const { violations } = runOf(FAULTS, 'ins', 's1', { events: [{ atMs: 24_001, run: kill }] }).result();
    expect(violations.length).toBeGreaterThan(PEERS / 2);
    expect(violations.every(({ rule }) => rule === 'recovery')).toBe(true);
  });
});

/** Whoever has the key of a locker, asking for blocks by name. */
class Reader extends SimNode<InsClientInput, InsClientOutput> {
  readonly arrived = new Set<number>();
  readonly refused: string[] = [];
  private readonly key: Uint8Array;
  private dialled = 0;

  constructor(world: World, id: number, host: Host, key: Uint8Array, url: string) {
    super(world, id, host, new InsConversation({ url, key, application: 'inswarm/live', prng: new Prng(1) }));
    this.key = key;
    this.input({ kind: 'start' });
  }

  get(names: readonly Uint8Array[]): void {
    const items = names.map((name) => ({ token: null, name, label: null, deadlineAtMs: null }));
    this.input({ kind: 'get', handle: 1, keep: false, collection: null, items });
  }

  protected override acceptEnd(): LinkEnd {
    throw new Error('nobody dials a reader');
  }

  protected override perform(output: InsClientOutput): void {
    switch (output.kind) {
      case 'dial':
        this.dial(
          ++this.dialled,
          output.url,
          linkEnd(insServerCodec, {
            opened: () => this.input({ kind: 'opened' }),
            message: (_link, message) => this.input({ kind: 'message', message }),
            violation: (_link, why) => this.input({ kind: 'violation', why }),
            block: (_link, header, body) => this.input({ kind: 'block', header, body }),
            closed: (_link, code, why) => this.input({ kind: 'closed', code, why }),
          }),
        );
        return;
      case 'send':
        this.send(this.dialled, insClientCodec, output.message);
        return;
      case 'sign':
        this.input({ kind: 'signed', ref: output.ref, signature: simSign(this.key, output.bytes) });
        return;
      case 'arrived':
        this.arrived.add(output.item);
        return;
      case 'refused':
        this.refused.push(output.reason);
        return;
      default:
        return;
    }
  }
}

describe('acknowledged puts', () => {
  it('can all be read by their owner, whatever has broken since', () => {
    let reader: Reader | undefined;
    let asked = 0;
    const read = (sim: Simulation) => {
      // One connection for each account: the source's would be replaced, and it would fight for it.
      sim.source.kill();
      reader = sim.attach((world, id, host) => new Reader(world, id, host, sim.source.account, 'ws://ins-0:1'));
      const names = [...sim.ledgers[0]!.at(-1)!.untilMs.keys()].map((key) =>
        Uint8Array.from(key, (c) => c.charCodeAt(0)),
      );
      asked = names.length;
      reader.get(names);
    };
    runOf(FAULTS, 'hybrid', 's1', { events: [{ atMs: 30_000, run: read }], seconds: 35 });
    expect(asked).toBeGreaterThan(50);
    expect(reader!.refused).toEqual([]);
    expect(reader!.arrived.size).toBe(asked);
  });
});

describe('over all runs of this file', () => {
  afterAll(() => seen.clear());

  it.each([
    'follow resumed',
    'token renewed',
    'asked another server',
    'moved to another INS server',
    'switched to native',
    'switched to ins',
    'jumped to the live edge',
    'jumped over what was missing',
    'freeze',
    'resumed',
    'tracker-lost',
    'ins-lost',
    'bad',
    'fed by ins',
    'fed by peers',
    'fed by source',
  ])('it happened that: %s', (what) => {
    expect(seen.get(what) ?? 0).toBeGreaterThan(0);
  });
});
