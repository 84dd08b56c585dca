import { describe, expect, it } from 'vitest';
import { dataRecord, endRecord, RecordReader, takenRecord } from '../harness/links/buckets/records.ts';

describe('records between two hosts', () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, at) => at);
  const sent = Uint8Array.from([
    ...dataRecord(0),
    ...dataRecord(300),
    ...bytes,
    ...takenRecord(3_000_000_000),
    ...dataRecord(2),
    ...[0x11, 0x12],
    ...endRecord(),
  ]);

  it.each([1, 2, 3, 7, 64, 1_000])('are read the same in chunks of %i bytes', (size) => {
    const told: (number | string)[] = [];
    const reader = new RecordReader({
      data: (some) => told.push(...some),
      taken: (sizeBytes) => told.push(`taken ${sizeBytes}`),
      ended: () => told.push('ended'),
    });
    for (let at = 0; at < sent.length; at += size) expect(reader.read(sent.subarray(at, at + size))).toBe(true);
    expect(told).toEqual([...bytes, 'taken 3000000000', 0x11, 0x12, 'ended']);
  });

  it('are told from whatever else comes', () => {
    const reader = new RecordReader({ data: () => undefined, taken: () => undefined, ended: () => undefined });
    expect(reader.read(new TextEncoder().encode('GET / HTTP/1.1\r\n'))).toBe(false);
  });
});
