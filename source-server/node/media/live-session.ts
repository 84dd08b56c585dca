import { nowMs } from '../../../runtime/node/clock.ts';
import { keyGapEndureSeconds, seconds } from '../../core/media/decide.ts';
import type { DriverContext } from './driver.ts';
import type { Feed, FeedHandlers } from './feed.ts';
import { type Plan, planInput } from './plan.ts';
import { type Probe, probeInput } from './probe.ts';
import type { Run } from './run.ts';

/** How much of a live input is looked at before it is decided what to do with it: enough to see key frames 2 s apart. */
const collectMs = 3000;
const collectBytes = 8 << 20;
/** Bytes that may wait, for the decision or for ffmpeg; the far end is held up beyond. */
const waitingBytesMax = 32 << 20;
/** Bytes on their way to ffmpeg. */
const stdinBytesMax = 1 << 16;
/** Before the bytes that come are looked at again. */
const restMs = 1000;
/** A stream that starts in the middle is analysed for no longer than what has been collected. */
const inputArgs = ['-analyzeduration', '2000000', '-probesize', '5000000', '-i', 'pipe:0'];

/**
 * One stretch of live input, from its first byte to its end: collects the first seconds, decides, and feeds ffmpeg with
 * them and all that follows. When ffmpeg dies but bytes still come, it looks at the bytes that come and starts again.
 */
export class LiveSession {
  private readonly context: DriverContext;
  private readonly onEnd: (why: string | undefined, everPlayed: boolean) => void;
  private readonly feed: Feed;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private phase: 'collecting' | 'probing' | 'running' | 'resting' = 'collecting';
  private firstByteMs: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private probe: Probe | undefined;
  private probing: Promise<void> | undefined;
  private run: Run | undefined;
  private whyEncode: string | undefined;
  private everPlayed = false;
  private feedEnded = false;
  private endedWhy: string | undefined;
  private closed = false;
  private gone: (() => void) | undefined;

  /**
   * @param cameAtMs when the input began to come, where that is known; otherwise with its first byte.
   * @param onEnd called once, when the input is over or never was any good; not after `close`.
   */
  constructor(
    context: DriverContext,
    open: (handlers: FeedHandlers) => Feed,
    cameAtMs: number | undefined,
    onEnd: (why: string | undefined, everPlayed: boolean) => void,
  ) {
    this.context = context;
    this.onEnd = onEnd;
    this.firstByteMs = cameAtMs;
    this.feed = open({ onData: (bytes) => this.take(bytes), onEnd: (why) => this.feedEnd(why) });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.stopTimer();
    await Promise.all([this.feed.close(), this.probing, this.stopRun()]);
  }

  private stopRun(): Promise<void> | undefined {
    const { run } = this;
    if (run === undefined) return undefined;
    return new Promise((resolve) => {
      this.gone = resolve;
      run.stop('closed');
    });
  }

  private take(bytes: Uint8Array): void {
    if (this.closed) return;
    this.firstByteMs ??= nowMs();
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    if (this.waitingBytes > waitingBytesMax) this.feed.setPaused(true);
    if (this.phase === 'collecting') this.collect();
    else if (this.phase === 'running') this.pump();
  }

  /** Decides when there is enough to look at. */
  private collect(): void {
    this.phase = 'collecting';
    if (this.waitingBytes >= collectBytes || (this.feedEnded && this.waitingBytes > 0)) this.decide();
    else if (this.feedEnded) this.finish(this.endedWhy);
    else if (this.waitingBytes > 0) {
      const leftMs = Math.max(0, (this.firstByteMs ?? 0) + collectMs - nowMs());
      this.timer ??= setTimeout(() => this.decide(), leftMs);
    }
  }

  private feedEnd(why: string | undefined): void {
    this.feedEnded = true;
    this.endedWhy = why;
    if (this.closed) return;
    if (this.phase === 'collecting') this.collect();
    else if (this.phase === 'running') this.pump();
  }

  private decide(): void {
    if (this.phase !== 'collecting' || this.closed) return;
    this.stopTimer();
    this.phase = 'probing';
    this.probing = this.lookAndStart();
  }

  private async lookAndStart(): Promise<void> {
    const { ffmpeg, signal } = this.context;
    try {
      this.probe = await probeInput({ ffmpeg, inputArgs, bytes: [...this.waiting], signal });
    } catch (error) {
      this.waiting = [];
      this.waitingBytes = 0;
      this.feed.setPaused(false);
      if (!this.closed) this.breakDown(error instanceof Error ? error.message : String(error));
      return;
    }
    if (!this.closed) this.start();
  }

  private start(): void {
    const { probe, context } = this;
    const whyEncode = this.whyEncode === undefined ? {} : { whyEncode: this.whyEncode };
    const plan: Plan = planInput(inputArgs, probe!.info, probe!.gop, { ...context.planOptions, ...whyEncode });
    this.phase = 'running';
    this.run = context.sink.openRun({
      ffmpeg: context.ffmpeg,
      plan,
      stdin: 'pipe',
      continuous: false,
      cameAtMs: this.firstByteMs ?? nowMs(),
      onLead: (_sample, _timescale, sinceKeySeconds) => {
        this.everPlayed = true;
        if (plan.tracks[0]!.kind === 'video') this.checkKeyFrames(sinceKeySeconds);
      },
      onEnd: (why) => this.runEnd(why),
    });
    this.pump();
  }

  /** Hands ffmpeg what it has room for; the rest stays here, so that it is not lost with ffmpeg. */
  private pump(): void {
    const stdin = this.run?.stdin;
    if (stdin == null || stdin.destroyed || stdin.writableEnded) return;
    while (stdin.writableLength < stdinBytesMax) {
      const bytes = this.waiting.shift();
      if (bytes === undefined) break;
      this.waitingBytes -= bytes.length;
      stdin.write(bytes, (error) => {
        if (error == null) this.pump();
      });
    }
    if (this.waitingBytes < waitingBytesMax / 2) this.feed.setPaused(false);
    if (this.feedEnded && this.waitingBytes === 0) stdin.end();
  }

  private checkKeyFrames(sinceKeySeconds: number): void {
    if (sinceKeySeconds <= keyGapEndureSeconds || this.whyEncode !== undefined) return;
    this.whyEncode = `key frames more than ${seconds(keyGapEndureSeconds)} apart`;
    this.context.emit({ kind: 'notice', text: `${this.whyEncode}: video is transcoded from here on` });
    this.run?.stop(this.whyEncode);
  }

  private runEnd(why: string | undefined): void {
    this.run = undefined;
    this.gone?.();
    if (this.closed) return;
    this.context.sink.finishRun(false);
    if (this.whyEncode !== undefined && why === this.whyEncode) {
      this.firstByteMs = nowMs();
      this.start();
    } else if (this.feedEnded && this.waitingBytes === 0) this.finish(this.endedWhy);
    else this.breakDown(why ?? 'ffmpeg came to an end');
  }

  /** It does not work with these bytes; perhaps with those that come next. */
  private breakDown(why: string): void {
    if (this.feedEnded && !this.everPlayed) {
      this.finish(this.endedWhy ?? why);
      return;
    }
    this.context.sink.breakOff(why);
    this.firstByteMs = nowMs();
    this.phase = 'resting';
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.collect();
    }, restMs);
  }

  private finish(why: string | undefined): void {
    this.closed = true;
    this.stopTimer();
    void this.feed.close();
    this.onEnd(why, this.everPlayed);
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
