import { GopMeter, type GopReport } from '../../core/media/gop-meter.ts';
import { type InputInfo, readInputInfo } from '../../core/media/stream-info.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import type { Plan } from './plan.ts';
import { Run } from './run.ts';

/** What an input is, as far as its first seconds tell. */
export interface Probe {
  readonly info: InputInfo;
  /** Only for H.264, which may be passed through. */
  readonly gop: GopReport | undefined;
}

export interface ProbeInput {
  readonly ffmpeg: string;
  /** `-i` and what belongs to it. */
  readonly inputArgs: readonly string[];
  /** The input's first bytes, when it comes on standard input. */
  readonly bytes?: readonly Uint8Array[];
  /** Ends the probe's processes. */
  readonly signal: AbortSignal;
}

const probeSeconds = 30;
const listingMaxMs = 20_000;
/** What 30 s of video give in this time is enough to go by. */
const measureMaxMs = 8000;

/** @throws Error with ffmpeg's own words when it cannot read the input. */
export async function probeInput(input: ProbeInput): Promise<Probe> {
  const info = await listStreams(input);
  const gop = info.video?.codec === 'h264' ? await measureGops(input, info.video.index) : undefined;
  return { info, gop };
}

function listStreams({ ffmpeg, inputArgs, bytes, signal }: ProbeInput): Promise<InputInfo> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    const onLine = (line: string) => lines.length < 1000 && lines.push(line);
    const child = new FfmpegProcess(ffmpeg, inputArgs, 0, bytes === undefined ? 'ignore' : 'pipe', {
      onData: () => undefined,
      onLine,
      onExit: ({ lastWords }) => {
        stop();
        const info = readInputInfo(lines);
        if (info.video !== undefined || info.audios.length > 0) resolve(info);
        // Without an output ffmpeg always ends with this complaint; it says nothing of the input.
        else if (lastWords.startsWith('At least one output')) reject(new Error('it holds no pictures and no sound'));
        else reject(new Error(lastWords || 'ffmpeg says nothing of its streams'));
      },
    });
    const stop = killOn(signal, listingMaxMs, () => child.kill());
    feed(child.stdin, bytes);
  });
}

function measureGops({ ffmpeg, inputArgs, bytes, signal }: ProbeInput, index: number): Promise<GopReport | undefined> {
  return new Promise((resolve) => {
    let meter: GopMeter | undefined;
    const run = new Run(ffmpeg, copyPlan(inputArgs, index), bytes === undefined ? 'ignore' : 'pipe', measureMaxMs, {
      onHeaders: ([header]) => {
        meter = new GopMeter(header!.timescale);
      },
      onSample: (_track, sample) => meter?.note(sample),
      onBatch: () => undefined,
      onEnd: () => {
        stop();
        resolve(meter?.report());
      },
    });
    const stop = killOn(signal, measureMaxMs, () => run.stop('enough'));
    feed(run.stdin, bytes);
  });
}

function copyPlan(inputArgs: readonly string[], index: number): Plan {
  const track = {
    kind: 'video',
    name: '',
    language: '',
    frameRate: 0,
    frameMs: 0,
    steady: true,
    segmentMs: 0,
    bandwidthBps: 0,
  } as const;
  return {
    inputArgs: ['-t', String(probeSeconds), ...inputArgs],
    tracks: [{ ...track, codecArgs: ['-c:v', 'copy'], map: `0:${index}` }],
    decisions: [],
  };
}

function feed(stdin: NodeJS.WritableStream | null, bytes: readonly Uint8Array[] | undefined): void {
  if (stdin === null || bytes === undefined) return;
  for (const chunk of bytes) stdin.write(chunk);
  stdin.end();
}

/** Kills after a time or when asked to; the returned function calls that off. */
function killOn(signal: AbortSignal, afterMs: number, kill: () => void): () => void {
  const timer = setTimeout(kill, afterMs);
  signal.addEventListener('abort', kill);
  if (signal.aborted) kill();
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
  };
}
