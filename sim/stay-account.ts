import type { StayAccount } from '../scenarios/measures/account.ts';
import { freezesOf } from '../scenarios/measures/freezes.ts';
import { type Run, type SimStay, START_MS } from './run.ts';

/** Counts a stay so far. */
export function accountOf({ visit, peer, joinedAtMs, leftAtMs }: SimStay, { plan, nowMs }: Run): StayAccount {
  const stats = peer.core.stats(nowMs + peer.skewMs);
  const endMs = Math.min(nowMs, leftAtMs);
  const hereMs = endMs - joinedAtMs;
  const { startupDelayMs, dueBlocks, missedBlocks, bytesFrom, bad } = stats;
  const { region, dialable } = peer.host.options;
  return {
    viewer: visit.viewer,
    again: visit.again,
    region: plan.scenario.regions.names[region]!,
    mode: plan.modeOf(visit.viewer),
    isBrowser: !dialable,
    stays: leftAtMs === Number.POSITIVE_INFINITY,
    startupDelayMs,
    hereMs,
    watchedMs: startupDelayMs === null ? 0 : Math.max(0, hereMs - startupDelayMs),
    joinedAtMs: joinedAtMs - START_MS,
    endMs: endMs - START_MS,
    freezes: freezesOf(peer.events, START_MS + peer.skewMs, endMs - START_MS),
    dueBlocks,
    missedBlocks,
    dataSentBytes: peer.dataSentBytes,
    controlSentBytes: peer.controlSentBytes,
    controlReceivedBytes: peer.controlReceivedBytes,
    receivedBytes: peer.dataReceivedBytes + peer.controlReceivedBytes,
    usefulBytes: peer.usefulBytes,
    from: bytesFrom,
    bad,
  };
}
