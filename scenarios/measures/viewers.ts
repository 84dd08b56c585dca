import type { ViewerFigures } from '../../report/viewers.ts';
import type { StayAccount } from './account.ts';
import type { Sampling } from './sampling.ts';

/** What came of each stay so far, in the order of their coming. */
export function viewersOf(stays: readonly StayAccount[], sampling: Sampling): ViewerFigures[] {
  return stays.map(({ freezes, from, ...stay }, at) => ({
    viewer: stay.viewer,
    stay: stay.again,
    region: stay.region,
    mode: stay.mode,
    isBrowser: stay.isBrowser,
    joinedAtMs: stay.joinedAtMs,
    leftAtMs: stay.stays ? null : stay.endMs,
    startupDelayMs: stay.startupDelayMs,
    freezes: freezes.length,
    frozenMs: freezes.reduce((sum, { frozenMs }) => sum + frozenMs, 0),
    dueBlocks: stay.dueBlocks,
    missedBlocks: stay.missedBlocks,
    bytesFrom: from,
    dataSentBytes: stay.dataSentBytes,
    controlSentBytes: stay.controlSentBytes,
    controlReceivedBytes: stay.controlReceivedBytes,
    liveLatencyMs: sampling.meanLatencyMs(at),
  }));
}
