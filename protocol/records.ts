import { pack, unpack } from './codec.ts';
import {
  added,
  between,
  blob,
  bytes,
  type Field,
  flag,
  list,
  numberBytes,
  struct,
  text,
  u8,
  u16,
  u32,
  u53,
  word,
} from './fields.ts';
import {
  BLOCK_BYTES_MAX,
  BLOCKS_PER_PART_MAX,
  DESCRIPTION_BYTES_MAX,
  INIT_BYTES_MAX,
  PART_NUMBER_MAX,
  RECORD_BYTES_MAX,
  TITLE_CHARS_MAX,
  TRACKS_MAX,
  WORD_CHARS_MAX,
} from './limits.ts';
import type { Description, IndexRecord } from './media.ts';
import { HASH_BYTES, KEY_BYTES, nameField, SIGNATURE_BYTES } from './names.ts';
import { asciiBytes, concatBytes } from './text.ts';

/**
 * The two things a source signs. Both travel as `body ‖ signature` (the last 64 bytes), where the body is one MessagePack
 * array. What is signed is a context string, the stream's id, and the body: a signature fits one purpose and one stream.
 */

/** A number of at most three decimals, as an integer. */
const thousandths: Field<number> = {
  read(value) {
    const read = u32.read(value);
    return read === undefined ? undefined : read / 1000;
  },
  write: (value) => Math.round(value * 1000),
  size: (value) => numberBytes(Math.round(value * 1000)),
};

const trackField = struct({
  id: between(0, TRACKS_MAX - 1),
  kind: word(['video', 'audio', 'text']),
  codecs: text(WORD_CHARS_MAX),
  name: text(WORD_CHARS_MAX),
  bandwidthBps: u32,
  width: u16,
  height: u16,
  /** Thousandths of a frame per second on the wire. */
  frameRate: thousandths,
  channels: u8,
  init: blob(INIT_BYTES_MAX, 1),
  language: added(text(WORD_CHARS_MAX), ''),
});

const descriptionField = struct({
  rootKey: bytes(KEY_BYTES),
  signingKey: bytes(KEY_BYTES),
  revision: u32,
  issuedAtMs: u53,
  expiresAtMs: u53,
  title: text(TITLE_CHARS_MAX),
  partTargetMs: between(1, 10_000),
  segmentTargetMs: between(1, 60_000),
  tracks: list(trackField, TRACKS_MAX),
});

const recordField = struct({
  track: between(0, TRACKS_MAX - 1),
  part: between(0, PART_NUMBER_MAX),
  revision: u32,
  segment: u32,
  indexInSegment: u16,
  independent: flag,
  discontinuity: flag,
  timeUs: u53,
  durationUs: u32,
  capturedAtMs: u53,
  blocks: list(struct({ name: nameField, sizeBytes: between(1, BLOCK_BYTES_MAX) }), BLOCKS_PER_PART_MAX),
  previous: bytes(HASH_BYTES),
});

const DESCRIPTION_CONTEXT = asciiBytes('inswarm/description/1\0');
const RECORD_CONTEXT = asciiBytes('inswarm/record/1\0');

/** Something signed, taken apart: who has to have signed is for the caller to know. */
export interface Signed<T> {
  readonly value: T;
  /** The bytes that the signature covers. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** The body of a description, ready to be signed: see {@link descriptionSigned}. */
export function encodeDescription(description: Description): Uint8Array {
  return pack(descriptionField.write(description));
}

export function encodeRecord(record: IndexRecord): Uint8Array {
  return pack(recordField.write(record));
}

/** The bytes that the root key signs. */
export function descriptionSigned(stream: Uint8Array, body: Uint8Array): Uint8Array {
  return concatBytes(DESCRIPTION_CONTEXT, stream, body);
}

/** The bytes that the signing key signs. */
export function recordSigned(stream: Uint8Array, body: Uint8Array): Uint8Array {
  return concatBytes(RECORD_CONTEXT, stream, body);
}

/** Takes apart `body ‖ signature`; `undefined` when a bound or a type is off. Nothing is verified yet. */
export function decodeDescription(stream: Uint8Array, sealed: Uint8Array): Signed<Description> | undefined {
  return decodeSealed(sealed, DESCRIPTION_BYTES_MAX, descriptionField, (body) => descriptionSigned(stream, body));
}

export function decodeRecord(stream: Uint8Array, sealed: Uint8Array): Signed<IndexRecord> | undefined {
  return decodeSealed(sealed, RECORD_BYTES_MAX, recordField, (body) => recordSigned(stream, body));
}

function decodeSealed<T>(
  sealed: Uint8Array,
  bytesMax: number,
  field: Field<T>,
  signedBytes: (body: Uint8Array) => Uint8Array,
): Signed<T> | undefined {
  if (sealed.length <= SIGNATURE_BYTES || sealed.length > bytesMax) return undefined;
  const body = sealed.subarray(0, sealed.length - SIGNATURE_BYTES);
  const value = field.read(unpack(body));
  if (value === undefined) return undefined;
  return { value, signed: signedBytes(body), signature: new Uint8Array(sealed.subarray(body.length)) };
}
