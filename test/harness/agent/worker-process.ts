import type { ChildProcess } from 'node:child_process';
import type { FromWorker, ToWorker } from './programs.ts';

/** A worker that has not ended by then is killed. */
const END_WITHIN_MS = 1_500;

/** A worker as its agent sees it. */
export class WorkerProcess {
  private readonly child: ChildProcess;
  private readonly gone: Promise<void>;

  /** @param ended - Called once, with how it ended. */
  constructor(child: ChildProcess, heard: (message: FromWorker) => void, ended: (how: string) => void) {
    this.child = child;
    child.on('message', heard);
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
