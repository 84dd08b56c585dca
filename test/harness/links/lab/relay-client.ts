import type { ChildProcess } from 'node:child_process';
import type { FromRelay, RelayAnswer, RelayAsk } from '../relay/messages.ts';

const ANSWER_MS = 10_000;

/** Asks the relay, and gets its answers. */
export class RelayClient {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, (answer: FromRelay) => void>();
  private nextId = 1;
  private over: string | undefined;

  constructor(child: ChildProcess) {
    this.child = child;
    child.on('message', (message: FromRelay) => this.waiting.get(message.id)?.(message));
    child.on('exit', (code, signal) => this.fail(`the relay has ended (${signal ?? code})`));
    child.on('error', (error) => this.fail(`the relay: ${error.message}`));
  }

  /** @throws Error where the relay refuses, does not answer in time, or has ended. */
  ask(ask: RelayAsk): Promise<RelayAnswer | null> {
    if (this.over !== undefined) return Promise.reject(new Error(this.over));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => done({ id, error: `the relay did not answer within ${ANSWER_MS / 1000} s` }),
        ANSWER_MS,
      );
      const done = (message: FromRelay): void => {
        clearTimeout(timer);
        this.waiting.delete(id);
        if ('error' in message) reject(new Error(message.error));
        else resolve(message.answer);
      };
      this.waiting.set(id, done);
      this.child.send({ ...ask, id }, (error) => {
        if (error !== null) done({ id, error: `the relay cannot be asked: ${error.message}` });
      });
    });
  }

  private fail(why: string): void {
    this.over ??= why;
    for (const [id, done] of [...this.waiting]) done({ id, error: this.over });
  }
}
