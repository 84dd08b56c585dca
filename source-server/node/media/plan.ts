import { WORD_CHARS_MAX } from '../../../protocol/limits.ts';
import {
  chooseFrameRate,
  chooseRungs,
  type FrameRate,
  keyGapMaxSeconds,
  whyEncodeAudio,
  whyEncodeVideo,
} from '../../core/media/decide.ts';
import type { GopReport } from '../../core/media/gop-meter.ts';
import { peakRateBps } from '../../core/media/input.ts';
import type { AudioInfo, InputInfo, TextInfo, VideoInfo } from '../../core/media/stream-info.ts';
import { roundUpToFrames } from '../../core/media/targets.ts';
import { outputUrl } from './ffmpeg-process.ts';

/** One track that ffmpeg is to deliver. */
export interface PlannedTrack {
  readonly kind: 'video' | 'audio' | 'text';
  /** What a person reads in the quality menu. */
  readonly name: string;
  /** As the input names it, mostly three letters (ISO 639-2); '' where it does not. */
  readonly language: string;
  /** Frames per second; 0 for audio and where it is not known. */
  readonly frameRate: number;
  /** Longest time from one frame to the next; 0 for audio, whose header says it. */
  readonly frameMs: number;
  /** All frames last equally long. */
  readonly steady: boolean;
  /** Longest segment to be expected when this track leads; 0 for audio. */
  readonly segmentMs: number;
  readonly bandwidthBps: number;
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

/** Cues at the same times. */
const textMuxerArgs = ['-output_ts_offset', String(timeOffsetSeconds), '-flush_packets', '1', '-f', 'webvtt'];

/** ffmpeg's command line for a plan: one output, one pipe for each track. */
export function ffmpegArgs(plan: Plan): string[] {
  const args = [...plan.inputArgs];
  // Words that cannot be decoded are left out: where nothing else is decoded, a film's end would be told as a failure of all of it.
  if (plan.tracks.some(({ kind }) => kind === 'text')) args.push('-max_error_rate', '1');
  if (plan.filter !== undefined) args.push('-filter_complex', plan.filter);
  plan.tracks.forEach((track, i) => {
    args.push('-map', track.map, ...track.codecArgs);
    if (track.kind === 'video') args.push('-video_track_timescale', String(videoTimescale));
    args.push(...(track.kind === 'text' ? textMuxerArgs : muxerArgs), outputUrl(i));
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

/** What of the options decides over a plan. */
export interface PlanOptions {
  readonly transcode: boolean;
  /** Heights, highest first; empty for one rendition. */
  readonly ladder: readonly number[];
  readonly segmentMs: number;
  /** The test pattern is made frame by frame, each in its time, as a camera does; else as fast as it can be. */
  readonly paced: boolean;
  /** Set when passing through has turned out to be wrong. */
  readonly whyEncode?: string;
}

const testFrameRate = 30;

/** Cells of the clock on the test pattern, left to right from the most significant bit: white is 1. */
export const CLOCK_BITS = 32;

/**
 * The test pattern's picture, with a clock along its lower edge that programs read from the pixels: hundredths of a second of Unix time
 * (modulo 2^32) when the frame was made, as {@link CLOCK_BITS} cells of equal width. What a player shows less what a clock says is the latency.
 */
function testPicture(width: number, height: number, paced: boolean): string {
  const rate = testFrameRate;
  // Paced in the filters, where ffmpeg's `-re` would let eight pictures be made ahead and wait.
  const inItsTime = paced ? 'realtime,' : '';
  const bit = `if(mod(floor(T*100/pow(2,${CLOCK_BITS - 1}-X)),2),235,16)`;
  const cells = [
    `color=black:size=${CLOCK_BITS}x1:rate=${rate},format=gray`,
    // The time stamps are those of the machine's clock for the cells alone.
    `${inItsTime}settb=1/1000000,setpts=RTCTIME,geq=lum='${bit}',setpts=N/${rate}/TB`,
    `scale=${width}:${clockHeight(height)}:flags=neighbor,format=yuv420p[clock]`,
  ];
  return `testsrc2=size=${width}x${height}:rate=${rate}[picture];${cells.join(',')};[picture][clock]overlay=0:H-h`;
}

/** Lines of the clock: enough to outlive the encoder, and even, as its chroma is. */
function clockHeight(height: number): number {
  return Math.max(4, 2 * Math.round(height / 48));
}

/** The test pattern: moving pictures that show the running time, and a tone with a beep each second. */
export function testPlan(width: number, height: number, options: PlanOptions): Plan {
  const rungs = chooseRungs(height, options.ladder);
  const rate = { text: String(testFrameRate), framesPerSecond: testFrameRate };
  const video = encodeVideo('0:v', rungs.heights, rate, false, options.segmentMs);
  const sound = `sine=frequency=440:beep_factor=4:sample_rate=48000${options.paced ? ',arealtime' : ''}`;
  return {
    inputArgs: ['-f', 'lavfi', '-i', testPicture(width, height, options.paced), '-f', 'lavfi', '-i', sound],
    filter: video.filter,
    tracks: [...video.tracks, encodedAudio('1:a')],
    decisions: [
      `test pattern ${width}x${height} at ${testFrameRate} fps, encoded live`,
      ...describeLeftOut(rungs.leftOut, height),
    ],
  };
}

/**
 * What to do with an input: pass through what players take, encode the rest, and say which and why.
 *
 * @param gop what the first seconds of H.264 video showed.
 */
export function planInput(
  inputArgs: readonly string[],
  info: InputInfo,
  gop: GopReport | undefined,
  options: PlanOptions,
): Plan {
  const plan = { tracks: [] as PlannedTrack[], decisions: [] as string[], filter: undefined as string | undefined };
  if (info.video !== undefined) planVideo(plan, info.video, gop, options);
  else plan.decisions.push('no video');
  planAudios(plan, info, options);
  if (info.video !== undefined) planTexts(plan, info.texts);
  const leftOut = [...soundsOf(info).leftOut, ...info.leftOut];
  if (leftOut.length > 0) plan.decisions.push(`left out: ${leftOut.join(', ')}`);
  const { filter, ...rest } = plan;
  return { inputArgs, ...rest, ...(filter === undefined ? {} : { filter }) };
}

const askedFor = 'asked for';

/** Sounds alone are renditions to a player, the best of which it takes: those of several languages are not. */
function soundsOf({ video, audios }: InputInfo): { taken: readonly AudioInfo[]; leftOut: readonly string[] } {
  if (video !== undefined) return { taken: audios, leftOut: [] };
  const others = audios.slice(1).map(({ language, codec }) => `sound (${language || 'unknown'}, ${codec})`);
  return { taken: audios.slice(0, 1), leftOut: others };
}

function planAudios(
  plan: { tracks: PlannedTrack[]; decisions: string[] },
  info: InputInfo,
  { transcode }: PlanOptions,
): void {
  const { taken } = soundsOf(info);
  if (taken.length === 0) plan.decisions.push('no audio');
  const names = distinct(taken.map(({ language }, at) => languageName(language, 'Audio', at)));
  taken.forEach((audio, at) => {
    const why = transcode ? askedFor : whyEncodeAudio(audio);
    const name = taken.length > 1 ? names[at]! : audioTrack.name;
    const words = taken.length > 1 ? `audio (${name})` : 'audio';
    const made = why === undefined ? copiedAudio(audio) : encodedAudio(`0:${audio.index}`);
    plan.tracks.push({ ...made, name, language: audio.language });
    plan.decisions.push(why === undefined ? `${words} passed through` : `${words} transcoded: ${why}`);
  });
}

function planTexts(plan: { tracks: PlannedTrack[]; decisions: string[] }, texts: readonly TextInfo[]): void {
  if (texts.length === 0) return;
  const names = distinct(texts.map(({ language }, at) => languageName(language, 'Subtitles', at)));
  plan.decisions.push(`subtitles: ${names.join(', ')}`);
  plan.tracks.push(...texts.map((text, at) => textTrack(text, names[at]!)));
}

function planVideo(
  plan: { tracks: PlannedTrack[]; decisions: string[]; filter: string | undefined },
  video: VideoInfo,
  gop: GopReport | undefined,
  options: PlanOptions,
): void {
  const { ladder, transcode, segmentMs } = options;
  const asked = ladder.length > 0 ? 'a ladder is asked for' : transcode ? askedFor : undefined;
  const why = asked ?? options.whyEncode ?? whyEncodeVideo(video, gop);
  if (why === undefined && gop !== undefined) {
    plan.tracks.push(copiedVideo(video, gop, segmentMs));
    plan.decisions.push('video passed through');
    return;
  }
  const rungs = chooseRungs(video.height, ladder);
  const encoded = encodeVideo(`0:${video.index}`, rungs.heights, chooseFrameRate(video), video.interlaced, segmentMs);
  plan.tracks.push(...encoded.tracks);
  plan.filter = encoded.filter;
  plan.decisions.push(`video transcoded: ${why}`, ...describeLeftOut(rungs.leftOut, video.height));
  if (ladder.length === 0 && rungs.heights[0]! < video.height - 1) {
    plan.decisions.push(`pictures made smaller, from ${video.height} to ${rungs.heights[0]} lines`);
  }
}

function describeLeftOut(leftOut: readonly number[], height: number): string[] {
  return leftOut.map((rung) => `${rung}p left out of the ladder: the input has only ${height} lines`);
}

/** What the rate control lets a second have above the rate it aims at. */
const burst = 1.2;

/** One decode, one encoder for each height: all renditions have the same pictures and key frames at the same times. */
function encodeVideo(
  source: string,
  heights: readonly number[],
  rate: FrameRate,
  interlaced: boolean,
  segmentMs: number,
): { filter: string; tracks: PlannedTrack[] } {
  const before = `[${source}]${interlaced ? 'yadif,' : ''}fps=${rate.text}`;
  const labels = heights.map((_, i) => `[s${i}]`).join('');
  const scaled = heights.map((height, i) => `[s${i}]scale=w=trunc(oh*dar/2)*2:h=${height},setsar=1[v${i}]`);
  const frameMs = 1000 / rate.framesPerSecond;
  return {
    filter: [`${before},split=${heights.length}${labels}`, ...scaled].join(';'),
    tracks: heights.map((height, i) => ({
      kind: 'video',
      name: `${height}p`,
      language: '',
      frameRate: rate.framesPerSecond,
      frameMs,
      steady: true,
      segmentMs: roundUpToFrames(segmentMs, frameMs),
      bandwidthBps: peakRateBps(height) * burst,
      codecArgs: h264Args(height, segmentMs),
      map: `[v${i}]`,
    })),
  };
}

/** Times that were rounded to ms on their way make a segment this much longer. */
const roundedTimesMs = 5;

function copiedVideo(video: VideoInfo, gop: GopReport, segmentMs: number): PlannedTrack {
  const steady = gop.longestFrameSeconds < gop.shortestFrameSeconds * 1.2;
  // One key frame says nothing of the next: it may come as late as is let pass.
  const keyGapSeconds = gop.keyFrames > 1 ? gop.keyGapSeconds : keyGapMaxSeconds;
  const measured = Math.round(gop.framesPerSecond * 1000) / 1000;
  return {
    kind: 'video',
    name: `${video.height}p`,
    language: '',
    frameRate: steady && video.framesPerSecond > 0 ? video.framesPerSecond : measured,
    frameMs: gop.longestFrameSeconds * 1000,
    steady,
    segmentMs: roundUpToFrames(segmentMs, keyGapSeconds * 1000) + roundedTimesMs,
    // Ten percent for what the first seconds did not show.
    bandwidthBps: Math.ceil(gop.peakBps * 1.1),
    codecArgs: ['-c:v', 'copy'],
    map: `0:${video.index}`,
  };
}

function copiedAudio(audio: AudioInfo): PlannedTrack {
  const many = /^(5\.1|[5-8] |7\.1|6\.1)/.test(audio.layout);
  return {
    ...audioTrack,
    bandwidthBps: many ? 384_000 : 192_000,
    codecArgs: copiedAacArgs,
    map: `0:${audio.index}`,
  };
}

function encodedAudio(map: string): PlannedTrack {
  return { ...audioTrack, bandwidthBps: aacRateBps, codecArgs: aacArgs(), map };
}

/** The filter takes off the headers that AAC wears in a transport stream, and leaves alone AAC that has none. */
const copiedAacArgs = ['-c:a', 'copy', '-bsf:a', 'aac_adtstoasc'];

const audioTrack = {
  kind: 'audio',
  name: 'Audio',
  language: '',
  frameRate: 0,
  frameMs: 0,
  steady: true,
  segmentMs: 0,
} as const;

/** A document for each part, empty ones included, and a few lines in it. */
const textRateBps = 30_000;

function textTrack(text: TextInfo, name: string): PlannedTrack {
  return {
    ...audioTrack,
    kind: 'text',
    name,
    language: text.language,
    bandwidthBps: textRateBps,
    codecArgs: ['-c:s', 'webvtt'],
    map: `0:${text.index}`,
  };
}

/** No two of a playlist's group may have the same (RFC 8216bis 4.4.6.1.1): the second in one language has a number. */
function distinct(names: readonly string[]): readonly string[] {
  return names.map((name, at) => {
    const before = names.slice(0, at).filter((other) => other === name).length;
    return before === 0 ? name : `${name} ${before + 1}`;
  });
}

/** So many leave room for a number within what the wire allows; a language of a script of a region may have more. */
const nameCharsMax = WORD_CHARS_MAX - 4;

/** `English` for `eng`; what says nothing has a number. */
function languageName(language: string, kind: string, at: number): string {
  try {
    const name = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' }).of(language);
    if (name !== undefined) return name.slice(0, nameCharsMax);
  } catch {
    // No code of a language.
  }
  return `${kind} ${at + 1}`;
}
