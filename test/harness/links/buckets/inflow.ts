import type { Socket } from 'node:net';
import { Queue } from '../../../../machine/machine.ts';
import type { FairLine, Lane } from './fair-line.ts';

/** Bytes that wait for the downlink at which the kernel is not asked for more, and at which it is again. */
const FULL_BYTES = 65_536;
const LOW_BYTES = 32_768;

export interface InflowOptions {
  readonly source: Socket;
  /** The host's downlink. */
  readonly line: FairLine;
  /** Takes what has come through; null: nothing follows. @returns Whether more is wanted before {@link Inflow.want}. */
  readonly give: (bytes: Uint8Array | null) => boolean;
}

/** What comes to a program on a connection: it is read from the socket, and waits for the downlink. */
export class Inflow implements Lane {
  /** Nothing more comes from the socket. */
  isEnded = false;
  private first: Uint8Array | undefined;
  private readonly rest = new Queue<Uint8Array>();
  private waitingBytes = 0;
  private isWanted = false;
  private isStopped = false;
  private readonly options: InflowOptions;

  constructor(options: InflowOptions) {
    this.options = options;
    const { source } = options;
    source.on('data', (bytes) => this.came(bytes));
    source.on('end', () => {
      this.isEnded = true;
      this.endIfAll();
    });
  }

  /** The program wants more. */
  want(): void {
    this.isWanted = true;
    this.options.line.enter(this);
  }

  /** From now on what comes is read and forgotten. */
  stop(): void {
    this.isStopped = true;
    this.first = undefined;
    while (this.rest.shift() !== undefined);
    this.waitingBytes = 0;
    this.options.source.resume();
  }

  get readyBytes(): number {
    return this.isWanted ? this.waitingBytes : 0;
  }

  gone(sizeBytes: number): void {
    let left = sizeBytes;
    for (let { first } = this; first !== undefined && left > 0; first = this.first) {
      const bytes = first.subarray(0, left);
      left -= bytes.length;
      this.waitingBytes -= bytes.length;
      this.first = bytes.length < first.length ? first.subarray(bytes.length) : this.rest.shift();
      this.isWanted = this.options.give(bytes);
    }
    if (this.waitingBytes <= LOW_BYTES) this.options.source.resume();
    this.endIfAll();
  }

  private came(bytes: Uint8Array): void {
    if (this.isStopped) return;
    this.waitingBytes += bytes.length;
    if (this.first === undefined) this.first = bytes;
    else this.rest.push(bytes);
    if (this.waitingBytes >= FULL_BYTES) this.options.source.pause();
    this.options.line.enter(this);
  }

  private endIfAll(): void {
    if (this.isEnded && this.waitingBytes === 0 && !this.isStopped) this.options.give(null);
  }
}
