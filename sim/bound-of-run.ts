import { PLAYER_DEFAULTS } from '../machine/player.ts';
import { BLOCK_BYTES_DEFAULT } from '../protocol/limits.ts';
import type { BoundViewer, BoundWorld } from './bound.ts';
import type { Run } from './run.ts';
import { partBytes } from './scenario.ts';

/** What the bound has to know of the world of a run. */
export function boundWorld(run: Run): BoundWorld {
  const { scenario, player = PLAYER_DEFAULTS, blockBytes = BLOCK_BYTES_DEFAULT } = run.options;
  const { stream, regions, downBps } = scenario;
  const bytesOf = (indexInSegment: number) => {
    const { video, audio } = partBytes(stream, indexInSegment);
    return video + audio;
  };
  const startParts = Math.ceil(player.startBufferMs / stream.partMs);
  let startBytes = 0;
  for (let part = 0; part < startParts; part++) startBytes += bytesOf(part % stream.partsPerSegment);
  let segmentBytes = 0;
  for (let part = 0; part < stream.partsPerSegment; part++) segmentBytes += bytesOf(part);
  return {
    serversBps: run.sharedOut.sourceBps + run.sharedOut.insBps,
    streamBps: stream.bps,
    startBytes,
    segmentBytes,
    blockBytes: Math.min(blockBytes, partBytes(stream, 1).video),
    partMs: stream.partMs,
    downBps,
    halfTripMs: Math.min(...regions.delaysMs.flat()),
  };
}

/** Those who came and will come, in order of time, with what they can give. */
export function boundViewers(run: Run): BoundViewer[] {
  return run.visits.map(({ viewer, joinAtMs }) => ({ joinAtMs, upBps: run.givenBps[viewer] ?? 0 }));
}
