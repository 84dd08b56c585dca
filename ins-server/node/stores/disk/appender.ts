import { closeFile, syncFile, truncateFile, writeAt } from './files.ts';

/** Bytes and pieces that go into one write: what gathers while one is under way goes together into the next. */
const GROUP_BYTES = 1024 * 1024;
const GROUP_PIECES = 256;

interface Piece {
  readonly bytes: Uint8Array;
  readonly resolve: (offset: number) => void;
  readonly reject: (error: Error) => void;
}

/** The end of a file that only grows. One write is under way at a time, so a crash leaves nothing torn but the last one. */
export class Appender {
  readonly fd: number;
  /** All before it is written. */
  endBytes: number;
  private readonly sync: boolean;
  private queue: Piece[] = [];
  private running: Promise<void> | undefined;

  /** @param sync - Nothing is written before it would be there after a loss of power. */
  constructor(fd: number, endBytes: number, sync: boolean) {
    this.fd = fd;
    this.endBytes = endBytes;
    this.sync = sync;
  }

  /**
   * Where the bytes are, when they have been written, each piece whole.
   *
   * @throws (rejects) with StoreFull or what else the file system says; nothing of this piece is in the file then.
   */
  append(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.queue.push({ bytes, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** When nothing is being written. */
  async idle(): Promise<void> {
    await this.running;
  }

  /** Finishes what is under way and closes the file. */
  async close(): Promise<void> {
    await this.running;
    await closeFile(this.fd);
  }

  private async run(): Promise<void> {
    // What is asked for in this turn of the event loop goes into the first group.
    await Promise.resolve();
    while (this.queue.length > 0) await this.write(this.nextGroup());
    this.running = undefined;
  }

  private nextGroup(): Piece[] {
    let bytes = 0;
    let count = 0;
    while (count < this.queue.length && count < GROUP_PIECES && (count === 0 || bytes < GROUP_BYTES)) {
      bytes += this.queue[count++]!.bytes.length;
    }
    return this.queue.splice(0, count);
  }

  private async write(group: readonly Piece[]): Promise<void> {
    const { writtenBytes, error: failure } = await writeAt(
      this.fd,
      group.map(({ bytes }) => bytes),
      this.endBytes,
    );
    let error = failure;
    if (this.sync) {
      await syncFile(this.fd).catch((reason: Error) => {
        error = reason;
      });
    }
    const synced = error === failure;
    const limit = this.endBytes + (synced ? writtenBytes : 0);
    const written: (() => void)[] = [];
    for (const { bytes, resolve, reject } of group) {
      const offset = this.endBytes;
      if (offset + bytes.length > limit) written.push(() => reject(error!));
      else {
        this.endBytes += bytes.length;
        written.push(() => resolve(offset));
      }
    }
    // A torn end would be recognised as such, but it takes room. What follows overwrites it in any case.
    if (error !== undefined) await truncateFile(this.fd, this.endBytes).catch(() => undefined);
    for (const tell of written) tell();
  }
}
