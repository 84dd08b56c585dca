import type { Track } from '../../../protocol/media.ts';
import { Mp4Reader } from '../../../source-server/core/media/mp4-reader.ts';
import type { CutPart, Sample, TrackHeader } from '../../../source-server/core/media/types.ts';
import { openMedia } from '../../../source-server/node/media/open-media.ts';

/** What a source makes of a file. */
export interface Cut {
  readonly tracks: readonly Track[];
  readonly decisions: readonly string[];
  readonly parts: readonly CutPart[];
}

/** A part of one track, opened. */
export interface OpenedPart {
  readonly samples: readonly Sample[];
  /** Boxes around them. */
  readonly headerBytes: number;
}

/** A source that says nothing for so long is given up. */
const SILENCE_MAX_MS = 60_000;

/**
 * The first parts of a file, cut as a source cuts it, as fast as that goes.
 *
 * @throws Error in the source's own words when it cannot.
 */
export function cutFile(
  file: string,
  options: {
    readonly partMs: number;
    readonly segmentMs: number;
    readonly parts: number;
    readonly signal: AbortSignal;
  },
): Promise<Cut> {
  const { partMs, segmentMs, signal } = options;
  return new Promise((resolve, reject) => {
    const parts: CutPart[] = [];
    let head: Pick<Cut, 'tracks' | 'decisions'> = { tracks: [], decisions: [] };
    let over = false;
    const finish = (why: string | undefined) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      void media.close().then(() => (why === undefined ? resolve({ ...head, parts }) : reject(new Error(why))));
    };
    const stop = () => finish('making the film was called off');
    let timer = setTimeout(stop, SILENCE_MAX_MS);
    const media = openMedia({ input: file, partMs, segmentMs, paced: false }, (event) => {
      if (over) return;
      clearTimeout(timer);
      timer = setTimeout(() => finish('the source makes nothing of the film'), SILENCE_MAX_MS);
      if (event.kind === 'tracks') head = event;
      if (event.kind === 'part') parts.push(event.part);
      if (event.kind === 'failed' || event.kind === 'interrupted') finish(event.why);
      if (parts.length >= options.parts) finish(undefined);
    });
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
}

/** Header and samples of one track, part by part. */
export function openTrack(cut: Cut, kind: Track['kind']): { header: TrackHeader; parts: OpenedPart[] } {
  const track = cut.tracks.find((one) => one.kind === kind);
  if (track === undefined) throw new Error(`the film has no ${kind}`);
  const reader = new Mp4Reader();
  const header = reader.push(track.init).flatMap((item) => (item.kind === 'track' ? [item.track] : []))[0]!;
  const parts = cut.parts.map((part) => {
    const bytes = part.tracks.find((one) => one.track === track.id)?.bytes ?? new Uint8Array();
    const samples = reader.push(bytes).flatMap((item) => (item.kind === 'sample' ? [item.sample] : []));
    const payload = samples.reduce((sum, sample) => sum + sample.bytes.length, 0);
    return { samples, headerBytes: bytes.length - payload };
  });
  return { header, parts };
}

/** Bytes of a track's part, as viewers get it; 0 where it has none. */
export function partSize(cut: Cut, part: CutPart, kind: Track['kind']): number {
  const track = cut.tracks.find((one) => one.kind === kind);
  return part.tracks.find((one) => one.track === track?.id)?.bytes.length ?? 0;
}
