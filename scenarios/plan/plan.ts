import { Prng } from '../../machine/prng.ts';
import type { Mode } from '../../protocol/swarm-fields.ts';
import { planVisits, type Visit } from './arrivals.ts';
import { drawUplinks } from './bandwidth.ts';
import { drawFaults } from './faults.ts';
import type { Happening, Scenario, ScenarioMode } from './scenario.ts';
import { CONTROL_UP_BPS, nativeCount, type SharedOut, shareOut } from './supply.ts';

/** What a run is asked to be. */
export interface RunAsked {
  readonly scenario: Scenario;
  readonly seed: string | number;
  readonly peers: number;
  /** The scenario's where nothing is said; or each viewer's own by its number. */
  readonly mode?: ScenarioMode | ((viewer: number) => Mode);
  /** The scenario's where nothing is said. */
  readonly seconds?: number;
}

/** Everything that chance decides before a run, the same for every engine: who comes when, is where, and has what link. */
export interface RunPlan {
  readonly scenario: Scenario;
  readonly seed: string | number;
  readonly peers: number;
  /** Of the run; viewers with modes of their own count as mixed. */
  readonly mode: ScenarioMode;
  readonly seconds: number;
  /** In order of their begin. */
  readonly visits: readonly Visit[];
  /** Who may send how much. */
  readonly sharedOut: SharedOut;
  /** By viewer: what it may give to others, in bits per second. */
  readonly givenBps: readonly number[];
  /** By viewer: the number of its region. */
  readonly regions: readonly number[];
  /** Viewers in browsers. */
  readonly browsers: ReadonlySet<number>;
  /** INS servers that the source feeds: none in native mode, where its whole uplink is for viewers. */
  readonly fed: number;
  /** Those of the scenario, and the faults that chance draws. */
  readonly happenings: readonly Happening[];
  modeOf(viewer: number): Mode;
}

/** Makes the plan of a run: a function of what is asked alone. */
export function planRun(asked: RunAsked): RunPlan {
  const { scenario, seed, peers } = asked;
  const prng = new Prng(seed);
  const seconds = asked.seconds ?? scenario.seconds;
  const { arrivals, sessions, supply, stream, insServers, insFed, regions, browsers } = scenario;
  const own = asked.mode ?? scenario.mode;
  const mode = typeof own === 'function' ? 'mixed' : own;
  const sharedOut = shareOut(supply, mode, peers * stream.bps, stream.bps, peers, insServers);
  const all = [...Array(peers).keys()];
  return {
    scenario,
    seed,
    peers,
    mode,
    seconds,
    visits: planVisits(arrivals, sessions, peers, seconds * 1000, prng.fork('visits')),
    sharedOut,
    givenBps: drawGiven(asked, sharedOut, prng.fork('uplinks')),
    regions: prng
      .fork('regions')
      .sample(all, peers)
      .map((at) => at % regions.names.length),
    browsers: new Set(prng.fork('browsers').sample(all, Math.round(browsers * peers))),
    fed: mode === 'native' ? 0 : Math.min(insFed, insServers),
    happenings: [...scenario.happenings, ...drawnFaults(scenario, prng.fork('faults'))],
    modeOf(viewer) {
      if (typeof own === 'function') return own(viewer);
      return own === 'mixed' ? (viewer % 2 === 1 ? 'native' : 'ins') : own;
    },
  };
}

/** A viewer's uplink in bits per second: what it gives, and control at least. Viewers beyond those planned give nothing. */
export function upBpsOf({ scenario: { supply }, givenBps }: RunPlan, viewer: number): number {
  const leastBps = supply.kind === 'links' ? supply.peerBps : CONTROL_UP_BPS;
  return Math.max(givenBps[viewer] ?? 0, leastBps);
}

/** An INS server's link in bits per second. In native mode nobody asks it for anything, but what takes no part needs a link, too. */
export function insBpsOf({ scenario, sharedOut }: RunPlan): number {
  return Math.max(sharedOut.insBps / scenario.insServers, CONTROL_UP_BPS);
}

/**
 * What an INS server sends of blocks, over what its uplink carries: a little is left for frame headers, records and control, so that
 * what waits does so in the server, which knows what is urgent.
 */
export const INS_BANDWIDTH_SHARE = 0.97;

/** The uplinks of those who give blocks; 0 for the others. */
function drawGiven({ scenario, peers, mode }: RunAsked, { peersBps }: SharedOut, prng: Prng): number[] {
  const { uplinks } = scenario;
  if ((mode ?? scenario.mode) !== 'mixed') return drawUplinks(uplinks, peers, peersBps, prng);
  const drawn = drawUplinks(uplinks, nativeCount(peers), peersBps, prng);
  return Array.from({ length: peers }, (_, viewer) => (viewer % 2 === 1 ? drawn[viewer >> 1]! : 0));
}

function drawnFaults({ faults, insServers, regions }: Scenario, prng: Prng): Happening[] {
  return faults === null ? [] : drawFaults(faults, { insServers, regions: regions.names.length }, prng);
}
