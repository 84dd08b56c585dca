import { Buffer } from 'node:buffer';
import { FfmpegProcess } from './ffmpeg-process.ts';

/** Bytes of MPEG-TS that come when they come. */
export interface Feed {
  /** While paused nothing is taken from the far end. */
  setPaused(paused: boolean): void;
  /** Lets go of it and resolves when its process is gone, if it has one; `onEnd` is not called any more. */
  close(): Promise<void>;
}

export interface FeedHandlers {
  onData(bytes: Uint8Array): void;
  /** Nothing follows. `why` says what happened; undefined when the input came to its end. */
  onEnd(why: string | undefined): void;
}

/** Standard input, or any other stream of bytes. */
export function openStreamFeed(stream: NodeJS.ReadableStream, handlers: FeedHandlers): Feed {
  const onData = (bytes: Buffer | string) => {
    handlers.onData(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  };
  const onEnd = () => end(undefined);
  const onError = (error: Error) => end(error.message);
  const close = async () => {
    stream.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
    stream.pause();
  };
  const end = (why: string | undefined) => {
    void close();
    handlers.onEnd(why);
  };
  stream.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
  stream.resume();
  return { setPaused: (paused) => void (paused ? stream.pause() : stream.resume()), close };
}

/** Sending with as little delay as a transport stream allows: every frame its own packet, out at once. */
const relayOutputArgs = [
  ...['-map', '0:v:0?', '-map', '0:a:0?', '-c', 'copy', '-copy_unknown', '-muxdelay', '0', '-muxpreload', '0'],
  ...['-pes_payload_size', '0', '-flush_packets', '1', '-f', 'mpegts', 'pipe:1'],
];

export interface RelayOptions {
  readonly ffmpeg: string;
  readonly inputArgs: readonly string[];
  /** A relay that delivers nothing for so long is ended, in ms; from the first byte on. */
  readonly silenceMaxMs: number;
  onLine?(line: string): void;
}

/** A first ffmpeg that fetches an input and hands it on as MPEG-TS, nothing re-encoded. */
export class Relay implements Feed {
  private readonly process: FfmpegProcess;
  private readonly silenceMaxMs: number;
  private watch: NodeJS.Timeout | undefined;
  private paused = false;
  private closed = false;
  private failure: string | undefined;

  constructor(options: RelayOptions, handlers: FeedHandlers) {
    this.silenceMaxMs = options.silenceMaxMs;
    this.process = new FfmpegProcess(options.ffmpeg, [...options.inputArgs, ...relayOutputArgs], 1, 'ignore', {
      onData: (_output, bytes) => {
        this.watchSilence();
        if (!this.closed) handlers.onData(bytes);
      },
      onLine: (line) => options.onLine?.(line),
      onExit: ({ code, lastWords }) => {
        clearTimeout(this.watch);
        if (this.closed) return;
        handlers.onEnd(this.failure ?? (code === 0 ? undefined : lastWords || `ffmpeg ended with code ${code}`));
      },
    });
  }

  setPaused(paused: boolean): void {
    this.paused = paused;
    this.process.setPaused(0, paused);
    this.watchSilence();
  }

  /** Ends it; `onEnd` follows with this reason. */
  stop(why: string): void {
    this.failure ??= why;
    this.process.kill();
  }

  close(): Promise<void> {
    this.closed = true;
    this.process.kill();
    return this.process.gone;
  }

  private watchSilence(): void {
    clearTimeout(this.watch);
    if (this.paused || this.closed) return;
    const seconds = Math.round(this.silenceMaxMs / 1000);
    this.watch = setTimeout(() => this.stop(`nothing came for ${seconds} s`), this.silenceMaxMs);
  }
}
