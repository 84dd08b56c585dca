import { peakRateBps } from '../../core/media/input.ts';
import { outputUrl } from './ffmpeg-process.ts';

/** One track that ffmpeg is to deliver. */
export interface PlannedTrack {
  readonly kind: 'video' | 'audio';
  /** What a person reads in the quality menu. */
  readonly name: string;
  /** Frames per second; 0 for audio and where the input's own times are kept and not known. */
  readonly frameRate: number;
  readonly bandwidthBps: number;
  /** Copied as it is, or encoded. */
  readonly copied: boolean;
  /** What goes between `-map` and the output: codec options. */
  readonly codecArgs: readonly string[];
  /** What to map: an input stream such as `0:1`, or a filter's output. */
  readonly map: string;
}

/** A run of ffmpeg: what goes in, what is done to it, what comes out. */
export interface Plan {
  readonly inputArgs: readonly string[];
  /** `-filter_complex`, where one decode feeds several encoders. */
  readonly filter?: string;
  /** The leading track first. */
  readonly tracks: readonly PlannedTrack[];
  /** For the person at the terminal: what is passed through, what is not and why. */
  readonly decisions: readonly string[];
}

/** Ticks per second of all pictures: whole numbers of ticks per frame at every usual rate but 23.976. */
export const videoTimescale = 90_000;

/** Added to all times by ffmpeg so that none is negative: the encoders' own delays start before 0. */
export const timeOffsetSeconds = 10;

/** A fragment per frame, times as they are: no edit lists, no shifting of the first frame to 0. */
const muxerArgs = [
  ...['-map_metadata', '-1', '-map_chapters', '-1', '-use_editlist', '0', '-avoid_negative_ts', 'disabled'],
  ...['-output_ts_offset', String(timeOffsetSeconds), '-flush_packets', '1'],
  ...['-movflags', 'empty_moov+delay_moov+default_base_moof+frag_every_frame+frag_discont+skip_trailer', '-f', 'mp4'],
];

/** ffmpeg's command line for a plan: one output, one pipe for each track. */
export function ffmpegArgs(plan: Plan): string[] {
  const args = [...plan.inputArgs];
  if (plan.filter !== undefined) args.push('-filter_complex', plan.filter);
  plan.tracks.forEach((track, i) => {
    args.push('-map', track.map, ...track.codecArgs);
    if (track.kind === 'video') args.push('-video_track_timescale', String(videoTimescale));
    args.push(...muxerArgs, outputUrl(i));
  });
  return args;
}

/**
 * H.264 for live use: no reordering, key frames exactly on the segment borders and nowhere else, a bounded rate.
 *
 * @param height decides the peak rate.
 */
export function h264Args(height: number, segmentMs: number): string[] {
  const rate = String(peakRateBps(height));
  return [
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-profile:v', 'high', '-pix_fmt', 'yuv420p'],
    ...['-crf', '23', '-maxrate', rate, '-bufsize', rate, '-bf', '0', '-g', '9999', '-sc_threshold', '0'],
    // The millisecond guards against a time that is rounded to just below its border.
    ...['-force_key_frames', `expr:gte(t+0.001,n_forced*${segmentMs / 1000})`, '-forced-idr', '1'],
  ];
}

export const aacRateBps = 128_000;

/** AAC-LC, stereo, 48 kHz: what every player plays. */
export function aacArgs(): string[] {
  return ['-c:a', 'aac', '-b:a', String(aacRateBps), '-ac', '2', '-ar', '48000', '-af', 'aresample=async=1'];
}

const testFrameRate = 30;

/** The test pattern: moving pictures that show the running time, and a tone with a beep each second. */
export function testPlan(width: number, height: number, segmentMs: number): Plan {
  return {
    inputArgs: [
      ...['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=${testFrameRate}`],
      ...['-f', 'lavfi', '-i', 'sine=frequency=440:beep_factor=4:sample_rate=48000'],
    ],
    tracks: [
      {
        kind: 'video',
        name: `${height}p`,
        frameRate: testFrameRate,
        bandwidthBps: peakRateBps(height),
        copied: false,
        codecArgs: h264Args(height, segmentMs),
        map: '0:v',
      },
      {
        kind: 'audio',
        name: 'Audio',
        frameRate: 0,
        bandwidthBps: aacRateBps,
        copied: false,
        codecArgs: aacArgs(),
        map: '1:a',
      },
    ],
    decisions: [`test pattern ${width}x${height} at ${testFrameRate} fps, encoded live`],
  };
}
