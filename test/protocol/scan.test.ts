import { describe, expect, test } from 'vitest';
import { pack, unpack } from '../../protocol/codec.ts';
import { CONTROL_BYTES_MAX, CONTROL_DEPTH_MAX, CONTROL_ITEMS_MAX } from '../../protocol/limits.ts';
import { scanControl } from '../../protocol/scan.ts';
import { conversations } from './samples.ts';

const of = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

describe('GE3: the scan before the decoder', () => {
  test('lets through everything we send', () => {
    for (const { codec, samples } of conversations) {
      for (const sample of samples) expect(scanControl(codec.encode(sample))).toBeUndefined();
    }
  });

  test.each<[string, Uint8Array]>([
    ['positive fixint', of(0x7f)],
    ['negative fixint', of(0xe0)],
    ['nil', of(0xc0)],
    ['false', of(0xc2)],
    ['true', of(0xc3)],
    ['bin 8', of(0xc4, 1, 9)],
    ['bin 16', of(0xc5, 0, 1, 9)],
    ['float 32', of(0xca, 0, 0, 0, 0)],
    ['float 64', of(0xcb, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['uint 8', of(0xcc, 1)],
    ['uint 16', of(0xcd, 0, 1)],
    ['uint 32', of(0xce, 0, 0, 0, 1)],
    ['uint 64', of(0xcf, 0, 0, 0, 0, 0, 0, 0, 1)],
    ['int 8', of(0xd0, 1)],
    ['int 16', of(0xd1, 0, 1)],
    ['int 32', of(0xd2, 0, 0, 0, 1)],
    ['int 64', of(0xd3, 0, 0, 0, 0, 0, 0, 0, 1)],
    ['fixstr', of(0xa1, 0x61)],
    ['str 8', of(0xd9, 1, 0x61)],
    ['str 16', of(0xda, 0, 1, 0x61)],
    ['fixarray', of(0x92, 1, 2)],
    ['array 16', of(0xdc, 0, 2, 1, 2)],
  ])('knows %s, whole and cut short', (_name, bytes) => {
    expect(scanControl(bytes)).toBeUndefined();
    for (let length = 0; length < bytes.length; length++) {
      expect(scanControl(bytes.subarray(0, length))).toBeTypeOf('string');
    }
    expect(scanControl(of(...bytes, 0xc0))).toBe('trailing bytes');
  });

  test.each<[string, number]>([
    ['never used', 0xc1],
    ['bin 32', 0xc6],
    ['ext 8', 0xc7],
    ['ext 16', 0xc8],
    ['ext 32', 0xc9],
    ['fixext 1', 0xd4],
    ['fixext 2', 0xd5],
    ['fixext 4', 0xd6],
    ['fixext 8', 0xd7],
    ['fixext 16', 0xd8],
    ['str 32', 0xdb],
    ['array 32', 0xdd],
    ['map 16', 0xde],
    ['map 32', 0xdf],
  ])('refuses %s, also inside an array', (_name, op) => {
    const value = of(op, ...new Array<number>(20).fill(0));
    expect(scanControl(value)).toBe('unexpected type');
    expect(scanControl(of(0x91, ...value))).toBe('unexpected type');
    expect(unpack(value)).toBeUndefined();
  });

  test('refuses maps', () => {
    for (const op of [0x80, 0x81, 0x8f]) expect(scanControl(of(op, 1, 2))).toBe('map');
  });

  test('refuses the records that msgpackr would compile code for', () => {
    // fixext 1, type 0x72 ('r'): a record definition, here with the one key "a".
    expect(scanControl(of(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 1))).toBe('unexpected type');
  });

  test('refuses what is nested more deeply than any message of ours', () => {
    const nested = (depth: number): Uint8Array => of(...new Array<number>(depth).fill(0x91), 0xc0);
    expect(scanControl(nested(CONTROL_DEPTH_MAX))).toBeUndefined();
    expect(scanControl(nested(CONTROL_DEPTH_MAX + 1))).toBe('too deep');
  });

  test('refuses more items than any message of ours has, before any is made', () => {
    const flat = (items: number): Uint8Array => pack(new Array(items).fill(0));
    expect(scanControl(flat(CONTROL_ITEMS_MAX - 1))).toBeUndefined();
    expect(scanControl(flat(CONTROL_ITEMS_MAX))).toBe('too many items');
  });

  test('refuses lengths that reach beyond the end', () => {
    expect(scanControl(of(0xdc, 0xff, 0xff))).toBe('truncated');
    expect(scanControl(of(0x92, 0xc4, 0xff))).toBe('truncated');
    expect(scanControl(of(0xdc, 0xff))).toBe('truncated');
    expect(scanControl(of(0xc5, 0xff))).toBe('unexpected type');
  });

  test('refuses nothing and too much', () => {
    expect(scanControl(of())).toBe('empty');
    expect(scanControl(new Uint8Array(CONTROL_BYTES_MAX + 1))).toBe('too long');
  });

  test('counts through arrays that end together', () => {
    expect(scanControl(pack([[1, [2, [3]]], [], [[]]]))).toBeUndefined();
    expect(unpack(pack([[1, [2, [3]]], [], [[]]]))).toEqual([[1, [2, [3]]], [], [[]]]);
  });
});
