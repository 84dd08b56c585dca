/** What commands print. */

/** One JSON object as a line on standard output. */
export function printJson(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Tells the first word on a server that is away from the repetitions, one for each dial that fails. */
export class Outages {
  private readonly away = new Set<string>();

  /** Whether an event is worth telling people. */
  isNews(event: { readonly kind: string; readonly url?: string }): boolean {
    const { kind, url = '' } = event;
    if (kind === 'ins-up') this.away.delete(url);
    if (kind !== 'ins-lost') return true;
    const isNews = !this.away.has(url);
    this.away.add(url);
    return isNews;
  }
}

/**
 * Lines for people, and under them a few that are rewritten in place. Where standard output is no terminal, these are
 * printed every few seconds instead.
 */
export class Screen {
  private readonly stream: NodeJS.WriteStream;
  private readonly everyMs: number;
  private shown: readonly string[] = [];
  private printedAtMs = Number.NEGATIVE_INFINITY;

  constructor(stream: NodeJS.WriteStream, everyMs: number) {
    this.stream = stream;
    this.everyMs = everyMs;
  }

  /** A line that stays. */
  say(text: string): void {
    this.stream.write(`${this.cleared()}${text}\n${this.status()}`);
  }

  /** The lines that are rewritten. */
  show(lines: readonly string[], nowMs: number): void {
    if (this.stream.isTTY) {
      const clear = this.cleared();
      // What does not fit on the screen could not be rewritten.
      const fitting = lines.slice(0, Math.max(1, this.stream.rows - 2));
      this.shown = fitting.map((line) => line.slice(0, Math.max(20, this.stream.columns - 1)));
      this.stream.write(clear + this.status());
    } else if (nowMs - this.printedAtMs >= this.everyMs) {
      this.printedAtMs = nowMs;
      if (lines.length > 0) this.stream.write(`${lines.join('\n')}\n`);
    }
  }

  /** Leaves the last lines as they are. */
  done(): void {
    this.shown = [];
  }

  private cleared(): string {
    return this.shown.length === 0 ? '' : `\x1b[${this.shown.length}A\r\x1b[J`;
  }

  private status(): string {
    return this.shown.map((line) => `${line}\n`).join('');
  }
}
