import { durationText } from './figures.ts';

const BAR_CHARS = 24;
/** Rewriting more often than eyes can follow only costs. */
const EVERY_MS = 200;

/** A run, as the display names it: `native, seed 3`. */
export interface NamedRun {
  readonly column: string;
  readonly name: string;
}

/** How many runs are done, which are under way, and how long the rest takes, judged by what runs of the same column took. */
export class CompareProgress {
  private readonly stream: NodeJS.WriteStream;
  private readonly runs: readonly NamedRun[];
  private readonly processes: number;
  private readonly active = new Map<number, { readonly startedAtMs: number; share: number }>();
  private readonly took = new Map<string, number[]>();
  private done = 0;
  private shownAtMs = Number.NEGATIVE_INFINITY;

  /** @param stream - A terminal gets one line that is rewritten, anything else a line for each run that is done. */
  constructor(stream: NodeJS.WriteStream, runs: readonly NamedRun[], processes: number) {
    this.stream = stream;
    this.runs = runs;
    this.processes = processes;
  }

  started(run: number, nowMs: number): void {
    this.active.set(run, { startedAtMs: nowMs, share: 0 });
    this.draw(nowMs);
  }

  progress(run: number, share: number, nowMs: number): void {
    const active = this.active.get(run);
    if (active !== undefined) active.share = share;
    this.draw(nowMs);
  }

  /** @param what - The run's main figures, for who reads lines. */
  finished(run: number, what: string, nowMs: number): void {
    const { column, name } = this.runs[run]!;
    const tookMs = nowMs - (this.active.get(run)?.startedAtMs ?? nowMs);
    this.took.set(column, [...(this.took.get(column) ?? []), tookMs]);
    this.active.delete(run);
    this.done++;
    if (this.stream.isTTY) this.draw(nowMs, true);
    else this.stream.write(`${this.done} of ${this.runs.length}: ${name}: ${what}, ${durationText(tookMs)}\n`);
  }

  clear(): void {
    if (this.stream.isTTY) this.stream.write('\r\x1b[K');
  }

  /** `[####----] 3 of 30  native, seed 2 41 %  INS, seed 2 7 %  0:01:12 left` */
  text(nowMs: number): string {
    const shares = [...this.active.values()].reduce((sum, { share }) => sum + share, 0);
    const filled = Math.round(((this.done + shares) / this.runs.length) * BAR_CHARS);
    const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_CHARS - filled)}]`;
    const runs = [...this.active].map(([run, { share }]) => `${this.runs[run]!.name} ${Math.floor(share * 100)} %`);
    const leftMs = this.leftMs(nowMs);
    const left = leftMs === null ? [] : [`${durationText(leftMs)} left`];
    return [`${bar} ${this.done} of ${this.runs.length}`, ...runs, ...left].join('  ');
  }

  /** Null until one run is done, or well under way. */
  leftMs(nowMs: number): number | null {
    const seen = [...this.took.values()].flat();
    for (const { startedAtMs, share } of this.active.values())
      if (share >= 0.1) seen.push((nowMs - startedAtMs) / share);
    if (seen.length === 0) return null;
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const usual = mean(seen);
    let workMs = 0;
    for (const [run, { column }] of this.runs.entries()) {
      const ofColumn = this.took.get(column);
      const wholeMs = ofColumn === undefined ? usual : mean(ofColumn);
      const active = this.active.get(run);
      if (active !== undefined) workMs += wholeMs * (1 - active.share);
      else if (run >= this.done + this.active.size) workMs += wholeMs;
    }
    return workMs / this.processes;
  }

  private draw(nowMs: number, now = false): void {
    if (!this.stream.isTTY || (!now && nowMs - this.shownAtMs < EVERY_MS)) return;
    this.shownAtMs = nowMs;
    this.stream.write(`\r${this.text(nowMs).slice(0, Math.max(20, (this.stream.columns || 80) - 1))}\x1b[K`);
  }
}
