import { Queue } from '../../../../machine/machine.ts';

/** What travels on a line. */
export interface Parcel {
  /** When it was sent, in ms. */
  readonly sentMs: number;
  readonly sizeBytes: number;
}

/** What is under way in one direction of a connection: first in, first out, each so long after it was sent. */
export class DelayLine<P extends Parcel> {
  /** One way, in ms. */
  readonly delayMs: number;
  /** When the connection is open for the sender: what it sent before counts as sent then. */
  openMs = Number.POSITIVE_INFINITY;
  /** On the line, and due but not taken. */
  bytes = 0;
  private first: P | undefined;
  private readonly rest = new Queue<P>();

  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }

  push(parcel: P): void {
    this.bytes += parcel.sizeBytes;
    if (this.first === undefined) this.first = parcel;
    else this.rest.push(parcel);
  }

  /** When the next one is there; infinite where there is none, or where the connection is not open. */
  get nextMs(): number {
    return this.first === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(this.first.sentMs, this.openMs) + this.delayMs;
  }

  /** The next one, if it is there by now. */
  take(nowMs: number): P | undefined {
    const { first } = this;
    if (first === undefined || this.nextMs > nowMs) return undefined;
    this.first = this.rest.shift();
    this.bytes -= first.sizeBytes;
    return first;
  }

  get isEmpty(): boolean {
    return this.first === undefined;
  }

  /** Throws away what is under way. */
  clear(): void {
    while (this.first !== undefined) this.first = this.rest.shift();
    this.bytes = 0;
  }
}
