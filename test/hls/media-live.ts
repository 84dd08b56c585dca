import { LiveParts } from '../../hls/live-parts.ts';
import type { Description, IndexRecord } from '../../protocol/media.ts';
import { type MediaEvent, openMedia } from '../../source-server/node/media/open-media.ts';
import { makeDescription } from './made-stream.ts';

/** Real media as a live source: the test pattern, encoded in real time, one block to a part. */
export interface MediaLive {
  readonly live: LiveParts;
  /** Everything that was added, in order; grows. */
  readonly added: readonly MediaPart[];
  close(): Promise<void>;
}

export interface MediaPart {
  readonly record: IndexRecord;
  readonly bytes: Uint8Array;
}

export interface MediaLiveOptions {
  readonly ladder?: readonly string[];
  readonly onPart?: (part: MediaPart) => void;
}

/** Resolves with the first part. */
export async function startMediaLive(options: MediaLiveOptions = {}): Promise<MediaLive> {
  const live = new LiveParts();
  const added: MediaPart[] = [];
  const { ladder = [], onPart } = options;
  const take = (event: MediaEvent) => {
    if (event.kind === 'tracks') live.setDescription(describe(event));
    if (event.kind !== 'part') return;
    for (const part of partsOf(event.part)) {
      live.add(part.record, [part.bytes]);
      added.push(part);
      onPart?.(part);
    }
  };
  return new Promise((begun, fail) => {
    const media = openMedia({ input: 'testsrc=320x180', ladder }, (event) => {
      if (event.kind === 'failed') fail(new Error(event.why));
      take(event);
      if (added.length > 0) begun({ live, added, close: () => media.close() });
    });
  });
}

function describe(event: Extract<MediaEvent, { kind: 'tracks' }>): Description {
  const { tracks, partTargetMs, segmentTargetMs } = event;
  return makeDescription({ tracks, partTargetMs, segmentTargetMs });
}

function partsOf(part: Extract<MediaEvent, { kind: 'part' }>['part']): MediaPart[] {
  const { tracks, ...common } = part;
  return tracks.map(({ track, timeUs, durationUs, bytes }) => {
    const blocks = [{ name: new Uint8Array(33), sizeBytes: bytes.length }];
    const rest = { revision: 0, blocks, previous: new Uint8Array(32) };
    return { record: { ...common, ...rest, track, timeUs, durationUs }, bytes };
  });
}
