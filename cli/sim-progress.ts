import { durationText } from './figures.ts';

const BAR_CHARS = 24;
/** Rewriting more often than eyes can follow only costs. */
const EVERY_MS = 200;

/** How far a simulation is. */
export interface Progress {
  /** Virtual ms since its start, and how many there will be. */
  readonly atMs: number;
  readonly endMs: number;
  readonly joined: number;
  readonly started: number;
  readonly freezes: number;
}

/** One line on a terminal that is rewritten while a simulation runs. */
export class ProgressLine {
  private readonly stream: NodeJS.WriteStream;
  private readonly startedAtMs: number;
  private shownAtMs = Number.NEGATIVE_INFINITY;

  /** @param stream - Where it is no terminal, nothing is shown. */
  constructor(stream: NodeJS.WriteStream, nowMs: number) {
    this.stream = stream;
    this.startedAtMs = nowMs;
  }

  /** @param progress - Asked only when something is shown. */
  show(progress: () => Progress, nowMs: number): void {
    if (!this.stream.isTTY || nowMs - this.shownAtMs < EVERY_MS) return;
    this.shownAtMs = nowMs;
    const line = progressText(progress(), nowMs - this.startedAtMs);
    this.stream.write(`\r${line.slice(0, Math.max(20, (this.stream.columns || 80) - 1))}\x1b[K`);
  }

  clear(): void {
    if (this.stream.isTTY && this.shownAtMs > Number.NEGATIVE_INFINITY) this.stream.write('\r\x1b[K');
  }
}

/** `[######------] 31 of 60 s  412 of 500 playing  3 freezes  4.1x real time  0:00:07 left` */
export function progressText({ atMs, endMs, joined, started, freezes }: Progress, tookMs: number): string {
  const share = endMs === 0 ? 1 : Math.min(1, atMs / endMs);
  const done = Math.round(share * BAR_CHARS);
  const bar = `[${'#'.repeat(done)}${'-'.repeat(BAR_CHARS - done)}]`;
  const speed = tookMs === 0 ? 0 : atMs / tookMs;
  const left = speed === 0 ? '' : `  ${durationText((endMs - atMs) / speed)} left`;
  const times = `${speed.toFixed(speed < 10 ? 1 : 0)}x real time`;
  const time = `${Math.floor(atMs / 1000)} of ${Math.round(endMs / 1000)} s`;
  return `${bar} ${time}  ${started} of ${joined} playing  ${freezes} freezes  ${times}${left}`;
}
