import { decodeRecord } from '../../protocol/records.ts';
import { RECORDS_KEPT_BYTES_MAX, RECORDS_KEPT_MAX } from './limits.ts';

/** A record in the buffer. */
export interface Kept {
  /** 1, 2, 3 … in the order of arrival. */
  readonly sequence: number;
  readonly track: number;
  readonly part: number;
  readonly independent: boolean;
  readonly arrivedAtMs: number;
  readonly sealed: Uint8Array;
}

/** Ms for which every record is kept: longer than the time between two digests. */
const KEPT_MS = 3_000;

/**
 * The newest sealed records of a stream: all since the newest but one independent part, so that a joiner always gets a
 * start whose parts are complete. The tracker reads them and verifies nothing: each viewer does.
 */
export class RecordBuffer {
  private items: Kept[] = [];
  private readonly known = new Set<number>();
  private bytes = 0;
  private sequence = 0;
  /** The newest two independent parts, older first. */
  private starts: [number, number] = [-1, -1];
  private readonly stream: Uint8Array;

  constructor(stream: Uint8Array) {
    this.stream = stream;
  }

  /** Sequence number of the newest record; 0 when none ever came. */
  get newest(): number {
    return this.sequence;
  }

  /** @returns False when it is not a record. One that is known already is ignored. */
  add(sealed: Uint8Array, nowMs: number): boolean {
    const record = decodeRecord(this.stream, sealed)?.value;
    if (record === undefined) return false;
    const { track, part, independent } = record;
    if (this.known.has(keyOf(track, part))) return true;
    this.known.add(keyOf(track, part));
    this.bytes += sealed.length;
    this.items.push({ sequence: ++this.sequence, track, part, independent, arrivedAtMs: nowMs, sealed });
    if (independent && part > this.starts[1]) this.starts = [this.starts[1], part];
    this.drop(nowMs);
    return true;
  }

  /** Forgets all records; sequence numbers go on. */
  clear(): void {
    this.items = [];
    this.known.clear();
    this.bytes = 0;
    this.starts = [-1, -1];
  }

  /** What a joiner needs, oldest part first. */
  forJoiner(): Uint8Array[] {
    return this.items
      .filter((item) => item.part >= this.starts[0])
      .sort((a, b) => a.part - b.part || a.track - b.track)
      .map((item) => item.sealed);
  }

  /** What arrived behind a sequence number, oldest first. */
  since(sequence: number): readonly Kept[] {
    return this.items.filter((item) => item.sequence > sequence);
  }

  private drop(nowMs: number): void {
    const items = this.items;
    let end = 0;
    while (
      end < items.length - 1 &&
      (items.length - end > RECORDS_KEPT_MAX ||
        this.bytes > RECORDS_KEPT_BYTES_MAX ||
        (items[end]!.part < this.starts[0] && nowMs - items[end]!.arrivedAtMs > KEPT_MS))
    ) {
      const { track, part, sealed } = items[end]!;
      this.known.delete(keyOf(track, part));
      this.bytes -= sealed.length;
      end++;
    }
    if (end > 0) this.items = items.slice(end);
  }
}

function keyOf(track: number, part: number): number {
  return part * 16 + track;
}
