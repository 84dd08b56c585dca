import type { Prng } from '../../machine/prng.ts';

/** A share of viewers and what they send, in relation to each other: only ratios count, the supply says the sum. */
interface UplinkClass {
  readonly share: number;
  readonly upKbps: number;
}

/**
 * How uplinks differ between viewers. All are scaled by one factor so that their sum is what the supply says: a mix is the shape of
 * the distribution and nothing else, and downlinks stay as the scenario has them, since most of these classes could not take 1 Mbit/s today.
 * Figures are from memory of the papers.
 */
export const UPLINK_MIXES = {
  /** Everybody the same. */
  equal: [{ share: 1, upKbps: 1 }],
  /**
   * Bharambe, Herley, Padmanabhan, "Analyzing and improving a BitTorrent network's performance mechanisms" (INFOCOM 2006), after the
   * measurements of Gnutella hosts by Saroiu et al. (2002): a few hosts carry most.
   */
  gnutella: [
    { share: 0.2, upKbps: 128 },
    { share: 0.4, upKbps: 384 },
    { share: 0.25, upKbps: 1_000 },
    { share: 0.15, upKbps: 5_000 },
  ],
  /** Zhang, Zhang, Sun, Yang, "Understanding the power of pull-based streaming protocol" (JSAC 2007): three kinds of DSL. */
  dsl: [
    { share: 0.46, upKbps: 128 },
    { share: 0.39, upKbps: 384 },
    { share: 0.15, upKbps: 1_000 },
  ],
  /**
   * Huang, Li, Ross, "Can Internet video-on-demand be profitable?" (SIGCOMM 2007): viewers of MSN Video by kind of access, from modems
   * to Ethernet; their uplinks are estimates there.
   */
  'msn-video': [
    { share: 0.0284, upKbps: 64 },
    { share: 0.0434, upKbps: 256 },
    { share: 0.143, upKbps: 128 },
    { share: 0.233, upKbps: 384 },
    { share: 0.5522, upKbps: 768 },
  ],
} as const satisfies Readonly<Record<string, readonly UplinkClass[]>>;

export type UplinkMix = keyof typeof UPLINK_MIXES;

/**
 * Uplinks of `count` viewers in random order that sum up to `totalBps`. Each class has its share of the viewers exactly, but for
 * rounding: what a run shows is not the luck of its draw.
 */
export function drawUplinks(mix: UplinkMix, count: number, totalBps: number, prng: Prng): number[] {
  const classes: readonly UplinkClass[] = UPLINK_MIXES[mix];
  const weights: number[] = [];
  let share = 0;
  for (const { share: own, upKbps } of classes) {
    share += own;
    while (weights.length < Math.round(share * count)) weights.push(upKbps);
  }
  while (weights.length < count) weights.push(classes.at(-1)!.upKbps);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return prng.sample(weights, count).map((weight) => (weight / sum) * totalBps);
}
