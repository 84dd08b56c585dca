import { access } from 'node:fs/promises';
import path from 'node:path';
import { nowMs } from '../../../runtime/node/clock.ts';
import { keyGapEndureSeconds, seconds } from '../../core/media/decide.ts';
import { Backoff } from './backoff.ts';
import type { Driver, DriverContext } from './driver.ts';
import { type Plan, planInput, testPlan, timeOffsetSeconds } from './plan.ts';
import { type Probe, probeInput } from './probe.ts';
import type { Run } from './run.ts';

/** The test pattern, which does not end. */
export function testDriver(context: DriverContext, width: number, height: number): Driver {
  const plan = testPlan(width, height, context.planOptions);
  return new PlayDriver(context, { plan: async () => plan, seek: () => plan });
}

/** A file, again and again. */
export function fileDriver(context: DriverContext, file: string): Driver {
  const inputArgs = ['-i', `file:${path.resolve(file)}`];
  let probe: Probe | undefined;
  return new PlayDriver(context, {
    async plan(whyEncode) {
      if (probe === undefined) {
        await access(file).catch(() => {
          throw new Error('there is no such file, or it may not be read');
        });
        probe = await probeInput({ ffmpeg: context.ffmpeg, inputArgs, signal: context.signal });
      }
      const options = { ...context.planOptions, ...(whyEncode === undefined ? {} : { whyEncode }) };
      return planInput(inputArgs, probe.info, probe.gop, options);
    },
    seek: (plan, fromSeconds) => ({ ...plan, inputArgs: ['-ss', fromSeconds.toFixed(3), ...inputArgs] }),
  });
}

interface Player {
  plan(whyEncode?: string): Promise<Plan>;
  /** The same plan, starting inside the file. */
  seek(plan: Plan, fromSeconds: number): Plan;
}

/** Plays something that is there as a whole: at real time, from the start when it ends, from where it was when it breaks. */
class PlayDriver implements Driver {
  private readonly context: DriverContext;
  private readonly player: Player;
  private readonly backoff = new Backoff();
  private plan: Plan | undefined;
  private run: Run | undefined;
  private timer: NodeJS.Timeout | undefined;
  private gone: (() => void) | undefined;
  private startedMs = 0;
  /** Where in the file the current run started and where the leading track is, in s. */
  private fromSeconds = 0;
  private atSeconds = 0;
  private samples = 0;
  private everPlayed = false;
  private whyEncode: string | undefined;

  constructor(context: DriverContext, player: Player) {
    this.context = context;
    this.player = player;
  }

  async start(): Promise<void> {
    this.plan = await this.player.plan();
    this.play(0, false);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    const { run } = this;
    if (run === undefined) return;
    await new Promise<void>((resolve) => {
      this.gone = resolve;
      run.stop('closed');
    });
  }

  private play(fromSeconds: number, continuous: boolean): void {
    const { context } = this;
    if (context.signal.aborted) return;
    this.startedMs = nowMs();
    this.fromSeconds = fromSeconds;
    this.samples = 0;
    this.whyEncode = undefined;
    this.run = context.sink.openRun({
      ffmpeg: context.ffmpeg,
      plan: fromSeconds > 0 ? this.player.seek(this.plan!, fromSeconds) : this.plan!,
      stdin: 'ignore',
      continuous,
      onLead: (sample, timescale, sinceKeySeconds) => {
        this.samples++;
        this.atSeconds = this.fromSeconds + sample.dts / timescale - timeOffsetSeconds;
        if (sinceKeySeconds > keyGapEndureSeconds) this.stopCopying();
      },
      onEnd: (why) => this.ended(why),
    });
  }

  private stopCopying(): void {
    if (this.whyEncode !== undefined || this.plan!.tracks[0]!.kind !== 'video') return;
    this.whyEncode = `key frames more than ${seconds(keyGapEndureSeconds)} apart`;
    this.run?.stop(this.whyEncode);
  }

  private ended(why: string | undefined): void {
    this.run = undefined;
    const played = this.samples > 0;
    if (this.gone !== undefined) this.gone();
    else if (this.whyEncode !== undefined) void this.encodeFromHere(this.whyEncode);
    else if (!played && !this.everPlayed) this.context.fail(why ?? 'it holds no pictures and no sound');
    else if (played && why === undefined) this.playAgain();
    else this.interrupted(why ?? 'it came to an end without pictures or sound');
    this.everPlayed ||= played;
  }

  private playAgain(): void {
    this.context.sink.finishRun(true);
    this.play(0, true);
  }

  private interrupted(why: string): void {
    this.context.sink.finishRun(false);
    this.context.sink.breakOff(why);
    // A place that breaks every time is not tried again.
    const from = this.samples > 0 ? Math.max(0, this.atSeconds) : 0;
    const waitMs = this.backoff.waitMs(nowMs() - this.startedMs);
    this.timer = setTimeout(() => this.play(from, false), waitMs);
  }

  private async encodeFromHere(why: string): Promise<void> {
    this.context.sink.finishRun(false);
    this.context.emit({ kind: 'notice', text: `${why}: video is transcoded from here on` });
    this.plan = await this.player.plan(why);
    this.play(Math.max(0, this.atSeconds), false);
  }
}
