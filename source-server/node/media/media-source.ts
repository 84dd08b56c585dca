import { type Input, parseInput, parseLadder } from '../../core/media/input.ts';
import type { Driver, DriverContext } from './driver.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { fileDriver, testDriver } from './file-driver.ts';
import { hlsDriver, rtmpDriver, stdinDriver } from './live-driver.ts';
import { checkMediaOptions, type MediaEvent, type MediaOptions } from './options.ts';
import { PartSink } from './part-sink.ts';

/** The machine behind `openMedia`: finds ffmpeg, picks the driver for the input, and sees to a clean end. */
export class MediaSource {
  private readonly options: MediaOptions;
  private readonly onEvent: (event: MediaEvent) => void;
  private readonly abort = new AbortController();
  private readonly started: Promise<void>;
  private sink: PartSink | undefined;
  private driver: Driver | undefined;
  private closing: Promise<void> | undefined;

  constructor(options: MediaOptions, onEvent: (event: MediaEvent) => void) {
    this.options = options;
    this.onEvent = onEvent;
    this.started = this.start().catch((error: unknown) => {
      this.fail(error instanceof Error ? error.message : String(error));
    });
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.abort.abort();
    this.sink?.close();
    await this.driver?.close();
    await this.started;
    // A start that was under way may have opened what the first call could not see.
    await this.driver?.close();
  }

  private async start(): Promise<void> {
    const problem = checkMediaOptions(this.options);
    const { input: text, testSize, ladder = [], transcode = false, segmentMs = 1000, paced = true } = this.options;
    const input = parseInput(testSize === undefined ? text : `testsrc=${testSize}`);
    const heights = parseLadder(ladder);
    await Promise.resolve();
    if (problem !== undefined || !input.ok || !heights.ok) return this.fail(problem ?? 'bad options');
    const ffmpeg = await findFfmpeg();
    if (this.abort.signal.aborted) return;
    const live = input.value.kind === 'testsrc' ? paced : input.value.kind !== 'file';
    this.sink = new PartSink(this.options, live, (event) => this.emit(event));
    this.driver = this.pickDriver(input.value, {
      ffmpeg: ffmpeg.path,
      sink: this.sink,
      planOptions: { transcode, ladder: heights.value, segmentMs, paced },
      signal: this.abort.signal,
      emit: (event) => this.emit(event),
      fail: (why) => this.fail(`--input ${text}: ${why}`),
    });
    await this.driver.start().catch((error: unknown) => {
      this.fail(`--input ${text}: ${error instanceof Error ? error.message : error}`);
    });
  }

  private pickDriver(input: Input, context: DriverContext): Driver {
    switch (input.kind) {
      case 'testsrc':
        return testDriver(context, input.width, input.height);
      case 'file':
        return fileDriver(context, input.path);
      case 'stdin':
        return stdinDriver(context, this.options.stdin ?? process.stdin);
      case 'rtmp':
        return rtmpDriver(context, input);
      case 'hls':
        return hlsDriver(context, input.url);
    }
  }

  private fail(why: string): void {
    if (this.abort.signal.aborted) return;
    this.emit({ kind: 'failed', why });
    void this.close();
  }

  private emit(event: MediaEvent): void {
    if (!this.abort.signal.aborted) this.onEvent(event);
  }
}
