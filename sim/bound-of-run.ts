import { PLAYER_DEFAULTS } from '../machine/player.ts';
import { BLOCK_BYTES_DEFAULT } from '../protocol/limits.ts';
import { type BoundViewer, type BoundWorld, firstByteMs } from './bound.ts';
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

/** Those who came and will come, with what they can give. The tracker is in the first region, and somebody with media in every one. */
export function boundViewers(run: Run): BoundViewer[] {
  const { delaysMs } = run.options.scenario.regions;
  return run.visits.map(({ viewer, joinAtMs }) => {
    const region = run.regions[viewer] ?? 0;
    const nearestMs = Math.min(...delaysMs.map((row, at) => row[region]! + delaysMs[region]![at]!));
    const trackerMs = delaysMs[region]![0]! + delaysMs[0]![region]!;
    return { joinAtMs, firstByteMs: firstByteMs(trackerMs, nearestMs), upBps: run.givenBps[viewer] ?? 0 };
  });
}
