import type { GopReport } from './gop-meter.ts';
import type { AudioInfo, VideoInfo } from './stream-info.ts';

/** Key frames may be this far apart to be passed through, and no farther later on. */
export const keyGapMaxSeconds = 2;
export const keyGapEndureSeconds = 2.5;
/** Rounded timestamps may make 2 s a little longer. */
const keyGapToleranceSeconds = 0.05;
/** Pictures that stand longer than this make parts too long. */
const frameMaxSeconds = 0.5;

const profiles = new Set(['Baseline', 'Constrained Baseline', 'Main', 'High', 'Constrained High', 'Progressive High']);

/** Why this video has to be encoded; undefined when players take it as it is. */
export function whyEncodeVideo(video: VideoInfo, gop: GopReport | undefined): string | undefined {
  if (video.codec !== 'h264') return codecName(video.codec);
  if (!profiles.has(video.profile)) return `H.264 ${video.profile}`;
  if (!/^yuvj?420p$/.test(video.pixelFormat)) return `H.264 in ${video.pixelFormat}`;
  if (video.rotated) return 'the pictures are turned';
  if (gop === undefined || gop.framesPerSecond === 0) return 'no key frame was found';
  const { keyGapSeconds } = gop;
  if (keyGapSeconds > keyGapMaxSeconds + keyGapToleranceSeconds) return `key frames ${seconds(keyGapSeconds)} apart`;
  if (gop.openGops) return 'its key frames are no clean starts (open GOPs)';
  if (gop.longestFrameSeconds > frameMaxSeconds) return `pictures up to ${seconds(gop.longestFrameSeconds)} apart`;
  return undefined;
}

export function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

/** Why this audio has to be encoded; undefined when players take it as it is. */
export function whyEncodeAudio(audio: AudioInfo): string | undefined {
  if (audio.codec !== 'aac') return `${codecName(audio.codec)} ${audio.layout}`.trim();
  if (audio.profile !== 'LC') return `AAC ${audio.profile}`.trim();
  return undefined;
}

function codecName(codec: string): string {
  const names = new Map([
    ['h264', 'H.264'],
    ['mpeg2video', 'MPEG-2'],
    ['mpeg4', 'MPEG-4 part 2'],
    ['mp3float', 'MP3'],
  ]);
  return names.get(codec) ?? codec.toUpperCase();
}

/** A frame rate as ffmpeg takes it, and as a number. */
export interface FrameRate {
  readonly text: string;
  readonly framesPerSecond: number;
}

const usualRates: readonly FrameRate[] = [
  '10',
  '12',
  '15',
  '20',
  '24000/1001',
  '24',
  '25',
  '30000/1001',
  '30',
  '48',
  '50',
  '60000/1001',
  '60',
].map((text) => {
  const [above, below = '1'] = text.split('/');
  return { text, framesPerSecond: Number(above) / Number(below) };
});

/**
 * The constant frame rate to encode a video at: its own where that is a usual one, else the next usual one above it, so
 * that no picture is lost; at most 60.
 */
export function chooseFrameRate(video: Pick<VideoInfo, 'framesPerSecond' | 'baseRate'>): FrameRate {
  const near = (rate: number) =>
    usualRates
      .filter((usual) => Math.abs(usual.framesPerSecond - rate) < rate * 0.005)
      .sort((a, b) => Math.abs(a.framesPerSecond - rate) - Math.abs(b.framesPerSecond - rate))[0];
  const wanted = video.framesPerSecond || (video.baseRate <= 120 ? video.baseRate : 0) || 30;
  return (
    near(video.framesPerSecond) ??
    near(video.baseRate) ??
    usualRates.find((usual) => usual.framesPerSecond >= wanted) ??
    usualRates.at(-1)!
  );
}

/** Tallest pictures that are encoded without being asked for: software encodes more only on large machines. */
const heightMax = 1080;

/** The heights to encode, highest first, none above the source's; and what was left out. */
export function chooseRungs(sourceHeight: number, ladder: readonly number[]): { heights: number[]; leftOut: number[] } {
  const even = sourceHeight - (sourceHeight % 2);
  const heights = ladder.filter((height) => height <= sourceHeight);
  const leftOut = ladder.filter((height) => height > sourceHeight);
  if (heights.length === 0) heights.push(Math.min(even, heightMax));
  return { heights, leftOut };
}
