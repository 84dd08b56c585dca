import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codec, message } from '../../protocol/codec.ts';
import { added, blob, list, optional, ordinal, struct, text, u53, word } from '../../protocol/fields.ts';
import { blockHeaderBytes, encodeBlockHeader, headerBytesOf } from '../../protocol/frames.ts';
import { conversations, frames } from './samples.ts';

const words = ['a', 'bc', 'a word of more than thirty-two characters'] as const;
const every = codec([
  message('every', 200, {
    number: u53,
    text: text(100_000),
    blob: blob(60_000),
    word: word(words),
    ordinal: ordinal(words),
    optional: optional(u53),
    added: added(u53, 0),
    list: list(struct({ number: u53, text: text(400) }), 100),
  }),
]);

/** Numbers and lengths at which the form on the wire changes, and their neighbours. */
const edges = [0, 1, 15, 16, 31, 32, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
const number = fc.oneof(fc.constantFrom(...edges), fc.nat());
const length = fc.constantFrom(0, 1, 15, 16, 20, 31, 32, 33, 85, 86, 255, 256, 300, 600);
const someText = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 4 }), length)
  .map(([unit, count]) => unit.repeat(count).slice(0, count));
const someMessage = fc.record({
  type: fc.constant('every' as const),
  number,
  text: someText,
  blob: length.map((count) => new Uint8Array(count)),
  word: fc.constantFrom(...words),
  ordinal: fc.constantFrom(...words),
  optional: fc.option(number),
  added: number,
  list: fc.array(fc.record({ number, text: someText.map((value) => value.slice(0, 40)) }), { maxLength: 40 }),
});

describe('a size is told without writing', () => {
  test.each(
    conversations.flatMap(({ name, codec, samples }) =>
      samples.map((sample) => [`${name} ${sample.type}`, codec, sample] as const),
    ),
  )('%s', (_name, codec, sample) => {
    expect(codec.size(sample)).toBe(codec.encode(sample).length);
  });

  test('whatever is in the fields', () => {
    fc.assert(
      fc.property(someMessage, (value) => {
        expect(every.size(value)).toBe(every.encode(value).length);
      }),
      { seed: 20_251_122, numRuns: 1_000 },
    );
  });

  test.each(frames.map(({ name, header }) => [name, header] as const))('the header of a block: %s', (_name, header) => {
    const bytes = encodeBlockHeader(header);
    expect(blockHeaderBytes(header)).toBe(bytes.length);
    expect(headerBytesOf(Uint8Array.of(...bytes, 1, 2, 3))).toBe(bytes.length);
    for (let cut = 0; cut < bytes.length; cut++) expect(headerBytesOf(bytes.subarray(0, cut))).toBeLessThanOrEqual(cut);
  });
});
