import type { Follower } from './follower.ts';
import { textSample } from './ttml.ts';
import type { Sample } from './types.ts';

/** Cues that are held: what comes beyond that is left out. */
const CUES_MAX = 256;

/** A text track: what is known of each part when that is cut. No part waits for words: that none come is what they mostly do. */
export class TextFollower implements Follower {
  private cues: Sample[] = [];
  private from: number | undefined;

  /** @param cue One cue, see `cueSample`. One that comes late is shown for as long as it still lasts. */
  push(cue: Sample): void {
    if (this.cues.length < CUES_MAX) this.cues.push(cue);
  }

  isCompleteTo(): boolean {
    return true;
  }

  takeUntil(border: number): Sample[] {
    const from = this.from ?? border;
    this.from = border;
    if (border <= from) return [];
    const sample = textSample(this.cues, from, border);
    this.cues = this.cues.filter(({ dts, duration }) => dts + duration > border);
    return [sample];
  }

  giveUpTo(): boolean {
    return true;
  }

  /** Words end with the run, too: those that are said to last for ever would else be there once more with each round of a file. */
  dropFrom(border: number): void {
    const begun = this.cues.filter(({ dts }) => dts < border);
    this.cues = begun.map((cue) => ({ ...cue, duration: Math.min(cue.duration, border - cue.dts) }));
  }

  skipTo(border: number): void {
    this.cues = this.cues.filter(({ dts, duration }) => dts + duration > border);
    this.from = border;
  }
}
