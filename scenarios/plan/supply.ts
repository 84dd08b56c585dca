import type { ScenarioMode } from './scenario.ts';

/** How much may be sent per second, by whom. */
export type Supply =
  /**
   * `times` what all viewers need, of which the source's uplink is `sourceStreams`: the same in every mode, shared out as {@link shareOut} says.
   */
  | { readonly kind: 'fair'; readonly times: number; readonly sourceStreams: number }
  /** Links as they are, in bits per second: of the source, of each INS server, of each viewer. */
  | { readonly kind: 'links'; readonly sourceBps: number; readonly insBps: number; readonly peerBps: number };

/** Who may send how much, in bits per second. */
export interface SharedOut {
  readonly sourceBps: number;
  /** All INS servers together. */
  readonly insBps: number;
  /** All viewers together who give blocks. */
  readonly peersBps: number;
}

/** An uplink for control messages and nothing else. It is not counted as supply. */
export const CONTROL_UP_BPS = 256_000;

/**
 * The fair supply: m·N·r in every mode, of which the source has S. Native: the viewers' uplinks are the rest. INS: the servers' are,
 * and the viewers' carry control only. Hybrid: half and half. In a mixed crowd each half has as much for a viewer as the other: the INS
 * half the servers, the native one its uplinks and the source's. Without INS servers there is nobody else than viewers.
 *
 * @param demandBps - N·r: what all viewers of the crowd need for all tracks of the stream.
 */
export function shareOut(
  supply: Supply,
  mode: ScenarioMode,
  demandBps: number,
  streamBps: number,
  viewers: number,
  insServers: number,
): SharedOut {
  if (supply.kind === 'links') {
    const givers = mode === 'ins' ? 0 : mode === 'mixed' ? nativeCount(viewers) : viewers;
    const servers = mode === 'native' ? 0 : insServers;
    return { sourceBps: supply.sourceBps, insBps: servers * supply.insBps, peersBps: givers * supply.peerBps };
  }
  const sourceBps = supply.sourceStreams * streamBps;
  const restBps = Math.max(0, supply.times * demandBps - sourceBps);
  const insBps = insServers === 0 ? 0 : insPart(mode, restBps, supply.times * demandBps);
  return { sourceBps, insBps, peersBps: restBps - insBps };
}

/** The servers' part of what there is besides the source's uplink. */
function insPart(mode: ScenarioMode, restBps: number, totalBps: number): number {
  switch (mode) {
    case 'native':
      return 0;
    case 'ins':
      return restBps;
    case 'hybrid':
      return restBps / 2;
    case 'mixed':
      return Math.min(restBps, totalBps / 2);
  }
}

/** Viewers of a mixed crowd who are native: those with odd numbers. */
export function nativeCount(viewers: number): number {
  return Math.floor(viewers / 2);
}
