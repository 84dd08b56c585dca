import { type Freeze, freezesOf } from './freezes.ts';
import { type SimStay, START_MS } from './run.ts';

/** One stay, counted. */
export interface StayAccount {
  readonly startupDelayMs: number | null;
  /** How long the viewer is or was there, and how long of that since its first frame. */
  readonly hereMs: number;
  readonly watchedMs: number;
  readonly joinedAtMs: number;
  readonly endMs: number;
  readonly freezes: readonly Freeze[];
  readonly dueBlocks: number;
  readonly missedBlocks: number;
  readonly dataSentBytes: number;
  readonly controlSentBytes: number;
  readonly controlReceivedBytes: number;
  readonly receivedBytes: number;
  readonly usefulBytes: number;
  readonly from: { readonly ins: number; readonly peers: number; readonly source: number };
  readonly bad: number;
}

/** Counts a stay so far. */
export function accountOf({ peer, joinedAtMs, leftAtMs }: SimStay, nowMs: number): StayAccount {
  const stats = peer.core.stats(nowMs + peer.skewMs);
  const endMs = Math.min(nowMs, leftAtMs);
  const hereMs = endMs - joinedAtMs;
  const { startupDelayMs, dueBlocks, missedBlocks, bytesFrom, bad } = stats;
  return {
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
