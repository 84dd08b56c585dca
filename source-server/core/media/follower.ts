import { silentAacFrame } from './silent-aac.ts';
import type { Sample } from './types.ts';

/**
 * A track that follows the lead's borders. Samples go in on the stream's timeline, in ticks of their own track, and
 * come out by the part.
 */
export interface Follower {
  push(sample: Sample): void;
  /** All samples before this border have come. */
  isCompleteTo(border: number): boolean;
  /** Removes and returns the samples that start before the border. */
  takeUntil(border: number): Sample[];
  /** Goes on without what is missing before the border; true when the hole could be filled. */
  giveUpTo(border: number): boolean;
  /** What lies beyond the border is dropped: the run ended there for the lead. */
  dropFrom(border: number): void;
  /** The timeline jumps to this border: what lies before is dropped. */
  skipTo(border: number): void;
}

/** A rendition of the lead's pictures. It has the lead's own times, so its samples are only sorted into parts. */
export class VideoFollower implements Follower {
  private pending: Sample[] = [];
  private waitsForKey = true;

  push(sample: Sample): void {
    if (this.waitsForKey && !sample.key) return;
    this.waitsForKey = false;
    this.pending.push(sample);
  }

  isCompleteTo(border: number): boolean {
    const last = this.pending.at(-1);
    return last !== undefined && last.dts + last.duration >= border;
  }

  takeUntil(border: number): Sample[] {
    const count = countBefore(this.pending, border);
    return this.pending.splice(0, count);
  }

  giveUpTo(border: number): boolean {
    this.skipTo(border);
    return false;
  }

  dropFrom(border: number): void {
    this.pending = this.pending.filter((sample) => sample.dts < border);
  }

  /** A decoder cannot go on before the next key frame. */
  skipTo(border: number): void {
    const index = this.pending.findIndex((sample) => sample.dts >= border && sample.key);
    this.pending = index < 0 ? [] : this.pending.slice(index);
    this.waitsForKey = index < 0;
  }
}

/** Beyond this an audio time is taken for nonsense, and not filled up to. */
const fillMaxSeconds = 20;
/** Error in frames that is left alone. Above half a frame, so that a correction does not call for its opposite. */
const tolerance = 0.75;

/**
 * An audio track as an unbroken chain of frames. A frame is moved by less than one frame to fit the chain; where frames
 * are missing silence is put in, where they overlap (the end of a looped file) the later ones are dropped. Players do
 * the wrong thing with gaps in audio: they close them and lose the pictures' time.
 */
export class AudioChain implements Follower {
  private pending: Sample[] = [];
  private next: number | undefined;
  private takenTo = 0;
  private frameTicks = 0;
  private readonly timescale: number;
  private readonly silence: Uint8Array | undefined;

  constructor(timescale: number, channels: number, codecs: string) {
    this.timescale = timescale;
    this.silence = codecs === 'mp4a.40.2' ? silentAacFrame(channels) : undefined;
  }

  /** @param sample `dts` is where the frame should be; it may be off the chain. */
  push(sample: Sample): void {
    if (this.frameTicks === 0) this.frameTicks = sample.duration || 1024;
    this.next ??= sample.dts;
    const error = sample.dts - this.next;
    if (error < -tolerance * this.frameTicks || error > fillMaxSeconds * this.timescale) return;
    this.fillTo(sample.dts);
    if (this.silence === undefined && sample.dts > this.next) this.next = sample.dts;
    this.append(sample.bytes);
  }

  isCompleteTo(border: number): boolean {
    return this.next !== undefined && this.next >= border;
  }

  takeUntil(border: number): Sample[] {
    const taken = this.pending.splice(0, countBefore(this.pending, border));
    const last = taken.at(-1);
    if (last !== undefined) this.takenTo = last.dts + last.duration;
    return taken;
  }

  giveUpTo(border: number): boolean {
    if (this.silence === undefined || this.next === undefined) return false;
    if (this.frameTicks === 0) this.frameTicks = 1024;
    while (this.next < border) this.append(this.silence);
    return true;
  }

  dropFrom(border: number): void {
    while (this.pending.length > 0 && this.pending.at(-1)!.dts + this.frameTicks / 2 > border) {
      this.next = this.pending.pop()!.dts;
    }
  }

  skipTo(border: number): void {
    this.pending.splice(0, countBefore(this.pending, border));
    // The last frame may reach over the border: what follows does not overlap it.
    if (this.pending.length === 0) this.next = Math.max(border, this.takenTo);
  }

  private fillTo(time: number): void {
    if (this.silence === undefined) return;
    while (time - this.next! > tolerance * this.frameTicks) this.append(this.silence);
  }

  private append(bytes: Uint8Array): void {
    this.pending.push({ dts: this.next!, ctsOffset: 0, duration: this.frameTicks, key: true, bytes });
    this.next! += this.frameTicks;
  }
}

function countBefore(samples: readonly Sample[], border: number): number {
  const index = samples.findIndex((sample) => sample.dts >= border);
  return index < 0 ? samples.length : index;
}
