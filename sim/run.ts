import type { PlayerOptions } from '../machine/player.ts';
import type { Quality } from '../peer/core/rendition-choice.ts';
import type { Visit } from '../scenarios/plan/arrivals.ts';
import type { RunAsked, RunPlan } from '../scenarios/plan/plan.ts';
import type { SimPeer } from './sim-peer.ts';
import type { SimSource } from './sim-source.ts';
import type { Trace } from './trace.ts';

/** What decides how a run goes. */
export interface RunOptions extends RunAsked {
  /** INS servers send the live edge unasked; false is the drafts' own way. */
  readonly follow?: boolean;
  /** Ablations of what the drafts have, see `PeerOptions`. */
  readonly rangeTokens?: boolean;
  readonly batches?: boolean;
  readonly insConnections?: number;
  /** Viewers know the INS server near them from an earlier visit, and dial it while they join. */
  readonly knowInsServers?: boolean;
  /** Hybrid viewers get what it takes to ask neighbours when they want it, as pages do, and not from the beginning. */
  readonly meshLater?: boolean;
  /** The rendition that each viewer takes; all by default. */
  readonly quality?: (viewer: number) => Quality;
  /** Viewers get what chooses among renditions when they want it, as pages do, and not from the beginning. */
  readonly choiceLater?: boolean;
  /** A viewer's downlink in bits per second; the scenario's by default. */
  readonly downBps?: (viewer: number) => number;
  /** Peers keep what they hand on, for those who look at single parts: memory grows with the run. */
  readonly keepsParts?: boolean;
  readonly player?: PlayerOptions;
  /** How far the viewers' clocks are ahead, in ms. */
  readonly peerSkewMs?: number;
  /** Largest block; default as the source's. */
  readonly blockBytes?: number;
  /** INS servers pass on a block from its first packet, unverified, as nothing that ships does. */
  readonly cutThrough?: boolean;
}

/** A viewer's stay. */
export interface SimStay {
  readonly visit: Visit;
  readonly peer: SimPeer;
  readonly joinedAtMs: number;
  /** Infinite while it lasts. */
  leftAtMs: number;
}

/** What a run shows to those who measure it. */
export interface Run {
  readonly options: RunOptions;
  readonly trace: Trace;
  readonly source: SimSource;
  /** Those who are or were there, in order of their coming. */
  readonly stays: readonly SimStay[];
  /** Who comes when, and has what link. */
  readonly plan: RunPlan;
  readonly nowMs: number;
  /** Virtual ms since the run's start. */
  readonly elapsedMs: number;
  /** Events run so far. */
  readonly eventCount: number;
}

/** The world's time at the start of every run. */
export const START_MS = 1_767_225_600_000;
