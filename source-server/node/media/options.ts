import type { Track } from '../../../protocol/media.ts';
import { parseInput, parseLadder } from '../../core/media/input.ts';
import type { CutPart } from '../../core/media/types.ts';

export interface MediaOptions {
  /** What `--input` takes: see `checkMediaOptions`. */
  input: string;
  /** Encode even what could be passed through. */
  transcode?: boolean;
  /** Renditions by height, such as `['720p', '360p']`; implies encoding. */
  ladder?: readonly string[];
  /** Wished length of a part and of a segment, in ms; 250 and 1000. */
  partMs?: number;
  segmentMs?: number;
  /** Numbers and time to continue from, after a restart; the first part is then a discontinuity. */
  startPart?: number;
  startSegment?: number;
  startTimeUs?: number;
  /** Where `--input -` reads from; the process's own standard input by default. */
  stdin?: NodeJS.ReadableStream;
  /** Size of the test pattern, such as `640x360`; the same as `testsrc=640x360`. */
  testSize?: string;
  /** False lets files and the test pattern run as fast as they can: for tests. */
  paced?: boolean;
}

export type MediaEvent =
  /** Comes before the first part, and again whenever a header or a target changes. */
  | {
      kind: 'tracks';
      tracks: readonly Track[];
      partTargetMs: number;
      segmentTargetMs: number;
      decisions: readonly string[];
    }
  | { kind: 'part'; part: CutPart }
  | { kind: 'notice'; text: string }
  | { kind: 'interrupted'; why: string }
  | { kind: 'resumed' }
  /** The input is over for good: the end of standard input. */
  | { kind: 'ended' }
  /** It cannot go on, and trying again would not help: a file that is not there. Nothing follows. */
  | { kind: 'failed'; why: string };

/** One clear line on what is wrong with the options, or undefined. Does not look at the world. */
export function checkMediaOptions(options: MediaOptions): string | undefined {
  const text = options.testSize === undefined ? options.input : `testsrc=${options.testSize}`;
  if (options.testSize !== undefined && !options.input.startsWith('testsrc')) {
    return `a size of the test pattern is given, but the input is ${options.input}`;
  }
  const input = parseInput(text);
  if (!input.ok) return input.error;
  const ladder = parseLadder(options.ladder ?? []);
  if (!ladder.ok) return ladder.error;
  const { partMs = 250, segmentMs = 1000 } = options;
  if (!(partMs >= 100 && partMs <= 1000)) return `parts of ${partMs} ms: from 100 to 1000 are possible`;
  if (!(segmentMs >= partMs && segmentMs <= 10_000)) {
    return `segments of ${segmentMs} ms: from the length of a part (${partMs}) to 10000 are possible`;
  }
  return undefined;
}
