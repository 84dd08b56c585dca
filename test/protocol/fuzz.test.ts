import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unpack } from '../../protocol/codec.ts';
import { decodeBlockFrame, encodeBlockHeader } from '../../protocol/frames.ts';
import { decodeDescription, decodeRecord } from '../../protocol/records.ts';
import { scanControl } from '../../protocol/scan.ts';
import { concatBytes, fromBase64Url, toBase64Url } from '../../protocol/text.ts';
import { decodeToken } from '../../protocol/token.ts';
import { conversations, frameBytes, frames, run, sealedDescription, sealedRecord, sealedToken } from './samples.ts';

/** The same inputs each time: a failure is found again. */
const always = { seed: 20_251_122, numRuns: 2_000 } as const;
const stream = run(0, 32);

const wires: readonly Uint8Array[] = [
  ...conversations.flatMap(({ codec, samples }) => samples.map((sample) => codec.encode(sample))),
  ...frames.map(({ header }) => frameBytes(header)),
  sealedDescription,
  sealedRecord,
  sealedToken,
];

/** Something valid with a few bytes changed, cut, or put in. */
const mutated = fc
  .tuple(
    fc.constantFrom(...wires),
    fc.array(
      fc.record({
        kind: fc.constantFrom('flip', 'set', 'cut', 'insert', 'end'),
        at: fc.nat(),
        byte: fc.integer({ min: 0, max: 255 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([wire, changes]) => changes.reduce(change, wire));

function change(wire: Uint8Array, { kind, at, byte }: { kind: string; at: number; byte: number }): Uint8Array {
  const place = at % (wire.length + 1);
  const [head, tail] = [wire.subarray(0, place), wire.subarray(place)];
  switch (kind) {
    case 'cut':
      return concatBytes(head, tail.subarray(byte % 8));
    case 'insert':
      return concatBytes(head, Uint8Array.of(byte), tail);
    case 'end':
      return head;
    default:
      return concatBytes(
        head,
        Uint8Array.of(kind === 'flip' ? (tail[0] ?? 0) ^ (1 << (byte & 7)) : byte),
        tail.subarray(1),
      );
  }
}

const hostile = fc.oneof(
  mutated,
  fc.uint8Array({ maxLength: 400 }),
  // Begins like a message, goes on as it likes.
  fc
    .tuple(fc.integer({ min: 0x91, max: 0x9f }), fc.integer({ min: 1, max: 80 }), fc.uint8Array({ maxLength: 200 }))
    .map(([array, tag, rest]) => Uint8Array.of(array, tag, ...rest)),
);

describe('GE6: whatever strangers send', () => {
  test.each(conversations.map(({ name, codec }) => [name, codec] as const))(
    '%s: no bytes throw, and what is read can be written and read again',
    (_name, codec) => {
      fc.assert(
        fc.property(hostile, (bytes) => {
          const decoded = codec.decode(bytes);
          if (!decoded.ok || decoded.message === undefined) return;
          const bytesAgain = codec.encode(decoded.message);
          expect(codec.decode(bytesAgain)).toEqual(decoded);
          expect(codec.size(decoded.message)).toBe(bytesAgain.length);
        }),
        always,
      );
    },
  );

  test('descriptions, records, tokens and frames: no bytes throw', () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        decodeDescription(stream, bytes);
        decodeRecord(stream, bytes);
        decodeToken(bytes);
        const frame = decodeBlockFrame(bytes);
        if (frame !== undefined) expect(frame.block.length).toBeGreaterThan(0);
      }),
      { ...always, numRuns: 5_000 },
    );
  });

  test('what the scan lets through, the decoder reads: it never has to refuse', () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        if (scanControl(bytes) === undefined) expect(unpack(bytes)).not.toBeUndefined();
      }),
      { ...always, numRuns: 5_000 },
    );
  });

  test('what is read holds no memory of the frame it came in', () => {
    for (const { codec, samples } of conversations) {
      for (const sample of samples) {
        const wire = codec.encode(sample);
        const decoded = codec.decode(wire);
        wire.fill(0);
        expect(decoded).toEqual({ ok: true, message: sample });
      }
    }
  });

  test('GE7: any header comes back from its frame', () => {
    const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
    const u16 = fc.integer({ min: 0, max: 0xffff });
    const labelled = fc.record({
      track: fc.integer({ min: 0, max: 255 }),
      part: u32,
      index: u16,
      name: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((hash) => Uint8Array.of(0x1e, ...hash)),
      start: fc.boolean(),
      companion: fc.uint8Array({ maxLength: 300 }),
    });
    const header = fc.record({ request: u32, item: u16, kept: fc.boolean(), labelled: fc.option(labelled) });
    fc.assert(
      fc.property(header, fc.uint8Array({ minLength: 1, maxLength: 50 }), (value, block) => {
        expect(decodeBlockFrame(concatBytes(encodeBlockHeader(value), block))).toEqual({ header: value, block });
      }),
      { ...always, numRuns: 1_000 },
    );
  });

  test('base64url: any bytes come back, and equal bytes have one text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
        expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
      }),
      always,
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const bytes = fromBase64Url(text);
        if (bytes !== undefined) expect(toBase64Url(bytes)).toBe(text);
      }),
      always,
    );
  });
});
