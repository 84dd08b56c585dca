import type { ViewerFigures } from '../report/viewers.ts';
import type { Measuring } from './measuring.ts';
import type { Run, SimStay } from './run.ts';
import { accountOf } from './stay-account.ts';

/** What came of each stay so far, in the order of their coming. */
export function viewersOf(run: Run, measuring: Measuring): ViewerFigures[] {
  return run.stays.map((stay, at) => viewerOf(stay, measuring.meanLatencyMs(at), run));
}

function viewerOf(stay: SimStay, liveLatencyMs: number | null, run: Run): ViewerFigures {
  const { visit, peer, leftAtMs } = stay;
  const { freezes, from, ...account } = accountOf(stay, run.nowMs);
  const { region, dialable } = peer.host.options;
  return {
    viewer: visit.viewer,
    stay: visit.again,
    region: run.options.scenario.regions.names[region]!,
    mode: run.modeOf(visit.viewer),
    isBrowser: !dialable,
    joinedAtMs: account.joinedAtMs,
    leftAtMs: leftAtMs === Number.POSITIVE_INFINITY ? null : account.endMs,
    startupDelayMs: account.startupDelayMs,
    freezes: freezes.length,
    frozenMs: freezes.reduce((sum, { frozenMs }) => sum + frozenMs, 0),
    dueBlocks: account.dueBlocks,
    missedBlocks: account.missedBlocks,
    bytesFrom: from,
    dataSentBytes: account.dataSentBytes,
    controlSentBytes: account.controlSentBytes,
    controlReceivedBytes: account.controlReceivedBytes,
    liveLatencyMs,
  };
}
