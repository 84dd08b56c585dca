import type { Socket } from 'node:net';
import { Queue } from '../../../../machine/machine.ts';
import { WINDOW_BYTES } from '../relay/way.ts';
import type { FairLine, Lane } from './fair-line.ts';
import { RecordReader, takenRecord } from './records.ts';

/** Bytes that wait for the downlink at which the kernel is not asked for more, and at which it is again. */
const FULL_BYTES = 65_536;
const LOW_BYTES = 32_768;
/** The other end is told when so many have come through. */
const TAKEN_BYTES = WINDOW_BYTES / 8;

export interface InflowOptions {
  readonly source: Socket;
  /** The host's downlink. */
  readonly line: FairLine;
  /** Takes what has come through; null: nothing follows. @returns Whether more is wanted before {@link Inflow.want}. */
  readonly give: (bytes: Uint8Array | null) => boolean;
  /** So many bytes have come through at the other end. */
  readonly taken: (sizeBytes: number) => void;
  /** What comes is nothing that a host would send. */
  readonly strange: () => void;
}

/** What comes to a program on a connection: it is read from the socket, and waits for the downlink. */
export class Inflow implements Lane {
  /** Nothing more comes from the socket. */
  isEnded = false;
  private first: Uint8Array | undefined;
  private readonly rest = new Queue<Uint8Array>();
  private waitingBytes = 0;
  private untoldBytes = 0;
  private isWanted = false;
  private isStopped = false;
  private readonly options: InflowOptions;

  constructor(options: InflowOptions) {
    this.options = options;
    const { source, taken, strange } = options;
    const reader = new RecordReader({ data: (bytes) => this.came(bytes), taken, ended: () => this.end() });
    source.on('data', (chunk) => {
      if (!reader.read(chunk)) strange();
    });
    // The other program's process has ended.
    source.on('end', () => this.end());
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
    this.tell(sizeBytes);
    if (this.waitingBytes <= LOW_BYTES) this.options.source.resume();
    this.endIfAll();
  }

  private tell(sizeBytes: number): void {
    const { source } = this.options;
    this.untoldBytes += sizeBytes;
    if (this.untoldBytes < TAKEN_BYTES || !source.writable) return;
    source.write(takenRecord(this.untoldBytes));
    this.untoldBytes = 0;
  }

  private end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
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
