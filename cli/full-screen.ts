/** What is drawn, for a screen of this size. */
export type Draw = (columns: number, rows: number) => readonly string[];

/** Another screen, on which nothing scrolls and no cursor blinks; what was on the terminal comes back behind it. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const REST_OF_LINE = '\x1b[K';
const REST_OF_SCREEN = '\x1b[J';

/** A view that has the whole terminal, and gives it back however the process ends. */
export class FullScreen {
  private readonly stream: NodeJS.WriteStream;
  private readonly lines: Draw;
  private isOpen = false;

  constructor(stream: NodeJS.WriteStream, lines: Draw) {
    this.stream = stream;
    this.lines = lines;
  }

  /** Whether a stream is a terminal that can show such a view. */
  static isPossible(stream: NodeJS.WriteStream): boolean {
    return stream.isTTY && process.env.TERM !== 'dumb';
  }

  open(): void {
    neverWait(this.stream);
    this.enter();
    this.stream.on('resize', this.draw);
    process.on('exit', this.leave);
    // Before anybody says what went wrong, so that it can be read.
    process.prependListener('uncaughtException', this.leave);
    process.prependListener('unhandledRejection', this.leave);
    process.on('SIGTSTP', this.pause);
    process.on('SIGCONT', this.enter);
  }

  close(): void {
    this.leave();
    this.stream.off('resize', this.draw);
    process.off('exit', this.leave);
    process.off('uncaughtException', this.leave);
    process.off('unhandledRejection', this.leave);
    process.off('SIGTSTP', this.pause);
    process.off('SIGCONT', this.enter);
  }

  readonly draw = (): void => {
    // A terminal that is held (Ctrl-S) or whose connection hangs misses pictures, and holds nothing up.
    if (!this.isOpen || this.stream.writableLength > 0) return;
    const { columns, rows } = this.stream;
    // A terminal that does not know its size is taken for the classic one.
    const [width, height] = [columns || 80, rows || 24];
    const lines = this.lines(width, height).slice(0, height);
    const cut = lines.map((line) => [...line.replaceAll(/\p{Cc}/gu, '?')].slice(0, width).join(''));
    this.stream.write(`${HOME}${cut.map((line) => line + REST_OF_LINE).join('\r\n')}${REST_OF_SCREEN}`);
  };

  private readonly enter = (): void => {
    if (this.isOpen) return;
    this.isOpen = true;
    this.stream.write(ENTER);
    this.draw();
  };

  private readonly leave = (): void => {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.stream.write(LEAVE);
  };

  /** Ctrl-Z: the terminal goes back to the shell, until `fg`. */
  private readonly pause = (): void => {
    this.leave();
    process.kill(process.pid, 'SIGSTOP');
  };
}

/** Node waits for a terminal to take what is written, and with it the whole process would. */
function neverWait(stream: NodeJS.WriteStream): void {
  const { _handle } = stream as NodeJS.WriteStream & { _handle?: { setBlocking?: (blocking: boolean) => void } };
  _handle?.setBlocking?.(false);
}
