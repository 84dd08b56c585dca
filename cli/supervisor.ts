import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process that is kept running. */
export interface ChildSpec {
  /** What it is called in messages, such as `peer 2`. */
  readonly name: string;
  /** Of `inswarm`, without the program's own name. */
  readonly args: readonly string[];
  /** Lines of JSON that it prints. */
  readonly onLine?: (line: Readonly<Record<string, unknown>>) => void;
}

export interface Child {
  readonly name: string;
  /** While it runs. */
  readonly pid: number | undefined;
  /** How often it had to be started again. */
  readonly restarts: number;
}

const BACKOFF_FIRST_MS = 500;
const BACKOFF_LAST_MS = 10_000;
/** Whatever ran so long is started again at once when it ends. */
const GOOD_RUN_MS = 30_000;
/** A child that has not ended by then is killed. */
const KILL_AFTER_MS = 1_600;

/**
 * Runs `inswarm` commands as processes and starts them again when they die. A child notices the end of this process by the
 * channel between them, so that none is left behind however this one ends.
 */
export class Supervisor {
  private readonly children: SupervisedChild[] = [];
  private readonly say: (text: string) => void;
  private readonly program: readonly string[];

  /**
   * @param say - Takes what people should know: a child's complaints, its end, its restart.
   * @param program - What Node is to run; this program by default.
   */
  constructor(say: (text: string) => void, program: readonly string[] = [...process.execArgv, process.argv[1]!]) {
    this.say = say;
    this.program = program;
  }

  start(spec: ChildSpec): Child {
    const child = new SupervisedChild(spec, this.program, this.say);
    this.children.push(child);
    return child;
  }

  /** Ends all children; resolves when they are gone, within two seconds. */
  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.stop()));
  }
}

class SupervisedChild implements Child {
  readonly name: string;
  restarts = 0;
  private readonly spec: ChildSpec;
  private readonly program: readonly string[];
  private readonly say: (text: string) => void;
  private process: ChildProcess | undefined;
  private startedAtMs = 0;
  private backoffMs = BACKOFF_FIRST_MS;
  private timer: NodeJS.Timeout | undefined;
  private stopping: (() => void) | undefined;

  constructor(spec: ChildSpec, program: readonly string[], say: (text: string) => void) {
    this.spec = spec;
    this.program = program;
    this.name = spec.name;
    this.say = say;
    this.run();
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  stop(): Promise<void> {
    clearTimeout(this.timer);
    const { process } = this;
    return new Promise((resolve) => {
      this.stopping = resolve;
      if (process === undefined) {
        resolve();
        return;
      }
      // The end of the channel tells it to end.
      if (process.connected) process.disconnect();
      this.timer = setTimeout(() => process.kill('SIGKILL'), KILL_AFTER_MS);
    });
  }

  private run(): void {
    this.startedAtMs = performance.now();
    const child = spawn(process.execPath, [...this.program, ...this.spec.args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: plainEnvironment(),
      // A group of its own: Ctrl-C in a terminal is for this process, which ends the others in its own order.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    this.process = child;
    createInterface({ input: child.stdout! }).on('line', (line) => this.line(line));
    createInterface({ input: child.stderr! }).on('line', (line) => this.say(`${this.name}: ${line}`));
    child.on('error', (error) => {
      this.say(`${this.name}: ${error.message}`);
      if (child.pid === undefined) this.ended(null, null);
    });
    // Not 'close': that does not come once we have closed the channel ourselves.
    child.on('exit', (code, signal) => this.ended(code, signal));
  }

  private line(text: string): void {
    try {
      this.spec.onLine?.(JSON.parse(text));
    } catch {
      this.say(`${this.name}: ${text}`);
    }
  }

  private ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.process = undefined;
    if (this.stopping !== undefined) {
      clearTimeout(this.timer);
      this.stopping();
      return;
    }
    if (performance.now() - this.startedAtMs >= GOOD_RUN_MS) this.backoffMs = BACKOFF_FIRST_MS;
    const how =
      signal !== null ? `was ended by ${signal}` : code === null ? 'did not start' : `ended with code ${code}`;
    this.say(`${this.name} ${how}; starting it again in ${this.backoffMs / 1000} s`);
    this.timer = setTimeout(() => {
      this.restarts++;
      this.run();
    }, this.backoffMs);
    this.backoffMs = Math.min(this.backoffMs * 2, BACKOFF_LAST_MS);
  }
}

/** Options of ours in the environment are meant for this process: its children are told everything. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('INSWARM_')));
}
