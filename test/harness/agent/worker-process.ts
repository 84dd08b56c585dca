import type { ChildProcess } from 'node:child_process';
import type { Connection } from '../../../runtime/node/ws-link.ts';
import type { FromWorker, ToWorker } from './programs.ts';

/** A worker that has not ended by then is killed. */
const END_WITHIN_MS = 1_500;
const ANSWER_WITHIN_MS = 5_000;

/** A worker as its agent sees it. */
export class WorkerProcess {
  private readonly child: ChildProcess;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
  private sockets: Connection[] = [];
  private answered = (): void => undefined;

  /** @param ended - Called once, with how it ended. */
  constructor(child: ChildProcess, heard: (message: FromWorker) => void, ended: (how: string) => void) {
    this.child = child;
    child.on('message', (message: FromWorker) => {
      if (message.say === 'sockets') this.heardSockets(message);
      else heard(message);
    });
    this.gone = new Promise((resolve) => {
      let over = false;
      const end = (how: string): void => {
        if (over) return;
        over = true;
        resolve();
        ended(how);
      };
      child.on('exit', (code, signal) => end(signal === null ? `ended with code ${code}` : `was ended by ${signal}`));
      child.on('error', (error) => {
        if (child.pid === undefined) end(error.message);
      });
    });
  }

  tell(message: ToWorker): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  /** Its programs' open connections; undefined where it does not say. */
  connections(): Promise<readonly Connection[] | undefined> {
    this.sockets = [];
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(undefined), ANSWER_WITHIN_MS);
      this.answered = () => {
        clearTimeout(late);
        resolve(this.sockets);
      };
      this.tell({ do: 'sockets', at: 0 });
    });
  }

  private heardSockets({ sockets, last }: Extract<FromWorker, { say: 'sockets' }>): void {
    this.sockets.push(...sockets);
    if (last) this.answered();
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Resolves when it is gone. */
  async end(): Promise<void> {
    // The end of the channel tells it to end.
    if (this.child.connected) this.child.disconnect();
    const late = setTimeout(() => this.kill(), END_WITHIN_MS);
    await this.gone;
    clearTimeout(late);
  }
}
