import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/** What a program wrote to a terminal, and the means to act like whoever sits there. */
export interface Terminal {
  /** All that was written so far. */
  readonly output: string;
  /** The program's own process. */
  readonly pid: number;
  until(seen: (output: string) => boolean): Promise<string>;
  resize(columns: number, rows: number): void;
  /** Resolves when the program has ended. */
  readonly ended: Promise<void>;
  kill(): void;
}

/** Runs a program in a terminal of 80 x 24, with `script` of util-linux. @throws when the machine has no `script`. */
export async function inTerminal(program: readonly string[], columns = 80, rows = 24): Promise<Terminal> {
  if (spawnSync('script', ['--version']).status !== 0) {
    throw new Error('there is no script(1) of util-linux on this machine: install the package bsdutils or util-linux');
  }
  const quoted = program.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const line = `tty; echo "pid $$"; stty cols ${columns} rows ${rows}; exec ${quoted}`;
  const env = { ...process.env, TERM: 'xterm-256color' };
  const child: ChildProcess = spawn('script', ['-qec', line, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  let over = false;
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      over = true;
      resolve();
    }),
  );
  const until = async (seen: (output: string) => boolean): Promise<string> => {
    const endMs = Date.now() + 20_000;
    while (!seen(output)) {
      if (over || Date.now() > endMs) throw new Error(`the terminal shows ${JSON.stringify(output.slice(-3_000))}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return output;
  };
  await until((text) => /pid \d+/.test(text));
  const [, tty] = /(\/dev\/\S+)/.exec(output) ?? [];
  const pid = Number(/pid (\d+)/.exec(output)![1]);
  return {
    get output() {
      return output;
    },
    pid,
    until,
    ended,
    resize: (width, height) => {
      spawnSync('stty', ['-F', tty!, 'cols', String(width), 'rows', String(height)]);
    },
    kill: () => {
      if (!over) process.kill(pid, 'SIGKILL');
    },
  };
}

/** The last whole picture: what stands behind the last return to the upper left corner that was followed by an end of screen. */
export function lastFrame(output: string): readonly string[] {
  const frames = output.split('\x1b[H').slice(1);
  const whole = frames.filter((frame) => frame.includes('\x1b[J'));
  return (whole.at(-1) ?? '')
    .split('\x1b[J')[0]!
    .split('\x1b[K')
    .map((line) => line.replace(/^[\r\n]+/, ''))
    .slice(0, -1);
}
