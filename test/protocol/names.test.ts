import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bitmapHas, bitmapNewest, bitmapOf, bitmapParts } from '../../protocol/bitmap.ts';
import { BITMAP_BITS_MAX, PART_NUMBER_MAX } from '../../protocol/limits.ts';
import {
  nameField,
  nameFromText,
  nameOfHash,
  nameToText,
  streamIdFromText,
  streamIdToText,
} from '../../protocol/names.ts';
import { REASONS, reasonField } from '../../protocol/reasons.ts';
import { asciiBytes, bytesKey, concatBytes, fromBase64Url, sameBytes, toBase64Url } from '../../protocol/text.ts';
import { OPERATION, tokenCovers } from '../../protocol/token.ts';
import { fullToken, run, token } from './samples.ts';

describe('names of blocks', () => {
  const hash = run(200, 32);
  const name = nameOfHash(hash);

  test('GE8: a name is the type byte of BLAKE3 and 32 bytes of hash', () => {
    expect(name).toEqual(Uint8Array.of(0x1e, ...hash));
    expect(nameField.read(name)).toEqual(name);
    expect(nameField.read(Uint8Array.of(0x12, ...hash))).toBeUndefined();
    expect(nameField.read(hash)).toBeUndefined();
    expect(nameField.read('text')).toBeUndefined();
  });

  test('GE8: as text it has the form of RFC 6920', () => {
    const text = `ni:///blake3;${Buffer.from(hash).toString('base64url')}`;
    expect(nameToText(name)).toBe(text);
    expect(nameFromText(text)).toEqual(name);
    expect(nameFromText(text.replace('///', '//example.com/'))).toEqual(name);
  });

  test('GE8: the example of RFC 6920 has the same form, with another hash, and is refused', () => {
    const digest = createHash('sha256').update('Hello World!').digest('base64url');
    const example = `ni:///sha-256;${digest}`;
    expect(example).toBe('ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk');
    expect(nameFromText(example)).toBeUndefined();
  });

  test.each([
    '',
    'ni:///blake3;',
    `ni:///blake3;${'A'.repeat(42)}`,
    `ni:///blake3;${'A'.repeat(44)}`,
    `ni:///blake3;${'A'.repeat(42)}B`,
    `nih:blake3;${'A'.repeat(43)}`,
    `ni:///BLAKE3;${'A'.repeat(43)}`,
    ` ni:///blake3;${'A'.repeat(43)}`,
  ])('GE8: "%s" is no name', (text) => {
    expect(nameFromText(text)).toBeUndefined();
  });

  test('RE2: a stream has an id of 43 characters', () => {
    const id = run(7, 32);
    expect(streamIdToText(id)).toMatch(/^[\w-]{43}$/);
    expect(streamIdFromText(streamIdToText(id))).toEqual(id);
    for (const bad of ['', 'x', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}B`, `${'A'.repeat(42)}=`]) {
      expect(streamIdFromText(bad)).toBeUndefined();
    }
  });
});

describe('base64url', () => {
  test.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
  ])('the test vectors of RFC 4648: %s is %s', (plain, text) => {
    expect(toBase64Url(asciiBytes(plain))).toBe(text);
    expect(fromBase64Url(text)).toEqual(asciiBytes(plain));
  });

  test('- and _ stand where + and / would', () => {
    expect(toBase64Url(Uint8Array.of(0xfb, 0xff, 0xbf))).toBe('-_-_');
    expect(fromBase64Url('-_-_')).toEqual(Uint8Array.of(0xfb, 0xff, 0xbf));
  });

  test.each(['Z', 'Zg==', 'Zh', 'Zm9', '+/+/', 'Zm 9', 'Zü', '☃️☃️'])('"%s" is refused', (text) => {
    expect(fromBase64Url(text)).toBeUndefined();
  });
});

describe('bytes', () => {
  test('are joined, compared and made keys of', () => {
    expect(concatBytes(run(1, 2), run(9, 0), run(3, 2))).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(sameBytes(run(1, 3), run(1, 3))).toBe(true);
    expect(sameBytes(run(1, 3), run(1, 4))).toBe(false);
    expect(sameBytes(run(1, 3), run(2, 3))).toBe(false);
    expect(bytesKey(Uint8Array.of(0, 255))).toBe('\u0000\u00ff');
  });
});

describe('bitmaps', () => {
  test('SW5: bit i of byte i >> 3 stands for part first + i', () => {
    const bitmap = bitmapOf(2, [100, 103, 109]);
    expect(bitmap).toEqual({ track: 2, first: 100, bits: Uint8Array.of(0b1001, 0b10) });
    expect([...bitmapParts(bitmap)]).toEqual([100, 103, 109]);
    expect([99, 100, 101, 103, 109, 110, 116].map((part) => bitmapHas(bitmap, part))).toEqual([
      false,
      true,
      false,
      true,
      true,
      false,
      false,
    ]);
    expect(bitmapNewest(bitmap)).toBe(109);
  });

  test('SW5: the order of the parts does not matter', () => {
    expect(bitmapOf(0, new Set([9, 2, 5]))).toEqual(bitmapOf(0, [2, 5, 9]));
  });

  test('SW5: nothing held is an empty bitmap', () => {
    const empty = bitmapOf(3, []);
    expect(empty).toEqual({ track: 3, first: 0, bits: new Uint8Array(0) });
    expect([...bitmapParts(empty)]).toEqual([]);
    expect(bitmapNewest(empty)).toBe(-1);
    expect(bitmapHas(empty, 0)).toBe(false);
    expect(bitmapNewest({ track: 0, first: 5, bits: new Uint8Array(2) })).toBe(-1);
  });

  test('SW5: of a span that is too long the newest parts are kept', () => {
    const bitmap = bitmapOf(0, [0, 1, BITMAP_BITS_MAX, BITMAP_BITS_MAX + 5]);
    expect(bitmap.first).toBe(6);
    expect(bitmap.bits).toHaveLength(BITMAP_BITS_MAX / 8);
    expect([...bitmapParts(bitmap)]).toEqual([BITMAP_BITS_MAX, BITMAP_BITS_MAX + 5]);
  });

  test('SW5: the last part number there is has a bit', () => {
    expect([...bitmapParts(bitmapOf(0, [PART_NUMBER_MAX]))]).toEqual([PART_NUMBER_MAX]);
  });
});

describe('tokens and reasons', () => {
  test('TO3: a range token covers its collection, its tracks, and its parts, both ends included', () => {
    const collection = token.collection!;
    expect([123_399, 123_400, 123_800, 123_801].map((part) => tokenCovers(token, collection, 7, part))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(tokenCovers({ ...token, tracks: [1] }, collection, 1, 123_500)).toBe(true);
    expect(tokenCovers({ ...token, tracks: [1] }, collection, 2, 123_500)).toBe(false);
    expect(tokenCovers(token, run(0x11, 32), 1, 123_500)).toBe(false);
    expect(tokenCovers(fullToken, collection, 0, 123_500)).toBe(false);
  });

  test('TO2: each operation is one bit', () => {
    const bits = Object.values(OPERATION);
    expect(bits.reduce((sum: number, bit) => sum | bit, 0)).toBe(bits.reduce((sum: number, bit) => sum + bit, 0));
  });

  test('GE9: a reason of a later version cannot be read as one of ours', () => {
    for (const reason of Object.keys(REASONS)) expect(reasonField.read(reason)).toBe(reason);
    expect(reasonField.read('LATER')).toBeUndefined();
    expect(reasonField.read('toString')).toBeUndefined();
  });
});
