import { FfmpegProcess } from '../../../source-server/node/media/ffmpeg-process.ts';
import { AUDIO_HZ, type FilmShape, filmSeconds, frameRate } from './film.ts';

export interface EncodeOptions {
  readonly ffmpeg: string;
  readonly film: FilmShape;
  /** x264's quality, 0 … 51: 6 more make about half the bytes. */
  readonly crf: number;
  readonly file: string;
  readonly signal: AbortSignal;
  /** Share that is done, 0 … 1. */
  onProgress(share: number): void;
}

/** More lines of pictures than this are encoded in less time than they deserve. */
const QUICK_FROM_LINES = 720;

/**
 * Encodes a moving test picture with running time and frame number, and soft noise: key frames at the starts of segments
 * and nowhere else, no reordering. Still grain makes key frames weigh about four times what the others do.
 */
export async function encodeFilm(options: EncodeOptions): Promise<void> {
  const { film, crf, file } = options;
  const seconds = filmSeconds(film);
  const gop = String(film.framesPerPart * film.partsPerSegment);
  const preset = film.height >= QUICK_FROM_LINES ? 'ultrafast' : 'veryfast';
  const picture = `testsrc2=size=${film.width}x${film.height}:rate=${frameRate(film)},noise=alls=16:all_seed=3`;
  const sound = `anoisesrc=color=pink:amplitude=0.05:seed=3:sample_rate=${AUDIO_HZ}`;
  const args = [
    ...['-y', '-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound],
    ...['-frames:v', String(film.segments * Number(gop)), '-t', String(seconds)],
    ...['-c:v', 'libx264', '-preset', preset, '-profile:v', 'high', '-pix_fmt', 'yuv420p', '-crf', String(crf)],
    ...['-bf', '0', '-g', gop, '-keyint_min', gop, '-sc_threshold', '0', '-flags', '+cgop'],
    ...['-c:a', 'aac', '-b:a', String(film.audioBps), '-ac', String(film.channels)],
    ...['-progress', 'pipe:1', file],
  ];
  await runFfmpeg(options, args, (text) => {
    const doneUs = Number(/out_time_ms=(\d+)/.exec(text)?.[1]);
    if (doneUs > 0) options.onProgress(Math.min(1, doneUs / 1e6 / seconds));
  });
}

/** One file with the pictures of one and the sound of another, nothing encoded. */
export async function joinTracks(
  options: Pick<EncodeOptions, 'ffmpeg' | 'signal'>,
  from: { readonly pictures: string; readonly sound: string },
  file: string,
): Promise<void> {
  const inputs = ['-i', `file:${from.pictures}`, '-i', `file:${from.sound}`];
  const args = ['-y', ...inputs, '-map', '0:v:0', '-map', '1:a:0', '-c', 'copy', `file:${file}`];
  await runFfmpeg(options, args, () => undefined);
}

function runFfmpeg(
  { ffmpeg, signal }: Pick<EncodeOptions, 'ffmpeg' | 'signal'>,
  args: readonly string[],
  onOutput: (text: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = new FfmpegProcess(ffmpeg, args, 1, 'ignore', {
      onData: (_output, bytes) => onOutput(Buffer.from(bytes).toString('latin1')),
      onExit: ({ code, lastWords }) => {
        signal.removeEventListener('abort', kill);
        if (code === 0) resolve();
        else if (signal.aborted) reject(new Error('making the film was called off'));
        else reject(new Error(`ffmpeg cannot make the film: ${lastWords || `it ended with code ${code}`}`));
      },
    });
    const kill = () => child.kill();
    signal.addEventListener('abort', kill);
    if (signal.aborted) kill();
  });
}
