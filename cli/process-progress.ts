import type { ProcessRun } from '../test/harness/controller/process-run.ts';
import { durationText } from './figures.ts';

const BAR_CHARS = 24;

/** Shows how far runs of real processes are: one line that is rewritten on a terminal, else a line for each step. */
export class ProcessProgress {
  private readonly stream: NodeJS.WriteStream;
  private readonly runs: number;
  private readonly seconds: number;
  private at = 0;
  private name = '';
  private lastStep = '';

  constructor(stream: NodeJS.WriteStream, runs: number, seconds: number) {
    this.stream = stream;
    this.runs = runs;
    this.seconds = seconds;
  }

  /** Something that stays. */
  say(text: string): void {
    this.clear();
    this.stream.write(`${text}\n`);
  }

  begin(at: number, name: string): void {
    this.at = at;
    this.name = name;
    this.lastStep = '';
  }

  preparing(text: string): void {
    const head = this.name === '' ? '' : `${this.place()} ${this.name}: `;
    if (this.stream.isTTY) this.draw(`${head}${text}`);
    else {
      // Where lines stay, the first of each step says enough.
      const step = text.replace(/[:\d].*$/, '');
      if (step !== this.lastStep) this.stream.write(`${head}${text}\n`);
      this.lastStep = step;
    }
  }

  second({ clock, record, collector }: ProcessRun): void {
    const { elapsedMs } = clock;
    const share = Math.min(1, elapsedMs / (this.seconds * 1000));
    const filled = Math.round(share * BAR_CHARS);
    const here = record.stays.filter(({ leftAtMs }) => leftAtMs === null);
    const count = (state: string) => here.filter(({ figures }) => (figures?.state ?? 'waiting') === state).length;
    const words = [
      `${this.place()} ${this.name} [${'#'.repeat(filled)}${'-'.repeat(BAR_CHARS - filled)}] ${Math.floor(elapsedMs / 1000)} of ${this.seconds} s`,
      `${here.length} viewers: ${count('playing')} play, ${count('waiting')} wait, ${count('stalled')} stand still`,
      `machine ${Math.round(collector.seconds.busyNow * 100)} % busy`,
      `${durationText(Math.max(0, this.seconds * 1000 - elapsedMs))} left`,
    ];
    if (this.stream.isTTY) this.draw(words.join('  '));
    else if (Math.floor(elapsedMs / 1000) % 10 === 0) this.stream.write(`${words.join('  ')}\n`);
  }

  finished(what: string): void {
    this.say(`${this.place()} ${this.name}: ${what}`);
  }

  clear(): void {
    if (this.stream.isTTY) this.stream.write('\r\x1b[K');
  }

  private place(): string {
    return `${this.at + 1} of ${this.runs}`;
  }

  private draw(text: string): void {
    this.stream.write(`\r${text.slice(0, Math.max(20, (this.stream.columns || 80) - 1))}\x1b[K`);
  }
}
