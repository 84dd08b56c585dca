import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import ffmpegInstaller from '@ffmpeg-installer/ffmpeg';
import type { LiveWindowOptions } from '../../hls/live-window.ts';
import type { IndexRecord } from '../../protocol/media.ts';
import { MadeLive } from './made-live.ts';
import { AUDIO, audioTrack, makeDescription, makeRecord, VIDEO, videoTrack } from './made-stream.ts';

export const FFMPEG = ffmpegInstaller.path;

/** Frames per second of the picture; a part of 250 ms is six frames. */
export const FRAME_RATE = 24;
const PART_US = 250_000;
const SOUND_HZ = 48_000;
const SOUND_FRAME_US = (1_024 / SOUND_HZ) * 1_000_000;

export interface FfmpegLive {
  readonly live: MadeLive;
  stop(): Promise<void>;
}

export interface FfmpegLiveOptions extends LiveWindowOptions {
  /** Whether a part is let through; all are by default. */
  readonly takes?: (track: number, part: number) => boolean;
  /** Seconds that are ready at once, as of a stream that has been on for a while. Default 0. */
  readonly headStartSeconds?: number;
}

/** A test picture and a tone as a live stream of CMAF parts, 250 ms each, a key frame every second, in real time. */
export async function startFfmpegLive(options: FfmpegLiveOptions = {}): Promise<FfmpegLive> {
  const live = new MadeLive(undefined, options);
  const child = spawn(FFMPEG, encodeArguments(), { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  const closed = new Promise<void>((done) => child.once('close', () => done()));
  let pacer: Pacer | undefined;
  await new Promise<void>((began) => {
    pacer = new Pacer(live, options, began);
    void readVideo(child.stdio[1] as Readable, pacer);
    void readSound(child.stdio[3] as Readable, pacer);
  });
  return {
    live,
    stop: async () => {
      pacer?.stop();
      child.kill('SIGKILL');
      await closed;
    },
  };
}

function encodeArguments(): string[] {
  const fragments = ['-movflags', '+empty_moov+default_base_moof+frag_keyframe', '-f', 'mp4'];
  return [
    ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc=size=640x360:rate=${FRAME_RATE}`],
    ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${SOUND_HZ}`],
    ...['-map', '0:v', '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'],
    ...['-g', String(FRAME_RATE), '-keyint_min', String(FRAME_RATE), '-sc_threshold', '0'],
    ...[...fragments.slice(0, 2), '-frag_duration', String(PART_US), ...fragments.slice(2), 'pipe:1'],
    ...['-map', '1:a', '-c:a', 'aac', '-b:a', '96k', '-ac', '2'],
    ...[...fragments.slice(0, 2), '-frag_duration', '1', ...fragments.slice(2), 'pipe:3'],
  ];
}

/** Holds parts back until their time has come. ffmpeg is stopped meanwhile by its full pipes. */
class Pacer {
  private readonly inits = new Map<number, Uint8Array>();
  private readonly live: MadeLive;
  private readonly options: FfmpegLiveOptions;
  private readonly began: () => void;
  private startedAtMs = 0;
  private stopped = false;

  constructor(live: MadeLive, options: FfmpegLiveOptions, began: () => void) {
    this.live = live;
    this.options = options;
    this.began = began;
  }

  stop(): void {
    this.stopped = true;
  }

  init(track: number, bytes: Uint8Array): void {
    this.inits.set(track, bytes);
    const [video, audio] = [this.inits.get(VIDEO), this.inits.get(AUDIO)];
    if (!video || !audio) return;
    const tracks = [
      { ...videoTrack, codecs: codecOf(video), width: 640, height: 360, frameRate: FRAME_RATE, init: video },
      { ...audioTrack, init: audio },
    ];
    this.startedAtMs = Date.now() - (this.options.headStartSeconds ?? 0) * 1_000;
    // A part of sound is up to one of its frames longer than a part of picture.
    this.live.window.setDescription(makeDescription({ tracks, partTargetMs: 272 }));
    this.live.changed();
    this.began();
  }

  async part(record: IndexRecord, bytes: Uint8Array): Promise<void> {
    const dueMs = this.startedAtMs + (record.part + 1) * 250;
    while (!this.stopped && (this.startedAtMs === 0 || Date.now() < dueMs)) await sleep(5);
    if (this.stopped || this.options.takes?.(record.track, record.part) === false) return;
    const capturedAtMs = this.startedAtMs + record.timeUs / 1_000;
    this.live.add({ ...record, capturedAtMs, blocks: [{ name: new Uint8Array(33), sizeBytes: bytes.length }] }, [
      bytes,
    ]);
  }
}

async function readVideo(stream: Readable, pacer: Pacer): Promise<void> {
  let part = 0;
  for await (const item of fragments(stream)) {
    if (item.kind === 'init') pacer.init(VIDEO, item.bytes);
    else await pacer.part(makeRecord(part++), item.bytes);
  }
}

/** Gathers single frames of sound to parts with the borders of the picture's. */
async function readSound(stream: Readable, pacer: Pacer): Promise<void> {
  let frames: Uint8Array[] = [];
  let part = 0;
  let first = 0;
  let count = 0;
  for await (const item of fragments(stream)) {
    if (item.kind === 'init') {
      pacer.init(AUDIO, item.bytes);
      continue;
    }
    frames.push(item.bytes);
    count += 1;
    if (count * SOUND_FRAME_US < (part + 1) * PART_US) continue;
    const times = {
      timeUs: Math.round(first * SOUND_FRAME_US),
      durationUs: Math.round((count - first) * SOUND_FRAME_US),
    };
    await pacer.part(makeRecord(part++, { track: AUDIO, ...times }), Buffer.concat(frames));
    frames = [];
    first = count;
  }
}

interface Item {
  readonly kind: 'init' | 'fragment';
  readonly bytes: Uint8Array;
}

/** Cuts a fragmented MP4 into its header (ftyp, moov) and its fragments (moof, mdat). */
async function* fragments(stream: Readable): AsyncGenerator<Item> {
  let bytes = Buffer.alloc(0);
  let held: Buffer[] = [];
  for await (const chunk of stream) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    while (bytes.length >= 8 && bytes.length >= bytes.readUInt32BE(0)) {
      const type = bytes.toString('latin1', 4, 8);
      held.push(bytes.subarray(0, bytes.readUInt32BE(0)));
      bytes = bytes.subarray(bytes.readUInt32BE(0));
      if (type !== 'moov' && type !== 'mdat') continue;
      yield { kind: type === 'moov' ? 'init' : 'fragment', bytes: Buffer.concat(held) };
      held = [];
    }
  }
}

/** `avc1.` and the three profile bytes of the avcC box. */
function codecOf(init: Uint8Array): string {
  const at = Buffer.from(init).indexOf('avcC');
  return `avc1.${Buffer.from(init.subarray(at + 5, at + 8)).toString('hex')}`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
