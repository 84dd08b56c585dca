import { NEIGHBOURS_ANSWER_MAX, RECORDS_MESSAGE_MAX } from '../../protocol/limits.ts';
import type { NeighbourEntry } from '../../protocol/swarm-fields.ts';
import { MESSAGE_FILL_BYTES } from './limits.ts';

/** Cuts lists so that every message stays within the wire's bounds. */

/** Splits items, in order, into runs of at most `countMax` items and `bytesMax` bytes (the first run: `firstBytesMax`). */
export function splitToFit<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  countMax: number,
  firstBytesMax: number,
  bytesMax = MESSAGE_FILL_BYTES,
): T[][] {
  const runs: T[][] = [[]];
  let left = firstBytesMax;
  for (const item of items) {
    const size = sizeOf(item);
    if (runs.at(-1)!.length === countMax || size > left) {
      runs.push([]);
      left = bytesMax;
    }
    runs.at(-1)!.push(item);
    left -= size;
  }
  return runs;
}

export function splitRecords(records: readonly Uint8Array[], firstBytesMax = MESSAGE_FILL_BYTES): Uint8Array[][] {
  return splitToFit(records, recordBytes, RECORDS_MESSAGE_MAX, firstBytesMax);
}

export function splitEntries(
  entries: readonly NeighbourEntry[],
  firstBytesMax = MESSAGE_FILL_BYTES,
): NeighbourEntry[][] {
  return splitToFit(entries, entryBytes, NEIGHBOURS_ANSWER_MAX, firstBytesMax);
}

function recordBytes(record: Uint8Array): number {
  return record.length + 3;
}

/** No less than what the entry takes on the wire. */
function entryBytes({ url, availability, token }: NeighbourEntry): number {
  return 60 + (url === null ? 0 : url.length * 3) + stateBytes(availability, token);
}

/** No less than what a state takes on the wire, besides the key. */
export function stateBytes(availability: NeighbourEntry['availability'], token: Uint8Array | null): number {
  return availability.reduce((sum, { bits }) => sum + bits.length + 11, 5) + (token === null ? 1 : token.length + 3);
}
