import { READERS_MAX } from '../limits.ts';

/** What was read in a locker, for its owner (RFC 7069 6.2.2): how often, how much, by how many accounts, since when. */
export class AccessLog {
  reads = 0;
  readBytes = 0;
  sinceMs = 0;
  private readonly readers = new Set<object>();
  private last: object | undefined;

  /** At most {@link READERS_MAX} are told apart. */
  get readerCount(): number {
    return this.readers.size;
  }

  count(reader: object, bytes: number, nowMs: number): void {
    if (this.reads === 0) this.sinceMs = Math.floor(nowMs);
    this.reads++;
    this.readBytes += bytes;
    // As a rule one reader is sent several blocks in a row.
    if (reader === this.last) return;
    this.last = reader;
    if (this.readers.size < READERS_MAX) this.readers.add(reader);
  }
}
