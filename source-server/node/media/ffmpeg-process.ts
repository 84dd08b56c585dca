import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** How a run of ffmpeg ended. */
export interface FfmpegExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last thing ffmpeg complained of, or '' if it said nothing. */
  readonly lastWords: string;
}

export interface FfmpegHandlers {
  /** Bytes of one output, by its place. */
  onData(output: number, bytes: Uint8Array): void;
  /** One line of what ffmpeg says. */
  onLine?(line: string): void;
  /** All outputs are closed and the process is gone. Called once, also when it could not be started. */
  onExit(exit: FfmpegExit): void;
}

const linesKept = 8;
const lineCharsMax = 400;

/** The running children, killed when this process leaves without having closed them. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** One child process. Each output is a pipe of its own, so that each holds one track with exact durations. */
export class FfmpegProcess {
  /** Resolves when the process is gone and its pipes are closed. */
  readonly gone: Promise<void>;
  private readonly child: ChildProcess;
  private readonly outputs: Readable[];
  private readonly lines: string[] = [];
  private partialLine = '';

  /** @param outputs how many of the pipes `outputUrl(0)` … are used. */
  constructor(
    program: string,
    args: readonly string[],
    outputs: number,
    stdin: 'pipe' | 'ignore',
    handlers: FfmpegHandlers,
  ) {
    const extra = Array.from({ length: Math.max(0, outputs - 1) }, () => 'pipe' as const);
    this.child = spawn(
      program,
      ['-hide_banner', '-loglevel', 'level+info', '-nostats', ...(stdin === 'ignore' ? ['-nostdin'] : []), ...args],
      {
        stdio: [stdin, outputs > 0 ? 'pipe' : 'ignore', 'pipe', ...extra],
        windowsHide: true,
      },
    );
    running.add(this.child);
    const streams = this.child.stdio;
    this.outputs = [streams[1], ...streams.slice(3)].filter((stream) => stream != null) as Readable[];
    this.outputs.forEach((stream, i) => {
      // A plain view: a Buffer's own slice() would not copy.
      stream.on('data', (b: Buffer) => handlers.onData(i, new Uint8Array(b.buffer, b.byteOffset, b.length)));
      stream.on('error', ignore);
    });
    this.child.stdin?.on('error', ignore);
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.readLines(text, handlers));
    let markGone: () => void;
    this.gone = new Promise((resolve) => {
      markGone = resolve;
    });
    let failure = '';
    const ended = (code: number | null, signal: NodeJS.Signals | null) => {
      if (!running.delete(this.child)) return;
      markGone();
      handlers.onExit({ code, signal, lastWords: failure || this.lastWords() });
    };
    this.child.on('error', (error) => {
      failure = error.message;
      if (this.child.pid === undefined) ended(null, null);
    });
    this.child.on('close', ended);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Where to write live bytes; null when the process reads none. */
  get stdin(): Writable | null {
    return this.child.stdin;
  }

  /** Stops or goes on reading one output; ffmpeg waits when its pipe is full. */
  setPaused(output: number, paused: boolean): void {
    const stream = this.outputs[output];
    if (stream === undefined || stream.isPaused() === paused) return;
    if (paused) stream.pause();
    else stream.resume();
  }

  /** Ends it at once: what it holds is of no use to anybody. `onExit` still follows. */
  kill(): void {
    this.child.kill('SIGKILL');
    for (const stream of this.outputs) stream.resume();
  }

  private readLines(text: string, handlers: FfmpegHandlers): void {
    const lines = (this.partialLine + text).split(/\r?\n|\r/);
    this.partialLine = lines.pop()!.slice(-lineCharsMax);
    for (const line of lines) {
      const { level, words } = splitLevel(line.slice(0, lineCharsMax));
      handlers.onLine?.(words);
      if (level === 'error' || level === 'fatal' || level === 'panic') {
        this.lines.push(words);
        if (this.lines.length > linesKept) this.lines.shift();
      }
    }
  }

  /** The first of the last complaints: those that follow mostly say the same with less detail. */
  private lastWords(): string {
    return this.lines.find((line) => !/^(Error|Conversion failed|Output file)/.test(line)) ?? this.lines[0] ?? '';
  }
}

/** The name of an output's pipe on ffmpeg's command line. */
export function outputUrl(output: number): string {
  return `pipe:${output === 0 ? 1 : output + 2}`;
}

/** `[tcp @ 0x55] [error] Connection refused` → level and `Connection refused`. */
function splitLevel(line: string): { level: string; words: string } {
  const level = /\[(panic|fatal|error|warning|info|verbose|debug)\] /.exec(line)?.[1] ?? 'info';
  const words = line.replace(/^\[[^\]]* @ [^\]]*\] /, '').replace(/^\[[a-z]+\] /, '');
  return { level, words };
}

function ignore(): void {
  // A pipe that breaks shows in the process's end.
}
