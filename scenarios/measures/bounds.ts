import { PLAYER_DEFAULTS } from '../../machine/player.ts';
import { BLOCK_BYTES_DEFAULT } from '../../protocol/limits.ts';
import { type BoundViewer, type BoundWorld, firstByteMs } from '../plan/bound.ts';
import type { RunPlan } from '../plan/plan.ts';
import { partBytes } from '../plan/scenario.ts';

/** What else the bound hangs on: the programs' own. */
export interface PlayerShape {
  readonly startBufferMs: number;
  readonly blockBytes: number;
}

export const PLAYER_SHAPE: PlayerShape = {
  startBufferMs: PLAYER_DEFAULTS.startBufferMs,
  blockBytes: BLOCK_BYTES_DEFAULT,
};

/** What the bound has to know of the world of a run. */
export function boundWorld({ scenario, sharedOut }: RunPlan, { startBufferMs, blockBytes }: PlayerShape): BoundWorld {
  const { stream, regions, downBps } = scenario;
  const bytesOf = (indexInSegment: number) => {
    const { video, audio } = partBytes(stream, indexInSegment);
    return video + audio;
  };
  const startParts = Math.ceil(startBufferMs / stream.partMs);
  let startBytes = 0;
  for (let part = 0; part < startParts; part++) startBytes += bytesOf(part % stream.partsPerSegment);
  let segmentBytes = 0;
  for (let part = 0; part < stream.partsPerSegment; part++) segmentBytes += bytesOf(part);
  return {
    serversBps: sharedOut.sourceBps + sharedOut.insBps,
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
export function boundViewers({ scenario, visits, regions, givenBps }: RunPlan): BoundViewer[] {
  const { delaysMs } = scenario.regions;
  return visits.map(({ viewer, joinAtMs }) => {
    const region = regions[viewer] ?? 0;
    const nearestMs = Math.min(...delaysMs.map((row, at) => row[region]! + delaysMs[region]![at]!));
    const trackerMs = delaysMs[region]![0]! + delaysMs[0]![region]!;
    return { joinAtMs, firstByteMs: firstByteMs(trackerMs, nearestMs), upBps: givenBps[viewer] ?? 0 };
  });
}
