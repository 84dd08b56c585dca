import fc from 'fast-check';
import { Packr as Msgpackr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { Packr } from '../../runtime/browser/msgpack.ts';

const theirs = new Msgpackr({ useRecords: false, int64AsType: 'number' });
const ours = new Packr();

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('', '\ufeffmark', 'é'.repeat(31), 'ü'.repeat(128), '𝄞'.repeat(70)),
);
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.constantFrom(
    -0,
    31,
    32,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    -32,
    -33,
    -129,
    -32_769,
  ),
);
const bytes = fc.nat({ max: 300 }).map((length) => new Uint8Array(length).fill(length));
const leaf = fc.oneof(number, text, bytes, fc.boolean(), fc.constant(null));
const message = fc.array(fc.oneof(leaf, fc.array(leaf, { maxLength: 20 })), { maxLength: 20 });

/** Their bytes are Buffers in Node. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  return Array.isArray(value) ? value.map(plain) : value;
}

function hex(packed: Uint8Array): string {
  return Buffer.from(packed).toString('hex');
}

describe("MessagePack for pages, held against msgpackr's", () => {
  test('writes the same bytes, and each reads what the other wrote', () => {
    fc.assert(
      fc.property(message, (value) => {
        const packed = new Uint8Array(theirs.pack(value));
        expect(hex(ours.pack(value))).toBe(hex(packed));
        expect(ours.unpack(packed)).toEqual(plain(theirs.unpack(packed)));
      }),
      { numRuns: 100 },
    );
  });

  test('writes the same heads before long texts, bytes and arrays', () => {
    for (const length of [255, 256, 65_535, 65_536]) {
      const long = ['x'.repeat(length), new Uint8Array(length), new Array(length).fill(7)];
      expect(hex(ours.pack(long))).toBe(hex(theirs.pack(long)));
    }
  });

  test.each<[string, number[]]>([
    ['float 32', [0xca, 0x3f, 0x80, 0, 0]],
    ['uint 64', [0xcf, 0, 0, 1, 0, 0, 0, 0, 5]],
    ['int 64', [0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]],
    ['int 8', [0xd0, 0x85]],
    ['str 16 of two', [0xda, 0, 2, 0x61, 0x62]],
  ])('reads %s, which others may write', (_name, packed) => {
    expect(ours.unpack(Uint8Array.from(packed))).toEqual(theirs.unpack(Uint8Array.from(packed)));
  });

  test('refuses what is cut short, and what no message has', () => {
    const packed = ours.pack([1, 'two', Uint8Array.of(3, 4, 5), 66_000, 0.5]);
    for (let length = 0; length < packed.length; length++) {
      expect(() => ours.unpack(packed.subarray(0, length))).toThrow(RangeError);
    }
    expect(() => ours.unpack(Uint8Array.of(0xd4, 0x72, 0x40))).toThrow(RangeError);
    expect(() => ours.pack([undefined])).toThrow(TypeError);
    expect(() => ours.pack({})).toThrow(TypeError);
  });

  test('reads from the middle of a buffer, and what it gave earlier stays', () => {
    const first = ours.pack(['first']);
    const around = new Uint8Array(first.length + 9);
    around.set(first, 5);
    ours.pack(['second', 'x'.repeat(5_000)]);
    expect(ours.unpack(around.subarray(5, 5 + first.length))).toEqual(['first']);
    expect(ours.unpack(first)).toEqual(['first']);
  });
});
