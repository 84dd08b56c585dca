import type { Mode } from '../../protocol/swarm-fields.ts';
import type { Arrivals, Sessions } from './arrivals.ts';
import type { UplinkMix } from './bandwidth.ts';
import type { FaultPlan } from './faults.ts';
import { FOUR_REGIONS, type Regions } from './regions.ts';
import type { Supply } from './supply.ts';

/**
 * A scenario as plain data: who arrives when, over what links, with how much supply, and what happens at which second. It
 * knows nothing of an engine: JSON can hold it, and whoever runs real processes can read the same one.
 */
export interface Scenario {
  readonly name: string;
  /** One sentence for people. */
  readonly summary: string;
  /** How viewers get their blocks where nobody says otherwise. */
  readonly mode: ScenarioMode;
  /** Length of a run, from the source's start, where nobody says otherwise. */
  readonly seconds: number;
  readonly stream: StreamShape;
  readonly arrivals: Arrivals;
  readonly sessions: Sessions;
  readonly supply: Supply;
  /** INS servers, spread evenly over the regions, the first in the source's. */
  readonly insServers: number;
  /** How many of them the source feeds; the others fetch from those what their viewers ask for. */
  readonly insFed: number;
  /** How the viewers' uplinks differ; the supply says what they sum up to. */
  readonly uplinks: UplinkMix;
  /** Every viewer's downlink, in bits per second. */
  readonly downBps: number;
  /** Share (0 … 1) of viewers in browsers, which cannot be dialled. */
  readonly browsers: number;
  /** Viewers are spread evenly over them; source and tracker are in the first. */
  readonly regions: Regions;
  readonly happenings: readonly Happening[];
  /** Faults that are drawn from the seed, besides; null for none. */
  readonly faults: FaultPlan | null;
  /** Viewers' clocks are off by up to so many ms, one way or the other. */
  readonly clocksOffMs: number;
}

/** `mixed`: every other viewer in INS mode, the others native. */
export type ScenarioMode = Mode | 'mixed';

/** What the source makes. */
export interface StreamShape {
  /** Bits per second of the best picture and the sound; a twentieth is audio. */
  readonly bps: number;
  readonly partMs: number;
  /** Parts of a segment, which begins with a key frame. */
  readonly partsPerSegment: number;
  /** Bits per second of further pictures, beside the best one; none by default. */
  readonly renditions?: readonly number[];
}

/** Something that happens to the world at a time after the run's start. Servers are numbered from 0, as are regions. */
export type Happening =
  /** The process dies as in a crash; its connections break. */
  | { readonly atMs: number; readonly what: 'ins-dies'; readonly server: number }
  /** It comes back at the same address with the same key, and nothing stored. */
  | { readonly atMs: number; readonly what: 'ins-back'; readonly server: number }
  /** All its connections break once, as when the network goes away for a moment. */
  | { readonly atMs: number; readonly what: 'ins-drops-links'; readonly server: number }
  /** The same for the tracker, which forgets all swarms. */
  | { readonly atMs: number; readonly what: 'tracker-dies' }
  | { readonly atMs: number; readonly what: 'tracker-back' }
  | { readonly atMs: number; readonly what: 'source-drops-links' }
  /** All connections of that share (0 … 1) of the viewers who are there break once. */
  | { readonly atMs: number; readonly what: 'viewers-drop-links'; readonly share: number }
  /** That share of all their connections is half open: nothing arrives and nobody is told, until pings go unanswered. */
  | { readonly atMs: number; readonly what: 'viewers-lose-links'; readonly share: number }
  /** So long nothing gets through between two regions (one within itself, where both are the same); it comes after. At most 20 s. */
  | {
      readonly atMs: number;
      readonly what: 'partition';
      readonly regions: readonly [number, number];
      readonly forMs: number;
    }
  /** The machine stands still so long: nothing comes to it or from it. At most 20 s. */
  | { readonly atMs: number; readonly what: 'ins-stalls'; readonly server: number; readonly forMs: number }
  | { readonly atMs: number; readonly what: 'viewers-stall'; readonly share: number; readonly forMs: number }
  /** Its links carry that share (above 0, at most 1) of what they did at first, both ways, until another happening says otherwise. */
  | { readonly atMs: number; readonly what: 'ins-throttled'; readonly server: number; readonly to: number }
  | { readonly atMs: number; readonly what: 'viewers-throttled'; readonly share: number; readonly to: number }
  /** That share of the viewers who are there gives others wrong bytes from now on. */
  | { readonly atMs: number; readonly what: 'viewers-lie'; readonly share: number }
  /** That share of the viewers who are there crashes. */
  | { readonly atMs: number; readonly what: 'viewers-crash'; readonly share: number };

export const MBPS = 1_000_000;

/** 1 Mbit/s, audio included; parts of 250 ms, key frames every second. */
export const STREAM: StreamShape = { bps: MBPS, partMs: 250, partsPerSegment: 4 };

/** What scenarios have in common: viewers of a flash crowd in four regions, half as much supply again as they need. */
export const SCENARIO_DEFAULTS = {
  mode: 'ins',
  seconds: 60,
  stream: STREAM,
  // The source has filmed for three seconds, so that there is something to start with.
  arrivals: { kind: 'crowd', fromMs: 3_000, withinMs: 10_000, shape: 'even' },
  sessions: { kind: 'stay' },
  supply: { kind: 'fair', times: 1.5, sourceStreams: 20 },
  insServers: 4,
  insFed: 1,
  uplinks: 'equal',
  downBps: 20 * MBPS,
  browsers: 0,
  regions: FOUR_REGIONS,
  happenings: [],
  faults: null,
  clocksOffMs: 0,
} as const satisfies Omit<Scenario, 'name' | 'summary'>;

/** Bytes of a part of all tracks, by its place in its segment: a key frame's part weighs four of the others'. */
export function partBytes(stream: StreamShape, indexInSegment: number): { video: number; audio: number } {
  const meanBytes = (stream.bps * stream.partMs) / 8000;
  const weight = ((indexInSegment === 0 ? 4 : 1) * stream.partsPerSegment) / (stream.partsPerSegment + 3);
  return { video: Math.round(meanBytes * (1 - AUDIO_SHARE) * weight), audio: Math.round(meanBytes * AUDIO_SHARE) };
}

const AUDIO_SHARE = 1 / 20;
